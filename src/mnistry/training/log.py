"""What a run tells on its way: rows of metrics, in its folder, for TensorBoard and in the terminal."""

import time
from typing import Any, Protocol

import jax
import numpy as np

from mnistry.export.arrays import named_arrays
from mnistry.models import Trainable
from mnistry.training.events import Events
from mnistry.training.intervals import Interval
from mnistry.training.progress import TrainingProgress
from mnistry.training.run import Run
from mnistry.training.state import schedule_of


class Measure(Protocol):
    """Measures a model on what it does not learn from."""

    def compile(self, model: Any) -> None:
        """Compiles what `figures` needs."""
        ...

    def figures(self, model: Any) -> dict[str, float]:
        """What a row of metrics tells of the model."""
        ...


class Log:
    """Gathers the losses of batches, and makes a row of what was gathered since the one before."""

    def __init__(self, run: Run, validation: Measure, events: Events, progress: TrainingProgress) -> None:
        """
        Args:
            run: the run; the seconds go on from its last row.
            validation: measures the model.
            events: for TensorBoard.
            progress: for the terminal.
        """
        self._run, self._validation, self._events, self._progress = run, validation, events, progress
        self._learning_rate = jax.jit(schedule_of(run.recipe))
        earlier = next((row["seconds"] for row in reversed(run.history()) if "seconds" in row), 0.0)
        self._row_started = time.perf_counter()
        self._started = self._row_started - earlier
        self._losses: list[np.ndarray] = []

    def losses(self, interval: Interval, losses: np.ndarray) -> None:
        """Takes the losses of an interval's batches, float32 `[steps]`."""
        self._progress.losses(interval.first + 1, losses)
        self._losses.append(losses)

    def row(self, interval: Interval, model: Trainable) -> None:
        """Writes the row that is due after an interval.

        Raises:
            OSError: it cannot be written.
        """
        now = time.perf_counter()
        losses = np.concatenate(self._losses)
        row = {
            "step": interval.last,
            "loss": float(losses[-1]),
            "mean_loss": float(losses.mean(dtype=np.float64)),
            "learning_rate": float(self._learning_rate(interval.last - 1)),
            "images_per_second": len(losses) * self._run.recipe.batch_size / (now - self._row_started),
            "seconds": now - self._started,
        }
        if interval.validate:
            self._events.histograms(named_arrays(model), interval.last)
            row |= self._validation.figures(model)
        self._run.metrics.append(row)
        self._events.scalars(row)
        self._progress.row(row)
        self._losses, self._row_started = [], time.perf_counter()
