"""TensorBoard event files, written without TensorFlow."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np


class Events:
    """Writes scalars, histograms of weights and pictures to a folder that TensorBoard reads."""

    def __init__(self, folder: Path, *, from_step: int = 0) -> None:
        """
        Args:
            folder: where the event files go; each resumed part of a run adds one.
            from_step: what earlier files say of this step and later ones is dropped by TensorBoard.
        """
        from tensorboardX import SummaryWriter

        self._writer = SummaryWriter(str(folder), purge_step=from_step + 1 if from_step else None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def scalars(self, row: Mapping[str, float]) -> None:
        """Adds every value of a row of metrics but its step."""
        for name, value in row.items():
            if name != "step":
                self._writer.add_scalar(name, value, int(row["step"]))

    def histograms(self, arrays: Mapping[str, np.ndarray], step: int) -> None:
        """Adds a histogram of each array."""
        for name, array in arrays.items():
            self._writer.add_histogram(f"weights/{name}", array, step)

    def picture(self, name: str, pixels: np.ndarray, step: int) -> None:
        """Adds a picture, uint8 `[height, width, 3]`."""
        self._writer.add_image(name, pixels, step, dataformats="HWC")
