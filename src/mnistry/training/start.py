"""How a run starts or goes on: its recipe, its data and the state of its weights, before a step is made."""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jax.sharding import Mesh

from mnistry.data import Dataset
from mnistry.data.dataset import CLASSES
from mnistry.data.image_form import ImageForm
from mnistry.data.in_memory import Given
from mnistry.data.split import Split, check_trainable
from mnistry.datasets import load
from mnistry.errors import CheckpointError, InvalidValueError, RunError
from mnistry.optimizers import spans_the_run
from mnistry.recipes import Recipe, find_recipe, own_values
from mnistry.training import processes
from mnistry.training.checkpoint import load_newest, state_of_first
from mnistry.training.compiled import compiled_step
from mnistry.training.devices import keep_compiled, make_mesh
from mnistry.training.progress import TrainingProgress
from mnistry.training.run import Run, split_for
from mnistry.training.state import State, initial_state, schedule_of, starting_from
from mnistry.training.watching import part_to_show


def require_one_process(recipe: Recipe) -> None:
    """Raises InvalidValueError where several processes are to train a recipe of which one draws the pages."""
    if processes.count() > 1:
        raise InvalidValueError(
            f"{recipe.name} learns from pages that are drawn while it trains, in one process; leave "
            f"`processes={processes.count()}` out"
        )


def changed_recipe(
    recipe: Recipe | str, changes: dict[str, Any], *, seed: int, epochs: float | None
) -> Recipe:
    """The recipe that is meant, with its changes.

    Raises:
        MnistryError: a name or value is not usable.
    """
    recipe = (find_recipe(recipe) if isinstance(recipe, str) else recipe).changed(**changes)
    recipe.require_effect(own_values(recipe))
    if epochs is not None and "steps" in changes:
        raise InvalidValueError(
            f"`epochs={epochs!r}` and `steps={recipe.steps!r}` both say how long to train; give one of them"
        )
    if not 0 <= seed < 2**32:
        raise InvalidValueError(f"`seed` must be at least 0 and below {2**32:,}, not {seed}")
    return recipe


@dataclass(frozen=True, eq=False)
class Prepared:
    """All that training on images starts from."""

    recipe: Recipe
    dataset: Dataset
    split: Split
    mesh: Mesh
    state: State


def prepared(
    recipe: Recipe,
    changes: dict[str, Any],
    *,
    data: str | Path | Given,
    data_dir: Path | str | None,
    seed: int,
    init_from: Path | str | None,
    epochs: float | None,
    form: ImageForm,
    check_images: bool,
    progress: TrainingProgress,
) -> Prepared:
    """Loads and divides the data, and draws the initial weights; nothing is written.

    Raises:
        MnistryError: as `train`.
    """
    dataset = load(data, data_dir, **form.to_json(), check_images=check_images)
    for name in {"validation", "split"} & {*changes, *own_values(recipe)}:
        if dataset.validation is not None:
            raise InvalidValueError(
                f"`{name}={getattr(recipe, name)!r}` has no effect: {dataset.name} has a validation part "
                "of its own"
            )
    split = split_for(recipe, dataset, seed=seed, data_dir=data_dir, say=progress.note)
    check_trainable(split, dataset.name)
    part_to_show(progress, split)  # before a folder is made
    if epochs is not None:
        if not 0 < epochs < float("inf"):
            raise InvalidValueError(f"`epochs` must be above 0 and finite, not {epochs}")
        recipe = replace(recipe, steps=math.ceil(epochs * math.ceil(len(split.train) / recipe.batch_size)))
    mesh = make_mesh(recipe, progress.warn)
    keep_compiled()
    classes = len(dataset.class_names)
    state = state_of_first(lambda: first_state(recipe, seed, init_from, classes), recipe, classes)
    return Prepared(recipe, dataset, split, mesh, state)


def say_if_computed_otherwise(run: Run, mesh: Mesh, progress: TrainingProgress) -> None:
    """Warns where compiled kernels made the steps of a run and do so no more, or do so from now on."""
    ways = {True: "with compiled kernels", False: "without compiled kernels"}
    before, now = "kernels" in run.description, compiled_step(run.recipe, mesh) is not None
    if before != now:
        progress.warn(
            f"{run.path}: started {ways[before]}, goes on {ways[now]}: the weights will be those of an "
            "uninterrupted run but for rounding"
        )


def planned(run: Run, steps: int, progress: TrainingProgress) -> Run:
    """The run with so many steps in all; its folder says so from now on.

    Raises:
        InvalidValueError: it has made more than that, or they are more than can be counted.
    """
    if steps == run.steps:
        return run
    recipe = run.recipe.changed(steps=steps)
    state, _ = _newest(run, recipe)
    made = 0 if state is None else int(state.step)
    if steps < made:
        raise InvalidValueError(
            f"`steps` must be at least {made:,}, which {run.path} has made already, not {steps:,}"
        )
    if made and spans_the_run(recipe.schedule):
        before, after = (float(schedule_of(one)(made)) for one in (run.recipe, recipe))
        progress.warn(
            f"{run.path}: the schedule {recipe.schedule} depends on the number of steps. After step "
            f"{made:,} the learning rate goes from {before:.3g}, that of a run of {run.steps:,} steps, to "
            f"{after:.3g}, that of one of {steps:,}. So the weights are not those of a run that is started "
            f"with {steps:,}"
        )
    return run.planned(steps, made)


def state_to_resume(run: Run, progress: TrainingProgress) -> State:
    """The newest state that was saved; later rows of metrics are forgotten.

    Raises:
        RunError: no checkpoint can be read.
    """
    state, damaged = _newest(run, run.recipe)
    if state is None and damaged:
        raise RunError(
            f"{damaged[0]}, and {run.checkpoints} holds no older one that can be read. Put a good one "
            "back, or remove the folder: the run then starts again and ends with the same weights"
        )
    for error in damaged:
        progress.warn(f"{error}; going on with an older one")
    if state is None:
        state = first_state(run.recipe, run.seed, run.init_from, run.classes)
    planned_until = max(run.earlier_fingerprints.values(), default=0)
    if spans_the_run(run.recipe.schedule) and int(state.step) < planned_until:
        raise RunError(
            f"{run.path}: the first {planned_until:,} steps were made at the learning rates of a shorter "
            "run, and their checkpoint is gone, so they cannot be made again. Put it back into "
            f"{run.checkpoints}, or start a new run"
        )
    if damage := run.metrics.forget_after(int(state.step)):
        progress.warn(damage)
    return state


def _newest(run: Run, recipe: Recipe) -> tuple[State | None, list[CheckpointError]]:
    """The newest checkpoint of a run as a state of a recipe, and what is wrong with newer ones."""
    return load_newest(
        run.checkpoints,
        like=initial_state(recipe, run.seed, run.classes),
        of=run.fingerprint,
        before=run.earlier_fingerprints,
    )


def first_state(recipe: Recipe, seed: int, init_from: Path | str | None, classes: int = CLASSES) -> State:
    """The state before the first step: drawn from the seed, or with the weights of another run."""
    state = initial_state(recipe, seed, classes)
    if init_from is not None:
        state = starting_from(recipe, Run.open(init_from).trainable_model(like=state.model), state.key)
    return state
