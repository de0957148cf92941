import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from mnistry.errors import InvalidValueError
from mnistry.evaluation.compare import McNemar, mcnemar


def discordant(only_first: int, only_second: int, both: int = 3) -> McNemar:
    first = np.repeat([True, False, True, False], [only_first, only_second, both, 2])
    second = np.repeat([False, True, True, False], [only_first, only_second, both, 2])
    return mcnemar(first, second)


@pytest.mark.parametrize(
    ("only_first", "only_second", "p_value"),
    [
        (0, 0, 1.0),  # no difference at all
        (4, 4, 1.0),  # both tails overlap in the middle
        (1, 0, 1.0),  # 2 · 1 / 2
        (0, 5, 1 / 16),  # 2 · 1 / 2⁵
        (1, 5, 14 / 64),  # 2 · (1 + 6) / 2⁶
        (8, 2, 112 / 1024),  # 2 · (1 + 10 + 45) / 2¹⁰
    ],
)
def test_by_hand(only_first: int, only_second: int, p_value: float) -> None:
    assert discordant(only_first, only_second) == McNemar(only_first, only_second, p_value)


@settings(deadline=None)
@given(st.integers(0, 400), st.integers(0, 400))
@example(5_000, 5_300)
@example(0, 2_000)
def test_agrees_with_scipy(only_first: int, only_second: int) -> None:
    test = discordant(only_first, only_second)
    if only_first + only_second:
        expected = binomtest(only_first, only_first + only_second).pvalue
        assert test.p_value == pytest.approx(expected, rel=1e-9)
    assert test.p_value == discordant(only_second, only_first).p_value


def test_images_that_both_read_alike_do_not_count() -> None:
    assert discordant(3, 7, both=0) == discordant(3, 7, both=9_000)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (np.ones(3, bool), np.ones(4, bool), "read 3 images and the second 4"),
        (np.array([3, 1]), np.ones(2, bool), r"first_correct: expected bool\[n\], found int64\[2\]"),
        (np.ones(2, bool), np.ones((2, 1), bool), r"second_correct: .* found bool\[2, 1\]"),
    ],
)
def test_what_cannot_be_compared_is_refused(first: np.ndarray, second: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        mcnemar(first, second)
