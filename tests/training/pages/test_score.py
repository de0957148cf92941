"""What really is where a detector found something; and what it found, counted."""

import numpy as np
import pytest

from mnistry.models.detector import STRIDE
from mnistry.reading.detector import Detection, Detector
from mnistry.training.pages.canvas import ANY, HEIGHT, WIDTH
from mnistry.training.pages.page import MOST_DIGITS, NOTHING, Page
from mnistry.training.pages.score import ANYTHING, NO_DIGIT, Found, found_on, true_digits
from mnistry.training.pages.targets import Batch, batch_of


class Told(Detector):
    """A detector that gives a heat map which was made up."""

    def __init__(self, found: np.ndarray) -> None:
        self._found = found

    def heat(self, page: np.ndarray) -> np.ndarray:
        return self._found


def batch_with(*digits: tuple[float, float, float, float, int]) -> Batch:
    """One page: x, y of the middle, width, height, class."""
    rows = np.full((MOST_DIGITS, 5), NOTHING, np.float32)
    rows[: len(digits)] = digits
    small = np.zeros((HEIGHT // STRIDE, WIDTH // STRIDE), np.bool_)
    return batch_of([Page(np.zeros((HEIGHT, WIDTH), np.uint8), small, rows)])


def place(x: float, y: float, confidence: float = 0.9, digit: int = 7) -> Detection:
    return Detection(x, y, 12, 20, confidence * np.eye(10)[digit], 1.0)


BATCH = batch_with((42, 26, 12, 20, 7), (82, 26, 12, 20, 1), (122, 26, 12, 20, 4), (200, 100, 30, 30, ANY))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([], []),
        ([place(42, 26)], [7]),
        ([place(44, 29)], [7]),
        ([place(82, 26)], [1]),  # what it was taken for does not matter
        ([place(42, 60)], [NO_DIGIT]),
        ([place(42, 35)], [NO_DIGIT]),
        ([place(200, 100)], [ANYTHING]),
        ([place(-20, -20), place(WIDTH + 50, HEIGHT + 50)], [NO_DIGIT, NO_DIGIT]),
        # Each digit once, for the surest, in whatever order they come.
        ([place(42, 27, 0.5), place(43, 26, 0.8)], [NO_DIGIT, 7]),
        ([place(43, 26, 0.8), place(42, 27, 0.5)], [7, NO_DIGIT]),
        ([place(122, 26), place(42, 26), place(82, 26)], [4, 7, 1]),
    ],
)
def test_the_true_digits_where_something_was_found(found: list[Detection], expected: list[int]) -> None:
    assert true_digits(found, BATCH.heat[0], BATCH.counts[0]) == expected


def test_of_two_near_digits_each_goes_to_its_own() -> None:
    batch = batch_with((40, 26, 8, 20, 3), (46, 26, 8, 20, 5))
    found = [place(41, 26, 0.6), place(46, 26, 0.9)]
    assert true_digits(found, batch.heat[0], batch.counts[0]) == [3, 5]


def test_found_misread_false_and_missed_digits_are_counted() -> None:
    heat = np.zeros((13, HEIGHT // STRIDE, WIDTH // STRIDE), np.float32)
    heat[11:] = 20
    for digit, row, column in ((7, 6, 10), (8, 6, 20), (0, 20, 20), (5, 24, 49)):
        heat[digit, row, column] = 0.9
    heat[2, 28, 40] = 0.3  # too faint to count
    counts = found_on(Told(heat), BATCH)
    assert counts == Found(digits=3, right=1, misread=1, false=1)
    assert counts.recall == counts.precision == counts.f1 == pytest.approx(1 / 3)
    assert counts + counts == Found(6, 2, 2, 2)


def test_nothing_found_of_nothing() -> None:
    none = Found()
    assert (none.recall, none.precision, none.f1) == (0, 0, 0)
