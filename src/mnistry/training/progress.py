"""Live progress on standard error: a bar in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Self

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

PLAIN_LINE_SECONDS = 10.0


class TrainingProgress:
    """Shows step of steps, loss, learning rate, images a second, time left, validation accuracy.

    Used as `with progress.over(steps):` around a run.
    """

    def __init__(self, *, print_every: int = 0, silent: bool = False) -> None:
        """
        Args:
            print_every: print the loss of the batch every so many steps, as the tutorials do; 0: never.
            silent: show nothing but losses, where they are asked for, and warnings.
        """
        self.steps = 0
        self.print_every = print_every
        self.silent = silent
        self._console = Console(file=sys.stderr, highlight=False)
        self._validation = ""
        self._started = self._last_line = time.monotonic()
        self._first_step: int | None = None
        self._bar: Progress | None = None

    def over(self, steps: int) -> Self:
        """Says how many steps the run has."""
        self.steps = steps
        return self

    def __enter__(self) -> Self:
        if not self.silent and self._console.is_terminal:
            self._bar = Progress(
                TextColumn("step {task.completed:,}/{task.total:,}"),
                BarColumn(bar_width=20),
                TimeRemainingColumn(elapsed_when_finished=True),
                TextColumn("{task.fields[text]}"),
                console=self._console,
            )
            self._bar.add_task("training", total=self.steps, text="compiling…")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def note(self, text: str) -> None:
        """Prints a line, unless silent."""
        if not self.silent:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Prints a line that the user must see."""
        self._console.print(text, markup=False, soft_wrap=True)

    def losses(self, first_step: int, losses: np.ndarray) -> None:
        """Prints the losses of the batches at every `print_every`-th step.

        Args:
            first_step: the step that `losses` begins with, counted from 1.
            losses: float32 `[steps]`.
        """
        if self.print_every:
            for step, loss in enumerate(losses.tolist(), first_step):
                if step % self.print_every == 0 or step == self.steps:
                    self.warn(f"step {step}: loss {loss:.6g}")

    def row(self, row: Mapping[str, float]) -> None:
        """Shows a row of metrics."""
        now, step = time.monotonic(), int(row["step"])
        if self._first_step is None:
            # The rate is unknown until the second row: the first one pays for whatever came before.
            self._first_step, self._started = step, now
        validated = "validation_accuracy" in row
        if validated:
            self._validation = f"  validation {row['validation_accuracy']:.4f}"
        text = (
            f"loss {row['mean_loss']:.4g}  rate {row['learning_rate']:.3g}  "
            f"{row['images_per_second']:,.0f} images/s{self._validation}"
        )
        if self._bar:
            self._bar.update(self._bar.task_ids[0], completed=step, text=text)
        elif not self.silent and (
            validated or step == self.steps or now - self._last_line > PLAIN_LINE_SECONDS
        ):
            self._last_line = now
            self.note(f"step {step:,}/{self.steps:,}  {self._time_left(step, now)}  {text}")

    def _time_left(self, step: int, now: float) -> str:
        assert self._first_step is not None
        done = step - self._first_step
        if not done:
            return "time left unknown"
        seconds = round((now - self._started) / done * (self.steps - step))
        return f"{seconds // 60}:{seconds % 60:02d} left"
