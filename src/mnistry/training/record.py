"""What a run writes while it trains: rows of metrics, TensorBoard's events, checkpoints."""

from types import TracebackType
from typing import Self

from mnistry.export.arrays import named_arrays
from mnistry.history import Row
from mnistry.models import Trainable
from mnistry.runs import TENSORBOARD
from mnistry.training.checkpoint import save_checkpoint
from mnistry.training.events import Events
from mnistry.training.processes import is_first
from mnistry.training.run import Run
from mnistry.training.state import State


class Record:
    """Writes into a run folder; where several processes train, the first one alone does.

    Used as `with Record(run, from_step=step) as record:`.

    Attributes:
        seconds: of training before, as the run's rows tell.
    """

    def __init__(self, run: Run, *, from_step: int) -> None:
        """
        Args:
            run: whose folder it is.
            from_step: the steps made before.

        Raises:
            OSError: the folder cannot be written to.
        """
        self._run = run
        self._events = Events(run.path / TENSORBOARD, from_step=from_step) if is_first() else None
        rows = reversed(run.history()) if is_first() else ()
        self.seconds = next((row["seconds"] for row in rows if "seconds" in row), 0.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._events:
            self._events.__exit__(kind, error, trace)

    @property
    def events(self) -> Events:
        """For TensorBoard; in the first process."""
        assert self._events
        return self._events

    def row(self, row: Row, model: Trainable, *, validated: bool) -> None:
        """Adds a row of metrics, and where the model was measured its weights as histograms."""
        if not self._events:
            return
        self._run.metrics.append(row)
        self._events.scalars(row)
        if validated:
            self._events.histograms(named_arrays(model), int(row["step"]))

    def checkpoint(self, state: State) -> None:
        """Saves a state, and what was written before it."""
        if not self._events:
            return
        self._run.metrics.sync()
        keep, of = self._run.recipe.keep_checkpoints, self._run.fingerprint
        save_checkpoint(self._run.checkpoints, state, keep=keep, of=of)
