"""How training went: curves over its steps, of each run or of a recipe's runs, mean and spread.

What is drawn, and where; `diagrams.html` draws it.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from mnistry.evaluation.axes import Axis, accuracy_axis, axis_from_zero, linear_axis, positive_axis
from mnistry.evaluation.diagrams import Grid
from mnistry.evaluation.subjects import Report, Subject
from mnistry.language import gettext

_COLOURS = 8  # in diagrams.css
_POINTS = 400  # more would not be seen on a chart of this width
_HOVER_STRIPS = 100


@dataclass(frozen=True)
class Curve:
    """One curve.

    Attributes:
        name: for the legend.
        points: (x, y), in the order of x.
        style: its class in the style sheet.
        band: (x, lowest y, highest y) of what the curve is the mean of; empty for a single one.
    """

    name: str
    points: Sequence[tuple[float, float]]
    style: str
    band: Sequence[tuple[float, float, float]] = ()

    @property
    def edges(self) -> list[tuple[float, float]]:
        """Around the band: along its upper edge and back along its lower one."""
        band = self.band[:: math.ceil(len(self.band) / _POINTS)] if self.band else ()
        return [*((x, high) for x, _, high in band), *((x, low) for x, low, _ in reversed(band))]

    @property
    def corners(self) -> Sequence[tuple[float, float]]:
        """At most 400 of the points: the lowest and the highest of each stretch, so that peaks stay."""
        if len(self.points) <= _POINTS:
            return self.points
        stride = math.ceil(len(self.points) / (_POINTS // 2))
        kept: list[tuple[float, float]] = []
        for start in range(0, len(self.points), stride):
            stretch = self.points[start : start + stride]
            kept += sorted({min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])})
        return kept


class LineChart:
    """Curves over training steps."""

    def __init__(
        self, title: str, lines: Sequence[Curve], axis: Callable[[Sequence[float]], Axis], style: str
    ) -> None:
        """
        Args:
            title: what is drawn.
            lines: the curves, with a finite point at least; points that are not finite are left out, curves
                without points too.
            axis: makes the vertical scale out of all values.
            style: how values are written, as `format` takes it.
        """
        finite = [
            replace(
                one,
                points=[p for p in one.points if math.isfinite(p[1])],
                band=[p for p in one.band if math.isfinite(p[1]) and math.isfinite(p[2])],
            )
            for one in lines
        ]
        self.title, self.style = title, style
        self.lines = [one for one in finite if one.points]
        steps, values = zip(*(p for one in self.lines for p in [*one.points, *one.edges]), strict=True)
        self.first, self.last = min(steps), max(steps)
        across = linear_axis(steps, ",.10g")
        if across.low < self.last:
            # The curve may use the whole width: it ends where the steps end, not at the next round number.
            ticks = [tick for tick in across.ticks if tick[0] <= self.last]
            across = Axis(across.low, self.last, ticks)
        self.grid = Grid(across, axis(values), gettext("step"))

    def strips(self) -> Iterator[tuple[str, float, float, float]]:
        """Invisible strips over the whole chart: the values at one step, left end, right end, the step."""
        at_step: dict[float, list[str]] = {}
        for one in self.lines:
            between = gettext("({low} to {high})")
            bands = {
                x: " " + between.format(low=format(low, self.style), high=format(high, self.style))
                for x, low, high in one.band
            }
            for x, y in one.points:
                at_step.setdefault(x, []).append(f"{one.name} {y:{self.style}}{bands.get(x, '')}")
        steps = sorted(at_step)
        steps = sorted({*steps[:: math.ceil(len(steps) / _HOVER_STRIPS)], steps[-1]})
        centres = [self.grid.x(step) for step in steps]
        edges = [self.grid.left, *((a + b) / 2 for a, b in pairwise(centres)), self.grid.right]
        for step, centre, (left, right) in zip(steps, centres, pairwise(edges), strict=True):
            yield "\n".join([f"{gettext('step')} {step:,.10g}", *at_step[step]]), left, right, centre


def charts(report: Report) -> list[LineChart]:
    """A chart for each quantity that a run has a history of."""
    single = len(report.recipes) == 1
    (only, *_) = report.recipes.values()

    def curves(key: str, name: str) -> list[Curve]:
        if single:
            return [_line(only, key, name, "main")]
        return [
            _line(runs, key, recipe, f"c{number % _COLOURS}" + (" dashed" if number >= _COLOURS else ""))
            for number, (recipe, runs) in enumerate(report.recipes.items())
        ]

    if single:
        batch = [_line(only, "loss", gettext("one batch"), "main faint")] if len(only) == 1 else []
        validation = _line(only, "validation_loss", gettext("validation"), "second")
        drawn = [*batch, *curves("mean_loss", gettext("mean")), validation]
        losses = [(gettext("Loss"), drawn, positive_axis, ".3g")]
    else:
        losses = [
            (gettext("Training loss"), curves("mean_loss", ""), positive_axis, ".3g"),
            (gettext("Validation loss"), curves("validation_loss", ""), positive_axis, ".3g"),
        ]
    quantities = [
        *losses,
        (
            gettext("Validation accuracy"),
            curves("validation_accuracy", gettext("validation")),
            accuracy_axis,
            ".2%",
        ),
        (gettext("Learning rate"), curves("learning_rate", gettext("rate")), positive_axis, ".3g"),
        (gettext("Speed"), curves("images_per_second", gettext("images a second")), axis_from_zero, ",.0f"),
    ]
    return [LineChart(*chart) for chart in quantities if any(one.points for one in chart[1])]


def _line(runs: Sequence[Subject], key: str, name: str, style: str) -> Curve:
    """The mean of the runs at each step that all of them have, between their extremes."""
    curves = [
        {float(row["step"]): float(row[key]) for row in run.history if _finite(row, key)} for run in runs
    ]
    steps = sorted(set.intersection(*map(set, curves)))
    values = np.array([[curve[step] for curve in curves] for step in steps]).reshape(len(steps), len(runs))
    points = list(zip(steps, values.mean(axis=1).tolist(), strict=True))
    if len(runs) == 1:
        return Curve(name, points, style)
    band = zip(steps, values.min(axis=1).tolist(), values.max(axis=1).tolist(), strict=True)
    return Curve(f"{name} (n = {len(runs)})", points, style, list(band))


def _finite(row: Mapping[str, float], key: str) -> bool:
    return row.get(key) is not None and math.isfinite(row[key])
