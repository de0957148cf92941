"""All digits of a picture, whatever their size: first a small copy, then larger ones where need be.

The detector says of each place of a copy whether digits are there that are too small to be told. Only there,
and where it finds digits that are so small that they are seen better twice as large, the next copy is looked
at; and beside the digits that are found there, as a line may go on where nothing was seen of it.
"""

import math
import time
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES
from mnistry.errors import PictureSizeError
from mnistry.reading.detector import (
    FAINT,
    LARGEST,
    MARGIN,
    SIDE_UNIT,
    SMALLEST,
    STRIDE,
    Detection,
    Detector,
    Grey,
    copy_at,
    copy_shape,
    peaks,
)

LONGEST_SIDE = 2048
"""Pixels of the largest copy that is looked at."""
SURVEY_SIDE = 320
"""Pixels of the copies that are looked at whole, whatever the smaller ones say."""
LARGEST_COPY = 4.0
"""Tiny pictures are enlarged by up to this factor."""
LOOK_CLOSER, BESIDE = 0.1, 0.05
"""Probabilities that digits are too small to be told: from the first on a place is looked at closer, from the
second on with such a place near it, as of a page of small digits some show it more than others."""
WELL_SEEN = 17.0
"""Pixels; digits that are lower are looked at closer too."""
SURELY = 0.5
"""Confidence of digits that are reason to look at what stands beside them."""
AROUND, NEAR = 64, 32
"""Pixels around such a place that are looked at with it, as the detector judges by what stands around; and
from a digit to the edge of what is looked at, so that it is reason to look beyond."""
LONE, FILLING = 0.3, 0.1
"""Confidence, and height as a share of the picture's shorter side, of a digit that is alone in two copies one
after the other; then nothing else is looked for."""
SHARED = 0.35
"""Two boxes that share more of the smaller one than this are one digit, or one of them is none."""
MOST_DIGITS = 2000
"""Digits that are looked for in one picture, the surest; no page that can be read holds more, noise does."""
BEST_SIZE = math.sqrt(SMALLEST * LARGEST)

Region = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels of a copy."""


@dataclass(frozen=True, eq=False)
class Look:
    """What was seen of one copy of the picture.

    Attributes:
        scale: of the copy.
        page: uint8 `[height, width]`, the copy as the network sees it, see `copy_at`.
        regions: what was looked at of it.
        heats: for each region what the detector said, see `Detector.heat`.
        found: what may be digits in them.
    """

    scale: float
    page: NDArray[np.uint8]
    regions: list[Region]
    heats: list[NDArray[np.float32]]
    found: list[Detection]


def scales_for(height: int, width: int, longest_side: int = LONGEST_SIDE) -> list[float]:
    """Scales of the copies, the smallest first: each twice as large as the one before.

    The smallest is so small that a digit which fills the picture's height is found.
    """
    longest = longest_side / max(height, width)
    smallest = min(BEST_SIZE * 1.3 / min(height, width), longest)
    largest = max(min(LARGEST_COPY, longest), smallest)
    return [smallest * 2**step for step in range(1 + int(math.log2(largest / smallest * 1.001)))]


def look(
    detector: Detector, grey: Grey, *, longest_side: int = LONGEST_SIDE, deadline: float | None = None
) -> list[Look]:
    """Looks at a picture, closer where that is needed.

    Args:
        detector: finds the digits.
        grey: float32 `[height, width]`, 0 black to 1 white.
        longest_side: pixels of the largest copy.
        deadline: the value of `time.monotonic` at which looking is given up.

    Raises:
        PictureSizeError: it takes too long.
    """
    looks: list[Look] = []
    for scale in scales_for(grey.shape[0], grey.shape[1], longest_side):
        shape = copy_shape(grey.shape, scale)
        if max(grey.shape) * scale <= SURVEY_SIDE or not looks:
            regions = [(0, 0, shape[1], shape[0])]
        else:
            regions = _regions(_closer(looks[-1], shape))
        if not regions:
            break
        page = copy_at(grey, scale)
        regions, heats = _seen(detector, page, regions, looks[-1] if looks else None, deadline)
        found = list[Detection]()
        for (left, top, _, _), heat in zip(regions, heats, strict=True):
            found += peaks(heat, scale, left, top)
        looks.append(Look(scale, page, regions, heats, found))
        if is_lone_digit(looks, grey.shape):
            break
    return looks


def check_time(deadline: float | None) -> None:
    """Gives up where the value of `time.monotonic` is past the deadline.

    Raises:
        PictureSizeError: it is.
    """
    if deadline is not None and time.monotonic() > deadline:
        raise PictureSizeError("the picture takes too long to read. Cut it to its writing.")


def is_lone_digit(looks: list[Look], shape: tuple[int, ...]) -> bool:
    """Whether the last two copies of a picture show the same digit, and nothing else that may be one."""
    found = [look.found for look in looks[-2:]]
    if len(found) < 2 or any(len(one) != 1 for one in found):
        return False
    (first,), (second,) = found
    same = first.digit == second.digit and len(each_once([first, second])) == 1
    large = min(first.height, second.height) > FILLING * min(shape)
    sure = max(first.confidence, second.confidence) > LONE
    return same and large and sure and float(looks[-1].heats[0][CLASSES].max()) < LOOK_CLOSER


def _seen(
    detector: Detector,
    page: NDArray[np.uint8],
    regions: list[Region],
    last: Look | None,
    deadline: float | None,
) -> tuple[list[Region], list[NDArray[np.float32]]]:
    """What the detector says of regions of a copy, which are widened as long as digits stand at their edges.

    Only digits tell that the last copy did not show: what stands beside the others, it showed, too. Each time
    by twice as much, so that a long line does not take many turns.
    """
    known = _no_squares(page.shape)
    if last:
        _mark_digits(known, last.regions, last.heats, enlarged=2)
    known = _widened(known, NEAR)
    heat_of = dict[Region, NDArray[np.float32]]()
    reach = AROUND
    while True:
        inside, digits = _no_squares(page.shape), _no_squares(page.shape)
        for region in regions:
            check_time(deadline)
            left, top, right, bottom = region
            if region not in heat_of:
                heat_of[region] = detector.heat(page[top:bottom, left:right])
            inside[top // SIDE_UNIT : bottom // SIDE_UNIT, left // SIDE_UNIT : right // SIDE_UNIT] = 1
        heats = [heat_of[region] for region in regions]
        _mark_digits(digits, regions, heats)
        digits[known > 0] = 0
        if not (_widened(digits, NEAR) > inside).any():
            return regions, heats
        regions = _regions(np.maximum(inside, _widened(digits, reach)))
        reach *= 2


def _mark_digits(
    squares: NDArray[np.uint8], regions: list[Region], heats: list[NDArray[np.float32]], enlarged: int = 1
) -> None:
    """Marks where sure digits are; see `_mark`."""
    for region, heat in zip(regions, heats, strict=True):
        _mark(squares, heat[:CLASSES].max(axis=0) > SURELY, region, enlarged)


def _closer(last: Look, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """What of the next copy, twice as large, is to be looked at: where digits were too small; in squares."""
    wanted, beside = _no_squares(shape), _no_squares(shape)
    for region, heat in zip(last.regions, last.heats, strict=True):
        low = (heat[:CLASSES].max(axis=0) > 2 * FAINT) & (heat[CLASSES + 1] < WELL_SEEN)
        _mark(wanted, (heat[CLASSES] > LOOK_CLOSER) | low, region, enlarged=2)
        _mark(beside, heat[CLASSES] > BESIDE, region, enlarged=2)
    _, pieces = cv2.connectedComponents(_widened(np.maximum(wanted, beside), AROUND))
    return np.isin(pieces, pieces[wanted > 0]).astype(np.uint8)


def _no_squares(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A copy of that shape in squares of `SIDE_UNIT` pixels, none of them marked."""
    return np.zeros((shape[0] // SIDE_UNIT, shape[1] // SIDE_UNIT), np.uint8)


def _mark(squares: NDArray[np.uint8], places: NDArray[np.bool_], region: Region, enlarged: int = 1) -> None:
    """Marks the squares in which those places of a region's map lie, in a copy so many times as large."""
    rows, columns = np.nonzero(places)
    # The margin around is as wide in all copies.
    rows = (enlarged * (rows * STRIDE + region[1] - MARGIN) + MARGIN) // SIDE_UNIT
    columns = (enlarged * (columns * STRIDE + region[0] - MARGIN) + MARGIN) // SIDE_UNIT
    inside = (rows >= 0) & (rows < squares.shape[0]) & (columns >= 0) & (columns < squares.shape[1])
    squares[rows[inside], columns[inside]] = 1


def _widened(squares: NDArray[np.uint8], pixels: int) -> NDArray[np.uint8]:
    """With all squares that are so near to a marked one."""
    side = 2 * pixels // SIDE_UNIT + 1
    return np.asarray(cv2.dilate(squares, np.ones((side, side), np.uint8)), np.uint8)


def _regions(squares: NDArray[np.uint8]) -> list[Region]:
    """The boxes around marked squares that hang together."""
    count, _, boxes, _ = cv2.connectedComponentsWithStats(squares)
    return _merged(
        [
            (x * SIDE_UNIT, y * SIDE_UNIT, (x + wide) * SIDE_UNIT, (y + high) * SIDE_UNIT)
            for x, y, wide, high, _ in boxes[1:count].tolist()
        ]
    )


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


def found_in(looks: list[Look]) -> list[Detection]:
    """What may be digits in a picture, each once."""
    return each_once([digit for seen in looks for digit in seen.found])


def each_once(found: list[Detection]) -> list[Detection]:
    """Leaves out what was found again at another scale, or beside its own peak: the surer one stays."""
    return [found[number] for number in distinct(found, np.array([digit.confidence for digit in found]))]


def distinct(found: list[Detection], certainty: NDArray[np.float64]) -> list[int]:
    """Which places stay, the surest first, where each leaves out what shares its box; float64 `[n]` says how
    sure each is."""
    order = np.argsort(-certainty, kind="stable")[:MOST_DIGITS]
    boxes = np.array([found[number].box for number in order]).reshape(-1, 4)
    kept = np.zeros(len(order), np.bool_)
    for number, box in enumerate(boxes):
        kept[number] = not (shared(box, boxes[:number][kept[:number]]) >= SHARED).any()
    return [int(number) for number in order[kept]]


def shared(box: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of the smaller of two boxes that lies in the other, for each of the others."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    area, areas = np.prod(box[2:] - box[:2]), np.prod(others[:, 2:] - others[:, :2], axis=1)
    return np.asarray(np.prod(np.maximum(sides, 0), axis=1) / np.minimum(area, areas))
