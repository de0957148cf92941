"""Habits of hands that the samples seldom show: crossed sevens, nines like a P, fives like a root, and more.

Strokes have y down, and digits a height of about 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.strokes import Stroke

Random = np.random.Generator
HOW_OFTEN = {
    "crosses": 0.25,
    "upstrokes": 0.25,
    "opens": 0.2,
    "joins": 0.1,
    "loops": 0.05,
    "roots": 0.06,
    "hooks": 0.05,
    "mirrors": 0.08,
}
"""Share of the hands that have each habit. Noughts with the pen's way to the next are like 6, 8 and 9,
and looped twos like 8: often drawn, they spoil those."""
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
        loops: the head of twos is a closed loop, like that of a nine.
        roots: fives are a stem with a bar to the right above and a hook to the left below, like a root sign.
        hooks: sevens have a short hook for a top and a wide bar, like a t.
        mirrors: the stem of nines is at the left or under the middle, as in P.
    """

    crosses: bool = False
    upstrokes: bool = False
    opens: bool = False
    joins: bool = False
    loops: bool = False
    roots: bool = False
    hooks: bool = False
    mirrors: bool = False

    @staticmethod
    def drawn(random: Random) -> "Habits":
        """Those of a random hand."""
        return Habits(**{name: bool(random.random() < share) for name, share in HOW_OFTEN.items()})

    def digit(self, digit: int, random: Random) -> list[Stroke] | None:
        """A digit as this hand alone writes it; None where it writes it as others do."""
        own = {
            1: self.upstrokes and one_with_upstroke,
            2: self.loops and looped_two,
            4: self.opens and open_four,
            5: self.roots and root_five,
            7: self.hooks and hooked_seven,
            9: self.mirrors and mirrored_nine,
        }.get(digit)
        return own(random) if own else None


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
    wide, low, lean = random.uniform(0.35, 0.7), random.uniform(0.4, 0.8), random.uniform(0, 0.2)
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


def looped_two(random: Random) -> list[Stroke]:
    """A two whose head is closed, often with a second loop where the foot begins."""
    wide, high = random.uniform(0.12, 0.3), random.uniform(0.2, 0.36)
    head = _arc((wide, high), (wide, high), random.uniform(0, 130), random.uniform(365, 420))
    corner = (random.uniform(-0.15, 0.15), random.uniform(0.85, 0.97))
    foot = (corner[0] + random.uniform(0.4, 0.8), random.uniform(0.85, 1.05))
    strokes = [head, _bowed([(head[-1, 0], head[-1, 1]), corner], random)]
    if random.random() < 0.4:
        across, up = random.uniform(0.05, 0.15), random.uniform(0.03, 0.08)
        strokes.append(_arc((corner[0], corner[1] - up), (across, up), 90, 450))
    return [np.concatenate([*strokes, _bowed([corner, foot], random)])]


def root_five(random: Random) -> list[Stroke]:
    """A five without a belly, or with a flat one."""
    stem, belly = random.uniform(-0.1, 0.1), random.uniform(0, 0.15)
    bar = (stem + random.uniform(0.2, 0.6), random.uniform(-0.12, 0.1))
    low = random.uniform(0.75, 1.0)
    hook = [
        (stem - random.uniform(0, 0.15), 1.0),
        (stem - random.uniform(0.2, 0.4), 1.0 - random.uniform(0.05, 0.4)),
    ]
    down = [(stem, 0.0), (stem + belly, random.uniform(0.45, 0.65)), (stem + belly / 2, low), *hook]
    if random.random() < 0.7:
        return [_bowed([bar, *down], random)]
    return [_bowed(down, random), _bowed([(stem, random.uniform(-0.05, 0.05)), bar], random)]


def hooked_seven(random: Random) -> list[Stroke]:
    """A seven whose bar is wider than its top."""
    reach, drop, lean = random.uniform(0.12, 0.3), random.uniform(0, 0.25), random.uniform(-0.3, 0.05)
    y = random.uniform(0.35, 0.6)
    half, tilt = random.uniform(0.2, 0.45), random.normal(0, 0.06)
    return [
        _bowed([(-reach, drop), (0, 0), (lean, 1)], random),
        _bowed([(lean * y - half, y + tilt), (lean * y + half, y - tilt)], random),
    ]


def mirrored_nine(random: Random) -> list[Stroke]:
    """A nine in one stroke, up the stem and to the right around its head."""
    wide, high = random.uniform(0.15, 0.32), random.uniform(0.18, 0.33)
    begin = random.uniform(100, 190)  # where on the head the stem ends: below its middle, or at the left
    head = _arc((0, high), (wide, high), begin, begin + random.uniform(345, 400))
    foot = (head[0, 0] + random.uniform(-0.12, 0.1), 1.0)
    return [np.concatenate([_bowed([foot, (head[0, 0], head[0, 1])], random), head])]


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


def _arc(middle: tuple[float, float], radii: tuple[float, float], begin: float, end: float) -> Stroke:
    """Part of an ellipse, in degrees: 0 to the right, 90 below."""
    angles = np.deg2rad(np.linspace(begin, end, 2 * FINE))
    return (np.column_stack([np.cos(angles), np.sin(angles)]) * radii + middle).astype(np.float32)


def _bowed(corners: Sequence[tuple[float, float]], random: Random) -> Stroke:
    """A way from corner to corner, none of them quite straight."""
    pieces = []
    along = np.linspace(0, 1, FINE)[:, None]
    for start, end in zip(np.array(corners[:-1]), np.array(corners[1:]), strict=True):
        aside = (end - start)[::-1] * (1, -1)
        pieces.append(start + along * (end - start) + random.normal(0, 0.06) * np.sin(np.pi * along) * aside)
    return np.concatenate(pieces).astype(np.float32)
