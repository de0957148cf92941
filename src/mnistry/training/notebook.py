"""What a notebook shows: how a run goes, as one line that changes, and a run as a table."""

from collections.abc import Iterable
from html import escape
from typing import Any

from mnistry.runs import RunFolder


class NotebookBar:
    """A bar with a line of text, which takes the place of itself. It needs no widgets, only IPython."""

    def __init__(self, total: int) -> None:
        """Shows it at once.

        Args:
            total: the steps of the run.
        """
        from IPython.display import HTML, display

        self._html: Any = HTML
        self._total = total
        self._handle: Any = display(HTML(self._drawn(0, "compiling…")), display_id=True)

    def update(self, step: int, text: str) -> None:
        """Shows how many steps are made, and a text."""
        self._handle.update(self._html(self._drawn(step, text)))

    def _drawn(self, step: int, text: str) -> str:
        return (
            f'<progress value="{step}" max="{self._total}" style="width: 16em"></progress> '
            f"step {step:,} of {self._total:,}&ensp;{escape(text)}"
        )


def run_as_html(run: RunFolder) -> str:
    """A run as a table of what is known of it, for `_repr_html_`."""
    rows = [
        ("run", str(run.path)),
        ("recipe", run.recipe_name),
        ("seed", str(run.seed)),
        ("data", run.data),
        ("state", "done" if run.finished else "in training" if run.in_training else "stopped"),
        ("steps", f"{run.metrics.last().get('step', 0):,.0f} of {run.steps:,}"),
    ]
    if run.finished and "confusion" in run.figures:
        low, high = run.evaluation.accuracy_interval
        accuracy = f"{run.evaluation.accuracy:.4f} (95 %: {low:.4f} to {high:.4f})"
        rows += [("test accuracy", accuracy), ("report", str(run.path / "report.html"))]
        if run.nothing_learnt:
            rows.append(("but", run.nothing_learnt))
    return f"<table>{''.join(_row(row) for row in rows)}</table>"


def _row(cells: Iterable[str]) -> str:
    name, value = cells
    return f'<tr><th style="text-align: left">{escape(name)}</th><td>{escape(value)}</td></tr>'
