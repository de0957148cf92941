import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mnistry.errors import InvalidValueError
from mnistry.evaluation.intervals import mean_and_sd, wilson_interval


# R. G. Newcombe, "Two-sided confidence intervals for the single proportion", Statistics in Medicine 17
# (1998), table I, the score method without continuity correction.
@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(correct: int, n: int, low: float, high: float) -> None:
    assert wilson_interval(correct, n) == pytest.approx((low, high), abs=5e-5)


@settings(deadline=None)
@given(st.integers(1, 100_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_the_proportion_and_agrees_with_scipy(counts: tuple[int, int]) -> None:
    correct, n = counts
    low, high = wilson_interval(correct, n)
    assert 0 <= low <= correct / n + 1e-12
    assert correct / n - 1e-12 <= high <= 1
    expected = stats.binomtest(correct, n).proportion_ci(method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_spread_by_hand() -> None:
    # Mean 98, squares 4 + 0 + 4 over 2 degrees of freedom: sd 2; t(0.975, 2) = 4.3027.
    spread = mean_and_sd([96, 98, 100])
    assert (spread.mean, spread.sd) == (98, 2)
    assert spread.interval == pytest.approx((98 - 4.3027 * 2 / 3**0.5, 98 + 4.3027 * 2 / 3**0.5), abs=1e-4)


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=40).filter(lambda values: max(values) - min(values) > 1e-3)
)
def test_spread_agrees_with_scipy(values: list[float]) -> None:
    spread = mean_and_sd(values)
    expected = stats.ttest_1samp(values, 0.5).confidence_interval(0.95)
    assert spread.interval == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_one_value_has_no_spread() -> None:
    with pytest.raises(InvalidValueError, match="at least two values, found 1"):
        mean_and_sd([0.98])
