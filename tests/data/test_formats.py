import gzip
import io
from dataclasses import replace
from pathlib import Path

import h5py
import lmdb
import numpy as np
import pyarrow.parquet
import pytest
from PIL import Image

from mnistry.data import Dataset, Examples, load
from mnistry.data.contents import read_contents
from mnistry.data.convert import Format, write
from mnistry.data.pictures import read_picture
from mnistry.errors import DataError, InvalidValueError

FORMATS: list[tuple[Format, str]] = [
    *(("idx", "out"), ("npz", "out.npz"), ("npy", "out"), ("png", "out"), ("csv", "out")),
    *(("parquet", "out"), ("hdf5", "out.h5"), ("lmdb", "out")),
]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Starting a process for each file would take most of the time; `test_apart.py` is about that."""
    monkeypatch.setattr("mnistry.data.readers.read_apart", read_contents)


def in_order_of_class(part: Examples) -> Examples:
    return part[np.argsort(part.labels, kind="stable")]


@pytest.mark.parametrize(("to", "name"), FORMATS)
def test_what_is_written_is_loaded(small: Dataset, tmp_path: Path, to: Format, name: str) -> None:
    out = tmp_path / "new" / "folders" / name
    write(small, out, to)
    dataset = load(out)
    for read, part in ((dataset.train, small.train), (dataset.test, small.test)):
        expected = in_order_of_class(part) if to == "png" else part
        np.testing.assert_array_equal(read.images, expected.images)
        np.testing.assert_array_equal(read.labels, expected.labels)
    assert [path.name for path in out.parent.iterdir()] == [name], "nothing else stays behind"
    assert dataset.source == str(out)
    assert set(dataset.sha256) == {"train", "test"}


@pytest.mark.parametrize(("to", "name"), FORMATS)
def test_class_names_and_a_part_for_validation_are_written(
    small: Dataset, tmp_path: Path, to: Format, name: str
) -> None:
    names = tuple(f"kind {letter}" for letter in "abcdefghij")
    write(replace(small, class_names=names, validation=small.test[:10]), tmp_path / name, to)
    dataset = load(tmp_path / name)
    assert dataset.class_names == names
    assert dataset.validation is not None
    np.testing.assert_array_equal(dataset.validation.images, small.test.images[:10])
    np.testing.assert_array_equal(dataset.validation.labels, small.test.labels[:10])


def test_what_other_programs_see_of_what_is_written(small: Dataset, tmp_path: Path) -> None:
    """By their own libraries: rows from the top, ink bright, one image after the other."""
    image, label = small.train.images[3], small.train.labels[3]
    write(small, tmp_path / "parquet", "parquet")
    row = (
        pyarrow.parquet.read_table(tmp_path / "parquet" / "train-00000-of-00001.parquet")
        .slice(3, 1)
        .to_pylist()[0]
    )
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(row["image"]["bytes"]))), image)
    assert row["label"] == label
    write(small, tmp_path / "d.h5", "hdf5")
    with h5py.File(tmp_path / "d.h5") as file:
        np.testing.assert_array_equal(file["x_train"][3], image)
        assert file["y_train"][3] == label
    write(small, tmp_path / "npy", "npy")
    np.testing.assert_array_equal(np.load(tmp_path / "npy" / "x_train.npy")[3], image)
    write(small, tmp_path / "lmdb", "lmdb")
    with lmdb.open(str(tmp_path / "lmdb" / "train_lmdb"), readonly=True, lock=False) as database:
        value = database.begin().get(b"00000003")
    # The fields 1 to 3 are channels, height and width, the field 4 is data, of 784 bytes, 5 is the label.
    assert value == b"\x08\x01\x10\x1c\x18\x1c\x22\x90\x06" + image.tobytes() + b"\x28" + bytes([label])


@pytest.mark.parametrize(("to", "name"), FORMATS)
def test_nothing_is_overwritten(small: Dataset, tmp_path: Path, to: Format, name: str) -> None:
    out = tmp_path / name
    out.write_text("precious")
    with pytest.raises(InvalidValueError, match="exists already"):
        write(small, out, to)
    assert out.read_text() == "precious"


@pytest.mark.parametrize(("to", "name"), [("idx", "x.npz"), ("npz", "x"), ("csv", "x.csv")])
def test_names_that_do_not_fit_the_format(small: Dataset, tmp_path: Path, to: Format, name: str) -> None:
    with pytest.raises(InvalidValueError, match=f"the format {to} writes a"):
        write(small, tmp_path / name, to)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("to", "name"), FORMATS)
def test_a_failure_leaves_nothing(
    small: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: Format, name: str
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    monkeypatch.setattr("PIL.Image.Image.save", full)
    monkeypatch.setattr("lmdb.open", full)
    with pytest.raises(DataError, match="cannot be written: No space left"):
        write(small, tmp_path / name, to)
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- sources without a test part


def test_every_seventh_example_is_for_testing(small: Dataset, tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", images=small.train.images, labels=small.train.labels)
    dataset = load(tmp_path / "all.npz")
    np.testing.assert_array_equal(dataset.test.images, small.train.images[[6, 13, 20]])
    assert len(dataset.train) == 20
    assert dataset.train.labels.tolist() == np.delete(small.train.labels, [6, 13, 20]).tolist()
    assert "every seventh example" in dataset.source


def test_too_few_to_divide(small: Dataset, tmp_path: Path) -> None:
    np.savez(tmp_path / "few.npz", images=small.train.images[:6], labels=small.train.labels[:6])
    with pytest.raises(DataError, match="6 examples are too few"):
        load(tmp_path / "few.npz")


# ---------------------------------------------------------------- npz


def test_npz_flat_images_and_wide_integers(small: Dataset, tmp_path: Path) -> None:
    np.savez(
        tmp_path / "flat.npz",
        x_train=small.train.images.reshape(23, 784).astype(np.int64),
        y_train=small.train.labels.astype(np.int64)[:, np.newaxis],
        x_test=small.test.images[..., np.newaxis],
        y_test=small.test.labels,
    )
    dataset = load(tmp_path / "flat.npz")
    np.testing.assert_array_equal(dataset.train.images, small.train.images)
    np.testing.assert_array_equal(dataset.train.labels, small.train.labels)
    np.testing.assert_array_equal(dataset.test.images, small.test.images)


IMAGES = np.random.default_rng(0).integers(0, 256, (14, 28, 28), np.uint8)
LABELS = np.arange(14, dtype=np.uint8) % 10


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (
            IMAGES.astype(int) - 1,
            LABELS,
            r"pixels must be from 0 to 255, or .* found int64 from -1 to 254\. If",
        ),
        (IMAGES.astype(int) + 256, LABELS, "found int64 from 256 to 511. Give the value of the strongest"),
        (IMAGES, LABELS.astype(int) + 10, "expected at most ten classes, .* found 20 for 14 images: 0, 1, 2"),
        (IMAGES, LABELS[1:], "14 images but 13 labels"),
        (IMAGES[:, :5], LABELS, r"at least 6 rows and columns, found \(14, 5, 28\)"),
        (IMAGES[:, 0], LABELS, r"images must have shape \(n, height, width\).*found \(14, 28\)"),
        (IMAGES, np.zeros((14, 10), int), r"labels of shape \(14, 10\) must be one-hot"),
        (
            IMAGES,
            np.array([{}] * 14),
            "not a readable .npz file of .*: labels.npy holds Python objects",
        ),
        (IMAGES[:0], LABELS[:0], "no training examples"),
    ],
)
def test_npz_with_bad_arrays(tmp_path: Path, images: np.ndarray, labels: np.ndarray, message: str) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, images=images, labels=labels)
    with pytest.raises(DataError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


def test_npz_with_other_arrays(tmp_path: Path) -> None:
    np.savez(tmp_path / "other.npz", weights=IMAGES)
    with pytest.raises(DataError, match="y_test, or images and labels; found weights"):
        load(tmp_path / "other.npz")


def test_npz_cut_short(small: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "cut.npz"
    write(small, path, "npz")
    path.write_bytes(path.read_bytes()[:1_000])
    with pytest.raises(DataError, match=r"not a readable \.npz file"):
        load(path)


def test_npz_that_unpacks_too_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnistry.data.npz.MOST_BYTES", 10_000)
    np.savez_compressed(tmp_path / "bomb.npz", images=IMAGES, labels=LABELS)
    with pytest.raises(DataError, match="more than the 10,000 accepted"):
        load(tmp_path / "bomb.npz")


# ---------------------------------------------------------------- CSV

HEADER = ",".join(["label", *(f"pixel{number}" for number in range(784))])


def csv_line(label: int, first_pixel: int) -> str:
    return f"{label},{first_pixel}" + ",0" * 782 + ",255"


@pytest.mark.parametrize("header", [HEADER + "\n", ""])
def test_one_csv_file(tmp_path: Path, header: str) -> None:
    path = tmp_path / "train.csv"
    path.write_text(header + "\n".join(csv_line(row % 10, row * 9) for row in range(14)))
    dataset = load(path)
    assert dataset.train.labels.tolist() == [0, 1, 2, 3, 4, 5, 7, 8, 9, 0, 1, 2]
    assert dataset.test.images[:, 0, 0].tolist() == [6 * 9, 13 * 9]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pixel0,pixel1\n1,2", "found 1 lines of 2 columns and the names of 2, from 'pixel0' to 'pixel1'"),
        (HEADER.removeprefix("label,") + "\n" + "0," * 783 + "0", "cannot be a data set"),
        ("1,2,3\n4,5,6", "expected a label and the pixels of a square, .* found 2 lines of 3 columns"),
        (
            HEADER + "\n" + csv_line(3, 256),
            r"must be from 0 to 255, .*`full_scale=256`",
        ),
        (HEADER + "\n" + csv_line(250, 0), "labels must be from 0 to 9, or to 249 where"),
        (HEADER + "\n" + csv_line(1, 0) + "\n1,2,3", "not a table of numbers"),
        (HEADER + "\n" + csv_line(1, 0).replace(",0,", ",x,", 1), "not a table of numbers"),
        ("", "expected a label and the pixels of a square, .* found 0 lines"),
    ],
)
def test_bad_csv(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        load(path)
    assert str(path) in str(caught.value)


# ---------------------------------------------------------------- IDX folders


def test_idx_folder_that_lacks_labels(small: Dataset, tmp_path: Path) -> None:
    write(small, tmp_path / "idx", "idx")
    (tmp_path / "idx" / "train-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="one is missing"):
        load(tmp_path / "idx")


def test_idx_folder_without_a_test_part(small: Dataset, tmp_path: Path) -> None:
    write(small, tmp_path / "idx", "idx")
    for path in (tmp_path / "idx").glob("t10k*"):
        path.unlink()
    assert len(load(tmp_path / "idx").test) == 3


# ---------------------------------------------------------------- pictures


def draw(path: Path, *, ink: int = 0, paper: int = 255, side: int = 100, mode: str = "L") -> None:
    """A square of 40 pixels on paper."""
    pixels = np.full((side, side), paper, np.uint8)
    pixels[30:70, 20:60] = ink
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).convert(mode).save(path)


SQUARE = np.zeros((28, 28), np.uint8)
SQUARE[4:24, 4:24] = 255


@pytest.mark.parametrize(
    ("ink", "paper", "mode"), [(0, 255, "L"), (255, 0, "L"), (60, 200, "RGB"), (200, 60, "P")]
)
def test_pictures_become_mnist_images(tmp_path: Path, ink: int, paper: int, mode: str) -> None:
    draw(tmp_path / "square.png", ink=ink, paper=paper, mode=mode)
    np.testing.assert_array_equal(read_picture(tmp_path / "square.png"), SQUARE)


def test_black_ink_on_transparent_paper(tmp_path: Path) -> None:
    pixels = np.zeros((100, 100, 4), np.uint8)
    pixels[30:70, 20:60, 3] = 255
    Image.fromarray(pixels, "RGBA").save(tmp_path / "square.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "square.png"), SQUARE)


def test_pictures_of_28_by_28_stay_as_they_are(optdigits: Dataset, tmp_path: Path) -> None:
    for image in optdigits.test.images[:20]:
        Image.fromarray(image).save(tmp_path / "digit.png")
        np.testing.assert_array_equal(read_picture(tmp_path / "digit.png"), image)


def test_dark_ink_on_light_paper_at_every_size(optdigits: Dataset, tmp_path: Path) -> None:
    for image in optdigits.test.images[:20]:
        Image.fromarray(255 - image).save(tmp_path / "digit.png")
        np.testing.assert_array_equal(read_picture(tmp_path / "digit.png"), image)
        Image.fromarray(np.kron(image, np.ones((2, 2), np.uint8))).save(tmp_path / "light.png")
        Image.fromarray(255 - np.kron(image, np.ones((2, 2), np.uint8))).save(tmp_path / "dark.png")
        dark, light = read_picture(tmp_path / "dark.png"), read_picture(tmp_path / "light.png")
        np.testing.assert_allclose(dark.astype(int), light, atol=1)


@pytest.mark.parametrize("level", [0, 255])
def test_ink_on_a_transparent_canvas_of_28_by_28(optdigits: Dataset, tmp_path: Path, level: int) -> None:
    for image in optdigits.test.images[:20]:
        pixels = np.full((28, 28, 4), level, np.uint8)
        pixels[..., 3] = image
        Image.fromarray(pixels).save(tmp_path / "digit.png")
        np.testing.assert_allclose(read_picture(tmp_path / "digit.png").astype(int), image, atol=1)


def test_a_small_grey_picture_on_grey_paper(tmp_path: Path) -> None:
    pixels = np.full((28, 28), 180, np.uint8)
    pixels[10:18, 12:16] = 50
    Image.fromarray(pixels).save(tmp_path / "grey.png")
    np.testing.assert_array_equal(read_picture(tmp_path / "grey.png"), np.where(pixels == 50, 255, 0))


def test_a_folder_of_mixed_polarity(optdigits: Dataset, tmp_path: Path) -> None:
    part = optdigits.test[:40]
    for row, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
        (tmp_path / str(label)).mkdir(exist_ok=True)
        Image.fromarray(image if row % 3 else 255 - image).save(tmp_path / str(label) / f"{row:02}.png")
    dataset = load(tmp_path)
    images = np.concatenate([dataset.train.images, dataset.test.images])
    assert sorted(images.sum(axis=(1, 2))) == sorted(part.images.sum(axis=(1, 2)))


def test_where_the_border_is_covered_the_other_pictures_tell(tmp_path: Path) -> None:
    pixels = np.full((28, 28), 255, np.uint8)
    pixels[:14] = 0
    for label in (0, 1):
        (tmp_path / str(label)).mkdir()
        Image.fromarray(pixels).save(tmp_path / str(label) / "covered.png")
        for number in range(3):
            draw(tmp_path / str(label) / f"square{number}.png")
    dataset = load(tmp_path)
    np.testing.assert_array_equal(dataset.train.images[0], 255 - pixels)


def test_folders_of_digits_are_labels(tmp_path: Path) -> None:
    for label in (3, 8):
        for number in range(4):
            draw(tmp_path / str(label) / f"{number}.png")
    (tmp_path / "3" / "notes.txt").write_text("not a picture")
    (tmp_path / ".hidden").mkdir()
    dataset = load(tmp_path)
    assert dataset.train.labels.tolist() == [3, 3, 3, 3, 8, 8, 8]
    assert dataset.test.labels.tolist() == [8]
    assert dataset.class_names == tuple("0123456789")


def test_other_folders_are_classes_in_order_of_name(tmp_path: Path) -> None:
    for part in ("train", "test"):
        for name in ("trousers", "bag"):
            draw(tmp_path / part / name / "one.jpeg")
    dataset = load(tmp_path)
    assert dataset.class_names == ("bag", "trousers", *["(none)"] * 8)
    assert dataset.train.labels.tolist() == dataset.test.labels.tolist() == [0, 1]
    assert dataset.source == str(tmp_path)


def test_bad_picture_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not a data set"):
        load(tmp_path)
    (tmp_path / "7").mkdir()
    with pytest.raises(DataError, match="no pictures in its class folders 7"):
        load(tmp_path)
    draw(tmp_path / "7" / "blank.png", ink=255)
    with pytest.raises(DataError, match=r"blank.png: there is no ink"):
        load(tmp_path)
    (tmp_path / "7" / "blank.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"blank.png: not a picture in a format that can be read"):
        load(tmp_path)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(DataError, match="not a data set"):
        load(tmp_path / "notes.txt")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("digits.zip", "packed; unpack it first, and name the folder or file"),
        ("digits.tar.gz", "packed; unpack it first"),
        ("train-images-idx3-ubyte.gz", "one file of several; name the folder that holds them, "),
        ("seven.PNG", "a picture; name the folder that holds a folder of pictures for each class"),
        ("digits.h5", "not a data set: expected a folder of IDX files"),
    ],
)
def test_files_that_are_taken_for_data_sets(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / name).write_bytes(b"PK")
    with pytest.raises(DataError, match=message):
        load(tmp_path / name)


@pytest.mark.parametrize("name", ["own.npz", "own.csv"])
def test_a_web_page_in_place_of_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("<!doctype html>\n<html><body>Sign in</body></html>\n" * 9)
    with pytest.raises(
        DataError, match=r"an HTML page, which begins with '<!doctype html>.*download the file itself"
    ):
        load(tmp_path / name)


@pytest.mark.parametrize(
    "address", ["https://example.org/mnist.npz", "http://localhost:8/x/", "s3://bucket/digits"]
)
def test_an_address_is_no_path(address: str) -> None:
    for given in (address, Path(address)):
        with pytest.raises(
            DataError, match=f"^{address.rstrip('/')}/?: this is a URL; only named data sets are dow"
        ):
            load(given)


def test_idx_files_with_each_others_names(small: Dataset, tmp_path: Path) -> None:
    write(small, tmp_path / "idx", "idx")
    images, labels = (tmp_path / "idx" / f"train-{what}-ubyte.gz" for what in ("images-idx3", "labels-idx1"))
    images.rename(tmp_path / "aside")
    labels.rename(images)
    (tmp_path / "aside").rename(labels)
    with pytest.raises(DataError, match="The files have each other's names"):
        load(tmp_path / "idx")


def test_names_with_a_dot_as_some_programs_unpack_them(small: Dataset, tmp_path: Path) -> None:
    write(small, tmp_path / "idx", "idx")
    expected = load(tmp_path / "idx")
    for path in list((tmp_path / "idx").glob("*.gz")):
        dotted = path.with_name(path.name.replace("-idx", ".idx").removesuffix(".gz"))
        dotted.write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
        path.with_suffix("").mkdir()  # some downloads have folders of the usual names beside them
    assert load(tmp_path / "idx").sha256 == expected.sha256


@pytest.mark.parametrize("separator", [";", "\t", " ", "  "])
@pytest.mark.parametrize("name", ["own.csv", "own.tsv", "zip.train"])
def test_a_table_without_commas(tmp_path: Path, separator: str, name: str) -> None:
    lines = [csv_line(row % 10, row * 9).replace(",", separator) for row in range(14)]
    (tmp_path / name).write_text("\n".join(lines))
    dataset = load(tmp_path / name)
    assert dataset.test.labels.tolist() == [6, 3]
    assert dataset.test.images[:, 0, 0].tolist() == [6 * 9, 13 * 9]
