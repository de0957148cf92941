from dataclasses import replace

import numpy as np
import pytest

from mnistry.data import Dataset, Examples
from mnistry.errors import DataError


def test_rows_by_slice_numbers_and_mask(small: Dataset) -> None:
    train = small.train
    for rows in (slice(3, 9, 2), np.array([5, 0, 5]), train.labels == 4):
        chosen = train[rows]
        np.testing.assert_array_equal(chosen.images, train.images[rows])
        np.testing.assert_array_equal(chosen.labels, train.labels[rows])
    assert len(train[:0]) == 0
    assert len(train) == 23


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((2, 28, 28)), np.zeros(2, np.uint8), "images must be uint8"),
        (np.zeros((2, 784), np.uint8), np.zeros(2, np.uint8), "images must be uint8 of shape"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(2, int), "labels must be uint8"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros((2, 1), np.uint8), "labels must be uint8 of shape"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros(3, np.uint8), "2 images but 3 labels"),
    ],
)
def test_examples_are_checked(images: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Examples(images, labels)


def test_every_label_has_a_class(small: Dataset) -> None:
    part = Examples(small.test.images[:2], np.array([9, 10], np.uint8))
    for parts in ({"train": part}, {"test": part}, {"validation": part}):
        with pytest.raises(DataError, match="small: labels must be 0 to 9, found 10 in row 1"):
            replace(small, **parts)  # type: ignore[arg-type]
    assert replace(small, test=part, class_names=tuple("abcdefghijk")).test.labels.tolist() == [9, 10]
