"""Which is ink and which is paper in the picture of one thing, and its image as MNIST stores it."""

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import SIDE
from mnistry.data.normalize import as_mnist
from mnistry.errors import PictureError

CLEAR = 0.75
"""Share of the border that must be light, or dark, to tell that the paper is so."""


def paper_is_light(grey: NDArray[np.float32]) -> bool | None:
    """Whether the paper is light, as its border tells; None where what is on it covers too much of that.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.
    """
    light = float((_border(grey) > 0.5).mean())
    return None if 1 - CLEAR < light < CLEAR else light > 0.5


def image_of(grey: NDArray[np.float32], *, light_paper: bool) -> NDArray[np.uint8]:
    """The MNIST image of a picture, uint8[28, 28]: bright ink on black paper.

    A picture of 28×28 is placed and sized already: with dark paper it is taken as it is, with light paper
    inverted. The ink of any other goes through `as_mnist`.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.
        light_paper: whether the ink is darker than the paper.

    Raises:
        PictureError: there is no ink.
    """
    border = _border(grey)
    side = border[(border > 0.5) == light_paper]
    paper = float(np.median(side)) if len(side) else float(light_paper)
    ink = np.maximum(paper - grey if light_paper else grey - paper, 0)
    if grey.shape != (SIDE, SIDE):
        return as_mnist(ink)
    if ink.max() <= 0:
        raise PictureError("there is no ink: every pixel is paper.")
    return np.rint((ink / ink.max() if light_paper else grey) * 255).astype(np.uint8)


def _border(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
