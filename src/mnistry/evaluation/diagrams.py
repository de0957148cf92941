"""What the diagrams of an evaluation show, and where; the templates draw it, in reports and as pictures."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from rich.cells import cell_len, set_cell_size

from mnistry.evaluation.axes import Axis, linear_axis
from mnistry.evaluation.metrics import BINS, Evaluation
from mnistry.language import gettext

_LONGEST_NAME = 24


def shortened(names: Sequence[str]) -> list[str]:
    """Names of classes with the ends of the longest cut off."""
    return [
        name if cell_len(name) <= _LONGEST_NAME else set_cell_size(name, _LONGEST_NAME - 1) + "…"
        for name in names
    ]


@dataclass(frozen=True)
class Grid:
    """Two axes on a drawing of fixed size, in units of the drawing."""

    across: Axis
    up: Axis
    name: str = ""
    """What runs across."""

    width: ClassVar[int] = 440
    height: ClassVar[int] = 270
    left: ClassVar[int] = 52
    right: ClassVar[int] = 426
    top: ClassVar[int] = 12
    bottom: ClassVar[int] = 226

    def x(self, value: float) -> float:
        return self.left + self.across.at(value) * (self.right - self.left)

    def y(self, value: float) -> float:
        return self.bottom - self.up.at(value) * (self.bottom - self.top)


class ConfusionMatrix:
    """The counts in rows of true classes, with a colour for each: recall on the diagonal, else mistakes.

    Mistakes have a scale of their own, so that the diagonal does not drown them.
    """

    pitch = 28  # from one cell to the next

    def __init__(self, evaluation: Evaluation, names: Sequence[str]) -> None:
        """
        Args:
            evaluation: of any number of images.
            names: one for each class.
        """
        confusion, diagonal = evaluation.confusion, np.eye(len(names), dtype=bool)
        mistakes = np.where(diagonal, 0, confusion)
        self.names, self.labels = names, shortened(names)
        self.counts: list[list[int]] = confusion.tolist()
        # The root keeps single mistakes visible beside the most frequent confusion.
        heat = np.where(diagonal, evaluation.recall**2, np.sqrt(mistakes / max(1, mistakes.max())))
        self.heat: list[list[float]] = (0.9 * heat).tolist()
        order = np.unravel_index(np.argsort(-mistakes, None, "stable")[:5], mistakes.shape)
        self.most_often = [
            (i, j) for i, j in zip(*map(np.ndarray.tolist, order), strict=True) if mistakes[i, j]
        ]

        room = 6 * max(map(cell_len, self.labels))
        self.upright = room > 18  # the names of the columns have no room side by side
        self.left = max(30, room + 10)
        self.top = 24 + room if self.upright else 32
        self.width, self.height = (start + self.pitch * len(names) for start in (self.left, self.top))

    def said(self, label: int, read: int) -> str:
        """What a cell counts, in words."""
        count, total = self.counts[label][read], sum(self.counts[label])
        said = gettext("{label} read as {read}: {count:,} of {total:,}")
        return said.format(label=self.names[label], read=self.names[read], count=count, total=total)


class Reliability:
    """Accuracy against confidence in bins of equal width; bins without images are left out."""

    width, height = Grid.width, Grid.height + 54  # with the strip of the counts below

    def __init__(self, evaluation: Evaluation) -> None:
        """
        Args:
            evaluation: of at least one image.

        Raises:
            InvalidValueError: the evaluation is empty.
        """
        self.grid = Grid(
            linear_axis([0.0, 1.0], ".0%"), linear_axis([0.0, 1.0], ".0%"), gettext("confidence")
        )
        self.error = evaluation.calibration_error
        self.most = int(evaluation.bin_counts.max())
        columns = (evaluation.bin_counts, evaluation.bin_correct, evaluation.bin_confidence_sums)
        self.bins = [
            (i / BINS, (i + 1) / BINS, count, correct, confidence / count)
            for i, (count, correct, confidence) in enumerate(
                zip(*(column.tolist() for column in columns), strict=True)
            )
            if count
        ]
        """Its ends, images, right ones, mean confidence."""

    def tall(self, count: int) -> float:
        """A number of images on a log scale: 1 for the fullest bin."""
        return math.log1p(count) / math.log1p(self.most)

    def short(self, count: int) -> str:
        """At most four characters: 87, 1.2k, 58k, 2M."""
        if count < 1000:
            return str(count)
        if count < 9950:
            return f"{count / 1000:.1f}k"
        return f"{count / 1000:.0f}k" if count < 999_500 else f"{count / 1e6:.0f}M"


class PerClass:
    """Precision, recall and F1 of each class, on an axis that starts where the lowest needs it."""

    pitch = 22  # from one class to the next

    def __init__(self, evaluation: Evaluation, names: Sequence[str]) -> None:
        """
        Args:
            evaluation: of any number of images.
            names: one for each class.
        """
        values = np.stack([evaluation.precision, evaluation.recall, evaluation.f1], axis=1)
        axis = linear_axis([float(values.min()), 1.0] if values.min() < 1 else [0.9, 1.0])
        axis = Axis(axis.low, axis.high, [(at, f"{100 * at:.4g}%") for at, _ in axis.ticks])
        self.rows: list[list[float]] = values.tolist()
        self.labels = shortened(names)
        self.grid = Grid(axis, axis)
        # The grid leaves room for short names only.
        self.width = Grid.width + max(0, 7 * max(map(cell_len, self.labels)) - 40)
        self.bottom = Grid.top + self.pitch * len(names)
        self.height = self.bottom + 26
