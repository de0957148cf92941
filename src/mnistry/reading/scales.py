"""All digits of a picture, whatever their size: first a small copy, then larger ones where need be.

The detector says of each place of a copy whether digits are there that are too small to be told. Only there
the next copy, twice as large, is looked at.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES
from mnistry.reading.detector import (
    LARGEST,
    MARGIN,
    SIDE_UNIT,
    SMALLEST,
    STRIDE,
    Detection,
    Detector,
    Grey,
    copy_at,
    peaks,
)

LONGEST_SIDE = 2048
"""Pixels of the largest copy that is looked at."""
SURVEY_SIDE = 320
"""Pixels of the copies that are looked at whole, whatever the smaller ones say."""
LARGEST_COPY = 4.0
"""Tiny pictures are enlarged by up to this factor."""
LOOK_CLOSER = 0.1
"""Probability that digits are too small to be told from which on a place is looked at closer."""
AROUND = 64
"""Pixels around such a place that are looked at with it; the detector judges by what stands around."""
SHARED = 0.35
"""Two boxes that share more of the smaller one than this are one digit, or one of them is none."""
TURNING_SIDE = 640
"""Pixels of the copy in which it is seen how a page lies."""
TELLING = 0.5
"""Confidence from which a digit may tell how a page lies."""
LEAST_DIGITS, TURN_GAIN = 4, 1.3
"""So many digits must say that a page is to be turned, and so many times more than as it lies."""
BEST_SIZE = math.sqrt(SMALLEST * LARGEST)

Region = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of a copy."""


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen of one copy of the picture.

    Attributes:
        scale: of the copy.
        regions: what was looked at of it.
        heats: for each region what the detector said, see `Detector.heat`.
    """

    scale: float
    regions: list[Region]
    heats: list[NDArray[np.float32]]


def scales_for(height: int, width: int, longest_side: int = LONGEST_SIDE) -> list[float]:
    """Scales of the copies, the smallest first: each twice as large as the one before.

    The smallest is so small that a digit which fills the picture's height is found.
    """
    longest = longest_side / max(height, width)
    smallest = min(BEST_SIZE * 1.3 / min(height, width), longest)
    largest = max(min(LARGEST_COPY, longest), smallest)
    return [smallest * 2**step for step in range(1 + int(math.log2(largest / smallest * 1.001)))]


def look(detector: Detector, grey: Grey, *, longest_side: int = LONGEST_SIDE) -> list[Look]:
    """Looks at a picture, closer where that is needed."""
    looks: list[Look] = []
    for scale in scales_for(grey.shape[0], grey.shape[1], longest_side):
        page = copy_at(grey, scale)
        if max(grey.shape) * scale <= SURVEY_SIDE or not looks:
            regions = [(0, 0, page.shape[1], page.shape[0])]
        else:
            regions = _closer(looks[-1], page.shape)
        if not regions:
            break
        heats = [detector.heat(page[top:bottom, left:right]) for left, top, right, bottom in regions]
        looks.append(Look(scale, regions, heats))
    return looks


def _closer(last: Look, shape: tuple[int, ...]) -> list[Region]:
    """What of the next copy, twice as large, is to be looked at: where digits were too small."""
    height, width = shape
    wanted = np.zeros((height // SIDE_UNIT, width // SIDE_UNIT), np.uint8)
    for (left, top, _, _), heat in zip(last.regions, last.heats, strict=True):
        # One place of the last map is eight pixels of the next copy; both have the same margin around.
        rows, columns = np.nonzero(heat[CLASSES] > LOOK_CLOSER)
        rows = (2 * (rows * STRIDE + top - MARGIN) + MARGIN) // SIDE_UNIT
        columns = (2 * (columns * STRIDE + left - MARGIN) + MARGIN) // SIDE_UNIT
        inside = (rows >= 0) & (rows < wanted.shape[0]) & (columns >= 0) & (columns < wanted.shape[1])
        wanted[rows[inside], columns[inside]] = 1
    around = 2 * AROUND // SIDE_UNIT + 1
    wanted = np.asarray(cv2.dilate(wanted, np.ones((around, around), np.uint8)), np.uint8)
    count, _, boxes, _ = cv2.connectedComponentsWithStats(wanted)
    regions = [
        (x * SIDE_UNIT, y * SIDE_UNIT, (x + wide) * SIDE_UNIT, (y + high) * SIDE_UNIT)
        for x, y, wide, high, _ in boxes[1:count].tolist()
    ]
    return _merged(regions)


def _merged(regions: list[Region]) -> list[Region]:
    """Regions that overlap as one."""
    merged: list[Region] = []
    for region in regions:
        while True:
            other = next((other for other in merged if _overlap(region, other)), None)
            if other is None:
                break
            merged.remove(other)
            region = (
                min(region[0], other[0]),
                min(region[1], other[1]),
                max(region[2], other[2]),
                max(region[3], other[3]),
            )
        merged.append(region)
    return merged


def _overlap(first: Region, second: Region) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def find_digits(
    detector: Detector, grey: Grey, threshold: float, *, longest_side: int = LONGEST_SIDE
) -> list[Detection]:
    """The digits of a picture, each once."""
    found: list[Detection] = []
    for seen in look(detector, grey, longest_side=longest_side):
        for (left, top, _, _), heat in zip(seen.regions, seen.heats, strict=True):
            found += peaks(heat, seen.scale, left, top)
    return each_once([digit for digit in found if digit.confidence >= threshold])


def each_once(found: list[Detection]) -> list[Detection]:
    """Leaves out what was found again at another scale, or beside its own peak: the surer one stays."""
    kept: list[Detection] = []
    for digit in sorted(found, key=lambda digit: -digit.confidence):
        if all(_shared(digit, other) < SHARED for other in kept):
            kept.append(digit)
    return kept


def _shared(first: Detection, second: Detection) -> float:
    """The share of the smaller of two boxes that lies in the other."""
    across = min(first.x + first.width / 2, second.x + second.width / 2) - max(
        first.x - first.width / 2, second.x - second.width / 2
    )
    down = min(first.y + first.height / 2, second.y + second.height / 2) - max(
        first.y - first.height / 2, second.y - second.height / 2
    )
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / min(first.width * first.height, second.width * second.height)


def upright(detector: Detector, grey: Grey) -> tuple[Grey, int]:
    """The picture turned by quarters so that its digits stand upright, and by how many, counterclockwise.

    A page that lies on its side or on its head is seen by the detector itself: a small copy of it is looked
    at in all four ways, and one that gives clearly more digits than the picture as it is wins. Pages with few
    digits are left as they are: a single one may be a 6 or a 9.
    """
    evidence = []
    for turns in range(4):
        found = find_digits(detector, quarter_turned(grey, turns), TELLING, longest_side=TURNING_SIDE)
        evidence.append(sum(digit.confidence for digit in found))
    best = int(np.argmax(evidence))
    if evidence[best] >= LEAST_DIGITS and evidence[best] > TURN_GAIN * evidence[0]:
        return quarter_turned(grey, best), best
    return grey, 0


def quarter_turned(grey: Grey, turns: int) -> Grey:
    """The picture turned by so many quarters, counterclockwise."""
    return np.ascontiguousarray(np.rot90(grey, turns))
