"""Runs compared on the same images: figures by recipe, McNemar's test for pairs, who got what right."""

from collections.abc import Sequence
from itertools import combinations
from xml.etree.ElementTree import Element

import numpy as np

from mnistry.evaluation.compare import McNemar, mcnemar
from mnistry.evaluation.gallery import thumbnails
from mnistry.evaluation.intervals import mean_and_sd
from mnistry.evaluation.markup import element, opener, panel, section
from mnistry.evaluation.subjects import Report, Subject

_THUMBNAILS = 360  # of all pairs together
_MOST_IN_CELL = 24


def recipes_table(report: Report) -> Element:
    """Mean and standard deviation of each recipe over its runs, as a section."""
    names = ("Recipe", "Runs", "Accuracy", "Lowest to highest", "Macro F1", "Log loss", "ECE")
    rows = []
    for recipe, runs in report.recipes.items():
        evaluations = [report.evaluations[run] for run in runs]
        accuracies = [one.accuracy for one in evaluations]
        values = (
            str(len(runs)),
            _mean_and_sd(accuracies, 2, percent=True),
            f"{min(accuracies):.2%}–{max(accuracies):.2%}" if len(runs) > 1 else "–",
            _mean_and_sd([one.macro["f1"] for one in evaluations], 4),
            _mean_and_sd([one.negative_log_likelihood for one in evaluations], 4),
            _mean_and_sd([one.calibration_error for one in evaluations], 2, percent=True),
        )
        rows.append((recipe, values))
    lead = "Mean ± standard deviation over the runs of each recipe, which differ in nothing but their seed."
    return section("By recipe", lead, _table(names, rows), _every_run(report))


def _every_run(report: Report) -> Element:
    names = ("Run", "Recipe", "Seed", "Accuracy", "95% interval", "Mistakes", "Macro F1", "Log loss", "ECE")
    rows = []
    for run in report.subjects:
        one = report.evaluations[run]
        low, high = one.accuracy_interval
        values = (
            run.recipe,
            str(run.seed),
            f"{one.accuracy:.2%}",
            f"{low:.2%}–{high:.2%}",
            f"{one.errors:,}",
            f"{one.macro['f1']:.4f}",
            f"{one.negative_log_likelihood:.4f}",
            f"{one.calibration_error:.2%}",
        )
        rows.append((run.name, values))
    return element("details", element("summary", "Each run"), _table(names, rows))


def pairs_table(report: Report) -> Element:
    """McNemar's test for each pair of the runs to compare, with the images that set them apart."""
    right = {run: run.read == report.examples.labels for run in report.compared}
    pairs = list(combinations(report.compared, 2))
    tests = [mcnemar(right[first], right[second]) for first, second in pairs]
    most = min(_MOST_IN_CELL, _THUMBNAILS // (2 * len(pairs)))
    names = (
        "First",
        "Second",
        "Only the first right",
        "Only the second right",
        "Both wrong",
        "p",
        "p, adjusted",
    )
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in names)))
    body = element("tbody")
    for number, ((first, second), test, adjusted) in enumerate(zip(pairs, tests, holm(tests), strict=True)):
        only_first = _differing(report, first, second, right, most, f"first-{number}")
        only_second = _differing(report, second, first, right, most, f"second-{number}")
        both_wrong = int((~right[first] & ~right[second]).sum())
        figures = (f"{both_wrong:,}", _p_value(test.p_value), _p_value(adjusted))
        cells = (
            element("td", second.name),
            only_first,
            only_second,
            *(element("td", one) for one in figures),
        )
        body.append(element("tr", element("th", first.name, scope="row"), *cells))
    table = element("table", head, body, class_="figures pairs")
    lead = (
        "McNemar's exact test, two-sided: how likely a difference at least this large is if both are equally "
        "good. Only the images that exactly one of the two reads right count; a number opens them. "
    )
    if len(report.recipes) > 1:
        lead += "Of each recipe, the run of median accuracy. "
    if len(report.recipes) > len(report.shown):
        lead += f"Of the {len(report.recipes)} recipes, the {len(report.shown)} most accurate. "
    elif len(report.recipes) == 1 and len(report.subjects) > len(report.compared):
        lead += f"Of the {len(report.subjects)} runs, the first {len(report.compared)}. "
    if len(pairs) > 1:
        lead += f"Adjusted for {len(pairs)} tests by Holm's method (1979)."
    box = element("div", element("div", table, class_="scroll"), class_="panel")
    return section("In pairs", lead, box)


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


def _differing(
    report: Report, better: Subject, worse: Subject, right: dict[Subject, np.ndarray], most: int, key: str
) -> Element:
    rows = np.flatnonzero(right[better] & ~right[worse])
    # The most confident mistakes first.
    rows = rows[np.argsort(-worse.chances[rows, worse.read[rows]], kind="stable")]
    if not len(rows) or not most:
        return element("td", f"{len(rows):,}")
    title = f"{better.name} right, {worse.name} wrong: {len(rows):,}"
    note = f"{most} of them, " if len(rows) > most else ""
    note += f"{worse.name}'s most confident mistakes first; its answer is the second of each."
    content = (
        element("p", note, class_="lead"),
        thumbnails(report, [better, worse], rows[:most].tolist()),
    )
    button = opener(key, f"{len(rows):,}", class_="cell", label=title)
    return element("td", button, panel(key, title, *content))


def _table(names: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> Element:
    head = element("thead", element("tr", *(element("th", name, scope="col") for name in names)))
    body = element("tbody")
    for name, values in rows:
        cells = (element("td", value) for value in values)
        body.append(element("tr", element("th", name, scope="row"), *cells))
    table = element("table", head, body, class_="figures")
    return element("div", element("div", table, class_="scroll"), class_="panel")


def _mean_and_sd(values: Sequence[float], decimals: int, *, percent: bool = False) -> str:
    factor, unit = (100, "%") if percent else (1, "")
    if len(values) == 1:
        return f"{factor * values[0]:.{decimals}f}{unit}"
    spread = mean_and_sd(values)
    return f"{factor * spread.mean:.{decimals}f}{unit} ± {factor * spread.sd:.{decimals}f}"


def _p_value(p: float) -> str:
    return "< 0.0001" if p < 1e-4 else f"{p:.4f}"
