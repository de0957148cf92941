"""One trial of a sweep: an ordinary run, measured on validation; made, gone on with, or found."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mnistry.errors import RunError
from mnistry.history import Row
from mnistry.recipes import Recipe
from mnistry.runs import RECIPE, RunFolder, by_number, read_run

if TYPE_CHECKING:
    from mnistry.training import Run


PATIENCE = 60.0
"""Seconds for which a run may still be held by a process whose sweep was killed, until Ray ends that, too."""


@dataclass(frozen=True)
class Place:
    """What the trials of a sweep have in common.

    Attributes:
        runs: the folder that holds their run folders.
        data: see `mnistry.train`.
        data_dir: see `mnistry.train`.
        choosing: whether there is a choice to be made; without one, runs are measured on the test part.
    """

    runs: Path
    data: str
    data_dir: Path | None
    choosing: bool


def run_trial(
    place: Place, recipe: Recipe, seed: int, *, on_validation: Callable[[Row], object] | None = None
) -> "Run":
    """The finished run of a recipe and a seed: it is made, or gone on with, unless it is there.

    Raises: as `mnistry.train`.
    """
    from mnistry.training import Run, resume, train

    found = find_trial(place, recipe, seed)
    if found is None:
        return train(
            recipe,
            data=place.data,
            data_dir=place.data_dir,
            seed=seed,
            runs=place.runs,
            measured_on="validation" if place.choosing else "test",
            on_validation=on_validation,
        )
    until = time.monotonic() + PATIENCE
    while found.in_training and time.monotonic() < until:
        time.sleep(1)
    return Run.open(found.path) if found.finished else resume(found.path, on_validation=on_validation)


def find_trial(place: Place, recipe: Recipe, seed: int) -> RunFolder | None:
    """The run folder of a recipe and a seed, if there is one."""
    wanted = _plain(recipe.to_json())
    for path in sorted(place.runs.glob(f"{recipe.name}-*"), key=by_number):
        if (path / RECIPE).exists():
            run = read_run(path)
            if run.seed == seed and _plain(run.description["recipe"]) == wanted:
                return run
    return None


def _plain(recipe: object) -> object:
    """A recipe as JSON has it: lists for tuples; without what is only told."""
    values = json.loads(json.dumps(recipe))
    return {name: value for name, value in values.items() if name not in ("summary", "reaches")}


def open_test(run: "Run") -> "Run":
    """Measures a finished run on the test part, and says so in its folder."""
    from mnistry.training import resume

    return run if run.finished and run.measured_on == "test" else resume(run.to_be_tested().path)


def validation_accuracy(run: RunFolder) -> float:
    """The accuracy on the validation part at the end of a run.

    Raises:
        RunError: its rows of metrics have none.
    """
    found = [row["validation_accuracy"] for row in run.history() if "validation_accuracy" in row]
    if not found:
        raise RunError(f"{run.path}: its metrics have no accuracy on validation, by which to choose")
    return found[-1]


def on_cores(cores: int) -> None:
    """Lets JAX compute with so many threads; only before it is imported."""
    os.environ["NPROC"] = os.environ["PJRT_NPROC"] = str(cores)
