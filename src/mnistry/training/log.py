"""What training tells on its way: rows of metrics."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import numpy as np

from mnistry.history import Row
from mnistry.models import Trainable
from mnistry.recipes import Recipe
from mnistry.training.intervals import Interval
from mnistry.training.state import schedule_of


class Measure(Protocol):
    """Measures a model on what it does not learn from."""

    def compile(self, model: Any) -> None:
        """Compiles what `figures` needs."""
        ...

    def figures(self, model: Any) -> dict[str, float]:
        """What a row of metrics tells of the model."""
        ...


@dataclass(frozen=True)
class Hooks:
    """What a caller wants to be called with the rows of metrics.

    Attributes:
        on_interval: with each row.
        on_validation: with each for which the model was measured.
    """

    on_interval: Callable[[Row], object] | None = None
    on_validation: Callable[[Row], object] | None = None

    def call(self, row: Row, *, validated: bool) -> None:
        """Calls what is to be called with a row."""
        if self.on_interval:
            self.on_interval(row)
        if self.on_validation and validated:
            self.on_validation(row)


NO_HOOKS = Hooks()


class Log:
    """Gathers the losses of batches, and makes a row of what was gathered since the one before."""

    def __init__(self, recipe: Recipe, validation: Measure, *, seconds: float = 0.0) -> None:
        """
        Args:
            recipe: what is trained.
            validation: measures the model.
            seconds: of training before.
        """
        self._recipe, self._validation = recipe, validation
        self._learning_rate = jax.jit(schedule_of(recipe))
        self._row_started = time.perf_counter()
        self._started = self._row_started - seconds
        self._losses: list[np.ndarray] = []

    def losses(self, losses: np.ndarray) -> None:
        """Takes the losses of batches, float32 `[steps]`."""
        self._losses.append(losses)

    def row(self, interval: Interval, model: Trainable) -> Row:
        """The row that is due after an interval."""
        now = time.perf_counter()
        losses = np.concatenate(self._losses)
        row = {
            "step": interval.last,
            "loss": float(losses[-1]),
            "mean_loss": float(losses.mean(dtype=np.float64)),
            "learning_rate": float(self._learning_rate(interval.last - 1)),
            "images_per_second": len(losses) * self._recipe.batch_size / (now - self._row_started),
            "seconds": now - self._started,
        }
        return row | (self._validation.figures(model) if interval.validate else {})

    def go_on(self) -> None:
        """Begins with the next row; what was done with the last one is not counted into its speed."""
        self._losses, self._row_started = [], time.perf_counter()
