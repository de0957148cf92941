"""Runs compared on the same images: mean and spread by recipe, McNemar's test for pairs."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mnistry.evaluation.compare import McNemar, mcnemar
from mnistry.evaluation.intervals import mean_and_sd
from mnistry.evaluation.subjects import Report, Subject

_THUMBNAILS = 360  # of all pairs together
_MOST_IN_CELL = 24


class ComparedRuns:
    """Two runs with McNemar's test, and the images that set them apart."""

    def __init__(self, report: Report, first: Subject, second: Subject, most: int) -> None:
        """
        Args:
            report: whose images.
            first: one run.
            second: the other.
            most: at most so many images are shown of what only one of them read right.
        """
        right, other = (run.read == report.examples.labels for run in (first, second))
        self.first, self.second, self.test = first, second, mcnemar(right, other)
        self.both_wrong = int((~right & ~other).sum())
        self.only_first = _most_confident(second, right & ~other)[:most]
        self.only_second = _most_confident(first, other & ~right)[:most]
        self.adjusted = self.test.p_value


def pairs(report: Report) -> list[ComparedRuns]:
    """Each pair of the runs to compare, their p-values adjusted for the number of pairs."""
    both = list(combinations(report.compared, 2))
    most = min(_MOST_IN_CELL, _THUMBNAILS // (2 * max(1, len(both))))
    found = [ComparedRuns(report, first, second, most) for first, second in both]
    for pair, adjusted in zip(found, holm([pair.test for pair in found]), strict=True):
        pair.adjusted = adjusted
    return found


def _most_confident(run: Subject, mask: NDArray[np.bool_]) -> list[int]:
    """The rows of some images, those first of whose answer the run is surest."""
    rows = np.flatnonzero(mask)
    listed: list[int] = rows[np.argsort(-run.chances[rows, run.read[rows]], kind="stable")].tolist()
    return listed


def holm(tests: Sequence[McNemar]) -> list[float]:
    """The p-values, adjusted for their number, in the same order.

    Source: S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6 (1979).

    Examples:
        >>> holm([McNemar(0, 0, 0.04), McNemar(0, 0, 0.01), McNemar(0, 0, 0.03)])
        [0.06, 0.03, 0.06]
    """
    values = np.array([test.p_value for test in tests])
    order = np.argsort(values, kind="stable")
    adjusted = np.empty(len(values))
    steps = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    adjusted[order] = np.minimum(1, steps)
    listed: list[float] = adjusted.tolist()
    return listed


def recipe_rows(report: Report) -> list[tuple[str, tuple[str, ...]]]:
    """Each recipe, and what its runs reach on the mean: the number of runs, accuracy, its range, F1, …"""
    rows: list[tuple[str, tuple[str, ...]]] = []
    for recipe, runs in report.recipes.items():
        measured = [report.evaluations[run] for run in runs]
        accuracies = [one.accuracy for one in measured]
        values = (
            str(len(runs)),
            _spread(accuracies, ".2%"),
            f"{min(accuracies):.2%}–{max(accuracies):.2%}" if len(runs) > 1 else "–",
            _spread([one.macro["f1"] for one in measured], ".4f"),
            _spread([one.negative_log_likelihood for one in measured], ".4f"),
            _spread([one.calibration_error for one in measured], ".2%"),
        )
        rows.append((recipe, values))
    return rows


def _spread(values: Sequence[float], style: str) -> str:
    """Such as `97.74% ± 0.09`; without a deviation where there is one value."""
    if len(values) == 1:
        return format(values[0], style)
    spread = mean_and_sd(values)
    return f"{spread.mean:{style}} ± {format(spread.sd, style).removesuffix('%')}"
