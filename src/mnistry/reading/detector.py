"""The page detector: grey levels in; digits with their place, size and probabilities out."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES
from mnistry.reading.flatten import LEVEL, flattened

Grey = NDArray[np.float32]

STRIDE = 4
SIDE_UNIT = 8
"""Sides of what the network sees are multiples of it."""
MARGIN = 16
"""Pixels of empty paper around the picture: what touches the edge is seen whole."""
SMALLEST, LARGEST = 11.0, 42.0
"""Heights in pixels that the network finds; larger digits are found in a smaller copy of the picture."""
FAINT = 0.1
"""Peaks below it are not looked at."""


@dataclass(frozen=True, eq=False)
class Detection:
    """A digit that was found.

    Attributes:
        x: of its middle, in pixels of the grey picture.
        y: of its middle.
        width: of its box.
        height: of its box.
        probabilities: float64 `[10]`, of the digits; what is missing to 1 is the probability that it is none.
        scale: of the copy of the picture in which it was found.
    """

    x: float
    y: float
    width: float
    height: float
    probabilities: NDArray[np.float64]
    scale: float

    @property
    def confidence(self) -> float:
        """The probability of the likeliest digit."""
        return float(self.probabilities.max())

    @property
    def digit(self) -> int:
        """The likeliest digit."""
        return int(self.probabilities.argmax())


class Detector:
    """A network that finds digits on a page."""

    def __init__(self, model: bytes, *, threads: int = 0) -> None:
        """
        Args:
            model: the bytes of an ONNX file; see `mnistry.export.detector`.
            threads: of computation for each call; 0 takes one for each core.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    @staticmethod
    def load(path: Path, *, threads: int = 0) -> "Detector":
        """Loads a detector from an ONNX file."""
        return Detector(path.read_bytes(), threads=threads)

    def heat(self, page: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What is where: float32 `[13, height / 4, width / 4]`, of a page whose sides are multiples of 8."""
        found: NDArray[np.float32] = self._session.run(["found"], {"pages": page[None]})[0][0]
        return found


def copy_at(grey: Grey, scale: float) -> NDArray[np.uint8]:
    """A copy of the picture at some scale as the network sees it, with empty paper around it."""
    if scale != 1:
        size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
        averaging = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        grey = np.asarray(cv2.resize(grey, size, interpolation=averaging), np.float32)
    page = flattened(grey)
    height, width = page.shape
    below, right = (-height) % SIDE_UNIT + MARGIN, (-width) % SIDE_UNIT + MARGIN
    return np.pad(page, ((MARGIN, below), (MARGIN, right)), constant_values=LEVEL)


def peaks(found: NDArray[np.float32], scale: float, left: int = 0, top: int = 0) -> list[Detection]:
    """The maxima of a heat map as digits, in pixels of the picture.

    Args:
        found: float32 `[13, rows, columns]`, see `Detector.heat`.
        scale: of the copy that it was made of, see `copy_at`.
        left: where the map begins in that copy.
        top: as `left`.
    """
    heat = found[:CLASSES]
    strongest = heat.max(axis=0)
    around = cv2.dilate(strongest, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((strongest == around) & (strongest > FAINT))
    detections = []
    for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
        height, width = found[CLASSES + 1 :, row, column].tolist()
        across, down = _between(strongest, row, column)
        x, y = (across + 0.5) * STRIDE - MARGIN + left, (down + 0.5) * STRIDE - MARGIN + top
        chances = heat[:, row, column].astype(np.float64)
        chances /= max(1.0, chances.sum())
        detections.append(Detection(x / scale, y / scale, width / scale, height / scale, chances, scale))
    return detections


def _between(heat: NDArray[np.float32], row: int, column: int) -> tuple[float, float]:
    """Where a maximum lies between the places of the map: column and row."""
    top, left = max(0, row - 1), max(0, column - 1)
    part = heat[top : row + 2, left : column + 2]
    rows, columns = np.mgrid[: part.shape[0], : part.shape[1]]
    weight = part.sum()
    return float((part * columns).sum() / weight + left), float((part * rows).sum() / weight + top)
