from pathlib import Path

import numpy as np
import pytest

from mnistry.data import load
from mnistry.data.label_column import columns_of
from mnistry.errors import DataError

PIXEL_NAMES = [f"pixel{number}" for number in range(784)]
LABELS = np.arange(28) % 10
PIXELS = np.zeros((28, 784), np.int32)
PIXELS[:, 300:500] = np.random.default_rng(0).integers(0, 256, (28, 200))


def write(path: Path, table: np.ndarray, names: list[str] | None = None) -> Path:
    np.savetxt(path, table, "%d", delimiter=",", header=",".join(names or []), comments="")
    return path


@pytest.mark.parametrize("names", [None, ["label"], ["class"], ["Target"], ["weather"]])
@pytest.mark.parametrize("last", [False, True])
def test_the_label_stands_first_or_last(tmp_path: Path, names: list[str] | None, last: bool) -> None:
    columns = [PIXELS, LABELS[:, None]] if last else [LABELS[:, None], PIXELS]
    header = names and (PIXEL_NAMES + names if last else names + PIXEL_NAMES)
    dataset = load(write(tmp_path / "own.csv", np.hstack(columns), header))
    chosen = np.arange(28) % 7 == 6
    assert dataset.test.labels.tolist() == LABELS[chosen].tolist()
    np.testing.assert_array_equal(dataset.train.images.reshape(-1, 784), PIXELS[~chosen])


def test_columns_that_are_named_by_number(tmp_path: Path) -> None:
    table = np.hstack([PIXELS, LABELS[:, None]])
    dataset = load(write(tmp_path / "own.csv", table, [str(number) for number in range(785)]))
    assert len(dataset.train) + len(dataset.test) == 28
    assert dataset.test.labels.tolist() == [6, 3, 0, 7]


def test_a_name_in_the_middle_counts() -> None:
    names = [*PIXEL_NAMES[:5], "label", *PIXEL_NAMES[5:]]
    columns = columns_of(names, np.insert(PIXELS, 5, LABELS, axis=1))
    np.testing.assert_array_equal(columns.labels, LABELS)
    np.testing.assert_array_equal(columns.pixels, PIXELS)


@pytest.mark.parametrize("label", [np.full(28, 7), LABELS % 2])
@pytest.mark.parametrize("column", [0, 784])
def test_one_class_is_told_from_blank_corners(label: np.ndarray, column: int) -> None:
    np.testing.assert_array_equal(columns_of([], np.insert(PIXELS, column, label, axis=1)).labels, label)


def test_a_table_without_labels() -> None:
    for names in ([], PIXEL_NAMES):
        columns = columns_of(names, PIXELS)
        assert columns.labels is None
        assert columns.pixels is PIXELS


@pytest.mark.parametrize("name", ["", "Unnamed: 0", "id", "ImageId", None])
@pytest.mark.parametrize("start", [0, 1])
@pytest.mark.parametrize("last", [False, True])
def test_a_column_that_numbers_the_lines_is_left_out(name: str | None, start: int, last: bool) -> None:
    numbers = np.arange(28) + start
    rest = [PIXELS, LABELS[:, None]] if last else [LABELS[:, None], PIXELS]
    names = [] if name is None else [name, *([*PIXEL_NAMES, "label"] if last else ["label", *PIXEL_NAMES])]
    columns = columns_of(names, np.hstack([numbers[:, None], *rest]))
    np.testing.assert_array_equal(columns.labels, LABELS)
    np.testing.assert_array_equal(columns.pixels, PIXELS)
    assert columns.notes == ("a column that numbers the lines is left out",)


def test_ten_labels_that_count_are_labels_and_not_numbers_of_lines() -> None:
    columns = columns_of([], np.insert(PIXELS[:10], 0, np.arange(10), axis=1))
    np.testing.assert_array_equal(columns.labels, np.arange(10))


def test_numbers_of_lines_without_labels() -> None:
    assert columns_of([], np.insert(PIXELS, 0, np.arange(28), axis=1)).labels is None


@pytest.mark.parametrize("last", [False, True])
def test_one_hot_columns(last: bool) -> None:
    one_hot = np.eye(10)[LABELS]
    pixels = PIXELS[:, :256] / 255
    columns = columns_of([], np.hstack([pixels, one_hot] if last else [one_hot, pixels]))
    assert columns.labels is not None
    np.testing.assert_array_equal(columns.labels.argmax(axis=1), LABELS)
    np.testing.assert_array_equal(columns.pixels, pixels)


@pytest.mark.parametrize(
    ("names", "table", "message"),
    [
        ([], np.insert(PIXELS, 0, 0, axis=1), "may be the first column or the last one. Begin the file"),
        ([], np.insert(np.insert(PIXELS[:, 1:], 0, LABELS, 1), 784, LABELS, 1), "may be the first column"),
        ([], np.full((3, 785), 77), "found 77 to 77, and 77 to 77. Begin the file with a line of names"),
        ([], np.full((3, 785), 0.5), "neither the first column nor the last one holds labels"),
        (["label", *PIXEL_NAMES[1:], "y"], np.zeros((3, 785)), r"several columns .* \['label', 'y'\]"),
        ([], np.zeros((3, 787)), "such as 784, a line, found 3 lines of 787 columns"),
        (["label", *PIXEL_NAMES], np.zeros((0, 785)), "found 0 lines"),
        (["label"], np.zeros((2, 785)), "2 lines of 785 columns and the names of 1, from 'label' to 'label'"),
    ],
)
def test_no_table_of_images(names: list[str], table: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        columns_of(names, table)


def test_an_unlabelled_test_file_is_left_out_and_said(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", np.hstack([LABELS[:, None], PIXELS]), ["label", *PIXEL_NAMES])
    write(tmp_path / "test.csv", PIXELS, PIXEL_NAMES)
    dataset = load(tmp_path)
    assert dataset.notes == ("test.csv is left out: it has no labels",)
    assert "every seventh example" in dataset.source
    assert len(dataset.test) == 4
    with pytest.raises(DataError, match=r"test.csv: it has no labels"):
        load(tmp_path / "test.csv")
