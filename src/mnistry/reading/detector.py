"""The page detector: grey levels in; digits with their place, size and probabilities out."""

import json
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES
from mnistry.reading.flatten import LEVEL, flattened
from mnistry.reading.onnx_files import OnnxModel

Grey = NDArray[np.float32]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

SHIPPED_DETECTOR = Path(__file__).parent / "detector.onnx"
WEIGHTS, TRUST = "weights_of_evidence", "weight_of_second_opinion"
"""The names under which the metadata of a model hold them."""
PLAIN = np.array([1.0, 0.0, 0.0, 0.0])
"""Weights for a detector that was not compared with anything: its own confidence alone."""
STRIDE = 4
SIDE_UNIT = 8
"""Sides of what the network sees are multiples of it."""
MARGIN = 16
"""Pixels of empty paper around the picture: what touches the edge is seen whole."""
SMALLEST, LARGEST = 11.0, 42.0
"""Heights in pixels that the network finds; larger digits are found in a smaller copy of the picture."""
FAINT = 0.1
"""Peaks below it are not looked at."""
MOST_PEAKS = 1000
"""Of one map, the highest: no page holds more digits that can be told, noise does."""


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
    def box(self) -> Box:
        """Left, top, right, bottom."""
        across, down = self.width / 2, self.height / 2
        return self.x - across, self.y - down, self.x + across, self.y + down

    @property
    def confidence(self) -> float:
        """The probability of the likeliest digit."""
        return float(self.probabilities.max())

    @property
    def digit(self) -> int:
        """The likeliest digit."""
        return int(self.probabilities.argmax())


class Detector(OnnxModel):
    """A network that finds digits on a page. It can be pickled.

    Attributes:
        weights: float64 `[4]`, of what speaks for a place to be a digit; see `mnistry.reading.judging`.
        trust: weight of the classifier's opinion, where the detector was taught a hand; else None.
    """

    SHIPPED = SHIPPED_DETECTOR

    def __init__(self, model: bytes, *, threads: int = 0) -> None:
        """
        Args:
            model: the bytes of an ONNX file; see `mnistry.export.detector`.
            threads: of computation for each call; 0 takes one for each core.

        Raises:
            ValueError: it is no such file.
        """
        super().__init__(model, {"pages": "uint8"}, "found", threads=threads)
        kept = self._metadata
        try:
            self.weights = np.array(json.loads(kept[WEIGHTS]), np.float64) if kept.get(WEIGHTS) else PLAIN
            self.trust = float(kept[TRUST]) if kept.get(TRUST) else None
        except (ValueError, TypeError) as error:
            raise ValueError(f"its metadata are damaged: {error}") from error
        if self.weights.shape != PLAIN.shape or not np.isfinite(self.weights).all():
            raise ValueError(f"its metadata are damaged: {WEIGHTS} are not {len(PLAIN)} numbers")
        if self.trust is not None and not 0 <= self.trust < np.inf:
            raise ValueError(f"its metadata are damaged: {TRUST} is {self.trust}")

    def heat(self, page: NDArray[np.uint8]) -> NDArray[np.float32]:
        """What is where: float32 `[13, height / 4, width / 4]`, of a page whose sides are multiples of 8."""
        found: NDArray[np.float32] = self._session.run(["found"], {"pages": page[None]})[0][0]
        return found


def copy_shape(shape: tuple[int, ...], scale: float) -> tuple[int, int]:
    """Rows and columns of a copy of a picture of that shape, with the empty paper, see `copy_at`."""
    rows, columns = (-(-_scaled(side, scale) // SIDE_UNIT) * SIDE_UNIT + 2 * MARGIN for side in shape)
    return rows, columns


def copy_at(grey: Grey, scale: float) -> NDArray[np.uint8]:
    """A copy of the picture at some scale as the network sees it, with empty paper around it."""
    copy = np.full(copy_shape(grey.shape, scale), LEVEL, np.uint8)
    height, width = (_scaled(side, scale) for side in grey.shape)
    if scale != 1:
        averaging = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        grey = np.asarray(cv2.resize(grey, (width, height), interpolation=averaging), np.float32)
    copy[MARGIN : MARGIN + height, MARGIN : MARGIN + width] = flattened(grey)
    return copy


def _scaled(side: int, scale: float) -> int:
    return max(1, round(side * scale))


def peaks(
    found: NDArray[np.float32], scale: float, left: int = 0, top: int = 0, *, faint: float = FAINT
) -> list[Detection]:
    """The maxima of a heat map as digits, in pixels of the picture.

    Args:
        found: float32 `[13, rows, columns]`, see `Detector.heat`.
        scale: of the copy that it was made of, see `copy_at`.
        left: where the map begins in that copy.
        top: as `left`.
        faint: maxima below it are left out.
    """
    heat = found[:CLASSES]
    strongest = heat.max(axis=0)
    around = cv2.dilate(strongest, np.ones((3, 3), np.uint8))
    rows, columns = np.nonzero((strongest == around) & (strongest > faint))
    if len(rows) > MOST_PEAKS:
        highest = np.argsort(-strongest[rows, columns], kind="stable")[:MOST_PEAKS]
        rows, columns = rows[highest], columns[highest]
    chances = heat[:, rows, columns].T.astype(np.float64)
    chances /= np.maximum(1.0, chances.sum(axis=1, keepdims=True))
    down, across = _between(strongest, rows, columns)
    x, y = (across + 0.5) * STRIDE - MARGIN + left, (down + 0.5) * STRIDE - MARGIN + top
    height, width = found[CLASSES + 1 :, rows, columns].astype(np.float64)
    places = (np.stack([x, y, width, height], axis=1) / scale).tolist()
    return [
        Detection(x, y, width, height, ten, scale)
        for (x, y, width, height), ten in zip(places, chances, strict=True)
    ]


def _between(
    heat: NDArray[np.float32], rows: NDArray[np.int64], columns: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where maxima lie between the places of a map: the middle of the heat around; rows and columns."""
    padded = np.pad(heat, 1)
    steps = [(down, across) for down in (-1, 0, 1) for across in (-1, 0, 1)]
    around = np.stack([padded[rows + 1 + down, columns + 1 + across] for down, across in steps], axis=1)
    weights = around.astype(np.float64) / around.sum(axis=1, keepdims=True)
    down, across = (weights @ np.array(steps)).T
    return rows + down, columns + across
