"""How a page lies: turned by quarters until its digits stand, and made level; and back to the picture."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.reading.detector import Box, Detection, Detector, Grey
from mnistry.reading.scales import FILLING, Look, found_in, look

TURNING_SIDE = 1024
"""Pixels of the copy in which it is seen how a page lies."""
TELLING, ONE_WAY_UP = 0.5, frozenset({2, 3, 4, 5, 7})
"""Confidence from which a digit may tell how a page lies, and which digits do: the others are strokes and
rings, which are found whichever way up."""
LEAST_DIGITS, LEAST_EVIDENCE, TURN_GAIN = 4, 1.0, 4.0
"""So many places of a page must look like digits, and so much must say that it is to be turned: so many times
more than as it lies, and, of a quarter, than on its head."""
CLEAR, MOSTLY = 0.8, 0.5
"""Share of all that may be digits that is surely digits, from which on a page lies as it should; and which it
must have at least, turned: of letters on their heads a few look like digits."""
LEAST_SLOPE, MOST_SLOPE = 3.0, 30.0
"""Degrees; less does not matter, more is no line of writing."""


@dataclass(frozen=True, eq=False)
class Page:
    """A picture, upright and level, and what was seen in it.

    Attributes:
        grey: float32 `[height, width]`, 0 black to 1 white.
        origin: float64 `[2, 3]`, takes x, y, 1 of it to x, y of the grey picture that it was made of.
        looks: what the detector said of its copies.
        found: what may be digits, the surest first.
    """

    grey: Grey
    origin: NDArray[np.float64]
    looks: list[Look]
    found: list[Detection]

    @property
    def lone(self) -> bool:
        """Whether it is a picture of one digit, be it seen in one copy only."""
        return len(self.found) == 1 and self.found[0].height > FILLING * min(self.grey.shape)


def find_page(detector: Detector, grey: Grey, deadline: float | None = None) -> Page:
    """Looks at a picture, turns it and makes it level where its digits say so, and then looks again.

    Args:
        detector: finds the digits.
        grey: float32 `[height, width]`, 0 black to 1 white.
        deadline: the value of `time.monotonic` at which looking is given up.

    Raises:
        PictureSizeError: it takes too long.
    """

    def seen(grey: Grey, origin: NDArray[np.float64]) -> Page:
        looks = look(detector, grey, deadline=deadline)
        return Page(grey, origin, looks, found_in(looks))

    page = seen(grey, np.eye(3)[:2])
    if turns := quarter_turns(detector, page, deadline):
        page = seen(_turned(page.grey, turns), _turned_back(page.grey.shape, turns))
    slope = slope_of(page.found)
    if abs(slope) >= LEAST_SLOPE:
        level, back = _levelled(page.grey, slope)
        page = seen(level, _chained(page.origin, back))
    return page


def quarter_turns(detector: Detector, page: Page, deadline: float | None = None) -> int:
    """By how many quarters, counterclockwise, a page must be turned to stand upright.

    A page that lies on its side or on its head is seen by the detector itself: a small copy of it is looked
    at in all four ways, and one that gives clearly more digits in lines wins. Pages with few digits are left
    as they are: a single one may be a 6 or a 9.
    """
    if len(page.found) < LEAST_DIGITS:
        return 0
    if _surely(page.found, CLEAR) and _evidence(page.found) >= LEAST_EVIDENCE:
        return 0
    found = [
        found_in(look(detector, _turned(page.grey, turns), longest_side=TURNING_SIDE, deadline=deadline))
        for turns in range(4)
    ]
    evidence = [_evidence(one) for one in found]
    best = int(np.argmax(evidence))
    # Fives and twos are digits on their heads, too: of a page on its side, both ends may be good ones.
    rivals = evidence[::2] if best % 2 else evidence[:1]
    clear = evidence[best] >= LEAST_EVIDENCE and evidence[best] > TURN_GAIN * max(rivals)
    return best if clear and _surely(found[best], MOSTLY) else 0


def _surely(found: list[Detection], share: float) -> bool:
    """Whether more than that share of what may be digits is sure, of those that tell which way is up."""
    telling = [one.confidence for one in found if one.digit in ONE_WAY_UP]
    return sum(confidence for confidence in telling if confidence >= TELLING) > share * sum(telling)


def _evidence(found: list[Detection]) -> float:
    """How much speaks for a page as it is turned: sure digits that others stand beside, as in a line."""
    return sum(one.confidence for one, beside in _sure_ones(found) if one.digit in ONE_WAY_UP and len(beside))


def _sure_ones(found: list[Detection]) -> Iterator[tuple[Detection, NDArray[np.float64]]]:
    """Each sure digit, and how far to the right and down those are that stand beside it, float64 `[n, 2]`."""
    sure = [one for one in found if one.confidence >= TELLING]
    places = np.array([(one.x, one.y) for one in sure])
    for one in sure:
        away = places - (one.x, one.y)
        across, down = np.abs(away).T / one.height
        yield one, away[(across > 0.3) & (across < 2.5) & (down < 1)]


def _turned(grey: Grey, turns: int) -> Grey:
    return np.ascontiguousarray(np.rot90(grey, turns))


def _turned_back(shape: tuple[int, ...], turns: int) -> NDArray[np.float64]:
    """Where the places of a turned picture come from in one of that shape."""
    height, width = shape
    return {
        1: np.array([[0.0, -1, width], [1, 0, 0]]),
        2: np.array([[-1.0, 0, width], [0, -1, height]]),
        3: np.array([[0.0, 1, 0], [-1, 0, height]]),
    }[turns]


def slope_of(found: list[Detection]) -> float:
    """How far lines of digits fall to the right, in degrees; 0 where too few digits tell.

    The median over pairs of neighbours: of each sure digit and the nearest one to its right.
    """
    slopes = []
    for _, beside in _sure_ones(found):
        right = beside[beside[:, 0] > 0]
        if len(right):
            across, down = right[np.hypot(*right.T).argmin()]
            slopes.append(float(np.rad2deg(np.arctan2(down, across))))
    if len(slopes) < LEAST_DIGITS:
        return 0.0
    slope = float(np.median(slopes))
    return slope if abs(slope) <= MOST_SLOPE else 0.0


def _levelled(grey: Grey, slope: float) -> tuple[Grey, NDArray[np.float64]]:
    """The picture turned so that lines of that slope are level, and where its places come from."""
    height, width = grey.shape
    radians = np.deg2rad(slope)
    cos, sin = np.cos(radians), np.sin(radians)
    new_width = int(np.ceil(width * cos + height * abs(sin)))
    new_height = int(np.ceil(height * cos + width * abs(sin)))
    # The middle stays in the middle.
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = np.array([width, height]) / 2 - turn @ np.array([new_width, new_height]) / 2
    back = np.column_stack([turn, shift])
    pixel = back.copy()
    pixel[:, 2] += turn @ np.array([0.5, 0.5]) - 0.5  # OpenCV counts from the middle of pixels
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    level = cv2.warpAffine(grey, pixel, (new_width, new_height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(level, np.float32), back


def _chained(outer: NDArray[np.float64], inner: NDArray[Any]) -> NDArray[np.float64]:
    """The affine map, `[2, 3]`, that does the inner one and then the outer one."""
    return np.asarray(outer @ np.vstack([inner, [0, 0, 1]]), np.float64)


def picture_box(
    box: Box, origin: NDArray[np.float64], scale: float, size: tuple[int, int]
) -> tuple[int, int, int, int]:
    """A box of the page as x, y, width, height in the picture's own pixels.

    Args:
        box: left, top, right, bottom on the page.
        origin: of the page, see `Page`.
        scale: of the grey picture, in its pixels for one of the picture.
        size: width and height of the picture.
    """
    left, top, right, bottom = box
    corners = np.array([[left, right, left, right], [top, top, bottom, bottom], [1, 1, 1, 1]])
    x, y = origin @ corners / scale
    low_x, low_y = max(0, int(np.floor(x.min() + 1e-6))), max(0, int(np.floor(y.min() + 1e-6)))
    low_x, low_y = min(low_x, size[0] - 1), min(low_y, size[1] - 1)
    high_x, high_y = min(size[0], int(np.ceil(x.max() - 1e-6))), min(size[1], int(np.ceil(y.max() - 1e-6)))
    return low_x, low_y, max(1, high_x - low_x), max(1, high_y - low_y)
