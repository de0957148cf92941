"""The weights of the evidence: known ones come back, and they make of confidence a probability."""

import numpy as np
import pytest

from mnistry.models.detector import STRIDE
from mnistry.reading.detector import PLAIN, Detection, Detector
from mnistry.reading.judging import evidence
from mnistry.reading.verifier import PATCH, Verifier
from mnistry.training.pages.canvas import HEIGHT, WIDTH
from mnistry.training.pages.page import MOST_DIGITS, NOTHING, Page
from mnistry.training.pages.targets import batch_of
from mnistry.training.pages.weighing import logistic_regression, weigh


def test_the_weights_that_made_the_truth_come_back() -> None:
    random = np.random.default_rng(0)
    true = np.array([1.2, 0.5, -0.8, -1.0])
    rows = np.column_stack([random.normal(0, 2, (40_000, 3)), np.ones(40_000)])
    chances = 1 / (1 + np.exp(-rows @ true))
    found = logistic_regression(rows, random.random(40_000) < chances)
    np.testing.assert_allclose(found, true, atol=0.06)


def test_one_number_by_hand() -> None:
    """Three of four are true: the log odds are log 3, but for the shrinkage."""
    found = logistic_regression(np.ones((400, 1)), np.arange(400) % 4 > 0)
    assert found == pytest.approx([np.log(3)], abs=0.02)


@pytest.mark.parametrize("truth", [[True] * 6, [False] * 6, [False, False, False, True, True, True]])
def test_what_is_told_apart_entirely_has_finite_weights(truth: list[bool]) -> None:
    rows = np.column_stack([[-4.5, -4, -3, 3, 4, 4.5], np.ones(6)])
    found = logistic_regression(rows, np.array(truth))
    assert np.isfinite(found).all()
    chances = 1 / (1 + np.exp(-rows @ found))
    assert ((chances > 0.5) == truth).all()


class Half(Detector):
    """Finds what is on the page and something else as surely, each with a probability of 0.9."""

    def __init__(self, *places: tuple[int, int]) -> None:
        self._places = places

    def heat(self, page: np.ndarray) -> np.ndarray:
        heat = np.zeros((13, HEIGHT // STRIDE, WIDTH // STRIDE), np.float32)
        heat[11:] = 20
        for row, column in self._places:
            heat[7, row, column] = 0.9
        return heat


@pytest.fixture(scope="module")
def page() -> Page:
    """An empty page that is said to have a 7 at row 6, column 10 of the heat map."""
    digits = np.full((MOST_DIGITS, 5), NOTHING, np.float32)
    digits[0] = (42, 26, 12, 20, 7)
    small = np.zeros((HEIGHT // STRIDE, WIDTH // STRIDE), np.bool_)
    return Page(np.full((HEIGHT, WIDTH), 128, np.uint8), small, digits)


def test_a_detector_that_is_half_right_is_half_trusted(page: Page) -> None:
    verifier = Verifier.load(threads=1)
    found = weigh(Half((6, 10), (20, 40)), verifier, [batch_of([page] * 4)] * 3)
    # Both places have the same evidence: no neighbour, no ink.
    nothing = verifier.probabilities(np.full((1, PATCH, PATCH), 128, np.uint8))
    place = Detection(42, 26, 20, 20, 0.9 * np.eye(10)[7], 1.0)
    assert evidence([place], nothing)[0] @ found == pytest.approx(0, abs=0.05)


def test_a_detector_that_finds_nothing_keeps_the_plain_weights(page: Page) -> None:
    verifier = Verifier.load(threads=1)
    assert weigh(Half(), verifier, [batch_of([page])]).tolist() == PLAIN.tolist()
    assert weigh(Half((6, 10)), verifier, []).tolist() == PLAIN.tolist()
