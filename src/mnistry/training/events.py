"""TensorBoard event files, written without TensorFlow."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from mnistry.training.graph import tensorboard_graph

HISTOGRAM_BINS = 64
FLUSH_SECONDS = 10.0


class Events:
    """Writes scalars, histograms of weights, pictures and the graph to a folder that TensorBoard reads.

    tensorboardX's own writer hands them to a thread, which a full disk ends: what is given to it then waits
    for ever. Here they are written at once, and an error is raised where it happens.
    """

    def __init__(self, folder: Path, *, from_step: int = 0) -> None:
        """
        Args:
            folder: where the event files go; each resumed part of a run adds one.
            from_step: what earlier files say of later steps is dropped by TensorBoard.

        Raises:
            OSError: the folder cannot be written to.
        """
        from tensorboardX.event_file_writer import EventsWriter
        from tensorboardX.proto.event_pb2 import Event, SessionLog

        self._event = Event
        folder.mkdir(exist_ok=True)
        # The writer names its file by the second only.
        self._writer = EventsWriter(str(folder.resolve() / "events"), f".{os.getpid()}.{time.time_ns()}")
        self._flushed = time.monotonic()
        if from_step:
            self._write(from_step + 1, session_log=SessionLog(status=SessionLog.START))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def scalars(self, row: Mapping[str, float]) -> None:
        """Adds every value of a row of metrics but its step."""
        from tensorboardX import summary

        for name, value in row.items():
            if name != "step":
                self._write(int(row["step"]), summary=summary.scalar(name, value))

    def histograms(self, arrays: Mapping[str, np.ndarray], step: int) -> None:
        """Adds a histogram of each array."""
        from tensorboardX import summary

        for name, array in arrays.items():
            self._write(step, summary=summary.histogram(f"weights/{name}", array, HISTOGRAM_BINS))

    def picture(self, name: str, pixels: np.ndarray, step: int) -> None:
        """Adds a picture, uint8 `[height, width, 3]`."""
        from tensorboardX import summary

        self._write(step, summary=summary.image(name, pixels, dataformats="HWC"))

    def graph(self, content: bytes, step: int) -> None:
        """Adds the graph of a model, from the bytes of its ONNX file."""
        self._write(step, graph_def=tensorboard_graph(content))

    def _write(self, step: int, **content: Any) -> None:
        self._writer.write_event(self._event(step=step, wall_time=time.time(), **content))
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self._writer.flush()
            self._flushed = time.monotonic()
