"""From strokes to lines: connected pieces, the size and the slope of the writing, what stands in one line."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.reading.ink import Mask

SPECK = 0.02  # of the square of the writing's height; smaller pieces are dust
SPECK_SIDE = 0.15  # of the writing's height
STROKE_SIDE = 0.25  # of the writing's height: what is as long is no dust, but a thin stroke, as a five's cap
DASH, LOWEST = 1.5, 0.25  # of the writing's height: what is wider and lower is a dash or a line
SLIVER, BAND = 0.25, 1.0  # of the writing's height: how thick the remains of a sheet's edge may be
BROKEN = 0.15  # of the writing's height: the gap that a pen leaves where it skips
LARGE = 0.5  # of the writing's height; smaller pieces may be parts of digits, dots or dashes
STEEPEST = 15.0  # degrees
MOST_PIECES = 1500  # more, as high as digits are, are a texture and no writing
LEAST_PIECES = 4  # from which the slope of the writing can be told
LEAST_HEIGHT = 4  # pixels of writing; what is lower is noise, or cannot be read


@dataclass(frozen=True, eq=False)
class Pieces:
    """The connected pieces of the strokes, without dust.

    Attributes:
        labels: int32 `[height, width]`; 0 is no piece, n is row n - 1 of the others.
        boxes: int `[n, 4]`: left, top, right, bottom (one past the last pixel).
        areas: int `[n]`, in pixels.
        height: of the writing, in pixels: that of its larger pieces.
        too_many: how many were found as high as digits are, if that is no writing; then none is here.
    """

    labels: NDArray[np.int32]
    boxes: NDArray[np.int64]
    areas: NDArray[np.int64]
    height: float
    too_many: int = 0

    @property
    def large(self) -> NDArray[np.bool_]:
        """Which pieces are as high as digits are, bool `[n]`."""
        return np.asarray(self.boxes[:, 3] - self.boxes[:, 1] >= LARGE * self.height)


def find_pieces(mask: Mask) -> Pieces:
    """The connected pieces of a mask, without dust and without remains of the sheet's edge."""
    count, labels, table, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    stats: NDArray[np.int64] = np.asarray(table[1:], np.int64)
    corner, sizes, areas = stats[:, :2], stats[:, 2:4], stats[:, 4]
    boxes: NDArray[np.int64] = np.concatenate([corner, corner + sizes], axis=1).astype(np.int64)
    kept = ~_edge_remains(boxes, areas, mask.shape, writing_height(boxes, areas))
    height = writing_height(boxes[kept], areas[kept])
    kept &= height >= LEAST_HEIGHT
    longest = sizes.max(axis=1, initial=0)
    blots = (areas >= SPECK * height**2) & (longest >= SPECK_SIDE * height)
    kept &= blots | (longest >= STROKE_SIDE * height)
    if (high := int((kept & (sizes[:, 1] >= LARGE * height)).sum())) > MOST_PIECES:
        return Pieces(np.zeros_like(labels), boxes[:0], areas[:0], 0.0, high)
    kept[np.argsort(np.where(kept, -areas, 0), kind="stable")[MOST_PIECES:]] = False
    numbers = np.zeros(count, np.int32)
    numbers[1:][kept] = 1 + np.arange(kept.sum(), dtype=np.int32)
    return Pieces(numbers[labels], boxes[kept], areas[kept], height)


def writing_height(boxes: NDArray[np.int64], areas: NDArray[np.int64]) -> float:
    """How high the digits are: the median of the pieces' heights, where a pixel of ink has one vote."""
    if not len(areas):
        return 0.0
    heights = boxes[:, 3] - boxes[:, 1]
    order = np.argsort(heights, kind="stable")
    votes = np.cumsum(areas[order])
    return float(heights[order][np.searchsorted(votes, votes[-1] / 2)])


def _edge_remains(
    boxes: NDArray[np.int64], areas: NDArray[np.int64], shape: tuple[int, ...], height: float
) -> Mask:
    """Which pieces are slivers or bands along the picture's border."""
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    beside = (boxes[:, 0] <= 1) | (boxes[:, 2] >= shape[1] - 1)
    above = (boxes[:, 1] <= 1) | (boxes[:, 3] >= shape[0] - 1)
    solid = areas > 0.6 * widths * heights

    def remains(touching: Mask, thickness: NDArray[np.int64], length: NDArray[np.int64]) -> Mask:
        sliver = (thickness < SLIVER * height) & (length > 3 * thickness)
        band = (thickness < BAND * height) & (length > 4 * thickness) & solid
        return touching & (sliver | band)

    # A lone upright piece may be a one in a picture that was cut out closely.
    return np.asarray(remains(above, heights, widths) | (remains(beside, widths, heights) & (len(boxes) > 1)))


def slope_of(pieces: Pieces) -> float:
    """By how many degrees the lines fall to the right, -15 to 15; 0 where it cannot be told.

    The angle is taken at which most centres of pieces lie at the same height.
    """
    boxes = pieces.boxes[pieces.large]
    if len(boxes) < LEAST_PIECES:
        return 0.0
    boxes = boxes[:: -(-len(boxes) // 150)]
    x, y = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2
    angles = np.arange(-STEEPEST, STEEPEST + 0.5, 0.5)
    radians = np.deg2rad(angles)[:, None]
    heights = y * np.cos(radians) - x * np.sin(radians)
    distances = (heights[:, :, None] - heights[:, None, :]) / (0.2 * pieces.height)
    together = np.exp(-(distances**2) / 2).sum(axis=(1, 2))
    best = int(together.argmax())
    level = int(np.abs(angles).argmin())
    return float(angles[best]) if together[best] > 1.15 * together[level] else 0.0


def find_lines(pieces: Pieces) -> list[NDArray[np.int64]]:
    """Which pieces stand in one line, top to bottom; in each line, the numbers of its pieces, left to right.

    Large pieces make the lines: one joins the line whose last piece it stands beside. Then the small ones
    join the nearest line, but for dashes and remains of printed lines.
    """
    boxes, large = pieces.boxes, pieces.large
    lines: list[list[int]] = []
    last = np.empty((0, 4), np.int64)  # the box of each line's last piece
    for number in np.lexsort((boxes[:, 1], boxes[:, 0])):
        if large[number]:
            box = boxes[number]
            broken_off = _broken_off(box, last, pieces.height)
            beside = np.where(broken_off, 1.0, _beside(box, last))
            if beside.max(initial=0) > 0.3:
                line = int(beside.argmax())
                lines[line].append(int(number))
                if broken_off[line]:
                    box = np.append(np.minimum(box[:2], last[line, :2]), np.maximum(box[2:], last[line, 2:]))
                last[line] = box
            else:
                lines.append([int(number)])
                last = np.append(last, box[None], axis=0)
    members = np.concatenate([[0], *lines])[1:].astype(np.int64)
    line_of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    widths, heights = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    dashes = (widths > DASH * pieces.height) & (heights < LOWEST * pieces.height)
    for number in np.flatnonzero(~large & ~dashes):
        distances = _distance(boxes[number], boxes[members])
        if len(members) and distances.min() < pieces.height:
            lines[int(line_of[distances.argmin()])].append(int(number))
    lines.sort(key=lambda line: float(np.median(boxes[line, 1] + boxes[line, 3])))
    return [np.array(sorted(line, key=lambda number: int(boxes[number, 0]))) for line in lines]


def _beside(box: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much of a box, or of another one if that is lower, is beside the other, 0 to 1."""
    shared = np.minimum(box[3], others[:, 3]) - np.maximum(box[1], others[:, 1])
    return np.asarray(np.maximum(0, shared) / np.minimum(box[3] - box[1], others[:, 3] - others[:, 1]))


def _broken_off(box: NDArray[np.int64], others: NDArray[np.int64], height: float) -> NDArray[np.bool_]:
    """Whether a box is so near above or below others that it is part of the same broken stroke."""
    shared = np.minimum(box[2], others[:, 2]) - np.maximum(box[0], others[:, 0])
    over = shared >= 0.5 * np.minimum(box[2] - box[0], others[:, 2] - others[:, 0])
    gap = np.maximum(others[:, 1] - box[3], box[1] - others[:, 3])
    return np.asarray(over & (gap <= BROKEN * height))


def _distance(box: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.int64]:
    """How far a box is from others; height counts double."""
    sideways = np.maximum(0, np.maximum(others[:, 0] - box[2], box[0] - others[:, 2]))
    upward = np.maximum(0, np.maximum(others[:, 1] - box[3], box[1] - others[:, 3]))
    return np.asarray(sideways + 2 * upward)
