"""What stands among the digits of a page and was not read: letters and signs, counted by their ink."""

from collections.abc import Sequence

import cv2
import numpy as np

from mnistry.reading.detector import Box, Grey
from mnistry.reading.flatten import LEVEL, STEP, flattened

HEIGHT = 20
"""Pixels of a digit in the copy in which ink is counted: `flattened` is made for such."""
SMALLEST, LARGEST = 0.4, 2.5
"""The longer side of a letter or sign in heights of a digit: a minus is as wide as half a digit is high."""
THINNEST = 0.1
"""The shorter side, likewise; what is thinner is a ruled line."""
AS_DARK = 0.5
"""Its ink stands out at least by this share of what the digits' ink does."""
INKED = 0.9
"""The quantile of a digit's box that is surely ink."""


def pieces_left_out(grey: Grey, read: Sequence[Box], height: float) -> int:
    """How many pieces of ink, as large as letters and signs beside such digits, are part of none of them.

    Args:
        grey: the page.
        read: the boxes of the digits that were read.
        height: of a digit in its pixels, the usual one.
    """
    scale = min(1.0, HEIGHT / height)
    small = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else grey
    deviation = (flattened(np.asarray(small, np.float32)).astype(np.float32) - LEVEL) / STEP
    boxes = [tuple(round(side * scale) for side in box) for box in read]
    parts = [deviation[max(0, y) : end_y + 1, max(0, x) : end_x + 1] for x, y, end_x, end_y in boxes]
    parts = [part for part in parts if part.size] or [deviation]
    # The few that deviate most are the ink, dark on light or light on dark.
    sign = -1 if sum(float((part**3).sum()) for part in parts) < 0 else 1
    least = AS_DARK * float(np.median([np.quantile(sign * part, INKED) for part in parts]))
    ink = (sign * deviation > max(1.0, least)).astype(np.uint8)
    _, _, pieces, _ = cv2.connectedComponentsWithStats(ink)
    own = np.array(boxes).reshape(-1, 4)
    count = 0
    for x, y, wide, high, _ in pieces[1:].tolist():
        if not SMALLEST <= max(wide, high) / (height * scale) <= LARGEST:
            continue
        if min(wide, high) < max(2.0, THINNEST * height * scale):
            continue
        beside = (own[:, 0] >= x + wide) | (own[:, 2] <= x) | (own[:, 1] >= y + high) | (own[:, 3] <= y)
        count += bool(beside.all())
    return count
