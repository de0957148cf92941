"""How training went: a curve for each run, or for the runs of a recipe their mean in its spread."""

import math
from collections.abc import Mapping, Sequence
from xml.etree.ElementTree import Element

import numpy as np

from mnistry.evaluation.axes import accuracy_axis, axis_from_zero, positive_axis
from mnistry.evaluation.charts import Line, line_chart
from mnistry.evaluation.markup import element, section
from mnistry.evaluation.style import COLOURS
from mnistry.evaluation.subjects import Report, Subject


def training(report: Report) -> Element | None:
    """The section; None where no run has a history."""
    single = len(report.recipes) == 1
    (only, *_) = report.recipes.values()

    def curves(key: str, name: str) -> list[Line]:
        if single:
            return [_line(only, key, name, "main")]
        return [
            _line(runs, key, recipe, f"c{number % COLOURS}" + (" dashed" if number >= COLOURS else ""))
            for number, (recipe, runs) in enumerate(report.recipes.items())
        ]

    if single:
        batch = [_line(only, "loss", "one batch", "faint")] if len(only) == 1 else []
        validation = _line(only, "validation_loss", "validation", "second")
        losses = [("Loss", [*batch, *curves("mean_loss", "mean"), validation], positive_axis, ".3g")]
    else:
        losses = [
            ("Training loss", curves("mean_loss", ""), positive_axis, ".3g"),
            ("Validation loss", curves("validation_loss", ""), positive_axis, ".3g"),
        ]
    charts = [
        *losses,
        ("Validation accuracy", curves("validation_accuracy", "validation"), accuracy_axis, ".2%"),
        ("Learning rate", curves("learning_rate", "rate"), positive_axis, ".3g"),
        ("Speed", curves("images_per_second", "images a second"), axis_from_zero, ",.0f"),
    ]
    figures = [line_chart(*chart) for chart in charts if any(one.points for one in chart[1])]
    if not figures:
        return None
    lead = "Over the steps of training. Point at a chart to read its values."
    if len(report.subjects) > len(report.recipes):
        lead += (
            " Lines are means over the runs of a recipe, which differ in their seed; the bands reach from "
            "the lowest run to the highest."
        )
    return section("Training", lead, element("div", *figures, class_="charts"))


def _line(runs: Sequence[Subject], key: str, name: str, style: str) -> Line:
    """The mean of the runs at each step that all of them have, between their extremes."""
    curves = [
        {float(row["step"]): float(row[key]) for row in run.history if _finite(row, key)} for run in runs
    ]
    steps = sorted(set.intersection(*map(set, curves)))
    values = np.array([[curve[step] for curve in curves] for step in steps]).reshape(len(steps), len(runs))
    points = list(zip(steps, values.mean(axis=1).tolist(), strict=True))
    if len(runs) == 1:
        return Line(name, points, style)
    band = zip(steps, values.min(axis=1).tolist(), values.max(axis=1).tolist(), strict=True)
    return Line(f"{name} (n = {len(runs)})", points, style, list(band))


def _finite(row: Mapping[str, float], key: str) -> bool:
    return row.get(key) is not None and math.isfinite(row[key])
