"""A run in training: a run folder with its recipe; how it is made, locked, and gone on with."""

import json
import platform
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TypeVar

import filelock
import jax
import jax.numpy as jnp
import numpy as np

from mnistry.atomic import write_text
from mnistry.data import Dataset
from mnistry.data.also import with_digits_of_others
from mnistry.data.dataset import CLASSES
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.data.in_memory import shapes
from mnistry.data.loading import place
from mnistry.data.split import Split, split
from mnistry.data.writers import read_writers
from mnistry.errors import DataError, InvalidValueError, RunError, UnknownNameError
from mnistry.export.arrays import read_arrays, with_arrays
from mnistry.export.without_onnx import JaxClassifier
from mnistry.models import FoldedModel, Reader, Trainable
from mnistry.models.layers import SIDE
from mnistry.reading.classifier import Classifier
from mnistry.recipes import Recipe
from mnistry.runs import (
    EVALUATION,
    FORM,
    LOCK,
    RECIPE,
    TRAINABLE,
    WEIGHTS,
    MeasuredOn,
    RunFolder,
    fingerprint,
    read_run,
)
from mnistry.training.notebook import run_as_html
from mnistry.training.processes import from_first, is_first

Tree = TypeVar("Tree")
Kept = TypeVar("Kept", bound=Trainable)
_LOOKED_AT = 0.5  # seconds: who lists runs holds a lock for a moment to see whether it is free
LIBRARIES = ("mnistry", "jax", "jaxlib", "equinox", "optax", "numpy", "onnx", "onnxruntime")


@dataclass(frozen=True)
class Run(RunFolder):
    """A run folder with its recipe. `create` makes a new one, `open` finds one again."""

    recipe: Recipe

    @staticmethod
    def create(
        runs: Path | str,
        recipe: Recipe,
        *,
        seed: int,
        source: str,
        sha256: dict[str, str],
        data: Path | str | Dataset,
        classes: int = CLASSES,
        data_dir: Path | str | None = None,
        form: ImageForm = AS_MNIST,
        init_from: Path | str | None = None,
        pictures: Path | str | None = None,
        measured_on: MeasuredOn = "test",
        with_kernels: bool = False,
        also: Mapping[str, str] | None = None,
    ) -> "Run":
        """Makes a new folder in `runs`, named by the recipe and the first free number.

        Every path is kept whole, so that it means the same from any working directory. Of data that were
        given as values, hashes and shapes are kept. `with_kernels` is kept, too: whether compiled kernels
        make the steps. `also` are the hashes of the digits of others that are learnt from, too.

        Raises:
            InvalidValueError: the recipe's name is no name for a folder.
            OSError: the folder cannot be made.
        """
        description = {
            "form": FORM,
            "recipe": recipe.to_json(),
            "seed": seed,
            "data": {
                "name": data.name if isinstance(data, Dataset) else place(data),
                "data_dir": _whole(data_dir),
                "images": form.to_json(),
                "source": source,
                "sha256": sha256,
                **({"given": shapes(data)} if isinstance(data, Dataset) else {}),
                **({"classes": classes} if classes != CLASSES else {}),
                **({"also": dict(also)} if also else {}),
            },
            "init_from": _whole(init_from),
            **({"pictures": _whole(pictures)} if pictures else {}),
            **({"measured_on": measured_on} if measured_on != "test" else {}),
            **({"kernels": "compiled"} if with_kernels else {}),
            "versions": library_versions(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "git_revision": _git_revision(),
        }
        description["sha256"] = fingerprint(description)
        path = _new_folder(Path(runs), recipe.name)
        try:
            write_text(path / RECIPE, json.dumps(description, indent=2) + "\n")
        except BaseException:
            with suppress(OSError):  # what happened first is what is to be told
                path.rmdir()
            raise
        return Run(path, description, recipe)

    @staticmethod
    def open(path: Path | str) -> "Run":
        """Finds a run again by its folder.

        Raises:
            RunError: see `mnistry.runs.read_run`; or the recipe has fields that are unknown.
        """
        folder = read_run(path)
        try:
            recipe = Recipe.from_json(dict(folder.description["recipe"]))
        except (RunError, InvalidValueError, UnknownNameError) as error:
            raise RunError(f"{folder.path / RECIPE}: {error}") from error
        return Run(folder.path, folder.description, recipe)

    @staticmethod
    def of_first(make: Callable[[], "Run"]) -> "Run":
        """The run that the first of several processes makes or opens. The others hear what it is, and never
        touch its folder, which may lie on a disk of the first one.

        Raises: what `make` raises, in all of them.
        """

        def pack(run: Run) -> bytes:
            return json.dumps([str(run.path), dict(run.description)]).encode()

        def unpack(content: bytes) -> Run:
            path, description = json.loads(content)
            return Run(Path(path), description, Recipe.from_json(dict(description["recipe"])))

        return from_first(make, pack, unpack)

    def require_same(
        self, recipe: Recipe, seed: int, dataset: Dataset, also: Mapping[str, str] | None = None
    ) -> None:
        """Makes sure that this process was started to train this very run, of which the first one told.

        Raises:
            InvalidValueError: with another recipe or seed.
            DataError: with other data.
        """
        told, own = self.description["recipe"], recipe.to_json()
        differ = {name: (told.get(name), value) for name, value in own.items() if told.get(name) != value}
        if self.seed != seed:
            differ["seed"] = (self.seed, seed)
        # As JSON, which has no tuples.
        for name, values in differ.items():
            first, here = map(json.dumps, values)
            if first != here:
                raise InvalidValueError(
                    f"process 0 was started with `{name}={first}`, this one with `{name}={here}`; start all "
                    "processes with the same values"
                )
        if dict(dataset.sha256) != self.data_sha256:
            raise DataError(
                f"the data set {dataset.name!r} is not the same here as for process 0 (its SHA-256 differs). "
                "Give all processes the same files"
            )
        for name, sha256 in (also or {}).items():
            if self.also_sha256.get(name) != sha256:
                raise DataError(
                    f"the digits of {name} are not the same here as for process 0 (their SHA-256 differs). "
                    "Give all processes the same files"
                )

    def divided(self, dataset: Dataset, data_dir: Path | str | None = None) -> Split:
        """The parts of its data set, which `load_data` gives, as they were when it was started.

        Args:
            dataset: its data set.
            data_dir: where writers and the digits of others are looked for; by default as then.

        Raises:
            RunError: the digits of others that it learns from are not the same any more.
            DataError: they cannot be found or read.
        """
        parts = split_for(self.recipe, dataset, seed=self.seed, data_dir=data_dir or self.data_dir)
        for name, sha256 in parts.also.items():
            if self.also_sha256.get(name) != sha256:
                raise RunError(
                    f"{self.path}: the digits of {name} are not those that this run was started with (their "
                    "SHA-256 differs). Put the former files back, or start a new run."
                )
        return parts

    def planned(self, steps: int, made: int) -> "Run":
        """The run with another number of steps, written to its folder; it is unfinished until it made them.

        The values that the run had before stay readable: checkpoints of then are its own, and `recipe.json`
        says how many steps were planned while each was made.

        Args:
            steps: how many the run is to make.
            made: how many it has made.

        Raises:
            OSError: the folder cannot be written to.
        """
        recipe = self.recipe.changed(steps=steps)
        earlier = [*self.description.get("earlier_plans", []), {"steps": self.steps, "until_step": made}]
        description = {**self.description, "form": FORM, "recipe": recipe.to_json(), "earlier_plans": earlier}
        description["sha256"] = fingerprint(description)
        # First, because what it says is of a whole run: a process that dies here leaves one to be finished.
        (self.path / EVALUATION).unlink(missing_ok=True)
        write_text(self.path / RECIPE, json.dumps(description, indent=2) + "\n")
        return Run(self.path, description, recipe)

    def to_be_tested(self) -> "Run":
        """The run as one that is measured on the test part; unfinished until `mnistry.resume` has done so.

        Raises:
            OSError: the folder cannot be written to.
        """
        description = {name: value for name, value in self.description.items() if name != "measured_on"}
        (self.path / EVALUATION).unlink(missing_ok=True)  # first, as in `planned`
        write_text(self.path / RECIPE, json.dumps(description, indent=2) + "\n")
        return Run(self.path, description, self.recipe)

    def _repr_html_(self) -> str:
        """The run as a table, for notebooks."""
        return run_as_html(self)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keeps other processes from training this run while the block runs.

        The lock is the system's, and goes with the process however it ends. Where several train the run, the
        first one holds it.

        Raises:
            RunError: another process trains it.
        """
        if not is_first():
            yield
            return
        try:
            with filelock.FileLock(self.path / LOCK, timeout=_LOOKED_AT, is_singleton=False):
                yield
        except filelock.Timeout as error:
            raise RunError(
                f"{self.path}: another process is training this run. Wait until it is done, or stop it first"
            ) from error

    def model(self) -> FoldedModel:
        """The trained model for use, from `model.safetensors`.

        Raises:
            RunError: the file is missing (the run is not finished), damaged, or of another model.
        """
        initial = self.recipe.untrained(np.random.default_rng(0), self.classes)
        if isinstance(initial, Reader):  # its verifier has a file of its own
            initial = initial.detector
        like: FoldedModel = jax.eval_shape(initial.folded, jnp.zeros((1, 1, SIDE, SIDE)))
        return self._filled(like, WEIGHTS)

    def classifier(self) -> Classifier:
        """The trained model as it is used: `model.onnx`, or where it has no such form, computed by JAX.

        Raises:
            RunError: the run is not finished, a file is damaged, or the class of its model is not defined.
        """
        if self.without_onnx:
            return JaxClassifier(self.model(), self.figures["class_names"])
        return Classifier.load(self.path)

    def trainable_model(self, like: Kept) -> Kept:
        """The trained model as it was trained, from `trainable.safetensors`.

        Args:
            like: a model of the structure to fill.

        Raises:
            RunError: the file is missing (the run is not finished, or was made by a version that did not keep
                it), damaged, or of another model.
        """
        name = TRAINABLE
        if not (self.path / name).exists() and (self.path / WEIGHTS).exists():
            if not isinstance(like, FoldedModel):
                raise RunError(
                    f"{self.path / name}: missing. An earlier version of mnistry made this run, and kept its "
                    "weights for use only, with normalisation folded in: they cannot be trained any further. "
                    f"Train the recipe {self.recipe.name} again."
                )
            name = WEIGHTS
        return self._filled(like, name)

    def _filled(self, like: Tree, name: str) -> Tree:
        path = self.path / name
        try:
            return with_arrays(like, read_arrays(path))
        except FileNotFoundError as error:
            raise RunError(
                f"{path}: missing. If the run was stopped, finish it: `mnistry.resume({str(self.path)!r})`"
            ) from error
        except ValueError as error:
            raise RunError(f"{path}: the weights are of another model: {error}") from error


def library_versions() -> dict[str, str]:
    """The versions of mnistry and of what decides its numbers."""
    return {library: version(library) for library in LIBRARIES}


def split_for(
    recipe: Recipe,
    dataset: Dataset,
    *,
    seed: int,
    data_dir: Path | str | None,
    say: Callable[[str], None] = lambda _: None,
) -> Split:
    """Divides a data set as the recipe says, see `mnistry.data.split`; the training part has the digits of
    others, too, that the recipe names. `say` is told what is going to be downloaded."""
    by_writer = recipe.split == "writer" and dataset.validation is None
    writers = read_writers(dataset, data_dir=data_dir).writers if by_writer else None
    parts = split(dataset, validation=recipe.validation, how=recipe.split, seed=seed, writers=writers)
    return with_digits_of_others(parts, dataset, recipe.also, data_dir, say)


def _whole(path: Path | str | None) -> str | None:
    return str(Path(path).expanduser().resolve()) if path else None


def _new_folder(runs: Path, name: str) -> Path:
    if not name or name.startswith(".") or Path(name).name != name or "\0" in name:
        raise InvalidValueError(f"a recipe's name names the folders of its runs, which {name!r} cannot")
    runs.mkdir(parents=True, exist_ok=True)
    tails = (
        path.name.removeprefix(f"{name}-") for path in runs.iterdir() if path.name.startswith(f"{name}-")
    )
    number = max((int(tail) for tail in tails if tail.isdecimal()), default=0) + 1
    while True:
        path = runs / f"{name}-{number}"
        try:
            path.mkdir()
            return path
        except FileExistsError:  # made by another process in the meantime
            number += 1


def _git_revision() -> str | None:
    """The revision of the code, where it runs from a checkout of its own."""
    file = Path(__file__)
    git = ["git", "-C", str(file.parent)]
    try:
        subprocess.run([*git, "ls-files", "--error-unmatch", file.name], check=True, capture_output=True)
        describe = [*git, "describe", "--always", "--dirty", "--abbrev=40"]
        return subprocess.run(describe, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None
