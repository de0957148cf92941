"""A picture's ink from flat grey to lines that can be read: turned upright, made level, put into lines."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.normalize import as_mnist
from mnistry.reading.ink import Grey, Mask, faint_strokes, flat_ink, shrunk, stroke_mask
from mnistry.reading.layout import LEAST_PIECES, Pieces, find_lines, find_pieces, slope_of, writing_height
from mnistry.reading.segment import Box, Classify, Line

FIRST_SIDE = 224  # pixels of the small copy in which large writing is found
LARGE_WRITING = 64  # pixels; smaller writing is looked for in the whole picture
FILLING = 0.85  # of the copy's shorter side
ALIKE = 0.7  # how far the heights of faint and of strong writing may be apart: the logarithm of their ratio
LINE_HEIGHT = 48  # pixels that digits are made smaller to; more than twice what they have in the end
LEAST_SLOPE = 2.0  # degrees; less does not matter
GROUP_GAP, GROUP_GAIN = 0.9, 2.5  # of the digits' height; of the usual gap
TELLING = 0.8  # probability from which a piece may tell how the page is turned
TURN_GAIN = 8.0  # nats by which a page must be better readable when it is turned, all its digits together
MOST_JUDGED = 60  # pieces that judge how a page is turned


@dataclass(frozen=True, eq=False)
class Page:
    """The ink of a picture, upright and level.

    Attributes:
        ink: float32 `[height, width]`; 0 is paper, larger is more ink.
        mask: bool, same shape: what is stroke.
        pieces: the connected pieces of the mask.
        origin: float `[2, 3]`, takes x, y, 1 of the page to x, y of the grey picture that it was made of.
    """

    ink: Grey
    mask: Mask
    pieces: Pieces
    origin: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TextLine:
    """The ink of one line and its place on the page.

    Attributes:
        line: the ink, its digits at most 48 pixels high.
        scale: pixels of the line for one of the page.
        left: first column of the line on the page.
        top: its first row.
    """

    line: Line
    scale: float
    left: int
    top: int

    def on_page(self, box: Box) -> tuple[float, float, float, float]:
        """A box in pixels of the page: left, top, right, bottom."""
        left, top, right, bottom = (value / self.scale for value in box)
        return left + self.left, top + self.top, right + self.left, bottom + self.top


def find_page(grey: Grey, classify: Classify) -> Page:
    """Finds the ink of a picture, turns it by quarters until it reads best, and makes its lines level.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.
        classify: the probabilities, float `[n, 12]`, of images uint8 `[n, 28, 28]`.
    """
    scale = min(1.0, FIRST_SIDE / max(grey.shape))
    page = _found(grey, scale)
    # What fills the copy may be a shadow that has swallowed thin strokes.
    if scale < 1 and not LARGE_WRITING <= page.pieces.height <= FILLING * min(page.ink.shape):
        page = _found(grey, 1.0)
    page = _turned(page, quarter_turns(page, classify))
    slope = slope_of(page.pieces)
    return _levelled(page, slope) if abs(slope) >= LEAST_SLOPE else page


def _found(grey: Grey, scale: float) -> Page:
    """The page as it lies, found in a copy of the picture at some scale."""
    if scale < 1:
        grey = shrunk(grey, scale)
    ink = flat_ink(grey)
    strong = stroke_mask(ink)
    pieces = find_pieces(strong)
    if len(pieces.areas) and (faint := _faint_writing(ink, strong, pieces.height)).any():
        pieces = find_pieces(strong | faint)
    return Page(ink, pieces.labels > 0, pieces, np.eye(3)[:2] / scale)


def _faint_writing(ink: Grey, strong: Mask, height: float) -> Mask:
    """Strokes of a fainter pen as high as the strong ones, and not at the picture's border as shadows are."""
    faint = faint_strokes(ink, strong)
    if not faint.any():
        return faint
    pieces = find_pieces(faint)
    left, top, right, bottom = pieces.boxes.T
    inside = (left > 0) & (top > 0) & (right < ink.shape[1]) & (bottom < ink.shape[0])
    alike = np.abs(np.log((bottom - top) / height)) < ALIKE
    return np.isin(pieces.labels, 1 + np.flatnonzero(inside & alike))


def quarter_turns(page: Page, classify: Classify) -> int:
    """By how many quarters, counterclockwise, a page must be turned to stand upright.

    Every large piece is recognized in all four positions. A page is turned only if its pieces are then
    clearly more often digits: a six may be a nine, so few pieces decide nothing.
    """
    pieces = page.pieces
    sizes = pieces.boxes[:, 2:] - pieces.boxes[:, :2]
    longest, shortest = sizes.max(axis=1), sizes.min(axis=1)
    # A dash is a one that lies, so thin pieces do not tell.
    chosen = np.flatnonzero((longest >= 0.5 * pieces.height) & (longest < 3 * shortest))
    if len(chosen) < LEAST_PIECES:
        return 0
    chosen = chosen[:: -(-len(chosen) // MOST_JUDGED)]
    images = np.stack([as_mnist(_piece_ink(page, int(number))) for number in chosen])
    turned = [np.ascontiguousarray(np.rot90(images, turns, axes=(1, 2))) for turns in range(4)]
    chances = np.stack([classify(position)[:, :10].max(axis=1) for position in turned])
    # Only what is a digit in some position can tell; touching digits and scribbles are none in any.
    judges = chances.max(axis=0) > TELLING
    if judges.sum() < max(LEAST_PIECES, len(chosen) / 3):
        return 0
    readable = np.log(np.maximum(chances[:, judges], 1e-2)).sum(axis=1)
    best = int(np.argmax(readable))
    return best if readable[best] > readable[0] + TURN_GAIN else 0


def _piece_ink(page: Page, number: int) -> NDArray[np.float32]:
    left, top, right, bottom = page.pieces.boxes[number]
    area = (slice(top, bottom), slice(left, right))
    return np.where(page.pieces.labels[area] == number + 1, page.ink[area], 0)


def _turned(page: Page, turns: int) -> Page:
    if not turns:
        return page
    height, width = page.ink.shape
    # Where the pixels of the turned page come from; a pixel's middle lies half a pixel inside.
    back = {
        1: np.array([[0, -1, width], [1, 0, 0]]),
        2: np.array([[-1, 0, width], [0, -1, height]]),
        3: np.array([[0, 1, 0], [-1, 0, height]]),
    }[turns]
    ink, mask = (
        np.ascontiguousarray(np.rot90(page.ink, turns)),
        np.ascontiguousarray(np.rot90(page.mask, turns)),
    )
    return Page(ink, mask, find_pieces(mask), _chained(page.origin, back))


def _levelled(page: Page, slope: float) -> Page:
    height, width = page.ink.shape
    radians = np.deg2rad(slope)
    cos, sin = np.cos(radians), np.sin(radians)
    new_width = int(np.ceil(width * cos + height * abs(sin)))
    new_height = int(np.ceil(height * cos + width * abs(sin)))
    # From the levelled page to the page, the middle staying in the middle.
    turn = np.array([[cos, -sin], [sin, cos]])
    shift = np.array([width, height]) / 2 - turn @ np.array([new_width, new_height]) / 2
    back = np.column_stack([turn, shift])
    pixel = back.copy()
    pixel[:, 2] += turn @ np.array([0.5, 0.5]) - 0.5  # OpenCV counts from the middle of pixels
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    ink = np.asarray(cv2.warpAffine(page.ink, pixel, (new_width, new_height), flags=flags), np.float32)
    strokes = cv2.warpAffine(page.mask.astype(np.float32), pixel, (new_width, new_height), flags=flags)
    mask = strokes > 0.5
    return Page(ink, mask, find_pieces(mask), _chained(page.origin, back))


def _chained(outer: NDArray[np.float64], inner: NDArray[Any]) -> NDArray[np.float64]:
    """The affine map, `[2, 3]`, that does the inner one and then the outer one."""
    return np.asarray(outer @ np.vstack([inner, [0, 0, 1]]), np.float64)


def text_lines(page: Page) -> list[TextLine]:
    """The lines of a page, top to bottom."""
    return [_text_line(page, numbers) for numbers in find_lines(page.pieces)]


def _text_line(page: Page, numbers: NDArray[np.int64]) -> TextLine:
    boxes = page.pieces.boxes[numbers]
    # A pixel around the pieces belongs to them: there the pen's edge fades out.
    left, top = np.maximum(boxes[:, :2].min(axis=0) - 1, 0)
    right, bottom = boxes[:, 2:].max(axis=0) + 1
    area = (slice(top, bottom), slice(left, right))
    mine = np.isin(page.pieces.labels[area], numbers + 1)
    edge = cv2.dilate(mine.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    # Strokes as even as a bilevel scan's: a pen's middle tone is as much ink as its darkest spot.
    full = float(np.median(page.ink[area][mine]))
    strokes = np.where(edge, np.clip(page.ink[area] / full, 0, 1), 0).astype(np.float32)
    height = writing_height(boxes, page.pieces.areas[numbers])
    scale = min(1.0, LINE_HEIGHT / height)
    if scale < 1:
        strokes = shrunk(strokes, scale)
    return TextLine(Line(strokes, height * scale), scale, int(left), int(top))


def group_breaks(lines: list[list[tuple[float, float, float, float]]]) -> list[list[bool]]:
    """Before which digits a space stands: where the gap is wide, and much wider than usual there.

    Args:
        lines: for each line the boxes of its digits: left, top, right, bottom.

    Returns:
        For each line and digit, whether a space goes before it.
    """
    heights = [box[3] - box[1] for line in lines for box in line]
    gaps = [[after[0] - before[2] for before, after in pairwise(line)] for line in lines]
    every = [gap for line in gaps for gap in line]
    if not every:
        return [[False] * len(line) for line in lines]
    height, usual = float(np.median(heights)), max(0.0, float(np.median(every)))

    def limit(line: list[float]) -> float:
        # Some lines are written wider than the page's others; two gaps tell nothing of that.
        own = max(usual, float(np.median(line))) if len(line) > 2 else usual
        return max(GROUP_GAP * height, GROUP_GAIN * own + 0.5 * height)

    return [
        [False, *(gap > limit(line) for gap in line)] if row else []
        for row, line in zip(lines, gaps, strict=True)
    ]


def picture_box(
    box: tuple[float, float, float, float], origin: NDArray[np.float64], scale: float, size: tuple[int, int]
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
