"""The run folder: what a training run is given, and what comes of it.

runs/softmax-1/
  recipe.json          all values, seed, versions, hashes of the data, revision of the code
  metrics.jsonl        a row per logging interval
  tensorboard/         the same as event files, with histograms and a sheet of mistakes
  checkpoints/         the newest states of training, for `mnistry.resume`
  trainable.safetensors  the trained weights, to train on from
  model.safetensors    the same for use, normalisation folded in
  model.onnx           the same model for everything that reads pictures
  evaluation.json      figures on the test part
  report.html          all of it to look at
"""

import json
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from mnistry.atomic import write_text
from mnistry.data import Dataset, load
from mnistry.data.split import Split, split
from mnistry.data.writers import read_writers
from mnistry.errors import InvalidValueError, RunError
from mnistry.evaluation.metrics import Evaluation
from mnistry.export.arrays import read_arrays, with_arrays
from mnistry.models import FoldedModel, Model
from mnistry.models.layers import SIDE
from mnistry.recipes import Recipe

Tree = TypeVar("Tree")
LIBRARIES = ("mnistry", "jax", "jaxlib", "equinox", "optax", "numpy", "onnx", "onnxruntime")


@dataclass(frozen=True)
class Run:
    """A run folder. `create` makes a new one, `open` finds one again."""

    path: Path
    recipe: Recipe
    seed: int
    data: str
    """Name or path of the data set."""
    data_dir: Path | None
    data_sha256: Mapping[str, str]
    init_from: Path | None

    @staticmethod
    def create(
        runs: Path | str,
        recipe: Recipe,
        *,
        seed: int,
        dataset: Dataset,
        data: Path | str,
        data_dir: Path | str | None = None,
        init_from: Path | str | None = None,
    ) -> "Run":
        """Makes a new folder in `runs`, named by the recipe and the first free number.

        Raises:
            OSError: the folder cannot be made.
        """
        runs = Path(runs)
        runs.mkdir(parents=True, exist_ok=True)
        run = Run(
            path=_new_folder(runs, recipe.name),
            recipe=recipe,
            seed=seed,
            # A path must mean the same when the run is resumed from another working directory.
            data=str(Path(data).resolve()) if Path(data).exists() else str(data),
            data_dir=Path(data_dir).resolve() if data_dir else None,
            data_sha256=dataset.sha256,
            init_from=Path(init_from).resolve() if init_from else None,
        )
        try:
            write_text(run.path / "recipe.json", json.dumps(run._description(dataset), indent=2) + "\n")
        except BaseException:
            run.path.rmdir()
            raise
        return run

    @staticmethod
    def open(path: Path | str) -> "Run":
        """Finds a run again by its folder.

        Raises:
            RunError: the folder does not exist, or lacks a readable `recipe.json`.
        """
        path = Path(path)
        description = _read_json(path / "recipe.json")
        try:
            data, init_from = description["data"], description["init_from"]
            return Run(
                path=path,
                recipe=Recipe.from_json(description["recipe"]),
                seed=description["seed"],
                data=data["name"],
                data_dir=Path(data["data_dir"]) if data["data_dir"] else None,
                data_sha256=data["sha256"],
                init_from=Path(init_from) if init_from else None,
            )
        except (KeyError, TypeError) as error:
            raise RunError(f"{path / 'recipe.json'}: not a run's recipe.json: {error} is missing") from error
        except (RunError, InvalidValueError) as error:
            raise RunError(f"{path / 'recipe.json'}: {error}") from error

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / "checkpoints"

    def load_data(self) -> Dataset:
        """Loads the data set that the run was made with.

        Raises:
            DataError: it cannot be found or read.
            RunError: it is not the same any more.
        """
        dataset = load(self.data, self.data_dir)
        if dataset.sha256 != self.data_sha256:
            raise RunError(
                f"{self.path}: the data set {self.data!r} is not the one that this run was started with "
                f"(its SHA-256 differs). Put the former files back, or start a new run."
            )
        return dataset

    def log(self, row: Mapping[str, float]) -> None:
        """Appends a row to `metrics.jsonl`."""
        with (self.path / "metrics.jsonl").open("a") as file:
            file.write(json.dumps(row) + "\n")

    def history(self) -> list[dict[str, float]]:
        """The rows of `metrics.jsonl`; a last line that was cut short is left out."""
        file = self.path / "metrics.jsonl"
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def forget_rows_after(self, step: int) -> None:
        """Drops what was logged after `step`, which a resumed run will log again."""
        if (self.path / "metrics.jsonl").exists():
            rows = [row for row in self.history() if row["step"] <= step]
            write_text(self.path / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in rows))

    def model(self) -> FoldedModel:
        """The trained model for use, from `model.safetensors`.

        Raises:
            RunError: the file is missing (the run is not finished), damaged, or of another model.
        """
        initial = self.recipe.model.build(np.random.default_rng(0))
        like: FoldedModel = jax.eval_shape(initial.folded, jnp.zeros((1, 1, SIDE, SIDE)))
        return self._filled(like, "model.safetensors")

    def trainable_model(self, like: Model) -> Model:
        """The trained model as it was trained, from `trainable.safetensors`.

        Args:
            like: a model of the structure to fill.

        Raises:
            RunError: the file is missing (the run is not finished, or was made by a version that did not keep
                it), damaged, or of another model.
        """
        name = "trainable.safetensors"
        if not (self.path / name).exists() and (self.path / "model.safetensors").exists():
            if not isinstance(like, FoldedModel):
                raise RunError(
                    f"{self.path / name}: missing. An earlier version of mnistry made this run, and kept its "
                    "weights for use only, with normalisation folded in: they cannot be trained any further. "
                    f"Train the recipe {self.recipe.name} again."
                )
            name = "model.safetensors"
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

    @cached_property
    def description(self) -> dict[str, Any]:
        """What `recipe.json` holds.

        Raises:
            RunError: the file is missing or damaged.
        """
        return _read_json(self.path / "recipe.json")

    @cached_property
    def figures(self) -> dict[str, Any]:
        """What `evaluation.json` holds.

        Raises:
            RunError: the file is missing (the run is not finished) or damaged.
        """
        return _read_json(self.path / "evaluation.json")

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation on the test part."""
        return Evaluation.from_json(self.figures)

    def _description(self, dataset: Dataset) -> dict[str, Any]:
        return {
            "recipe": self.recipe.to_json(),
            "seed": self.seed,
            "data": {
                "name": self.data,
                "data_dir": str(self.data_dir) if self.data_dir else None,
                "source": dataset.source,
                "sha256": dict(self.data_sha256),
            },
            "init_from": str(self.init_from) if self.init_from else None,
            "versions": library_versions(),
            "python": platform.python_version(),
            "platform": platform.platform(),
            "git_revision": _git_revision(),
        }


def library_versions() -> dict[str, str]:
    """The versions of mnistry and of what decides its numbers."""
    return {library: version(library) for library in LIBRARIES}


def split_for(recipe: Recipe, dataset: Dataset, *, seed: int, data_dir: Path | str | None) -> Split:
    """Divides a data set as the recipe says; see `mnistry.data.split`."""
    by_writer = recipe.split == "writer" and dataset.validation is None
    writers = read_writers(dataset, data_dir=data_dir).writers if by_writer else None
    return split(dataset, validation=recipe.validation, how=recipe.split, seed=seed, writers=writers)


def _new_folder(runs: Path, name: str) -> Path:
    taken = [int(tail) for path in runs.glob(f"{name}-*") if (tail := path.name[len(name) + 1 :]).isdigit()]
    number = max(taken, default=0) + 1
    while True:
        path = runs / f"{name}-{number}"
        try:
            path.mkdir()
            return path
        except FileExistsError:  # made by another process in the meantime
            number += 1


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text())
    except FileNotFoundError as error:
        if not path.parent.is_dir():
            raise RunError(f"{path.parent}: there is no such run folder") from error
        raise RunError(f"{path.parent}: not a finished run folder: {path.name} is missing") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise RunError(f"{path}: damaged: {error}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: damaged: an object was expected")
    return content


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
