"""Which parts of an image carry the decision: a grey patch is laid on it, here and there.

Source: Zeiler and Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014, section 4.2.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import SIDE
from mnistry.logits import softmax

STRIDE = 2
PATCH = 6  # pixels; about the width of two strokes
GREY = 128
PLACES = SIDE // STRIDE


def occlusion_maps(
    images: NDArray[np.uint8],
    labels: NDArray[Any],
    classify: Callable[[NDArray[np.uint8]], NDArray[np.floating[Any]]],
) -> NDArray[np.float64]:
    """How far the true class's probability falls where a patch covers the image.

    Args:
        images: uint8[n, 28, 28].
        labels: an integer type[n], the true classes.
        classify: the model: uint8[m, 28, 28] to logits, float[m, C].

    Returns:
        float64[n, 14, 14], -1 to 1, for patches centred on each block of 2×2 pixels; negative where
        covering makes the true class more probable.
    """
    covers = _covers()
    maps = np.empty((len(images), PLACES, PLACES))
    for image, label, drops in zip(images, labels, maps, strict=True):
        covered = np.where(covers, np.uint8(GREY), image)
        chances = softmax(classify(np.concatenate([image[None], covered])))[:, int(label)]
        drops[:] = (chances[0] - chances[1:]).reshape(PLACES, PLACES)
    return maps


def _covers() -> NDArray[np.bool_]:
    """Where each patch lies, bool[196, 28, 28]; at the border, part of it is outside."""
    reach = (PATCH - STRIDE) // 2
    pixel, first = np.arange(SIDE), STRIDE * np.arange(PLACES)[:, None]
    along = (pixel >= first - reach) & (pixel < first + STRIDE + reach)
    return (along[:, None, :, None] & along[None, :, None, :]).reshape(-1, SIDE, SIDE)
