"""Runs compared on the same images: mean and spread by recipe, McNemar's test for pairs."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from mnistry.evaluation.compare import McNemar, mcnemar
from mnistry.evaluation.intervals import mean_and_sd
from mnistry.evaluation.subjects import Report, Subject

_THUMBNAILS = 360  # of all pairs together
_MOST_IN_CELL = 24


@dataclass(frozen=True, eq=False)
class Pair:
    """Two runs with McNemar's test.

    Attributes:
        first, second: the runs.
        test: of the first against the second.
        adjusted: its p-value, adjusted for the number of pairs.
        both_wrong: how many images both read wrong.
        only_first, only_second: rows of images that only one of them read right, the most confident mistakes
            of the other first; no more than are shown.
    """

    first: Subject
    second: Subject
    test: McNemar
    adjusted: float
    both_wrong: int
    only_first: list[int]
    only_second: list[int]


def pairs(report: Report) -> list[Pair]:
    """Each pair of the runs to compare."""
    right = {run: run.read == report.examples.labels for run in report.compared}
    both = list(combinations(report.compared, 2))
    tests = [mcnemar(right[first], right[second]) for first, second in both]
    most = min(_MOST_IN_CELL, _THUMBNAILS // (2 * max(1, len(both))))

    def differing(better: Subject, worse: Subject) -> list[int]:
        rows = np.flatnonzero(right[better] & ~right[worse])
        order = np.argsort(-worse.chances[rows, worse.read[rows]], kind="stable")
        shown: list[int] = rows[order][:most].tolist()
        return shown

    return [
        Pair(
            first,
            second,
            test,
            adjusted,
            int((~right[first] & ~right[second]).sum()),
            differing(first, second),
            differing(second, first),
        )
        for (first, second), test, adjusted in zip(both, tests, holm(tests), strict=True)
    ]


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
