"""What is drawn on: the ink of pens, of print and of lines, and where the digits are."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.reading.detector import LARGEST, SMALLEST
from mnistry.training.pages.sources import Ink

HEIGHT, WIDTH = 128, 256
DOUBTFUL = 1.2
"""Digits smaller or larger by up to this factor are neither demanded nor forbidden."""
VISIBLE, HIDDEN = 0.85, 0.4
"""Share of a digit inside the page from which it must be found, and up to which it is only a stroke."""
ANY = -1
"""The class of a place where it does not matter what is found."""


@dataclass(eq=False)
class Canvas:
    """A page as ink.

    Attributes:
        pen: float32 `[height, width]`, how much ink of a pen lies where, 0 to 1.
        print: as `pen`, of print.
        rules: as `pen`, of ruled lines, frames and grids.
        small: uint8, as `pen`: 255 where a digit is that is too small to be found at this scale.
        digits: x and y of the middle, width, height, class (0 to 9, or ANY) of each digit.
    """

    pen: NDArray[np.float32] = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH), np.float32))
    print: NDArray[np.float32] = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH), np.float32))
    rules: NDArray[np.float32] = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH), np.float32))
    small: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH), np.uint8))
    digits: list[tuple[float, float, float, float, int]] = field(default_factory=list)

    def put(
        self, ink: Ink, left: float, top: float, *, digit: int | None = None, printed: bool = False
    ) -> None:
        """Lays ink onto the page; of a digit it is noted where it lies."""
        x, y = round(left), round(top)
        height, width = ink.shape
        x0, y0, x1, y1 = max(0, x), max(0, y), min(WIDTH, x + width), min(HEIGHT, y + height)
        if x1 <= x0 or y1 <= y0:
            return
        plane = self.print if printed else self.pen
        part = plane[y0:y1, x0:x1]
        np.maximum(part, ink[y0 - y : y1 - y, x0 - x : x1 - x] * np.float32(1 / 255), out=part)
        if digit is None:
            return
        self.note(x + width / 2, y + height / 2, width, height, digit)

    def note(self, x: float, y: float, width: float, height: float, digit: int) -> None:
        """Notes where a digit lies, by its middle, if enough of it is on the page to be told."""
        visible = _visible((x, y, width, height), (0, 0, WIDTH, HEIGHT))
        size = max(height, width / 1.3)
        if size < SMALLEST and visible:
            rows, columns = (
                slice(max(0, round(middle - side / 2)), round(middle + side / 2))
                for middle, side in ((y, height), (x, width))
            )
            self.small[rows, columns] = 255
        if visible <= HIDDEN or not SMALLEST / DOUBTFUL <= size <= LARGEST * DOUBTFUL:
            return
        certain = visible >= VISIBLE and SMALLEST <= size <= LARGEST
        self.digits.append((x, y, width, height, digit if certain else ANY))

    def cut(self, left: int, top: int, right: int, bottom: int) -> None:
        """Notes where the picture ends: digits beyond are none, those on its edge may be found or not."""
        inside = np.zeros_like(self.small)
        inside[top:bottom, left:right] = 1
        self.small *= inside
        kept = []
        for x, y, width, height, digit in self.digits:
            visible = _visible((x, y, width, height), (left, top, right, bottom))
            if visible > HIDDEN:
                kept.append((x, y, width, height, digit if visible >= VISIBLE else ANY))
        self.digits[:] = kept

    def line(
        self, start: tuple[float, float], end: tuple[float, float], thick: float, dark: float = 1.0
    ) -> None:
        """Draws a ruled line from one place to another."""
        first, last = (tuple(round(value * 16) for value in place) for place in (start, end))
        cv2.line(
            self.rules, first, last, min(1.0, dark * min(1.0, thick)), max(1, round(thick)), cv2.LINE_AA, 4
        )

    def frame(self, left: float, top: float, right: float, bottom: float, thick: float, dark: float) -> None:
        """Draws a rectangle."""
        corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
        for start, end in zip(corners, corners[1:] + corners[:1], strict=True):
            self.line(start, end, thick, dark)


def _visible(place: Sequence[float], edges: tuple[int, int, int, int]) -> float:
    """The share of a digit, by its middle, width and height, within edges: left, top, right, bottom."""
    x, y, width, height = place
    across = min(edges[2], x + width / 2) - max(edges[0], x - width / 2)
    down = min(edges[3], y + height / 2) - max(edges[1], y - height / 2)
    return max(0.0, across) * max(0.0, down) / (width * height)
