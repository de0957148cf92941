"""Ink and paper in the picture of a single thing: which is which, and the image as MNIST stores it."""

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import SIDE
from mnistry.data.normalize import as_mnist, enlarged
from mnistry.errors import PictureError

UNIFORM = 0.75
"""If this share of the border is light, so is the paper; likewise for dark."""


def paper_is_light(grey: NDArray[np.float32]) -> bool | None:
    """Whether the paper is light, judged by the picture's border; None if the border is too mixed to tell.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.
    """
    light = float((_border(grey) > 0.5).mean())
    return None if 1 - UNIFORM < light < UNIFORM else light > 0.5


def image_of(grey: NDArray[np.float32], *, light_paper: bool) -> NDArray[np.uint8]:
    """The MNIST image of a picture, uint8[28, 28]: bright ink on black paper.

    A picture of 28×28 is placed and sized already: with dark paper it is taken as it is, with light paper
    inverted. The ink of any other goes through `as_mnist`, of a very small one `enlarged` before.

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
        return as_mnist(enlarged(ink))
    if ink.max() <= 0:
        raise PictureError("there is no ink: every pixel is paper.")
    return np.rint((ink / ink.max() if light_paper else grey) * 255).astype(np.uint8)


def _border(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.concatenate([grey[0], grey[-1], grey[1:-1, 0], grey[1:-1, -1]])
