"""Mistakes by who wrote the digit: by group of writers, and by writer."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table

from mnistry.errors import InvalidValueError
from mnistry.evaluation.metrics import Evaluation

STUDENTS_SERIES = 4
"""NIST's series of high-school students; the others that MNIST was taken from are census staff."""
SHOWN = 10  # writers in the terminal


@dataclass(frozen=True)
class WriterFigures:
    """How well one writer's digits are read.

    Attributes:
        writer: NIST's number.
        group: `"students"` or `"census staff"`.
        n: digits of theirs.
        errors: those that were read wrong.
    """

    writer: int
    group: str
    n: int
    errors: int


@dataclass(frozen=True, eq=False)
class ByWriter:
    """Figures of one evaluation, by writer.

    Attributes:
        groups: the evaluation of each group of writers that wrote any of the images.
        writers: those with the most mistakes first; among equals, with the fewest digits first.
    """

    groups: dict[str, Evaluation]
    writers: list[WriterFigures]

    @classmethod
    def of(
        cls, logits: NDArray[Any], labels: NDArray[Any], writers: NDArray[Any], series: NDArray[Any]
    ) -> "ByWriter":
        """Evaluates images whose writers are known.

        Args:
            logits: float[n, 10].
            labels: an integer type[n].
            writers: int[n], who wrote each.
            series: int[n], NIST's series; see `mnistry.data.writers`.

        Raises:
            InvalidValueError: the lengths differ, or there are no images.
        """
        if not len(logits) == len(labels) == len(writers) == len(series) > 0:
            raise InvalidValueError(
                "expected as many logits, labels, writers and series, and at least one; "
                f"found {len(logits)}, {len(labels)}, {len(writers)} and {len(series)}."
            )
        groups = np.where(series == STUDENTS_SERIES, "students", "census staff")
        wrong = logits.argmax(axis=1) != labels
        found = []
        for writer in np.unique(writers):
            own = writers == writer
            group = str(groups[own.argmax()])
            found.append(WriterFigures(int(writer), group, int(own.sum()), int(wrong[own].sum())))
        found.sort(key=lambda one: (-one.errors, one.n, one.writer))
        return cls(
            {
                str(name): Evaluation.of(logits[groups == name], labels[groups == name])
                for name in np.unique(groups)
            },
            found,
        )

    def to_json(self) -> dict[str, Any]:
        """As JSON values: `groups` by name, and `writers`, each with group, n and errors."""
        return {
            "groups": {
                name: one.to_json() | {"writers": sum(writer.group == name for writer in self.writers)}
                for name, one in self.groups.items()
            },
            "writers": [vars(one) for one in self.writers],
        }

    def render(self) -> RenderableType:
        """Two tables for `rich.print`: the groups, and the writers with the most mistakes."""
        groups = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        groups.add_column("group")
        for name in ("writers", "images", "mistakes", "accuracy", "95% interval", "without a mistake"):
            groups.add_column(name, justify="right")
        for name, one in self.groups.items():
            low, high = one.accuracy_interval
            own = [writer for writer in self.writers if writer.group == name]
            groups.add_row(
                name,
                f"{len(own):,}",
                f"{one.n:,}",
                f"{one.errors:,}",
                f"{one.accuracy:.2%}",
                f"{low:.2%} to {high:.2%}",
                f"{sum(not writer.errors for writer in own):,}",
            )
        worst = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("writer", "group", "images", "mistakes"):
            worst.add_column(name, justify="left" if name == "group" else "right")
        shown = [writer for writer in self.writers if writer.errors][:SHOWN]
        for writer in shown:
            worst.add_row(str(writer.writer), writer.group, str(writer.n), str(writer.errors))
        return Group(groups, *([worst] if shown else []))
