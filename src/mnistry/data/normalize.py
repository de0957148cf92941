"""From the ink of one digit to a 28×28 image, made exactly as MNIST was made.

Source: Y. LeCun et al., 1998, section III.A, and http://yann.lecun.com/exdb/mnist/; the details as
C. Yadav and L. Bottou rebuilt them in "Cold case: the lost MNIST digits", 2019.
"""

import math
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import SIDE
from mnistry.errors import PictureError

INK_SIDE = 20
CENTRE = 14
ENLARGEMENT = 10
FAINTEST = 0.01
"""Ink weaker than this share of the brightest is left out of the box: enlarging leaves ripples so strong."""


def as_mnist(ink: NDArray[Any]) -> NDArray[np.uint8]:
    """Makes the MNIST image of one digit.

    The tight box of the ink is scaled into 20×20 pixels with its aspect kept, by averaging areas; the
    brightest ink becomes 255; whole-pixel shifts put the centre of mass on pixel 14 of 28×28.

    Args:
        ink: uint8 or float, shape (height, width), any size; 0 is paper, larger is more ink.

    Returns:
        uint8[28, 28].

    Raises:
        PictureError: there is no ink, or the array is not two-dimensional and finite.
    """
    if ink.ndim != 2 or not np.isfinite(ink).all():
        raise PictureError(f"expected a finite array of shape (height, width), found shape {ink.shape}.")
    brightest = float(ink.max(initial=0))
    if brightest <= 0:
        raise PictureError("there is no ink: every pixel is paper.")
    inked = ink > FAINTEST * brightest
    rows, columns = np.flatnonzero(inked.any(axis=1)), np.flatnonzero(inked.any(axis=0))
    box = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].astype(np.float32)
    scale = INK_SIDE / max(box.shape)
    height, width = (max(1, round(side * scale)) for side in box.shape)
    small = cv2.resize(box, (width, height), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    small = np.clip(small, 0, None)
    small *= 255 / small.max()
    top, left = (_start(small.sum(axis=1 - axis, dtype=np.float64)) for axis in (0, 1))
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[top : top + height, left : left + width] = np.rint(small)
    return image


def enlarged(ink: NDArray[Any]) -> NDArray[np.float32]:
    """A picture smaller than the box that MNIST's ink fills, ten times as large; any other as it is.

    The enlargement is smooth, so that strokes of few pixels keep no steps.

    Args:
        ink: uint8 or float, shape (height, width); 0 is paper, larger is more ink.
    """
    ink = ink.astype(np.float32)
    if not 0 < max(ink.shape) < INK_SIDE:
        return ink
    height, width = (side * ENLARGEMENT for side in ink.shape)
    return np.clip(cv2.resize(ink, (width, height), interpolation=cv2.INTER_CUBIC), 0, None)


def _start(mass: NDArray[np.float64]) -> int:
    """Where the ink begins if its centre of mass is to lie in [13.5, 14.5), as in all of MNIST."""
    centre = float(np.average(np.arange(len(mass)), weights=mass))
    # The last term keeps rounding errors from deciding about a centre that lies exactly between pixels.
    start = math.ceil(CENTRE - 0.5 - centre - 1e-4)
    return min(max(start, 0), SIDE - len(mass))
