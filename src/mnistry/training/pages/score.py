"""How much of what is on drawn pages a detector finds."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistry.models.detector import STRIDE
from mnistry.reading.detector import MARGIN, Detection, Detector, peaks
from mnistry.training.pages.targets import Batch

FOUND = 0.4
"""Confidence from which a digit counts as found."""
NEAR = 1.5
"""Places of the heat map by which it may lie beside its place."""
NO_DIGIT, ANYTHING = -1, -2


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
    right = misread = false = 0
    for image, heat, counts in zip(batch.images, batch.heat, batch.counts, strict=True):
        found = [one for one in places_on(detector, image) if one.confidence >= FOUND]
        truth = true_digits(found, heat, counts)
        right += sum(one.digit == digit for one, digit in zip(found, truth, strict=True))
        misread += sum(one.digit != digit >= 0 for one, digit in zip(found, truth, strict=True))
        false += truth.count(NO_DIGIT)
    return Found(int((batch.heat == 255).sum()), right, misread, false)


def places_on(detector: Detector, image: NDArray[np.uint8]) -> list[Detection]:
    """What may be digits on a drawn page, which is its own copy and has no margin around it."""
    return peaks(detector.heat(image), 1.0, MARGIN, MARGIN)


def true_digits(found: list[Detection], heat: NDArray[np.uint8], counts: NDArray[np.bool_]) -> list[int]:
    """What really is where something was found on a page; each digit once, for the surest that found it.

    Args:
        found: on the page.
        heat: as of `Batch`, of this page.
        counts: as of `Batch`, of this page.

    Returns:
        For each of `found` the true digit, `NO_DIGIT`, or `ANYTHING` where it does not matter.
    """
    wanted = [tuple(place) for place in np.argwhere(heat == 255).tolist()]
    truth = [ANYTHING] * len(found)
    for number in sorted(range(len(found)), key=lambda number: -found[number].confidence):
        one = found[number]
        row, column = one.y / STRIDE - 0.5, one.x / STRIDE - 0.5
        near = [place for place in wanted if abs(place[0] - row) <= NEAR and abs(place[1] - column) <= NEAR]
        if near:
            nearest = min(near, key=lambda place: (place[0] - row) ** 2 + (place[1] - column) ** 2)
            wanted.remove(nearest)
            truth[number] = nearest[2]
            continue
        place = np.clip(np.rint([row, column]).astype(int), 0, np.array(counts.shape) - 1)
        if counts[tuple(place)]:
            truth[number] = NO_DIGIT
    return truth
