"""Live progress: a bar in a notebook, or on standard error one in a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Literal, Self, get_args

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from mnistry.errors import InvalidValueError, UnknownNameError
from mnistry.language import gettext, part_name
from mnistry.training.batches import Epochs
from mnistry.training.notebook import NotebookBar

PLAIN_LINE_SECONDS = 10.0
ShownPart = Literal["validation", "test", "train"]


def shown_by_default() -> "TrainingProgress":
    """What shows how training goes where nobody asks for it: a bar in a notebook, else nothing."""
    return TrainingProgress(silent=not Console().is_jupyter)


class TrainingProgress:
    """Shows step of steps, mean loss, learning rate, images a second, time left, validation accuracy.

    What is called loss is that of one batch, before the update that it leads to; the mean loss is the mean of
    those since the line before. Used as `with progress.over(steps, epochs):` around a run.
    """

    def __init__(
        self,
        *,
        print_every: int = 0,
        accuracy_every: int = 0,
        accuracy_on: ShownPart = "validation",
        accuracy_images: int = 0,
        silent: bool = False,
    ) -> None:
        """
        Args:
            print_every: print the loss of the first batch, of every so many-th and of the last, as the
                tutorials do; where each epoch goes through the file, these are counted anew in each, from
                batch 0 on. 0: never.
            accuracy_every: print the accuracy every so many steps; 0: never.
            accuracy_on: the part of the data that it is measured on. Who chooses by that on the test part has
                no honest figure left.
            accuracy_images: measure it on a batch of so many, each time the next; 0: on all of the part.
            silent: show nothing but losses and accuracies, where they are asked for, and warnings.

        Raises:
            InvalidValueError: a negative number, a part or a number of images without `accuracy_every`.
            UnknownNameError: there is no such part.
        """
        for name, value in (
            ("print_every", print_every),
            ("accuracy_every", accuracy_every),
            ("accuracy_images", accuracy_images),
        ):
            if value < 0:
                raise InvalidValueError(f"`{name}` must be at least 0, not {value}")
        if accuracy_on not in get_args(ShownPart):
            raise UnknownNameError("part", accuracy_on, get_args(ShownPart))
        if not accuracy_every and (accuracy_on != "validation" or accuracy_images):
            given = (
                f"accuracy_images={accuracy_images}" if accuracy_images else f"accuracy_on={accuracy_on!r}"
            )
            raise InvalidValueError(f"`{given}` has no effect: it needs `accuracy_every`")
        self.steps = 0
        self.print_every = print_every
        self.accuracy_every = accuracy_every
        self.accuracy_on = accuracy_on
        self.accuracy_images = accuracy_images
        self.silent = silent
        self._epochs: Epochs | None = None
        self._headed = -1
        self._console = Console(file=sys.stderr, highlight=False)
        self._validation = ""
        self._started = self._last_line = time.monotonic()
        self._first_step: int | None = None
        self._bar: Progress | NotebookBar | None = None

    def mute(self) -> None:
        """Shows nothing from now on: another process that does the same shows it."""
        self._console.quiet, self.silent = True, True

    def over(self, steps: int, epochs: Epochs | None = None) -> Self:
        """Says how many steps the run has, and in which epoch each is, where there are epochs."""
        self.steps, self._epochs = steps, epochs
        return self

    def __enter__(self) -> Self:
        if not self.silent and self._console.is_jupyter:
            self._bar = NotebookBar(self.steps)
        elif not self.silent and self._console.is_terminal:
            self._bar = Progress(
                TextColumn(f"{gettext('step')} {{task.completed:,}}/{{task.total:,}}"),
                BarColumn(bar_width=20),
                TimeRemainingColumn(elapsed_when_finished=True),
                TextColumn("{task.fields[text]}"),
                console=self._console,
            )
            self._bar.add_task("training", total=self.steps, text=gettext("compiling…"))
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(self._bar, Progress):
            self._bar.stop()

    def note(self, text: str) -> None:
        """Prints a line, unless silent."""
        if not self.silent:
            self.warn(text)

    def warn(self, text: str) -> None:
        """Prints a line that the user must see."""
        self._console.print(text, markup=False, soft_wrap=True)

    def losses(self, first_step: int, losses: np.ndarray) -> None:
        """Prints those losses of batches that `print_every` asks for, under a heading for each epoch.

        Args:
            first_step: the step that `losses` begins with, counted from 1.
            losses: float32 `[steps]`.
        """
        for step, loss in enumerate(losses.tolist(), first_step) if self.print_every else ():
            _, batch = self._epochs.place(step - 1) if self._epochs else (0, 0)
            by_batch = self._epochs is not None and self._epochs.order == "file"
            due = batch % self.print_every == 0 if by_batch else step % self.print_every == 0 or step == 1
            if not due and step != self.steps:
                continue
            self._head(step)
            said = (
                gettext("step {step}, batch {batch}: loss {loss:.6g}")
                if by_batch
                else gettext("step {step}: loss {loss:.6g}")
            )
            self.warn(said.format(step=step, batch=batch, loss=loss))

    def accuracy(self, step: int, accuracy: float, images: int) -> None:
        """Prints an accuracy that was asked for.

        Args:
            step: the steps made.
            accuracy: on the part that was asked for, or a batch of it.
            images: how many it was measured on.
        """
        self._head(step)
        said = (
            gettext("step {step}: accuracy {accuracy:.4f} on a batch of {n:,} {part} images")
            if self.accuracy_images
            else gettext("step {step}: accuracy {accuracy:.4f} on {n:,} {part} images")
        )
        self.warn(said.format(step=step, accuracy=accuracy, n=images, part=part_name(self.accuracy_on)))

    def _head(self, step: int) -> None:
        """Prints the heading of a step's epoch before its first line, where epochs have several lines."""
        if self._epochs and 0 < self.print_every < self._epochs.steps:
            epoch = self._epochs.place(step - 1)[0]
            if epoch != self._headed:
                last = self._epochs.place(self.steps - 1)[0]
                self.warn(gettext("epoch {epoch} of {epochs}").format(epoch=epoch + 1, epochs=last + 1))
                self._headed = epoch

    def row(self, row: Mapping[str, float]) -> None:
        """Shows a row of metrics."""
        now, step = time.monotonic(), int(row["step"])
        if self._first_step is None:
            # The rate is unknown until the second row: the first one pays for whatever came before.
            self._first_step, self._started = step, now
        validated = "validation_accuracy" in row
        if validated:
            accuracy = row["validation_accuracy"]
            self._validation = "  " + gettext("validation accuracy {accuracy:.4f}").format(accuracy=accuracy)
        said = gettext(
            "mean loss {mean_loss:.4g}  rate {learning_rate:.3g}  {images_per_second:,.0f} images/s"
        )
        text = said.format_map(row) + self._validation
        if isinstance(self._bar, NotebookBar):
            self._bar.update(step, text)
        elif self._bar:
            self._bar.update(self._bar.task_ids[0], completed=step, text=text)
        elif not self.silent and (
            validated or step == self.steps or now - self._last_line > PLAIN_LINE_SECONDS
        ):
            self._last_line = now
            self.note(f"{gettext('step')} {step:,}/{self.steps:,}  {self._time_left(step, now)}  {text}")

    def _time_left(self, step: int, now: float) -> str:
        assert self._first_step is not None
        done = step - self._first_step
        if not done:
            return gettext("time left unknown")
        seconds = round((now - self._started) / done * (self.steps - step))
        return gettext("{minutes}:{seconds:02d} left").format(minutes=seconds // 60, seconds=seconds % 60)
