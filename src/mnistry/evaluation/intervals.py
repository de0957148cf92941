"""How far a figure is to be trusted: 95 % confidence intervals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnistry.errors import InvalidValueError

_Z_95 = 1.959963984540054  # the standard normal's 97.5 % point


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion, without continuity correction.

    Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference",
    JASA 22 (1927).

    Examples:
        >>> [round(bound, 4) for bound in wilson_interval(81, 263)]
        [0.2553, 0.3662]
    """
    centre = correct + _Z_95**2 / 2
    half_width = _Z_95 * math.sqrt(correct * (n - correct) / n + _Z_95**2 / 4)
    return max(0.0, (centre - half_width) / (n + _Z_95**2)), min(1.0, (centre + half_width) / (n + _Z_95**2))


@dataclass(frozen=True)
class Spread:
    """A figure over several runs, such as the accuracy with different seeds."""

    mean: float
    sd: float
    """The sample's standard deviation (n - 1 in the denominator)."""
    interval: tuple[float, float]
    """95 % confidence interval of the mean."""


def mean_and_sd(values: Sequence[float]) -> Spread:
    """Mean, standard deviation and the mean's 95 % interval by Student's t, mean ± t · sd / √n.

    Source: Student, "The Probable Error of a Mean", Biometrika 6 (1908). Needs SciPy, which comes with
    the extra `train`.

    Raises:
        InvalidValueError: fewer than two values, which have no spread.

    Examples:
        >>> spread = mean_and_sd([1.0, 2.0, 3.0])
        >>> spread.mean, spread.sd, [round(bound, 3) for bound in spread.interval]
        (2.0, 1.0, [-0.484, 4.484])
    """
    if len(values) < 2:
        raise InvalidValueError(f"a spread needs at least two values, found {len(values)}; run more seeds.")
    from scipy.special import stdtrit  # type: ignore[import-untyped]

    mean, sd = float(np.mean(values)), float(np.std(values, ddof=1))
    half_width = float(stdtrit(len(values) - 1, 0.975)) * sd / math.sqrt(len(values))
    return Spread(mean, sd, (mean - half_width, mean + half_width))
