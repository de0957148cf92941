"""Habits of hands that the samples seldom show: crossed sevens, long upstrokes, open fours, joined noughts.

Strokes have y down, and digits a height of about 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.strokes import Stroke

Random = np.random.Generator
HOW_OFTEN = {"crosses": 0.25, "upstrokes": 0.25, "opens": 0.2, "joins": 0.1}
"""Share of the hands that have each habit. Noughts with the pen's way to the next are like 6, 8 and 9."""
FINE = 12
"""Points between two corners of a stroke, so that it can be bent."""


@dataclass(frozen=True)
class Habits:
    """What one hand does always.

    Attributes:
        crosses: a bar through sevens and through z.
        upstrokes: ones begin far down at the left.
        opens: fours are open at the top.
        joins: the pen stays on the paper from one nought to the next.
    """

    crosses: bool = False
    upstrokes: bool = False
    opens: bool = False
    joins: bool = False

    @staticmethod
    def drawn(random: Random) -> "Habits":
        """Those of a random hand."""
        return Habits(**{name: bool(random.random() < share) for name, share in HOW_OFTEN.items()})

    def digit(self, digit: int, random: Random) -> list[Stroke] | None:
        """A digit as this hand alone writes it; None where it writes it as others do."""
        if digit == 1 and self.upstrokes:
            return one_with_upstroke(random)
        if digit == 4 and self.opens:
            return open_four(random)
        return None


def one_with_upstroke(random: Random) -> list[Stroke]:
    """A one whose first stroke is long, up to an inverted V, sometimes on a foot."""
    reach, down, lean = random.uniform(0.15, 0.55), random.uniform(0.2, 0.8), random.uniform(-0.1, 0.1)
    strokes = [_bowed([(-reach, down), (0, 0), (lean, 1)], random)]
    if random.random() < 0.2:
        half = random.uniform(0.12, 0.3)
        strokes.append(_bowed([(lean - half, 1), (lean + half, 1)], random))
    return strokes


def open_four(random: Random) -> list[Stroke]:
    """A four with two arms: of two strokes, or in one, like an h or a y."""
    wide, low, lean = random.uniform(0.35, 0.7), random.uniform(0.4, 0.7), random.uniform(0, 0.2)
    rise = random.uniform(-0.15, 0.35)  # where the right arm begins
    foot = (wide - random.uniform(-0.05, 0.2), 1.0)
    arm: list[tuple[float, float]] = [(lean, random.uniform(0, 0.15)), (0, low)]
    if random.random() < 0.6:
        bar = (wide + random.uniform(0.05, 0.35), low + random.uniform(-0.12, 0.08))
        return [
            _bowed([*arm, bar], random),
            _bowed([(wide + random.uniform(-0.03, 0.1), rise), foot], random),
        ]
    # The pen is not lifted: it goes over to the right, and down, with or without a way up first.
    over = (wide, low - random.uniform(0, 0.2))
    up = [(wide + random.uniform(0, 0.1), rise)] if random.random() < 0.5 else []
    return [_bowed([*arm, over, *up, foot], random)]


def bar_through(strokes: Sequence[Stroke], random: Random) -> Stroke | None:
    """The bar through the stem of a seven or a z; None where there is one, or no stem."""
    points = np.concatenate(strokes)
    top, (width, height) = points[:, 1].min(), np.ptp(points, axis=0)
    if height < 0.3 * width or any(_is_bar(stroke, top, height) for stroke in strokes):
        return None
    y = top + random.uniform(0.4, 0.65) * height
    stems = [x for stroke in strokes for x in _crossings(stroke, y)]
    if not stems:
        return None
    middle = np.mean(stems) + random.normal(0, 0.03) * height
    half, tilt = _reach(height, random)
    return _bowed([(middle - half, y + tilt), (middle + half, y - tilt)], random)


def _crossings(stroke: Stroke, y: float) -> NDArray[np.floating]:
    """Where a stroke crosses a height."""
    start, end = stroke[:-1], stroke[1:]
    crosses = (start[:, 1] - y) * (end[:, 1] - y) < 0
    start, end = start[crosses], end[crosses]
    share = (y - start[:, 1]) / (end[:, 1] - start[:, 1])
    return np.asarray(start[:, 0] + share * (end[:, 0] - start[:, 0]))


def _is_bar(stroke: Stroke, top: float, height: float) -> bool:
    """Whether a stroke runs across, below the top."""
    across, down = np.ptp(stroke, axis=0)
    return bool(down < 0.25 * height and across > down and stroke[:, 1].mean() > top + 0.25 * height)


def with_bar(image: NDArray[np.uint8], random: Random) -> NDArray[np.uint8]:
    """A scanned seven, white on black, with a bar through its stem."""
    height = image.shape[0]
    y = round(random.uniform(0.4, 0.65) * (height - 1))
    inked = np.flatnonzero(image[y] > 127)
    if not len(inked) or np.ptp(inked) > 0.5 * height:  # no stem, or crossed there
        return image
    half, tilt = _reach(height, random)
    margin = int(np.ceil(half))
    wide = cv2.copyMakeBorder(image, 1, 1, margin, margin, cv2.BORDER_CONSTANT, value=0)
    middle = margin + inked.mean()
    ends = np.rint([(16 * (middle + side * half), 16 * (y + 1 - side * tilt)) for side in (-1, 1)])
    first, last = ends.astype(int).tolist()
    thick = max(1, round(float(np.median((image > 127).sum(axis=1)[height // 3 :]))))
    cv2.line(wide, first, last, 255, min(thick, max(1, height // 5)), cv2.LINE_AA, 4)
    return np.asarray(wide, np.uint8)


def _reach(height: float, random: Random) -> tuple[float, float]:
    """How far a bar reaches to each side of a stem so high, and how much it falls or rises there."""
    return random.uniform(0.15, 0.38) * height, random.normal(0, 0.05) * height


def _bowed(corners: Sequence[tuple[float, float]], random: Random) -> Stroke:
    """A way from corner to corner, none of them quite straight."""
    pieces = []
    along = np.linspace(0, 1, FINE)[:, None]
    for start, end in zip(np.array(corners[:-1]), np.array(corners[1:]), strict=True):
        aside = (end - start)[::-1] * (1, -1)
        pieces.append(start + along * (end - start) + random.normal(0, 0.06) * np.sin(np.pi * along) * aside)
    return np.concatenate(pieces).astype(np.float32)
