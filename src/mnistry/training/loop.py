"""The training run, top to bottom: `train` → `fit` → `run_steps` → `train_step`.

`train_step`, in step.py, is the mathematics of one update. `run_steps` is a compiled loop over many of
them, in which Python takes no part. `fit` calls it once per logging interval and writes down what happened.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mnistry.atomic import remove_leftovers
from mnistry.data import Dataset
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.data.in_memory import Given
from mnistry.data.split import Split
from mnistry.errors import InvalidValueError, TrainingError
from mnistry.export.arrays import named_arrays
from mnistry.history import Row
from mnistry.recipes import Recipe
from mnistry.runs import MeasuredOn
from mnistry.training import processes
from mnistry.training.batches import Epochs, Rows, batch_indices
from mnistry.training.checkpoint import state_of_first
from mnistry.training.compiled import compiled_step
from mnistry.training.devices import SHARED, keep_compiled, make_mesh, on_devices, on_this_host
from mnistry.training.finish import finish
from mnistry.training.interruption import Interrupted, stop_on_signals
from mnistry.training.intervals import intervals, longest
from mnistry.training.log import NO_HOOKS, Hooks, Log, Measure
from mnistry.training.progress import TrainingProgress, shown_by_default
from mnistry.training.record import Record
from mnistry.training.run import Run
from mnistry.training.start import (
    Prepared,
    changed_recipe,
    planned,
    prepared,
    require_one_process,
    say_if_computed_otherwise,
    state_to_resume,
)
from mnistry.training.state import State, schedule_of
from mnistry.training.step import Step, train_step
from mnistry.training.validation import Validation
from mnistry.training.watching import ShownAccuracy


def train(
    recipe: Recipe | str,
    *,
    data: str | Path | Given | None = None,
    data_dir: Path | str | None = None,
    seed: int = 0,
    runs: Path | str = "runs",
    init_from: Path | str | None = None,
    epochs: float | None = None,
    invert: bool = False,
    transpose: bool = False,
    full_scale: float | None = None,
    check_images: bool = True,
    measured_on: MeasuredOn = "test",
    progress: TrainingProgress | None = None,
    on_interval: Callable[[Row], object] | None = None,
    on_validation: Callable[[Row], object] | None = None,
    **changes: Any,
) -> Run:
    """Trains a recipe and returns the finished run, whose folder holds everything that came of it.

    Args:
        recipe: a recipe, or the name of one in `mnistry.recipes.RECIPES`.
        data: a named data set, the path of a folder or file of one's own, or values, such as `(X, y)`
            (see `mnistry.load`); by default `"mnist"`. Of values, the run folder keeps hashes and shapes. For
            a model that reads pages, the folder of handwriting that they are drawn with.
        data_dir: where to look for named data sets first.
        seed: decides the initial weights, the order of examples, and dropout.
        runs: the folder in which the run gets a new folder of its own.
        init_from: a run folder whose trained weights are the initial ones.
        epochs: passes over the training part, in place of the recipe's steps.
        invert, transpose, full_scale, check_images: how the images are stored; see `mnistry.load`.
        measured_on: the part that the finished run is measured on; `"validation"` leaves the test part
            unopened, for who has yet to choose among runs.
        progress: where to show how it goes; without it, only a notebook shows anything.
        on_interval: is called with each row of metrics: `step`, `loss`, `mean_loss`, `learning_rate`, ….
        on_validation: is called with each row that has accuracies, too.
        **changes: fields of the recipe to change, such as `steps=500`.

    Raises:
        MnistryError: a name, value, data set or run folder is not usable, or the loss is not finite.
        Interrupted: Ctrl-C or SIGTERM; the state is saved.

    >>> import tempfile
    >>> run = train("softmax", data="optdigits", steps=200, runs=tempfile.mkdtemp())
    >>> run.evaluation.accuracy > 0.8
    True
    """
    recipe = changed_recipe(recipe, changes, seed=seed, epochs=epochs)
    progress = _heard(progress)
    form = ImageForm(invert, transpose, full_scale)
    hooks = Hooks(on_interval, on_validation)
    if recipe.reads_pages:
        from mnistry.data.handwriting import find_handwriting
        from mnistry.training.pages.train import train_on_pages

        settings = (epochs, form, progress.accuracy_every, hooks, measured_on)
        if settings != (None, AS_MNIST, 0, NO_HOOKS, "test"):
            raise InvalidValueError(
                f"{recipe.name} learns from pages that are drawn while it trains: `epochs`, `invert`, "
                "`transpose`, `full_scale`, `measured_on`, `accuracy_every`, `on_interval` and "
                "`on_validation` have no effect"
            )
        require_one_process(recipe)
        if not isinstance(data, str | Path | None):
            raise InvalidValueError(
                f"{recipe.name} learns from pages that are drawn with a folder of handwriting: `data` must "
                "be its path"
            )
        return train_on_pages(
            recipe,
            find_handwriting(data or "handwriting", data_dir, say=progress.note),
            data_dir=data_dir,
            seed=seed,
            runs=runs,
            init_from=init_from,
            progress=progress,
        )
    data = "mnist" if data is None else data
    start = prepared(
        recipe,
        changes,
        data=data,
        data_dir=data_dir,
        seed=seed,
        init_from=init_from,
        epochs=epochs,
        form=form,
        check_images=check_images,
        progress=progress,
    )
    if measured_on == "validation" and not len(start.split.validation):
        raise InvalidValueError(
            f"`measured_on={measured_on!r}` needs a validation part, and {start.recipe.name} learns from all "
            "images: give `validation`, such as 1/12"
        )
    run = Run.of_first(
        lambda: Run.create(
            runs,
            start.recipe,
            seed=seed,
            source=start.dataset.source,
            sha256=dict(start.dataset.sha256),
            data=data if isinstance(data, str | Path) else start.dataset,
            classes=len(start.dataset.class_names),
            data_dir=data_dir,
            form=form,
            init_from=init_from,
            measured_on=measured_on,
            with_kernels=compiled_step(start.recipe, start.mesh) is not None,
            also=start.split.also,
        )
    )
    run.require_same(start.recipe, seed, start.dataset, start.split.also)
    with run.locked(), processes.together(run.path):
        return _train(run, start, progress, hooks)


def _heard(progress: TrainingProgress | None) -> TrainingProgress:
    """What shows how it goes; of several processes the first one alone does."""
    progress = progress or shown_by_default()
    if not processes.is_first():
        progress.mute()
    return progress


def resume(
    path: Path | str,
    *,
    steps: int | None = None,
    data: Given | None = None,
    progress: TrainingProgress | None = None,
    on_interval: Callable[[Row], object] | None = None,
    on_validation: Callable[[Row], object] | None = None,
) -> Run:
    """Goes on with a run from its newest checkpoint, to the very weights of an uninterrupted run.

    That is so where the steps are made as they were before: with compiled kernels or without. Else the
    weights are the same but for rounding, and that is said.

    With `steps`, a run that is finished or was stopped is made longer (or, if it was stopped, shorter) in
    its folder: optimizer, averages and the order of examples go on, and it ends with the very weights of a
    run that was started with so many steps. Not so where the schedule depends on the number of steps
    ("cosine", "triangular"): its rate jumps to that of the longer run. That is said, and `recipe.json` keeps
    how many steps were planned before.

    Args:
        path: the run folder.
        steps: how many steps the run is to have in all, in place of what it was started with.
        data: what `train` was given, where these were values and no name or path.
        progress: where to show how it goes; without it, only a notebook shows anything.
        on_interval, on_validation: see `train`.

    Raises:
        InvalidValueError: fewer steps than the run has made.
        RunError: the folder is no run, was changed by hand, is being trained by another process, or holds
            no checkpoint that can be read; or its data set has changed since, or is to be given again.
        Interrupted: as for `train`.
    """
    run = Run.of_first(lambda: Run.open(path))
    progress = _heard(progress)
    if run.recipe.reads_pages:
        require_one_process(run.recipe)
        from mnistry.training.pages.train import resume_on_pages
        from mnistry.training.teaching.teach import resume_teaching

        if steps is not None:
            with run.locked():
                run = planned(run, steps, progress)
        return resume_teaching(run, progress) if run.pictures else resume_on_pages(run, progress)
    dataset = run.load_data(data)
    split = run.divided(dataset)
    mesh = make_mesh(run.recipe, progress.warn)
    keep_compiled()
    with run.locked(), processes.together(run.path):
        processes.only_first(lambda: remove_leftovers(run.path))
        if steps is not None:
            shorter = run
            run = Run.of_first(lambda: planned(shorter, steps, progress))
        state = state_of_first(lambda: state_to_resume(run, progress), run.recipe, run.classes)
        start = Prepared(run.recipe, dataset, split, mesh, state)
        say_if_computed_otherwise(run, mesh, progress)
        return _train(run, start, progress, Hooks(on_interval, on_validation))


def _train(run: Run, start: Prepared, progress: TrainingProgress, hooks: Hooks) -> Run:
    dataset, split, mesh, state = start.dataset, start.split, start.mesh, start.state
    epochs = Epochs(len(split.train), run.recipe.batch_size, run.recipe.order)
    with (
        progress.over(run.recipe.steps, epochs),
        Record(run, from_step=int(state.step)) as record,
    ):
        progress.note(
            f"{run.path}: {run.recipe.name}, seed {run.seed}, from step {int(state.step):,}; "
            f"{len(split.train):,} images for training{_of_others(split)}, "
            f"{_held_out(run.recipe, dataset, split)}, {len(split.test):,} for the test; {dataset.source}"
        )
        for note in dataset.notes:
            progress.warn(f"{dataset.name}: {note}")
        steps = image_steps(run.recipe, split.train, mesh, seed=run.seed)
        validation = Validation(run.recipe, split.validation, split.train, mesh)
        shown = ShownAccuracy(run.recipe, split, mesh, progress) if progress.accuracy_every else None
        state = on_devices(state, mesh)
        state = fit(run, steps, validation, state, progress, record, shown=shown, hooks=hooks)
        processes.only_first(
            lambda: finish(run, on_this_host(state), dataset, split, record.events, progress)
        )
    return run


def _of_others(split: Split) -> str:
    return f" (with those of {', '.join(split.also)})" if split.also else ""


def _held_out(recipe: Recipe, dataset: Dataset, split: Split) -> str:
    """Which images are for validation, in words."""
    if not len(split.validation):
        return "none for validation"
    if dataset.validation is not None:
        which = "its makers set them aside"
    else:
        which = {
            "first": "the first of the training images",
            "random": "random ones of the training images",
            "writer": "the training images of random writers",
        }[recipe.split]
    return f"{len(split.validation):,} for validation ({which})"


class Steps(Protocol):
    """Makes updates of the weights."""

    def __call__(self, state: State, first: int, count: int) -> tuple[State, np.ndarray]:
        """Makes `count` updates after step `first`; returns the losses of their batches too."""
        ...


def image_steps(recipe: Recipe, train: Rows, mesh: Mesh, *, seed: int, known: int | None = None) -> Steps:
    """Updates with batches of the training part, as many in one compiled loop as are asked for.

    Args:
        recipe: what to do in each step.
        train: the training part.
        mesh: the devices that share each batch.
        seed: decides the order of examples.
        known: so many of the examples, the first ones, are learnt from; by default all. What was compiled
            for a number of rows then serves fewer, too.
    """
    steps_function = compiled_steps(recipe, mesh, compiled_step(recipe, mesh) or train_step)
    examples = on_devices((train.images, train.labels), mesh)

    def run_steps_of(state: State, first: int, count: int) -> tuple[State, np.ndarray]:
        indices = np.full((longest(recipe), recipe.batch_size), -1, np.int32)
        indices[:count] = batch_indices(
            first,
            count,
            examples=known or len(train),
            batch_size=recipe.batch_size,
            order=recipe.order,
            seed=seed,
        )
        shared = on_devices(indices, mesh, None, SHARED)
        state, losses = steps_function(state, *examples, shared, count)
        return state, np.asarray(losses)[:count]

    return run_steps_of


def fit(
    run: Run,
    run_steps_of: Steps,
    validation: Measure,
    state: State,
    progress: TrainingProgress,
    record: Record,
    *,
    shown: ShownAccuracy | None = None,
    hooks: Hooks = NO_HOOKS,
) -> State:
    """Trains from `state` to the recipe's last step, logging, validating and saving on the way.

    Args:
        run: the run.
        run_steps_of: makes the updates.
        validation: measures the model for the rows of metrics.
        state: where to start.
        progress: where to show how it goes.
        record: writes it down.
        shown: shows an accuracy that was asked for.
        hooks: what is called with the rows of metrics.

    Returns:
        The last state.

    Raises:
        TrainingError: the loss or the weights are not finite.
        Interrupted: Ctrl-C or SIGTERM; a checkpoint of the state is saved.
    """
    recipe = run.recipe

    def save(state: State, step: int) -> None:
        require_finite(recipe, named_arrays(state), step, run.checkpoints)
        record.checkpoint(state)

    with stop_on_signals() as stop:
        step = int(state.step)
        if step < recipe.steps:  # no step at all: this compiles
            state, _ = run_steps_of(state, step, 0)
            processes.wait_for_others()
            validation.compile(state.final_model)
        log = Log(recipe, validation, seconds=record.seconds)
        saved = -1
        for interval in intervals(recipe, step, show_every=progress.accuracy_every):
            # Here all processes wait for the one that writes, and stop together.
            if signal_number := processes.wait_for_others(stop.signal_number):
                if saved < interval.first:
                    save(state, interval.first)
                raise Interrupted(
                    signal_number,
                    f"stopped at step {interval.first:,} of {recipe.steps:,}; everything is saved. "
                    f"Go on with: `mnistry.resume({str(run.path)!r})`",
                )
            state, losses = run_steps_of(state, interval.first, len(interval))
            require_finite(recipe, {"loss": losses}, interval.first + 1, run.checkpoints)
            progress.losses(interval.first + 1, losses)
            log.losses(losses)
            if interval.show and shown:
                shown.show(state.final_model, interval.last)
            if interval.log:
                row = log.row(interval, state.final_model)
                record.row(row, state.final_model, validated=interval.validate)
                progress.row(row)
                hooks.call(row, validated=interval.validate)
                log.go_on()
            if interval.checkpoint:
                save(state, saved := interval.last)
    return state


@lru_cache(maxsize=1)
def compiled_steps(recipe: Recipe, mesh: Mesh, step: Step) -> Any:
    """`run_steps` for a recipe on a mesh; several seeds of one recipe share what was compiled."""
    everywhere = NamedSharding(mesh, PartitionSpec())
    steps = partial(run_steps, recipe, step=step)
    return jax.jit(steps, donate_argnums=0, out_shardings=(everywhere, everywhere))


def run_steps(
    recipe: Recipe,
    state: State,
    images: Array,
    labels: Array,
    batches: Array,
    count: Array,
    *,
    step: Step = train_step,
) -> tuple[State, Array]:
    """Makes `count` updates in one compiled loop.

    The number of turns is an argument and not a constant, so that one compiled program serves any
    number of steps: where a run is cut into pieces cannot change its numbers.

    Args:
        recipe: what to do in each step.
        state: the state before.
        images: uint8 `[examples, 28, 28]`.
        labels: uint8 `[examples]`.
        batches: int32 `[at least count, batch]`, the rows of each step's batch; -1 is no row.
        count: int32 `[]`.
        step: makes one update.

    Returns:
        The state after, and the loss of each batch, float32 `[len(batches)]`.
    """

    def turn(index: Array, carried: tuple[State, Array]) -> tuple[State, Array]:
        state, losses = carried
        rows = batches[index]
        batch_images = images[rows].astype(jnp.float32) / 255
        state, loss = step(recipe, state, batch_images, labels[rows].astype(jnp.int32), rows >= 0)
        return state, losses.at[index].set(loss)

    result: tuple[State, Array] = jax.lax.fori_loop(0, count, turn, (state, jnp.zeros(len(batches))))
    return result


def require_finite(
    recipe: Recipe, arrays: dict[str, np.ndarray], first_step: int, checkpoints: Path | None = None
) -> None:
    """Makes sure that training can go on.

    Args:
        recipe: what is trained.
        arrays: `loss` has a value for each step.
        first_step: the first of them.
        checkpoints: where the states up to then are kept.

    Raises:
        TrainingError: a value is not finite.
    """
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            step = first_step + (int(np.argmin(np.isfinite(array))) if name == "loss" else 0)
            rate = float(schedule_of(recipe)(step - 1))
            kept = f"The checkpoints up to then are kept in {checkpoints}. " if checkpoints else ""
            raise TrainingError(
                f"{name} is not finite at step {step:,}, with the learning rate {rate:.6g}; training "
                f"stopped. {kept}Try a smaller `learning_rate`."
            )
