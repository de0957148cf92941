from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistry.data import Dataset, Examples, load
from mnistry.data.convert import write
from mnistry.data.parts import parts_among
from mnistry.data.split import split
from mnistry.errors import DataError


def picture(path: Path, place: int) -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[5:20, place : place + 3] = 255
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)


def fill(folder: Path, first: int, count: int = 2) -> None:
    for label in (3, 8):
        for number in range(count):
            picture(folder / str(label) / f"{number}.png", first + number)


def places(part: Examples | None) -> list[int]:
    """Where the ink of each image begins."""
    assert part is not None
    found: list[int] = part.images[:, 10].argmax(axis=1).tolist()
    return found


@pytest.mark.parametrize("train", ["train", "training", "Train", "TRAINING"])
@pytest.mark.parametrize("validation", ["valid", "validation", "val", "Val", "dev"])
@pytest.mark.parametrize("test", ["test", "testing", "Test"])
def test_three_folders(tmp_path: Path, train: str, validation: str, test: str) -> None:
    fill(tmp_path / train, 1)
    fill(tmp_path / validation, 10)
    fill(tmp_path / test, 20)
    dataset = load(tmp_path)
    assert places(dataset.train) == [1, 2, 1, 2]
    assert places(dataset.validation) == [10, 11, 10, 11]
    assert places(dataset.test) == [20, 21, 20, 21]
    assert set(dataset.sha256) == {"train", "validation", "test"}
    parts = split(dataset, validation=1, how="first", seed=0, writers=None)
    assert sorted(places(parts.train)) == [1, 1, 2, 2], "nothing more is set aside"
    assert parts.validation is dataset.validation


def test_train_and_valid_alone(tmp_path: Path) -> None:
    fill(tmp_path / "train", 1, count=7)
    fill(tmp_path / "valid", 20)
    dataset = load(tmp_path)
    assert places(dataset.validation) == [20, 21, 20, 21]
    assert len(dataset.test) == 2
    assert len(dataset.train) == 12
    assert "every seventh example" in dataset.source


def test_a_test_part_alone_is_for_measuring(tmp_path: Path) -> None:
    fill(tmp_path / "Test", 5)
    dataset = load(tmp_path)
    assert places(dataset.test) == [5, 6, 5, 6]
    assert len(dataset.train) == 0
    assert dataset.notes == ("there are no training examples: good for measuring only",)


def test_two_names_for_one_part(tmp_path: Path) -> None:
    for name in ("train", "val", "valid"):
        fill(tmp_path / name, 1)
    with pytest.raises(DataError, match="both 'val' and 'valid' are names of the validation part"):
        load(tmp_path)


def test_folders_that_are_no_part_are_said(tmp_path: Path) -> None:
    for name in ("train", "test", "extra"):
        fill(tmp_path / name, 1)
    assert load(tmp_path).notes == ("left out, as they are called like no part: extra",)


def test_a_class_may_be_called_like_a_part(tmp_path: Path) -> None:
    for name in ("crash test", "ride"):
        for number in range(7):
            picture(tmp_path / name / f"{number}.png", number)
    assert load(tmp_path).class_names[:2] == ("crash test", "ride")


def test_names_with_more_words() -> None:
    names = ["mnist_train", "mnist-test", "emnist-digits-val", "zero", "sample_submission"]
    found = {"train": "mnist_train", "test": "mnist-test", "validation": "emnist-digits-val"}
    assert parts_among(names, "x") == found


@pytest.mark.parametrize("called", [("train", "valid", "test"), ("Mnist_Train", "mnist_val", "mnist_test")])
def test_csv_files_of_three_parts(small: Dataset, tmp_path: Path, called: tuple[str, ...]) -> None:
    written = Dataset("x", small.train, small.test, small.class_names, "", {}, validation=small.test[3:])
    write(written, tmp_path / "x", "csv")
    for name, other in zip(("train", "validation", "test"), called, strict=True):
        (tmp_path / "x" / f"{name}.csv").rename(tmp_path / "x" / f"{other}.csv")
    dataset = load(tmp_path / "x")
    assert dataset.validation is not None
    np.testing.assert_array_equal(dataset.train.images, small.train.images)
    np.testing.assert_array_equal(dataset.validation.images, small.test.images[3:])
    np.testing.assert_array_equal(dataset.test.images, small.test.images)


def test_idx_files_of_a_validation_part(small: Dataset, tmp_path: Path) -> None:
    write(
        Dataset("x", small.train, small.test, small.class_names, "", {}, validation=small.test[3:]),
        tmp_path / "x",
        "idx",
    )
    dataset = load(tmp_path / "x")
    assert dataset.validation is not None
    np.testing.assert_array_equal(dataset.validation.images, small.test.images[3:])


@pytest.mark.parametrize("called", ["val", "valid", "validation"])
def test_npz_with_a_validation_part(small: Dataset, tmp_path: Path, called: str) -> None:
    arrays = {f"x_{called}": small.test.images[3:], f"y_{called}": small.test.labels[3:]}
    np.savez(tmp_path / "x.npz", x_train=small.train.images, y_train=small.train.labels, **arrays)
    dataset = load(tmp_path / "x.npz")
    np.testing.assert_array_equal(dataset.validation and dataset.validation.images, small.test.images[3:])
    assert len(dataset.test) == 3, "every seventh"


def test_files_in_class_folders_that_are_left_out_are_said(tmp_path: Path) -> None:
    for number in range(7):
        picture(tmp_path / "7" / f"{number}.png", number)
    for name in ("a.dng", "b.CR2", "scan.pdf", ".DS_Store", "Thumbs.db"):
        (tmp_path / "7" / name).write_bytes(b"x")
    assert load(tmp_path).notes == (
        "3 skipped: 7/a.dng, 7/b.CR2 (a raw photo: save it as JPEG or PNG), "
        "7/scan.pdf (a PDF: save its pages as PNG or JPEG)",
    )
