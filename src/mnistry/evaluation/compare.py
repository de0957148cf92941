"""Whether one of two models is really better on the same images, or only luckier."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.errors import InvalidValueError


@dataclass(frozen=True)
class McNemar:
    """McNemar's test for two models on the same images; only those that exactly one got right count."""

    only_first: int
    """Images that the first model read right and the second wrong."""
    only_second: int
    """Images that the second model read right and the first wrong."""

    p_value: float
    """How likely a difference at least this large is if both models are equally good, two-sided."""


def mcnemar(first_correct: NDArray[Any], second_correct: NDArray[Any]) -> McNemar:
    """Compares two models, given for each of the same images whether it was read right.

    The test is exact: under the null hypothesis the discordant images are tosses of a fair coin, so the
    p-value is twice the smaller tail of Binomial(only_first + only_second, 1/2), at most 1. Source:
    Q. McNemar, "Note on the sampling error of the difference between correlated proportions or
    percentages", Psychometrika 12 (1947).

    Args:
        first_correct: bool[n], of the first model.
        second_correct: bool[n], of the second model, for the same images in the same order.

    Raises:
        InvalidValueError: the vectors are not boolean or differ in length.

    Examples:
        >>> first = np.array([True, False, False, False, False, False, True])
        >>> mcnemar(first, np.array([False, True, True, True, True, True, True]))  # 2 · (1 + 6) / 2⁶
        McNemar(only_first=1, only_second=5, p_value=0.21875)
    """
    for name, correct in (("first_correct", first_correct), ("second_correct", second_correct)):
        if correct.ndim != 1 or correct.dtype != np.bool_:
            raise InvalidValueError(f"{name}: expected bool[n], found {correct.dtype}{list(correct.shape)}.")
    if len(first_correct) != len(second_correct):
        raise InvalidValueError(
            f"the first model read {len(first_correct)} images and the second {len(second_correct)}; "
            "evaluate both on the same part of the same data set."
        )
    only_first = int((first_correct & ~second_correct).sum())
    only_second = int((~first_correct & second_correct).sum())
    return McNemar(only_first, only_second, _fair_coin_p_value(only_first, only_second))


def _fair_coin_p_value(heads: int, tails: int) -> float:
    tosses = heads + tails
    ways = fewer = 1  # in whole numbers of any size, so that nothing is rounded before the division
    for i in range(min(heads, tails)):
        ways = ways * (tosses - i) // (i + 1)
        fewer += ways
    return min(1.0, 2 * fewer / (1 << tosses))
