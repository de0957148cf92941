"""The verifier: takes a second look at each place that the detector found, larger and by itself."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES
from mnistry.reading.detector import MARGIN, Detection
from mnistry.reading.flatten import LEVEL
from mnistry.reading.onnx_files import OnnxModel
from mnistry.reading.scales import Look

SHIPPED_VERIFIER = Path(__file__).parent / "verifier.onnx"
TAUGHT = "verifier.onnx"
"""Name of the file beside a detector that was taught with it."""
PATCH, DIGIT = 48, 26.0
"""Pixels of a patch, and of the digit in it; see `mnistry.models.verifier`."""
WIDE = 0.8
"""What is wider than high is made smaller, so that this share of its width is as long as a digit is high."""
AT_ONCE = 256
"""Patches that are looked at together, which bounds the memory."""


class Verifier(OnnxModel):
    """A network that tells what stands where a detector found something. It can be pickled."""

    SHIPPED = SHIPPED_VERIFIER

    def __init__(self, model: bytes, *, threads: int = 0) -> None:
        """
        Args:
            model: the bytes of an ONNX file; see `mnistry.export.verifier`.
            threads: of computation for each call; 0 takes one for each core.

        Raises:
            ValueError: it is no such file.
        """
        super().__init__(model, {"patches": "uint8"}, "probabilities", threads=threads)

    def probabilities(self, patches: NDArray[np.uint8]) -> NDArray[np.float64]:
        """Of the ten digits and of what is none: float64 `[n, 11]`, of uint8 `[n, 48, 48]`."""
        told = [
            self._session.run(["probabilities"], {"patches": patches[first : first + AT_ONCE]})[0]
            for first in range(0, len(patches), AT_ONCE)
        ]
        return np.concatenate(told or [np.zeros((0, CLASSES + 1))]).astype(np.float64)


def patches_of(looks: Sequence[Look], found: Sequence[Detection]) -> NDArray[np.uint8]:
    """Each place with what stands around it, uint8 `[n, 48, 48]`, from the copy in which it was found.

    Args:
        looks: the copies.
        found: places in them.
    """
    pages = {look.scale: look.page for look in looks}
    patches = np.empty((len(found), PATCH, PATCH), np.uint8)
    for patch, one in zip(patches, found, strict=True):
        scale = one.scale
        place = one.x * scale + MARGIN, one.y * scale + MARGIN, one.width * scale, one.height * scale
        patch[:] = patch_at(pages[scale], *place)
    return patches


def patch_at(page: NDArray[np.uint8], x: float, y: float, width: float, height: float) -> NDArray[np.uint8]:
    """A part of a page around a middle, so large that a box of that size is as large as `DIGIT`."""
    scale = DIGIT / max(height, WIDE * width)
    # OpenCV counts from the middle of pixels.
    across, down = ((PATCH - 1) / 2 - scale * (middle - 0.5) for middle in (x, y))
    return np.asarray(
        cv2.warpAffine(
            page,
            np.array([[scale, 0, across], [0, scale, down]]),
            (PATCH, PATCH),
            flags=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=LEVEL,
        ),
        np.uint8,
    )
