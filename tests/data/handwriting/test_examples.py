"""Sets of handwriting as data sets: fetched from a server of this machine, packed, drawn, divided."""

import bz2
import hashlib
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import ncompress
import numpy as np
import pytest

from mnistry import load
from mnistry.cli.data import main
from mnistry.data import idx
from mnistry.data.catalog import CATALOG
from mnistry.data.convert import write
from mnistry.data.fetch import fetch
from mnistry.data.handwriting import SETS, examples
from mnistry.data.handwriting.examples import drawn
from mnistry.data.handwriting.packing import Sample, pack_strokes
from mnistry.data.handwriting.published import Packed, Published
from mnistry.data.handwriting.unipen import FOLDER
from mnistry.data.loading import from_files
from mnistry.data.strokes import Stroke
from mnistry.errors import DataError, DataNotFoundError
from mnistry.reading.classifier import Classifier

StartMirror = Callable[..., Any]
MADE = [name for name, entry in CATALOG.items() if entry.made_of]


def libsvm(labels: list[int]) -> bytes:
    """USPS's text: a bright bar from row `label` on, on paper of -1."""
    lines = []
    for label in labels:
        image = np.full((16, 16), -1.0)
        image[label : label + 4, 6:10] = 1
        pixels = " ".join(f"{number}:{value:g}" for number, value in enumerate(image.ravel(), 1))
        lines.append(f"{label + 1} {pixels} \n")
    return bz2.compress("".join(lines).encode())


def zipped(path: Path, files: dict[str, str]) -> bytes:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, ncompress.compress(text.encode()))
    return path.read_bytes()


def bits(label: int) -> str:
    rows = [f"{'0' * (5 + label)}11{'0' * (25 - label)}" if 5 < row < 25 else "0" * 32 for row in range(32)]
    return "\n".join(rows) + f"\n {label}\n"


def pen(label: int, writer: int) -> str:
    return (
        f'.SEGMENT DIGIT 0 ? "{label}"\n.COMMENT {label} {writer} 3\n.PEN_DOWN\n 0 0\n 9 {label}\n.PEN_UP\n'
    )


def unipen(archive: Path) -> Packed:
    """A digit and a letter by each of fourteen writers."""
    stroke = np.array([[0, 0], [5, 100]], np.float32)
    signs = {"letters_strokes.npz": "aBcDeFgHiJzZyY"}
    for file in SETS["unipen"].files:
        labels = signs.get(Path(file).name, "01234567890123")
        samples = [Sample([stroke], label, f"writer{row:02}") for row, label in enumerate(labels)]
        yield FOLDER / Path(file).name, pack_strokes(samples, 255)


@pytest.fixture
def served(start_mirror: StartMirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """The small sets on a server of this machine."""
    monkeypatch.setenv("COLUMNS", "200")
    optdigits = {f"optdigits-orig.{part}.Z": bits(3) + bits(8) for part in ("tra", "cv", "wdep", "windep")}
    pendigits = {"pendigits-orig.tra.Z": pen(3, 1) + pen(8, 1), "pendigits-orig.tes.Z": pen(5, 2)}
    mirror = start_mirror(
        {
            "usps.bz2": libsvm([3, 8, 0]),
            "usps.t.bz2": libsvm([9, 1]),
            "optdigits-32": zipped(tmp_path / "o.zip", optdigits),
            "pendigits": zipped(tmp_path / "p.zip", pendigits),
            "unipen": b"an archive",
        }
    )
    small = {}
    for name in {CATALOG[made].made_of for made in MADE}:
        entry = SETS[name]
        first, *more = ("usps.bz2", "usps.t.bz2") if name == "usps" else (name,)
        small[name] = replace(
            entry,
            files=dict.fromkeys(entry.files, 1),
            published=Published(mirror.address + first, 10_000),
            more=tuple(Published(mirror.address + file, 10_000) for file in more),
            **({"pack": unipen} if name == "unipen" else {}),
        )
    monkeypatch.setattr(examples, "SETS", small)
    monkeypatch.setattr("mnistry.cli.data.SETS", small)
    return mirror


EXPECTED = {
    "usps": ([3, 8, 0], [9, 1]),
    "optdigits-32": ([3, 8] * 3, [3, 8]),
    "pendigits": ([3, 8], [5]),
    "unipen-letters": ([0, 1, 2, 3, 4, 5, 7, 8, 9, 25, 25, 24], [6, 24]),
    "unipen-digits": ([0, 1, 2, 3, 4, 5, 7, 8, 9, 0, 1, 2], [6, 3]),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_fetched_is_loaded(served: Any, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", name]) == 0
    assert "(as first fetched" in capsys.readouterr().out
    asked = len(served.asked)
    dataset = load(name, check_images=False)
    assert len(served.asked) == asked, "it is in the cache"
    assert (dataset.train.labels.tolist(), dataset.test.labels.tolist()) == EXPECTED[name]
    for part in (dataset.train, dataset.test):
        box = part.images > 60
        assert (box.any(axis=2).sum(axis=1).clip(20) == 20).all(), "no ink box is larger than MNIST's"
        assert (np.maximum(box.any(axis=1).sum(axis=1), box.any(axis=2).sum(axis=1)) >= 18).all()
    assert len(dataset.notes) == 1
    assert main(["info", name, "--no-check-images"]) == 0
    out = capsys.readouterr().out
    assert f"licence   {CATALOG[name].licence}" in out
    assert f"fetched   {served.address}" in out
    assert main(["list"]) == 0
    lines = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()[:14] if line}
    assert lines[name][3] == "yes"


def test_a_file_that_is_not_what_is_published(served: Any) -> None:
    for content in (b"<html>", libsvm([3])[:40], bz2.compress(b"11 1:0.5\n"), bz2.compress(b"3 257:0.5\n")):
        served.files["usps.t.bz2"] = content
        with pytest.raises(DataNotFoundError, match=r"usps\.bz2: not (the expected text|a label from 1)"):
            load("usps")


def test_one_of_two_files_is_missing(served: Any) -> None:
    del served.files["usps.t.bz2"]
    with pytest.raises(DataNotFoundError, match=r"usps\.t\.bz2: the server answered 404"):
        load("usps")


def test_a_packed_file_that_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "handwriting" / "usps").mkdir(parents=True)
    (tmp_path / "handwriting" / "usps" / "digits.npz").write_bytes(b"none")
    with pytest.raises(DataError, match="expected the arrays images, labels and part"):
        load("usps", tmp_path)


def test_strokes_are_drawn_as_mnist_is(real_data: Path) -> None:
    dataset = load("pendigits", real_data, check_images=False)
    assert (len(dataset.train), len(dataset.test)) == CATALOG["pendigits"].counts
    rows = np.arange(0, len(dataset.test), 7)
    images, labels = dataset.test.images[rows], dataset.test.labels[rows]
    assert (Classifier.load().logits(images).argmax(axis=1) == labels).mean() > 0.95
    assert abs(images.mean() - 33.3) < 3, "the mean grey level of MNIST"


@pytest.mark.parametrize("strokes", [[[[5, 5]]], [[[0, 0], [0, 9]]], [[[0, 0], [9, 0]], [[4, 4]]]])
def test_a_point_and_a_line_are_drawn(strokes: list[Any]) -> None:
    made: list[Stroke] = [np.array(stroke, np.float32) for stroke in strokes]
    image = drawn(made)
    assert image.max() == 255
    assert 20 <= (image > 0).sum() < 500


def test_the_letters_of_emnist(start_mirror: StartMirror, tmp_path: Path) -> None:
    """Stored with rows and columns exchanged, and labelled from 1."""
    random = np.random.default_rng(0)
    contents, images = {}, random.integers(0, 256, (52, 28, 28), np.uint8)
    labels = np.arange(52, dtype=np.uint8) % 26 + 1
    for part, rows in (("train", slice(0, 26)), ("test", slice(26, 52))):
        stored = {"images-idx3": images[rows].transpose(0, 2, 1), "labels-idx1": labels[rows]}
        for name, array in stored.items():
            path = tmp_path / f"emnist-letters-{part}-{name}-ubyte.gz"
            idx.write(path, np.ascontiguousarray(array))
            contents[f"gzip/{path.name}"] = path.read_bytes()
    archive = tmp_path / "gzip.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in contents.items():
            packed.writestr(name, content)
    mirror = start_mirror({"gzip.zip": archive.read_bytes()})
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    entry = CATALOG["emnist-letters"]
    assert entry.archive is not None
    small = replace(
        entry, counts=(26, 26), mirrors=(mirror.address,), archive=replace(entry.archive, sha256=digest)
    )
    dataset = from_files(small, fetch(small))
    np.testing.assert_array_equal(dataset.train.images, images[:26])
    assert (
        "".join(dataset.class_names[label] for label in dataset.test.labels) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    )
    write(dataset, tmp_path / "png", "png")
    assert (tmp_path / "png" / "test" / "Q" / "00016.png").is_file()
    other = replace(small, archive=replace(small.archive, sha256="0" * 64), name="other")
    with pytest.raises(DataNotFoundError, match=r"gzip\.zip: wrong checksum"):
        fetch(other)
