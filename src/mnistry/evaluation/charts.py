"""Charts as inline SVG: readable ticks, a title for every reader, values on hover, no script.

Colours come from the page's style sheet, so that one drawing suits light and dark.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from xml.etree.ElementTree import Element

from mnistry.evaluation.axes import Axis, linear_axis
from mnistry.evaluation.markup import element
from mnistry.evaluation.metrics import BINS, Evaluation

WIDTH, HEIGHT = 440, 270
_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 14, 12, 44
_POINTS = 400  # more would not be seen on a chart of this width
_HOVER_STRIPS = 100


@dataclass(frozen=True)
class Line:
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


def line_chart(
    title: str, lines: Sequence[Line], axis: Callable[[Sequence[float]], Axis], style: str
) -> Element:
    """A figure with curves over training steps.

    Args:
        title: what is drawn.
        lines: the curves; points that are not finite are left out, curves without points too.
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
    lines = [one for one in finite if one.points]
    every_x, every_y = zip(*(point for one in lines for point in [*one.points, *_edges(one)]), strict=True)
    across, up = linear_axis(every_x, ",.10g"), axis(every_y)
    # The curve may use the whole width: it ends where the steps end, not at the next round number.
    across = Axis(min(across.low, *every_x), max(every_x), [t for t in across.ticks if t[0] <= max(every_x)])
    if across.low == across.high:
        across = linear_axis(every_x, ",.10g")

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            _LEFT + across.at(x) * (WIDTH - _LEFT - _RIGHT),
            HEIGHT - _BOTTOM - up.at(y) * (HEIGHT - _TOP - _BOTTOM),
        )

    drawing = [*_grid(across, up, "step")]
    for one in lines:
        if edges := _edges(one):
            outline = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*p) for p in edges))
            drawing.append(element("polygon", points=outline, class_=f"band {one.style}"))
    for one in lines:
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*p) for p in _thinned(one.points)))
        drawing.append(element("polyline", points=corners, class_=f"curve {one.style}"))
        end_x, end_y = place(*one.points[-1])
        drawing.append(element("circle", cx=end_x, cy=end_y, r=3, class_=f"end {one.style}"))
    drawing += _hover_strips(lines, lambda x: place(x, up.low)[0], style)
    legend = element("ul", class_="legend")
    for one in lines:
        last = element("b", format(one.points[-1][1], style))
        legend.append(element("li", element("i", class_=one.style), one.name, " ", last))
    ends = "; ".join(
        f"{one.name} from {one.points[0][1]:{style}} to {one.points[-1][1]:{style}}" for one in lines
    )
    description = f"{ends}, steps {min(every_x):,.10g} to {max(every_x):,.10g}."
    caption = element("figcaption", element("strong", title), " ", element("small", up.note), legend)
    return element("figure", caption, _svg(title, description, drawing), class_="chart")


def reliability_diagram(evaluation: Evaluation) -> Element:
    """Accuracy against confidence in 15 bins, with how many images are in each."""
    share = linear_axis([0.0, 1.0], ".0%")
    bottom = HEIGHT - _BOTTOM
    width, height = WIDTH - _LEFT - _RIGHT, bottom - _TOP
    strip = 54  # of the counts, under the diagram
    drawing = [*_grid(share, share, "")]
    counts = [int(count) for count in evaluation.bin_counts]
    right, confidence = evaluation.bin_correct, evaluation.bin_confidence_sums
    for i, count in enumerate(counts):
        if not count:
            continue
        left, accuracy, mean = _LEFT + width * i / BINS, right[i] / count, confidence[i] / count
        tip = element(
            "title",
            f"confidence {i / BINS:.0%} to {(i + 1) / BINS:.0%}, on average {mean:.1%}\n"
            f"accuracy {accuracy:.1%} ({right[i]:,} of {count:,})",
        )
        bar, top = width / BINS - 2, bottom - height * accuracy
        drawing.append(element("rect", tip, x=left + 1, y=top, width=bar, height=bottom - top, class_="bar"))
        ideal = bottom - height * mean
        drawing.append(element("line", x1=left + 1, x2=left + 1 + bar, y1=ideal, y2=ideal, class_="ideal"))
        tall = 30 * math.log1p(count) / math.log1p(max(counts))
        base = bottom + 38 + strip
        drawing.append(element("rect", x=left + 1, y=base - tall, width=bar, height=tall, class_="count"))
        middle = left + width / BINS / 2
        drawing.append(element("text", _short(count), x=middle, y=base - tall - 4, class_="n middle"))
    drawing.append(
        element("line", x1=_LEFT, y1=bottom, x2=_LEFT + width, y2=_TOP, class_="diagonal"),
    )
    drawing.append(element("text", "confidence", x=_LEFT + width / 2, y=HEIGHT - 5, class_="middle"))
    drawing.append(element("text", "images", x=_LEFT - 8, y=bottom + 38 + strip - 2, class_="end"))
    description = f"Expected calibration error {evaluation.calibration_error:.2%}."
    legend = element(
        "ul",
        element("li", element("i", class_="main"), "accuracy"),
        element("li", element("i", class_="second"), "mean confidence"),
        class_="legend",
    )
    caption = element("figcaption", element("strong", "Reliability"), legend)
    svg = _svg("Reliability diagram", description, drawing, HEIGHT + strip)
    return element("figure", caption, svg, class_="chart")


def probability_bars(chances: Sequence[float], label: int, predicted: int, names: Sequence[str]) -> Element:
    """A tiny bar for each class; the true one and the predicted one stand out."""
    wide, tall = 10 * len(chances), 30
    drawing = []
    for i, chance in enumerate(chances):
        style = {predicted: "second", label: "main"}.get(i, "")
        # A hairline remains of a probability of nearly 0, so that each class has its place.
        height = max(0.6, (tall - 2) * chance)
        drawing.append(element("rect", x=10 * i + 1, y=tall - height, width=8, height=height, class_=style))
        if all(len(name) == 1 for name in names):
            drawing.append(element("text", names[i], x=10 * i + 5, y=tall + 9, class_=f"middle {style}"))
    values = "\n".join(f"{name}: {chance:.2%}" for name, chance in zip(names, chances, strict=True))
    return element(
        "svg",
        element("title", values),
        *drawing,
        viewBox=f"0 0 {wide} {tall + 11}",
        class_="chances",
        role="img",
    )


def _svg(title: str, description: str, drawing: Sequence[Element], height: float = HEIGHT) -> Element:
    head = (element("title", title), element("desc", description))
    return element("svg", *head, *drawing, viewBox=f"0 0 {WIDTH} {height}", role="img")


def _grid(across: Axis, up: Axis, name: str) -> list[Element]:
    """Lines and labels of both axes."""
    bottom, right, parts = HEIGHT - _BOTTOM, WIDTH - _RIGHT, []
    for value, label in up.ticks:
        y = bottom - up.at(value) * (bottom - _TOP)
        parts.append(element("line", x1=_LEFT, x2=right, y1=y, y2=y, class_="grid"))
        parts.append(element("text", label, x=_LEFT - 8, y=y + 4, class_="end"))
    for value, label in across.ticks:
        x = _LEFT + across.at(value) * (right - _LEFT)
        parts.append(element("line", x1=x, x2=x, y1=bottom, y2=bottom + 4, class_="tick"))
        parts.append(element("text", label, x=x, y=bottom + 18, class_="middle"))
    parts.append(element("line", x1=_LEFT, x2=right, y1=bottom, y2=bottom, class_="tick"))
    parts.append(element("text", name, x=(_LEFT + right) / 2, y=HEIGHT - 5, class_="middle"))
    return parts


def _hover_strips(lines: Sequence[Line], place: Callable[[float], float], style: str) -> list[Element]:
    """Invisible strips over the whole chart, each with the values at one step."""
    at_step: dict[float, list[str]] = {}
    for one in lines:
        bands = {x: f" ({low:{style}} to {high:{style}})" for x, low, high in one.band}
        for x, y in one.points:
            at_step.setdefault(x, []).append(f"{one.name} {y:{style}}{bands.get(x, '')}")
    steps = sorted(at_step)
    steps = sorted({*steps[:: math.ceil(len(steps) / _HOVER_STRIPS)], steps[-1]})
    centres = [place(step) for step in steps]
    edges = [_LEFT, *((a + b) / 2 for a, b in pairwise(centres)), WIDTH - _RIGHT]
    return [
        element(
            "g",
            element("title", "\n".join([f"step {step:,.10g}", *at_step[step]])),
            element("rect", x=left, width=right - left, y=_TOP, height=HEIGHT - _TOP - _BOTTOM),
            element("line", x1=centre, x2=centre, y1=_TOP, y2=HEIGHT - _BOTTOM),
            class_="strip",
        )
        for step, centre, (left, right) in zip(steps, centres, pairwise(edges), strict=True)
    ]


def _edges(line: Line) -> list[tuple[float, float]]:
    """Around the band: along its upper edge and back along its lower one."""
    band = line.band[:: math.ceil(len(line.band) / _POINTS)] if line.band else ()
    return [*((x, high) for x, _, high in band), *((x, low) for x, low, _ in reversed(band))]


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """At most `_POINTS` of the points: the lowest and the highest of each stretch, so that peaks stay."""
    if len(points) <= _POINTS:
        return points
    stride = math.ceil(len(points) / (_POINTS // 2))
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), stride):
        stretch = points[start : start + stride]
        kept += sorted({min(stretch, key=lambda p: p[1]), max(stretch, key=lambda p: p[1])})
    return kept


def _short(count: int) -> str:
    """At most four characters: 87, 1.2k, 58k, 2M."""
    if count < 1000:
        return str(count)
    if count < 9950:
        return f"{count / 1000:.1f}k"
    return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1e6:.0f}M"
