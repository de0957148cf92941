"""Grey levels without light and shade: what the detector sees."""

import cv2
import numpy as np
from numpy.typing import NDArray

WINDOW = 97
"""Four times a digit's usual height."""
FLOOR = 0.03
"""Deviations below it are noise, and are not made larger than this would be."""
LEVEL, STEP = 128, 32
"""How one deviation is written in eight bits."""


def flattened(grey: NDArray[np.float32], window: int = WINDOW) -> NDArray[np.uint8]:
    """Takes the local mean away and divides by the local deviation.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.
        window: pixels around a place whose mean and deviation are taken.

    Returns:
        uint8 `[height, width]`: 128 is as light as the surroundings, 32 more or less is one deviation.
    """
    size, border = (window, window), cv2.BORDER_REFLECT
    mean = np.asarray(cv2.blur(grey, size, borderType=border), np.float32)
    deviation = np.asarray(cv2.blur(grey * grey, size, borderType=border), np.float32)
    # In place: new memory costs as much as the arithmetic.
    deviation -= mean * mean
    np.sqrt(np.maximum(deviation, 0, out=deviation), out=deviation)
    deviation += np.float32(FLOOR)
    levels = np.subtract(grey, mean, out=mean)
    levels /= deviation
    levels *= np.float32(STEP)
    levels += np.float32(LEVEL)
    return np.clip(np.rint(levels, out=levels), 0, 255, out=levels).astype(np.uint8)
