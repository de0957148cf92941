"""From a place on the page to the ink that stands there, and to the 28×28 image that a classifier takes."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import SIDE
from mnistry.data.normalize import as_mnist
from mnistry.reading.detector import Box, Grey
from mnistry.reading.flatten import LEVEL, STEP, WINDOW, flattened

AROUND = 0.18
"""Heights of paper around a box that are cut out with it, for the pen's edge and boxes that are too small."""
CUT_SIDE = 44
"""Pixels of the longer side of what is cut out; more than twice what it has in the end."""
FULL, FAINTEST = 0.98, 0.002
"""Quantile of the ink that is as dark as ink gets; and half a level of 255, by which even paper varies."""
HALF = 0.5
"""Of a piece of ink, so much of it must lie in a box; of a stroke, so dark is its edge."""
STANDING_OUT = 1.0
"""Deviations from its surroundings from which a pixel is ink, where pieces of ink are looked for."""


@dataclass(frozen=True, eq=False)
class Cut:
    """What stands at one place of the page.

    Attributes:
        ink: float32 `[height, width]`, the longer side 44 pixels: 0 is paper, 1 is ink; all 0 where
            there is none.
        left: where it was cut out, in pixels of the page.
        top: as `left`.
        scale: pixels of the ink for one of the page.
        asked: the box that was asked for.
    """

    ink: Grey
    left: int
    top: int
    scale: float
    asked: Box

    @property
    def image(self) -> NDArray[np.uint8]:
        """As MNIST would have it, uint8 `[28, 28]`; all 0 where there is no ink."""
        return as_mnist(self.ink) if self.ink.any() else np.zeros((SIDE, SIDE), np.uint8)

    @property
    def box(self) -> Box:
        """The ink's own box on the page; the one that was asked for where some of the ink is missing."""
        rows, columns = (
            np.flatnonzero(self.ink.max(axis=1) > HALF),
            np.flatnonzero(self.ink.max(axis=0) > HALF),
        )
        if not len(rows) or rows[-1] + 1 - rows[0] < HALF * (self.asked[3] - self.asked[1]) * self.scale:
            return self.asked
        left, right = columns[0] / self.scale, (columns[-1] + 1) / self.scale
        top, bottom = rows[0] / self.scale, (rows[-1] + 1) / self.scale
        return (
            float(self.left + left),
            float(self.top + top),
            float(self.left + right),
            float(self.top + bottom),
        )


def cut(grey: Grey, box: Box) -> Cut:
    """The ink of what stands in a box: without paper, without neighbours and lines that only reach in.

    Ink is darker or lighter than the paper, to whichever side the cubes of the deviations lie: strokes are
    few and far from the paper's level, shade is much and near. Of the pieces of ink those are kept that lie
    inside the box for the most part.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.
        box: left, top, right, bottom in its pixels.
    """
    left, top, right, bottom = box
    margin = AROUND * (bottom - top)
    x0, y0 = max(0, int(left - margin)), max(0, int(top - margin))
    x1 = min(grey.shape[1], int(np.ceil(right + margin)))
    y1 = min(grey.shape[0], int(np.ceil(bottom + margin)))
    if x1 - x0 < 1 or y1 - y0 < 1:
        return Cut(np.zeros((CUT_SIDE, CUT_SIDE), np.float32), x0, y0, 1.0, box)
    scale = CUT_SIDE / max(x1 - x0, y1 - y0)
    size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
    averaging = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = np.asarray(cv2.resize(grey[y0:y1, x0:x1], size, interpolation=averaging), np.float32)
    inside = np.zeros(part.shape, np.bool_)
    rows = slice(max(0, round((top - y0) * scale) - 1), round((bottom - y0) * scale) + 1)
    columns = slice(max(0, round((left - x0) * scale) - 1), round((right - x0) * scale) + 1)
    inside[rows, columns] = True
    return Cut(_ink_inside(part, inside), x0, y0, scale, box)


def _ink_inside(part: Grey, inside: NDArray[np.bool_]) -> Grey:
    """The ink of the pieces that lie inside for the most part, 0 to 1."""
    deviation = part - np.float32(np.median(part))
    ink = np.maximum(deviation if (deviation**3).sum() > 0 else -deviation, 0)
    full = float(np.quantile(ink, FULL))
    if full < FAINTEST:
        return np.zeros_like(ink)
    levels = np.minimum(ink * (255 / full), 255).astype(np.uint8)
    threshold, _ = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    _, pieces = cv2.connectedComponents((levels > threshold).astype(np.uint8))
    areas = np.bincount(pieces.ravel())
    kept = np.bincount(pieces.ravel(), weights=inside.ravel()) > HALF * areas
    kept[0] = False
    mine = kept[pieces]
    if not mine.any():
        return np.zeros_like(ink)
    with_edge = cv2.dilate(mine.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    # Strokes as even as a scan's: a pen's middle tone is as much ink as its darkest spot.
    even = np.clip(ink / np.median(ink[mine]), 0, 1)
    return np.where(with_edge, even, 0).astype(np.float32)


def pieces_of_ink(grey: Grey) -> list[Box]:
    """The boxes of all pieces of ink, for signs that the detector does not know.

    Pieces that stand above each other are one sign, such as an i and its dot; specks are left out.
    """
    # A sign may be as large as the picture, and its strokes wider than a digit's surroundings.
    window = max(WINDOW, max(grey.shape) // 2 * 2 + 1)
    deviation = np.abs(flattened(grey, window).astype(np.float32) - LEVEL) / STEP
    ink = (deviation > STANDING_OUT).astype(np.uint8)
    _, _, found, _ = cv2.connectedComponentsWithStats(ink)
    found = found[1:]
    if not len(found):
        return []
    tall = found[:, cv2.CC_STAT_HEIGHT]
    usual = float(np.average(tall, weights=found[:, cv2.CC_STAT_AREA]))
    boxes: list[Box] = []
    for x, y, width, height, _ in found[np.argsort(found[:, cv2.CC_STAT_LEFT])].tolist():
        if max(width, height) < usual / 6:
            continue
        if boxes:
            left, top, right, bottom = boxes[-1]
            shared = min(right, x + width) - max(left, x)
            apart = max(top, y) - min(bottom, y + height)
            if shared > 0.5 * min(right - left, width) and apart < usual / 2:
                boxes[-1] = (min(left, x), min(top, y), max(right, x + width), max(bottom, y + height))
                continue
        boxes.append((x, y, x + width, y + height))
    return [box for box in boxes if box[3] - box[1] > usual / 3 or box[2] - box[0] > usual / 3]
