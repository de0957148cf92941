from pathlib import Path

import numpy as np
import pytest

from mnistry.data import load
from mnistry.data.label_column import label_column
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
    assert label_column(names, np.insert(PIXELS, 5, LABELS, axis=1)) == 5


def test_one_class_is_told_from_blank_corners() -> None:
    for label, column in ((np.full(28, 7), 0), (LABELS % 2, 0)):
        assert label_column([], np.insert(PIXELS, 0, label, axis=1)) == column
        assert label_column([], np.insert(PIXELS, 784, label, axis=1)) == 784


def test_a_table_without_labels() -> None:
    assert label_column([], PIXELS) is None
    assert label_column(PIXEL_NAMES, PIXELS) is None


@pytest.mark.parametrize(
    ("names", "table", "message"),
    [
        ([], np.insert(PIXELS, 0, 0, axis=1), "may be the first column or the last one. Begin the file"),
        ([], np.insert(np.insert(PIXELS[:, 1:], 0, LABELS, 1), 784, LABELS, 1), "may be the first column"),
        ([], np.full((3, 785), 77), "found 77 to 77, and 77 to 77. Begin the file with a line of names"),
        ([], np.full((3, 785), 0.5), "neither the first column nor the last one holds labels"),
        (["label", *PIXEL_NAMES[1:], "y"], np.zeros((3, 785)), r"several columns .* \['label', 'y'\]"),
        ([], np.zeros((3, 786)), "found 3 lines of 786 columns. If one column numbers the lines"),
        (["label", *PIXEL_NAMES], np.zeros((0, 785)), "found 0 lines"),
        (["label"], np.zeros((2, 785)), "2 lines of 785 columns and the names of 1, from 'label' to 'label'"),
    ],
)
def test_no_table_of_images(names: list[str], table: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        label_column(names, table)


def test_an_unlabelled_test_file_is_left_out_and_said(tmp_path: Path) -> None:
    write(tmp_path / "train.csv", np.hstack([LABELS[:, None], PIXELS]), ["label", *PIXEL_NAMES])
    write(tmp_path / "test.csv", PIXELS, PIXEL_NAMES)
    dataset = load(tmp_path)
    assert dataset.notes == ("test.csv is left out: it has no labels",)
    assert "every seventh example" in dataset.source
    assert len(dataset.test) == 4
    with pytest.raises(DataError, match=r"test.csv: it has no labels"):
        load(tmp_path / "test.csv")
