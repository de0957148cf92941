"""How training went: a curve for each run, or for the runs of a recipe their mean in its spread."""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from mnistry.evaluation.axes import accuracy_axis, axis_from_zero, positive_axis
from mnistry.evaluation.charts import Line, LineChart
from mnistry.evaluation.subjects import Report, Subject

_COLOURS = 8  # in diagrams.css


def charts(report: Report) -> list[LineChart]:
    """A chart for each quantity that a run has a history of."""
    single = len(report.recipes) == 1
    (only, *_) = report.recipes.values()

    def curves(key: str, name: str) -> list[Line]:
        if single:
            return [_line(only, key, name, "main")]
        return [
            _line(runs, key, recipe, f"c{number % _COLOURS}" + (" dashed" if number >= _COLOURS else ""))
            for number, (recipe, runs) in enumerate(report.recipes.items())
        ]

    if single:
        batch = [_line(only, "loss", "one batch", "main faint")] if len(only) == 1 else []
        validation = _line(only, "validation_loss", "validation", "second")
        losses = [("Loss", [*batch, *curves("mean_loss", "mean"), validation], positive_axis, ".3g")]
    else:
        losses = [
            ("Training loss", curves("mean_loss", ""), positive_axis, ".3g"),
            ("Validation loss", curves("validation_loss", ""), positive_axis, ".3g"),
        ]
    drawn = [
        *losses,
        ("Validation accuracy", curves("validation_accuracy", "validation"), accuracy_axis, ".2%"),
        ("Learning rate", curves("learning_rate", "rate"), positive_axis, ".3g"),
        ("Speed", curves("images_per_second", "images a second"), axis_from_zero, ",.0f"),
    ]
    return [LineChart(*chart) for chart in drawn if any(one.points for one in chart[1])]


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
