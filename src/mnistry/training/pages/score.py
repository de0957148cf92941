"""How much of what is on drawn pages a detector finds."""

from dataclasses import dataclass

import numpy as np

from mnistry.models.detector import STRIDE
from mnistry.reading.detector import MARGIN, Detector, peaks
from mnistry.training.pages.targets import Batch

THRESHOLD = 0.4
"""Confidence from which a digit counts as found."""
NEAR = 1.5
"""Places of the heat map by which it may lie beside its place."""


@dataclass(frozen=True)
class Found:
    """Counts over pages.

    Attributes:
        digits: that must be found.
        right: of them found, and told right.
        misread: of them found, and told wrong.
        false: found where there is no digit.
    """

    digits: int = 0
    right: int = 0
    misread: int = 0
    false: int = 0

    def __add__(self, other: "Found") -> "Found":
        return Found(
            self.digits + other.digits,
            self.right + other.right,
            self.misread + other.misread,
            self.false + other.false,
        )

    @property
    def recall(self) -> float:
        """The share of the digits that is found and told right."""
        return self.right / max(1, self.digits)

    @property
    def precision(self) -> float:
        """The share of what is found that is a digit and told right."""
        return self.right / max(1, self.right + self.misread + self.false)

    @property
    def f1(self) -> float:
        """The harmonic mean of both."""
        both = self.recall + self.precision
        return 2 * self.recall * self.precision / both if both else 0.0

    def to_json(self) -> dict[str, float]:
        """Counts and shares."""
        return {
            "n": self.digits,
            "correct": self.right,
            "misread": self.misread,
            "false": self.false,
            "recall": self.recall,
            "precision": self.precision,
            "f1": self.f1,
        }


def found_on(detector: Detector, batch: Batch) -> Found:
    """What a detector finds on the pages of a batch; what does not matter counts neither way."""
    digits = right = misread = false = 0
    for image, heat, counts in zip(batch.images, batch.heat, batch.counts, strict=True):
        wanted = [tuple(place) for place in np.argwhere(heat == 255).tolist()]
        digits += len(wanted)
        found = [one for one in peaks(detector.heat(image), 1.0) if one.confidence >= THRESHOLD]
        for one in sorted(found, key=lambda one: -one.confidence):
            row, column = (one.y + MARGIN) / STRIDE - 0.5, (one.x + MARGIN) / STRIDE - 0.5
            near = [
                place for place in wanted if abs(place[0] - row) <= NEAR and abs(place[1] - column) <= NEAR
            ]
            if near:
                nearest = min(near, key=lambda place: (place[0] - row) ** 2 + (place[1] - column) ** 2)
                wanted.remove(nearest)
                right += one.digit == nearest[2]
                misread += one.digit != nearest[2]
            else:
                place = np.clip(np.rint([row, column]).astype(int), 0, np.array(counts.shape) - 1)
                false += bool(counts[tuple(place)])
    return Found(digits, right, misread, false)
