"""Images of other sizes than 28×28: how they become MNIST's, and what is said about it."""

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import SIDE
from mnistry.data.polarity import image_of, paper_is_light
from mnistry.errors import DataError, PictureError

SMALLEST_SIDE = 6
"""Fewer pixels cannot show a digit; what has fewer is taken for a mistake in the shape."""
SCALED = "the ink of each was scaled and centred as MNIST's was"


def brought_to_size(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Images of one other size as MNIST's; each becomes what a picture of a single thing does.

    All are stored alike: their paper is light if the borders of most show it so, and else dark. Images of
    28×28 are given back as they are.

    Args:
        images: uint8[n, height, width], 0 black to 255 white.

    Returns:
        uint8[n, 28, 28], the ink bright, scaled and centred; see `mnistry.data.polarity.image_of`.

    Raises:
        DataError: they are too small, or one has no ink.
    """
    if images.shape[1:] == (SIDE, SIDE):
        return images
    if min(images.shape[1:]) < SMALLEST_SIDE:
        raise DataError(f"images must have at least {SMALLEST_SIDE} rows and columns, found {images.shape}.")
    votes = [paper_is_light(_grey(image)) for image in images]
    clear = [vote for vote in votes if vote is not None]
    light = sum(clear) > len(clear) / 2
    made = np.empty((len(images), SIDE, SIDE), np.uint8)
    for row, image in enumerate(images):
        try:
            made[row] = image_of(_grey(image), light_paper=light)
        except PictureError as error:
            raise DataError(f"image {row}: {error}") from error
    return made


def size_notes(height: int, width: int) -> tuple[str, ...]:
    """What the user of images of this size should know: one line, or none where they are MNIST's size."""
    if (height, width) == (SIDE, SIDE):
        return ()
    return (f"the images are {height}×{width}: {SCALED}",)


def _grey(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    return image.astype(np.float32) / np.float32(255)
