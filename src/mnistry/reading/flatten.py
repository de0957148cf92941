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
    mean = cv2.blur(grey, (window, window), borderType=cv2.BORDER_REFLECT)
    square = cv2.blur(grey * grey, (window, window), borderType=cv2.BORDER_REFLECT)
    deviation = np.sqrt(np.maximum(square - mean * mean, 0)) + np.float32(FLOOR)
    levels = (grey - mean) / deviation * np.float32(STEP) + np.float32(LEVEL)
    return np.asarray(np.clip(np.rint(levels), 0, 255), np.uint8)
