"""Handwriting as paths of a pen: digits, letters, signs and words, each a few strokes."""

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistry.errors import DataError

Stroke = NDArray[np.float32]
"""The places where the pen was, float32 `[n, 2]`: x to the right, y down."""


@dataclass(frozen=True, eq=False)
class StrokeSet:
    """Samples of handwriting as strokes.

    Attributes:
        points: float32 `[points, 2]`, all strokes of all samples one after the other.
        stroke_start: int32 `[strokes + 1]`, where each stroke starts among the points.
        sample_start: int32 `[samples + 1]`, where each sample starts among the strokes.
        labels: what is written, a text for each sample.
        writers: who wrote it, a text for each sample.
    """

    points: Stroke
    stroke_start: NDArray[np.int32]
    sample_start: NDArray[np.int32]
    labels: NDArray[np.str_]
    writers: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, sample: int) -> list[Stroke]:
        """The strokes of a sample."""
        first, last = self.sample_start[sample : sample + 2]
        starts = self.stroke_start[first : last + 1]
        return [self.points[start:end] for start, end in pairwise(starts)]

    @staticmethod
    def read(path: Path) -> "StrokeSet":
        """Reads the `.npz` file of a stroke set.

        Raises:
            DataError: there is no such file, or its arrays are not those of a stroke set.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return StrokeSet(
                    file["pts"].astype(np.float32),
                    file["stroke_start"],
                    file["sample_start"],
                    file["label"].astype(np.str_),
                    file["writer"].astype(np.str_),
                )
        except FileNotFoundError as error:
            raise DataError(f"{path}: there is no such file of pen strokes.") from error
        except (KeyError, ValueError, OSError) as error:
            raise DataError(
                f"{path}: expected the arrays pts, stroke_start, sample_start, label and writer: {error}"
            ) from error
