"""Training by hand: one step, or a hundred, and a look at the state between them, as in a session."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from mnistry.data.image_form import ImageForm
from mnistry.data.in_memory import Given
from mnistry.errors import InvalidValueError, UnknownNameError
from mnistry.evaluation.metrics import Evaluation
from mnistry.export.without_onnx import usable
from mnistry.history import Row
from mnistry.models import FoldedModel
from mnistry.recipes import Recipe
from mnistry.training.devices import on_devices, on_this_host
from mnistry.training.folding import folding_batches, for_use
from mnistry.training.intervals import intervals
from mnistry.training.log import Hooks, Log
from mnistry.training.loop import image_steps, require_finite
from mnistry.training.progress import TrainingProgress
from mnistry.training.start import changed_recipe, prepared
from mnistry.training.state import State
from mnistry.training.validation import Validation

Part = Literal["test", "validation", "train"]
CHECKED_IMAGES = 100  # on which the exported model is compared with the trained one


class Step(NamedTuple):
    """One update of the weights.

    Attributes:
        number: of the step, from 1.
        loss: of its batch, before the update.
    """

    number: int
    loss: float


class Trainer:
    """Trains a recipe step by step, in memory: the same numbers, to the bit, as `mnistry.train` with it.

    Nothing is written; `mnistry.train` does that. A `Trainer` is iterated over step by step, up to the
    recipe's last.

    Attributes:
        recipe: what is trained.
        dataset: its data.
        split: their parts.
        history: a row of metrics for each logging interval that is over, as in a run's `metrics.jsonl`.

    >>> trainer = Trainer("softmax", data="optdigits", steps=200)
    >>> first = trainer.step()
    >>> round(first, 4), trainer.steps(150).shape
    (2.3026, (150,))
    >>> [step.number for step in trainer][-1], trainer.evaluate().accuracy > 0.8
    (200, True)
    """

    def __init__(
        self,
        recipe: Recipe | str,
        *,
        data: str | Path | Given | None = None,
        data_dir: Path | str | None = None,
        seed: int = 0,
        init_from: Path | str | None = None,
        epochs: float | None = None,
        invert: bool = False,
        transpose: bool = False,
        full_scale: float | None = None,
        check_images: bool = True,
        on_interval: Callable[[Row], object] | None = None,
        on_validation: Callable[[Row], object] | None = None,
        **changes: Any,
    ) -> None:
        """
        Args:
            recipe, data, data_dir, seed, init_from, epochs: as of `mnistry.train`.
            invert, transpose, full_scale, check_images: as of `mnistry.train`.
            on_interval, on_validation, changes: as of `mnistry.train`.

        Raises:
            MnistryError: as `mnistry.train`; or the recipe is of a model that reads pages.
        """
        recipe = changed_recipe(recipe, changes, seed=seed, epochs=epochs)
        if recipe.reads_pages:
            raise InvalidValueError(
                f"{recipe.name} learns from pages that are drawn while it trains; `mnistry.train` trains it"
            )
        start = prepared(
            recipe,
            changes,
            data="mnist" if data is None else data,
            data_dir=data_dir,
            seed=seed,
            init_from=init_from,
            epochs=epochs,
            form=ImageForm(invert, transpose, full_scale),
            check_images=check_images,
            progress=TrainingProgress(silent=True),
        )
        self.recipe, self.dataset, self.split = start.recipe, start.dataset, start.split
        self.history: list[Row] = []
        self._mesh = start.mesh
        self._state = on_devices(start.state, self._mesh)
        self._run_steps = image_steps(self.recipe, self.split.train, start.mesh, seed=seed)
        validation = Validation(self.recipe, self.split.validation, self.split.train, start.mesh)
        self._log = Log(self.recipe, validation)
        self._hooks = Hooks(on_interval, on_validation)
        self._seen = folding_batches(self.recipe, self.split.train)

    @property
    def made(self) -> int:
        """How many steps are made."""
        return int(self._state.step)

    @property
    def state(self) -> State:
        """All that a step changes: model, average, optimizer, count of steps; a copy, which stays as it is.

        Put back, training goes on from there.
        """
        copy: State = jax.tree.map(jnp.copy, self._state)
        return copy

    @state.setter
    def state(self, state: State) -> None:
        self._state = on_devices(jax.tree.map(jnp.copy, state), self._mesh)
        self.history = [row for row in self.history if row["step"] <= self.made]
        self._log.go_on()

    @property
    def model(self) -> FoldedModel:
        """The model as it is for use, with the averaged weights where the recipe keeps an average."""
        return for_use(self.recipe, on_this_host(self._state.final_model), self._seen)

    def step(self) -> float:
        """Makes one update of the weights, and returns the loss of its batch before it."""
        return float(self.steps(1)[0])

    def steps(self, count: int | None = None) -> NDArray[np.float32]:
        """Makes updates in one compiled loop, or in as many as there are logging intervals.

        Args:
            count: how many; by default all that are left.

        Returns:
            The loss of each batch before its update, float32 `[count]`.

        Raises:
            InvalidValueError: more than the recipe has left.
            TrainingError: a loss is not finite.
        """
        made = self.made
        left = self.recipe.steps - made
        count = left if count is None else count
        if not 0 <= count <= left:
            raise InvalidValueError(
                f"`count` must be 0 to {left:,}, not {count:,}: {made:,} of the {self.recipe.steps:,} steps "
                "are made. Give `steps` to the trainer for more of them"
            )
        every = [np.zeros(0, np.float32)]
        for interval in intervals(self.recipe, made, until=made + count):
            self._state, losses = self._run_steps(self._state, interval.first, len(interval))
            require_finite(self.recipe, {"loss": losses}, interval.first + 1)
            every.append(losses)
            self._log.losses(losses)
            if interval.log:
                row = self._log.row(interval, self._state.final_model)
                self.history.append(row)
                self._hooks.call(row, validated=interval.validate)
                self._log.go_on()
        return np.concatenate(every)

    def __iter__(self) -> Iterator[Step]:
        """Makes a step for each turn, until the recipe's last is made."""
        while self.made < self.recipe.steps:
            loss = self.step()
            yield Step(self.made, loss)

    def evaluate(self, part: Part = "test") -> Evaluation:
        """Measures the model as it is now, for use, on a part of the data.

        Raises:
            UnknownNameError: there is no such part.
            InvalidValueError: the part is empty.
        """
        parts = {"test": self.split.test, "validation": self.split.validation, "train": self.split.train}
        if part not in parts:
            raise UnknownNameError("part", part, parts)
        examples = parts[part]
        if not len(examples):
            raise InvalidValueError(f"`part={part!r}`: there are no images in it")
        checked = examples.images[:CHECKED_IMAGES]
        made = usable(self.model, self.dataset.class_names, checked, "the model as ONNX")
        return Evaluation.of(made.classifier.logits(examples.images), examples.labels)

    def __repr__(self) -> str:
        return f"Trainer({self.recipe.name}: {self.made:,} of {self.recipe.steps:,} steps)"
