"""Small archives in the published forms, packed, and compared with what they were made of."""

import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import cv2
import ncompress
import numpy as np
import pytest
from numpy.typing import NDArray

from mnistry.data.handwriting import hasy, nist, noisyoffice, omniglot, optdigits, pendigits, unipen
from mnistry.data.handwriting.published import Packed
from mnistry.data.normalize import as_mnist
from mnistry.data.strokes import StrokeSet
from mnistry.errors import DataError

Pack = Callable[[Path], Packed]


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def tarred(path: Path, files: dict[str, bytes], method: str) -> Path:
    with tarfile.open(path, f"w:{method}") as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def png(image: NDArray[np.uint8]) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def packed(pack: Pack, archive: Path, folder: Path) -> dict[str, Path]:
    """Packs, writes what came out, and says where each file is."""
    paths = {}
    for name, content in pack(archive):
        paths[str(name)] = folder / name
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return paths


def only_arrays(pack: Pack, archive: Path) -> dict[str, NDArray[np.generic]]:
    ((_, content),) = pack(archive)
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


# ---------------------------------------------------------------- pendigits

TRA = """.INCLUDE       upendig.lex
.LEXICON  "0" "1"
.HIERARCHY DIGIT

.SEGMENT DIGIT 0 ? "8"
.COMMENT 8 12 0
.PEN_DOWN
 100 500
 200 500
 200 245
.PEN_UP
.DT 100

.SEGMENT DIGIT 1-2 ? "4"
.COMMENT 4 7 1
.PEN_DOWN
 0 10
 0 10
 10 10
.PEN_UP
.DT 100
.PEN_DOWN
 5 0
.PEN_UP
"""
TES = '.SEGMENT DIGIT 0 ? "0"\n.COMMENT 0 12 3\n.PEN_DOWN\n 0 0\n 51 0\n 51 51\n.PEN_UP\n'


def test_pendigits(tmp_path: Path) -> None:
    archive = zipped(
        tmp_path / "pendigits.zip",
        {
            "pendigits-orig.tra.Z": ncompress.compress(TRA.encode()),
            "pendigits-orig.tes.Z": ncompress.compress(TES.encode()),
            "pendigits.tra": b"47,100, 27",
        },
    )
    paths = packed(pendigits.pack, archive, tmp_path)
    strokes = StrokeSet.read(paths["pendigits/digits_strokes.npz"])
    assert strokes.labels.tolist() == ["8", "4", "0"]
    assert strokes.writers.tolist() == ["pendigits/train/12", "pendigits/train/7", "pendigits/test/12"]
    # The longer side becomes 255, y goes down, and a point that does not move is left out.
    assert [stroke.tolist() for stroke in strokes[0]] == [[[0, 0], [100, 0], [100, 255]]]
    assert [stroke.tolist() for stroke in strokes[1]] == [[[0, 0], [255, 0]], [[128, 255]]]
    assert [stroke.tolist() for stroke in strokes[2]] == [[[0, 255], [255, 255], [255, 0]]]


def test_what_was_packed_from_the_published_file_comes_out_again(real_data: Path, tmp_path: Path) -> None:
    """UNIPEN text written of packed arrays is parsed to the same arrays."""
    path = real_data / "handwriting/pendigits/digits_strokes.npz"
    strokes = StrokeSet.read(path)
    written: dict[str, list[str]] = {"train": [], "test": []}
    chosen = range(0, len(strokes), 9)
    for sample in chosen:
        _, part, writer = strokes.writers[sample].split("/")
        lines = [
            f'.SEGMENT DIGIT 0 ? "{strokes.labels[sample]}"',
            f".COMMENT {strokes.labels[sample]} {writer} 1",
        ]
        for stroke in strokes[sample]:
            lines += [".PEN_DOWN", *(f"{x:.0f} {255 - y:.0f}" for x, y in stroke), ".PEN_UP", ".DT 100"]
        written[part] += lines
    archive = zipped(
        tmp_path / "pendigits.zip",
        {
            f"pendigits-orig.{ending}.Z": ncompress.compress("\n".join(written[part]).encode())
            for ending, part in (("tra", "train"), ("tes", "test"))
        },
    )
    again = StrokeSet.read(packed(pendigits.pack, archive, tmp_path)["pendigits/digits_strokes.npz"])
    order = sorted(chosen, key=lambda sample: "/test/" in strokes.writers[sample])
    assert again.labels.tolist() == strokes.labels[order].tolist()
    assert again.writers.tolist() == strokes.writers[order].tolist()
    for number, sample in enumerate(order):
        assert len(again[number]) == len(strokes[sample])
        for one, other in zip(again[number], strokes[sample], strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({}, r"pendigits-orig\.tra\.Z is not in it"),
        ({"pendigits.tra": b"47,100"}, r"pendigits-orig\.tra\.Z is not in it"),
        ({"pendigits-orig.tra.Z": b"not packed"}, "was not packed by Unix's `compress`"),
        (
            {
                "pendigits-orig.tra.Z": ncompress.compress(
                    TRA.replace("COMMENT 8 12 0", "COMMENT 3 12 0").encode()
                )
            },
            "does not say digit 8",
        ),
        (
            {"pendigits-orig.tra.Z": ncompress.compress(TRA.replace(" 200 500", " 200 x").encode())},
            "not a point in every line",
        ),
    ],
)
def test_a_damaged_file_of_pendigits(tmp_path: Path, files: dict[str, bytes], said: str) -> None:
    with pytest.raises(DataError, match=said):
        list(pendigits.pack(zipped(tmp_path / "pendigits.zip", files)))


@pytest.mark.parametrize("pack", [pendigits.pack, optdigits.pack, omniglot.pack, nist.pack, noisyoffice.pack])
def test_no_zip_file(tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "download").write_bytes(b"<html>please log in</html>")
    with pytest.raises(DataError, match="not the expected ZIP file"):
        list(pack(tmp_path / "download"))


@pytest.mark.parametrize("pack", [unipen.pack, hasy.pack])
def test_no_archive(tmp_path: Path, pack: Pack) -> None:
    (tmp_path / "download").write_bytes(b"<html>please log in</html>")
    with pytest.raises(DataError, match="not the expected archive"):
        list(pack(tmp_path / "download"))


# ---------------------------------------------------------------- optdigits


def test_optdigits(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    bits = random.integers(0, 2, (5, 32, 32), np.uint8)
    labels = [3, 0, 9, 9, 1]
    header = "1\nnhead 2\nentwidth\t= 32\nentheight\t= 32\n"
    texts = [
        "\n".join(["".join(map(str, row)) for row in image] + [f" {label}"]) + "\n"
        for image, label in zip(bits, labels, strict=True)
    ]
    files = {"tra": texts[:2], "cv": texts[2:3], "windep": texts[3:4], "wdep": texts[4:]}
    archive = zipped(
        tmp_path / "optdigits.zip",
        {
            f"optdigits-orig.{part}.Z": ncompress.compress((header + "".join(own)).encode())
            for part, own in files.items()
        },
    )
    arrays = only_arrays(optdigits.pack, archive)
    np.testing.assert_array_equal(arrays["images"], bits * 255)
    assert arrays["images"].dtype == np.uint8
    assert arrays["labels"].tolist() == labels
    assert arrays["part"].tolist() == ["tra", "tra", "cv", "windep", "wdep"]


# ---------------------------------------------------------------- UNIPEN

INK = """.VERSION 1.0
.INCLUDE abc/doc/header.doc
.COMMENT points follow
.PEN_DOWN
0 100 500
0 0 501
.PEN_UP
.PEN_DOWN
50 50 502
100 50 503
.PEN_UP
.PEN_DOWN
0 10 504
20 10 505
20 0 506
.PEN_UP
"""
"""Two strokes of a T that lies on its side, and one more."""
HEADER = ".COORD X Y T\n.WRITER_ID w1\n.COUNTRY nowhere\n"
HOVERING = """.COORD T X Y
.PEN_UP
1 5 5
.PEN_DOWN
2 0 0
3 0 10
.PEN_UP
4 5 5
.PEN_DOWN
5 10 0
6 10 10
"""
DIGITS = '.INCLUDE abc/data/one.dat\n.SEGMENT CHARACTER 0-1 ? "7"\n.SEGMENT CHARACTER 2 OK "1"\n'
LETTERS = '.INCLUDE abc/data/one.dat\n.SEGMENT CHARACTER 2:1-2:2 ? "L"\n.SEGMENT CHARACTER 9 ? "Z"\n'
SIGNS = '.INCLUDE abc/data/one.dat\n.SEGMENT CHARACTER 2 ? "\\""\n.SEGMENT CHARACTER x ? "-"\n'
WORDS = (
    '.INCLUDE xyz/data/two.dat\n.SEGMENT WORD 1,3 ? "it\n is"\n.SEGMENT WORD 3 GOOD "5"\n'
    '.SEGMENT WORD 1-3 ? "no 5"\n'
)
CD = "CDROM/train_r01_v07"
UNIPEN_FILES = {
    f"{CD}/data/1a/abc/one.dat": DIGITS,
    f"{CD}/data/1b/abc/one.dat": LETTERS,
    f"{CD}/data/1d/abc/one.dat": SIGNS,
    f"{CD}/data/2/abc/one.dat": DIGITS,
    f"{CD}/data/7/xyz/two.dat": WORDS,
    f"{CD}/include/abc/data/one.dat": INK,
    f"{CD}/include/abc/doc/header.doc": HEADER,
    f"{CD}/include/xyz/data/two.dat": HOVERING,
    "../outside.dat": "x",
}


def unipen_sets(tmp_path: Path, files: dict[str, str]) -> dict[str, StrokeSet]:
    archive = tarred(tmp_path / "unipen.tgz", {name: text.encode() for name, text in files.items()}, "gz")
    paths = packed(unipen.pack, archive, tmp_path / "out")
    assert not list(tmp_path.glob("unipen-*")), "nothing unpacked stays behind"
    return {Path(name).stem.removesuffix("_strokes"): StrokeSet.read(path) for name, path in paths.items()}


def test_unipen(tmp_path: Path) -> None:
    sets = unipen_sets(tmp_path, UNIPEN_FILES)
    digits = sets["digits"]
    assert digits.labels.tolist() == ["7", "1"], "and nothing of category 2"
    assert digits.writers.tolist() == ["abc/w1", "abc/w1"]
    assert [stroke.tolist() for stroke in digits[0]] == [[[0, 0], [0, 255]], [[128, 128], [255, 128]]]
    assert [stroke.tolist() for stroke in digits[1]] == [[[0, 0], [255, 0], [255, 128]]]
    letters = sets["letters"]
    assert letters.labels.tolist() == ["L"], "Z points beyond the ink"
    assert [stroke.tolist() for stroke in letters[0]] == [[[0, 0], [0, 255]]]
    assert sets["symbols"].labels.tolist() == ['"']
    # Where the pen's ways above the paper are counted too, the labels count them.
    words = sets["words_nodigits"]
    assert words.labels.tolist() == ["it is"]
    assert words.writers.tolist() == ["xyz/two"]
    assert [stroke.tolist() for stroke in words[0]] == [[[0, 2000], [0, 0]], [[2000, 2000], [2000, 0]]]
    assert sets["digits_from_words"].labels.tolist() == ["5"]
    assert [stroke.tolist() for stroke in sets["digits_from_words"][0]] == [[[0, 255], [0, 0]]]


def test_how_large_a_character_is_beside_its_writers_others(tmp_path: Path) -> None:
    archive = tarred(
        tmp_path / "unipen.tgz", {name: text.encode() for name, text in UNIPEN_FILES.items()}, "gz"
    )
    paths = packed(unipen.pack, archive, tmp_path)
    with (
        np.load(paths["unipen/digits_strokes.npz"]) as digits,
        np.load(paths["unipen/symbols_strokes.npz"]) as signs,
    ):
        # The sides of 7, 1 and L are 100, 20 and 10 long, so the median is 20.
        np.testing.assert_allclose(digits["rel_size"], [5, 1])
        np.testing.assert_allclose(signs["rel_size"], [1])


def test_words_are_spread_over_a_writers_words(tmp_path: Path) -> None:
    many = "".join(f'.SEGMENT WORD 1 ? "word {chr(97 + n // 26)}{chr(97 + n % 26)}"\n' for n in range(300))
    files = {**UNIPEN_FILES, f"{CD}/data/8/xyz/two.dat": f".INCLUDE xyz/data/two.dat\n{many}"}
    labels = unipen_sets(tmp_path, files)["words_nodigits"].labels.tolist()
    assert len(labels) == 1 + unipen.MOST_WORDS
    assert (labels[1], labels[-1]) == ("word aa", "word ln")


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"readme.txt": ""}, "no folder with `data` and `include`"),
        ({**UNIPEN_FILES, f"{CD}/data/1a/abc/one.dat": ""}, "no digits were found"),
        ({**UNIPEN_FILES, f"{CD}/include/abc/data/one.dat": INK.replace("100", "?")}, None),
        ({**UNIPEN_FILES, f"{CD}/include/abc/doc/header.doc": ".INCLUDE abc/doc/header.doc"}, None),
        ({**UNIPEN_FILES, f"{CD}/data/1a/abc/two.dat": DIGITS.replace("0-1", "0-999999999")}, None),
        ({**UNIPEN_FILES, f"{CD}/data/1a/abc/two.dat": DIGITS.replace("0-1", "3-1")}, None),
        ({**UNIPEN_FILES, f"{CD}/data/1a/abc/two.dat": DIGITS.replace("abc/data", "../../..")}, None),
    ],
)
def test_damage_in_unipen(tmp_path: Path, files: dict[str, str], said: str | None) -> None:
    """A damaged piece of writing is left out; what holds nothing is an error."""
    if said:
        with pytest.raises(DataError, match=said):
            unipen_sets(tmp_path, files)
    else:
        assert "1" in unipen_sets(tmp_path, files)["digits"].labels.tolist()
    assert not (tmp_path.parent / "outside.dat").exists()


# ---------------------------------------------------------------- pictures


def test_omniglot(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    images = random.integers(0, 2, (3, 105, 105), np.uint8)
    places = ["Greek/character01/0394_01", "Greek/character01/0394_02", "Korean/character40/0539_20"]
    files = {
        f"images_background/{place}.png": png((1 - image) * 255)
        for place, image in zip(places, images, strict=True)
    }
    files["images_background/Futurama/character01/0001_01.png"] = b"not asked for"
    arrays = only_arrays(omniglot.pack, zipped(tmp_path / "images_background.zip", files))
    np.testing.assert_array_equal(np.unpackbits(arrays["packed"], axis=2)[:, :, :105], images)
    assert arrays["alphabet"].tolist() == ["Greek", "Greek", "Korean"]
    assert arrays["character"].tolist() == ["character01", "character01", "character40"]
    assert arrays["drawer"].tolist() == [1, 2, 20]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "is no picture"), (png(np.zeros((9, 8), np.uint8)), "is 8×9, expected 105×105")],
)
def test_a_damaged_picture(tmp_path: Path, content: bytes, said: str) -> None:
    files = {"images_background/Greek/character01/0394_01.png": content}
    with pytest.raises(DataError, match=said):
        list(omniglot.pack(zipped(tmp_path / "images_background.zip", files)))


def test_hasy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hasy, "MOST_OF_A_CLASS", 2)
    images = np.random.default_rng(0).integers(0, 2, (5, 32, 32), np.uint8) * np.uint8(255)
    latex = [r"\pi", "7", r"\int", r"\pi", r"\pi"]
    rows = [f"hasy-data/v2-{number:05}.png,{number},{text},16925" for number, text in enumerate(latex)]
    files = {f"hasy-data/v2-{number:05}.png": png(image) for number, image in enumerate(images)}
    files["hasy-data-labels.csv"] = "\n".join(["path,symbol_id,latex,user_id", *rows]).encode()
    arrays = only_arrays(hasy.pack, tarred(tmp_path / "HASYv2.tar.bz2", files, "bz2"))
    np.testing.assert_array_equal(arrays["images"], images[[0, 2, 3]])
    assert arrays["labels"].tolist() == [15, 0, 15]


def test_hasy_without_labels(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"hasy-data-labels\.csv is not in it"):
        list(hasy.pack(tarred(tmp_path / "HASYv2.tar.bz2", {"a": b""}, "bz2")))
    files = {"hasy-data-labels.csv": b"a,b\n1,2\n"}
    with pytest.raises(DataError, match="has no columns path and latex"):
        list(hasy.pack(tarred(tmp_path / "HASYv2.tar.bz2", files, "bz2")))


def test_capitals_of_nist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nist, "MOST_OF_A_LETTER", 2)
    page = np.full((128, 128), 255, np.uint8)
    cv2.line(page, (40, 30), (80, 100), 0, 7)
    names = [
        "41/hsf_0/hsf_0_00000",  # a writer of MNIST's digits
        "41/hsf_6/hsf_6_00000",
        "41/hsf_7/hsf_7_00000",
        "41/hsf_7/hsf_7_00001",  # one more than wanted
        "5a/hsf_6/hsf_6_00009",
        "4a/train_4a/train_4a_00000",
        "61/hsf_6/hsf_6_00000",  # a small letter
        "30/hsf_6/hsf_6_00000",  # a digit
    ]
    files = {f"by_class/{name}.png": png(np.dstack([page] * 3)) for name in names}
    arrays = only_arrays(nist.pack, zipped(tmp_path / "by_class.zip", files))
    assert arrays["labels"].tolist() == ["A", "A", "Z"]
    np.testing.assert_array_equal(arrays["images"], [as_mnist(255 - page)] * 3)


def test_pages_of_noisyoffice(tmp_path: Path) -> None:
    page = png(np.random.default_rng(0).integers(0, 256, (42, 54), np.uint8))
    inside = "NoisyOffice/SimulatedNoisyOffice/simulated_noisy_images_grayscale/FontLre_Noisec_TE.png"
    clean = "NoisyOffice/SimulatedNoisyOffice/clean_images_grayscale/FontLre_Clean_TE.png"
    archive = zipped(tmp_path / "noisyoffice.zip", {inside: page, clean: page})
    assert [(str(name), content) for name, content in noisyoffice.pack(archive)] == [
        ("noisyoffice/images/FontLre_Noisec_TE.png", page)
    ]
