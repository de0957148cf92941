"""Matplotlib's figures as SVG inside the page: its colours and fonts are the page's, by day and by night.

figure, axes = figures.new("loss of each batch")
axes.plot(losses)
figures.show(figure)
"""

import html
import io
import re
from typing import Any

import matplotlib as mpl
from cycler import cycler
from IPython.display import HTML
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# What Matplotlib draws in these colours has the page's own: see `_static/book.css`.
INK, FIRST, SECOND, THIRD, FAINT = "#010101", "#010102", "#010103", "#010104", "#010105"
_NAMES = {
    INK: "currentColor",
    FIRST: "var(--figure-first)",
    SECOND: "var(--figure-second)",
    THIRD: "var(--figure-third)",
    FAINT: "var(--figure-faint)",
}

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: read aloud, found, translated, drawn in the reader's fonts
    "font.size": 9,
    "figure.constrained_layout.use": True,
    "savefig.transparent": True,
    "axes.prop_cycle": cycler(color=[FIRST, SECOND, THIRD]),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "legend.frameon": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.labelcolor", "ytick.labelcolor"), INK),
}


def new(
    *titles: str, width: float = 4.6, height: float = 2.8, columns: int | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure with an axes for each title; 4.6 inches wide, so that it can be read on a telephone."""
    mpl.rcParams.update(_STYLE)
    columns = columns or len(titles)
    rows = -(-len(titles) // columns)
    figure = Figure(figsize=(width, height))
    axes = [figure.add_subplot(rows, columns, n + 1) for n in range(len(titles))]
    for axis, title in zip(axes, titles, strict=True):
        axis.set_title(title, fontsize=9, loc="left")
    return figure, axes


def _size_alone(font: re.Match[str]) -> str:
    return f"font-size: {font['size']}; " if font["size"] else ""


def show(figure: Figure, told: str) -> HTML:
    """The figure for the page.

    Args:
        figure: of `new`.
        told: what it shows, for those who cannot see it.
    """
    drawn = io.StringIO()
    with mpl.rc_context(_STYLE):
        figure.savefig(drawn, format="svg", metadata={"Date": None})
    svg = drawn.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="[^"]*">', "<g>", svg)  # `axes_1` of many figures would meet in one page
    svg = re.sub(r"<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[\d.]+pt" height="[\d.]+pt"', r"\1", svg)
    # The family is the page's.
    svg = re.sub(r"font(-family)?: (?P<size>[\d.]+px)?[^;\"]*;? ?", _size_alone, svg)
    for colour, name in _NAMES.items():
        svg = svg.replace(colour, name)
    return HTML(f'<figure class="book" role="img" aria-label="{html.escape(told)}">{svg}</figure>')
