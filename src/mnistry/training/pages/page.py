"""One page after the other, each decided by its number alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistry.models.detector import STRIDE
from mnistry.reading.flatten import LEVEL, flattened
from mnistry.training.pages.canvas import HEIGHT, WIDTH, Canvas
from mnistry.training.pages.layouts import LAYOUTS
from mnistry.training.pages.paper import photographed, turned
from mnistry.training.pages.sources import Sources

MOST_DIGITS = 160
NOTHING = -2
"""The class of an empty row of `Page.digits`."""


@dataclass(frozen=True, eq=False)
class Page:
    """A page with its digits.

    Attributes:
        image: uint8 `[128, 256]`, grey levels as the detector sees them, see `flattened`.
        small: bool `[32, 64]`, where digits are that are too small to be found at this scale.
        digits: float32 `[160, 5]`: x, y of the middle, width, height in pixels, class; the class is -1 where
            it does not matter what is found, and -2 in rows without a digit.
    """

    image: NDArray[np.uint8]
    small: NDArray[np.bool_]
    digits: NDArray[np.float32]


def draw_page(sources: Sources, seed: int, number: int) -> Page:
    """Draws the page of that number; the same seed and number draw the same page."""
    random = np.random.default_rng((seed, number))
    canvas = draw_canvas(sources, random)
    grey = photographed(canvas, random)
    left, top, right, bottom = _edges(random)
    canvas.cut(left, top, right, bottom)
    image = np.full((HEIGHT, WIDTH), LEVEL, np.uint8)
    image[top:bottom, left:right] = flattened(grey[top:bottom, left:right])
    return page_of(canvas, image)


def page_of(canvas: Canvas, image: NDArray[np.uint8]) -> Page:
    """The page that looks so, with what is noted on the canvas: at most `MOST_DIGITS` digits."""
    digits = np.full((MOST_DIGITS, 5), NOTHING, np.float32)
    for row, digit in enumerate(canvas.digits):
        digits[row] = digit
    return Page(image, canvas.small[STRIDE // 2 :: STRIDE, STRIDE // 2 :: STRIDE] > 0, digits)


def draw_canvas(sources: Sources, random: np.random.Generator) -> Canvas:
    """Writes on a page that has no paper yet, at most `MOST_DIGITS` digits."""
    layouts, shares = list(LAYOUTS), np.array(list(LAYOUTS.values()))
    while True:
        canvas = Canvas()
        layouts[random.choice(len(layouts), p=shares / shares.sum())](canvas, sources, random)
        canvas = turned(canvas, random)
        if len(canvas.digits) <= MOST_DIGITS:
            return canvas


def _edges(random: np.random.Generator) -> tuple[int, int, int, int]:
    """Where the picture ends, beyond which the detector sees empty paper: left, top, right, bottom."""
    inset = np.where(random.random(4) < 0.3, random.uniform(0, 0.4, 4), 0)
    left, top, right, bottom = np.rint(inset * (WIDTH, HEIGHT, WIDTH, HEIGHT)).astype(int).tolist()
    return left, top, WIDTH - right, HEIGHT - bottom
