"""What a run folder is: its files, the version of their form, and how to read them. Training writes them.

runs/softmax-1/
  recipe.json          all values, seed, versions, hashes of the data, revision of the code; changed only
                       where a run goes on for more steps, and then it tells what was planned before
  metrics.jsonl        a row per logging interval
  tensorboard/         the same as event files, with histograms and a sheet of mistakes
  checkpoints/         the newest states of training, for `mnistry.resume`
  trainable.safetensors  the trained weights, to train on from
  model.safetensors    the same for use, normalisation folded in
  model.onnx           the same model for everything that reads pictures
  before.onnx          the reader as it was before it was taught, and lessons-STEP.npz what it was taught
  evaluation.json      figures on the test part; written last: where it is, the run is finished
  report.html          all of it to look at
  .lock                held by the process that trains it

The forms of `recipe.json`:
  1   has no "form"; may name a data set by a path that happened to have its name
  2   "form", and "sha256" of what decides the numbers, so that a changed recipe is noticed
  3   "earlier_plans": the "steps" that were planned before, each "until_step" that was made then
  4   "pictures": the folder of labelled pictures that a reader was taught
  5   "measured_on": "validation", where the test part was left unopened
  6   "also", within "data": SHA-256 of each set of other people's digits that was learnt from, too
"""

import hashlib
import json
import math
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mnistry.data import Dataset, Examples, load
from mnistry.data.dataset import CLASSES
from mnistry.data.image_form import ImageForm
from mnistry.data.split import split
from mnistry.data.writers import read_writers
from mnistry.errors import RunError
from mnistry.evaluation.metrics import Evaluation
from mnistry.files import open_regular, read_regular
from mnistry.history import History, Row

if TYPE_CHECKING:
    from mnistry.data.in_memory import Given

RECIPE = "recipe.json"
METRICS = "metrics.jsonl"
TENSORBOARD = "tensorboard"
CHECKPOINTS = "checkpoints"
TRAINABLE = "trainable.safetensors"
WEIGHTS = "model.safetensors"
MODEL = "model.onnx"
EVALUATION = "evaluation.json"
REPORT = "report.html"
BEFORE, BEFORE_VERIFIER = "before.onnx", "before-verifier.onnx"
LESSONS = "lessons-{step}.npz"
LOCK = ".lock"

FORM = 6
MeasuredOn = Literal["test", "validation"]
"""The part that a finished run was measured on."""
_LARGEST_JSON = 2**26  # bytes: ours have some thousand


@dataclass(frozen=True)
class RunFolder:
    """A run folder and what its `recipe.json` holds.

    Attributes:
        path: the folder.
        description: the values of `recipe.json`.
    """

    path: Path
    description: Mapping[str, Any]

    @property
    def recipe_name(self) -> str:
        """The name of its recipe."""
        return str(self.description["recipe"]["name"])

    @property
    def steps(self) -> int:
        """The steps of its recipe."""
        return int(self.description["recipe"]["steps"])

    @property
    def seed(self) -> int:
        """Decides the initial weights, the order of examples, and dropout."""
        return int(self.description["seed"])

    @property
    def data(self) -> str:
        """The name of a data set of the catalogue, or the absolute path of another."""
        return str(self.description["data"]["name"])

    @property
    def data_shapes(self) -> dict[str, list[int]]:
        """The shape of the images of each part, where the data were given as values in Python; else none."""
        return dict(self.description["data"].get("given", {}))

    @property
    def classes(self) -> int:
        """How many classes its model has."""
        return int(self.description["data"].get("classes", CLASSES))

    @property
    def data_dir(self) -> Path | None:
        """Where its named data set was looked for first."""
        folder = self.description["data"]["data_dir"]
        return Path(folder) if folder else None

    @property
    def data_sha256(self) -> dict[str, str]:
        """SHA-256 of the content of its data set, for each file or part."""
        return dict(self.description["data"]["sha256"])

    @property
    def also_sha256(self) -> dict[str, str]:
        """SHA-256 of the digits of others that it learns from too, by the names of their sets."""
        return dict(self.description["data"].get("also", {}))

    @property
    def image_form(self) -> ImageForm:
        """How its data set stores its images."""
        return ImageForm.from_json(self.description["data"].get("images", {}))

    @property
    def init_from(self) -> Path | None:
        """The run whose weights were the initial ones."""
        folder = self.description["init_from"]
        return Path(folder) if folder else None

    @property
    def pictures(self) -> Path | None:
        """The folder of labelled pictures, where it is the run of a reader that was taught them."""
        folder = self.description.get("pictures")
        return Path(folder) if folder else None

    @property
    def measured_on(self) -> MeasuredOn:
        """The part that it is measured on when it is finished; on validation, who has yet to choose."""
        return "validation" if "measured_on" in self.description else "test"

    def measured_part(self, dataset: Dataset) -> Examples:
        """The examples that it was measured on.

        Args:
            dataset: its data set, see `load_data`.
        """
        if self.measured_on == "test":
            return dataset.test
        how, validation = (self.description["recipe"][name] for name in ("split", "validation"))
        by_writer = how == "writer" and dataset.validation is None
        writers = read_writers(dataset, data_dir=self.data_dir).writers if by_writer else None
        return split(dataset, validation=validation, how=how, seed=self.seed, writers=writers).validation

    @property
    def fingerprint(self) -> str:
        """SHA-256 of its recipe, seed and data, which decide its numbers."""
        return fingerprint(self.description)

    @property
    def earlier_fingerprints(self) -> dict[str, int]:
        """Its fingerprints from before it was to go on for more steps, each with the last step made then."""
        return earlier_fingerprints(self.description)

    @property
    def checkpoints(self) -> Path:
        """The folder of checkpoints."""
        return self.path / CHECKPOINTS

    @property
    def finished(self) -> bool:
        """Whether the run came to its end."""
        return (self.path / EVALUATION).exists()

    @property
    def in_training(self) -> bool:
        """Whether a process trains it now, which then holds its lock."""
        import filelock

        try:
            if (self.path / LOCK).exists():
                with filelock.FileLock(self.path / LOCK, timeout=0, is_singleton=False):
                    pass
        except filelock.Timeout:
            return True
        except OSError:  # a folder that one may only read is not trained in
            pass
        return False

    @cached_property
    def figures(self) -> dict[str, Any]:
        """What `evaluation.json` holds.

        Raises:
            RunError: the file is missing (the run is not finished) or damaged.
        """
        if not self.finished:
            raise RunError(
                f"{self.path}: the run is not finished: {EVALUATION} is missing. If it was stopped, go on "
                f"with: `mnistry.resume({str(self.path)!r})`"
            )
        return read_json(self.path / EVALUATION)

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation on the test part.

        Raises:
            RunError: the run is not finished, or its model reads pages and not single images.
        """
        if "misread" in self.figures:
            raise RunError(
                f"{self.path}: its model finds digits on pages, and has no figures on single images. "
                "Measure it with `mnistry evaluate-pictures`"
            )
        return Evaluation.from_json(self.figures)

    @property
    def nothing_learnt(self) -> str | None:
        """Why a finished run is of no use, where its model answers no better than always the same."""
        reason = self.figures.get("nothing_learnt")
        return str(reason) if reason else None

    @property
    def without_onnx(self) -> bool:
        """Whether its model has no ONNX form, as some of one's own; JAX computes it then."""
        return self.finished and not (self.path / MODEL).exists() and "without_onnx" in self.figures

    def load_data(self, given: "Given | None" = None) -> Dataset:
        """Loads the data set that the run was made with.

        Args:
            given: the data, if they were given as values in Python then: they are not kept in the folder.

        Raises:
            DataError: it cannot be found or read.
            RunError: it is not the same any more, or it has to be given again.
        """
        from mnistry.data.in_memory import from_values

        if given is not None and not self.data_shapes:
            raise RunError(f"{self.path}: the run knows where its data are: {self.data}. Leave `data` out")
        if given is not None:
            if (same := self.same_data(from_values(given, self.image_form))) is None:
                raise RunError(
                    f"{self.path}: the data are not those that this run was started with: "
                    f"{self._given_then}. Give these, in the same order, or start a new run."
                )
            return same
        if self.data_shapes:
            raise RunError(
                f"{self.path}: this run was started in Python with data that were given as "
                f"values: {self._given_then}. Give the same again in Python, such as by data=(X, y)"
            )
        dataset = load(self.data, self.data_dir, form=self.image_form)
        if dataset.sha256 != self.data_sha256:
            raise RunError(
                f"{self.path}: the data set {self.data!r} is not the one that this run was started with "
                f"(its SHA-256 differs). Put the former files back, or start a new run."
            )
        return dataset

    def same_data(self, dataset: Dataset) -> Dataset | None:
        """The data set, if its content is what the run was made with; else None."""
        return dataset if dataset.sha256 == self.data_sha256 else None

    @property
    def _given_then(self) -> str:
        shapes = ", ".join(f"{part} {shape}" for part, shape in self.data_shapes.items())
        return f"{self.description['data']['source']} (images: {shapes})"

    def same_test_part(self, other: "RunFolder") -> bool:
        """Whether another finished run was measured on the same images, be it from other files.

        Raises:
            DataError: a data set cannot be found or read.
            RunError: a data set is not the same any more, or a run is not finished.
        """
        if self.data_sha256 == other.data_sha256 and self.measured_on == other.measured_on == "test":
            return True
        if self.evaluation.n != other.evaluation.n:
            return False
        mine, others = (run.measured_part(run.load_data()) for run in (self, other))
        return np.array_equal(mine.images, others.images) and np.array_equal(mine.labels, others.labels)

    @property
    def metrics(self) -> History:
        """Its rows of metrics, to be read and added to."""
        return History(self.path / METRICS)

    def history(self) -> list[Row]:
        """The rows of metrics that can be read, their steps ascending."""
        return self.metrics.read()[0]

    def parameters(self) -> int | None:
        """How many numbers the trained model has, from the header of its weights alone; None without them.

        Raises:
            RunError: the file is damaged.
        """
        path = self.path / WEIGHTS
        if not path.exists():
            return None
        try:
            with open_regular(path) as file:
                (size,) = struct.unpack("<Q", file.read(8))
                if size > path.stat().st_size:
                    raise ValueError("its header is longer than the file")
                header: dict[str, Any] = json.loads(file.read(size))
            shapes = (entry["shape"] for name, entry in header.items() if name != "__metadata__")
            return sum(int(math.prod(shape)) for shape in shapes)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
            raise RunError(f"{path}: damaged, or no safetensors file: {error}") from error


def read_run(path: Path | str) -> RunFolder:
    """Reads a run folder's `recipe.json`.

    Raises:
        RunError: there is no such folder, its recipe.json is missing or damaged, was made by a later
            mnistry, or was changed since the run was started.
    """
    path = Path(path)
    if not path.is_dir():
        raise RunError(f"{path}: there is no such run folder")
    file = path / RECIPE
    description = read_json(file)
    _require_fields(file, description)
    form = description.get("form", 1)
    if form > FORM:
        raise RunError(
            f"{file}: the run was made by a later mnistry: its form is {form}, known are 1 to {FORM}. "
            "Install the newer version"
        )
    if form >= 2 and description.get("sha256") != fingerprint(description):
        raise RunError(
            f"{file}: its recipe, its seed or the hashes of its data were changed after the run was "
            "started, so its weights and figures are not of what it says. Put back what was there; for "
            "other values start a new run, with init_from to go on from this one's weights"
        )
    return RunFolder(path, description)


def find_runs(folder: Path) -> tuple[list[Path], dict[str, str]]:
    """The run folders in a folder and all folders below it, in the order of their names and numbers.

    Folders of runs are not looked into, hidden ones are left out, and links are not followed.

    Returns:
        The run folders, and why for each folder that cannot be listed.

    Raises:
        RunError: there is no such folder.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: there is no such folder of runs")
    found: list[Path] = []
    closed: dict[str, str] = {}

    def refuse(error: OSError) -> None:
        closed[str(error.filename)] = f"the folder cannot be listed: {error.strerror}"

    for parent, folders, files in os.walk(folder, onerror=refuse):
        if RECIPE in files:
            found.append(Path(parent))
            folders.clear()
        folders[:] = [name for name in folders if not name.startswith(".")]
    return sorted(found, key=by_number), closed


def by_number(path: Path) -> list[tuple[str, int]]:
    """To sort paths by: mlp-2 before mlp-10."""
    parts = []
    for part in path.parts:
        name, _, number = part.rpartition("-")
        parts.append((name, int(number)) if number.isdecimal() else (part, -1))
    return parts


def fingerprint(description: Mapping[str, Any]) -> str:
    """SHA-256 of what decides a run's numbers: recipe, seed and data. Folders may be moved."""
    data = description["data"]
    deciding = [description["recipe"], description["seed"], data["sha256"], data.get("images", {})]
    if also := data.get("also"):
        deciding.append(also)
    if earlier := description.get("earlier_plans"):
        deciding.append(earlier)
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def earlier_fingerprints(description: Mapping[str, Any]) -> dict[str, int]:
    """The fingerprints of each earlier plan of a run, with the last step that was made under it."""
    plans = description.get("earlier_plans", [])
    found = {}
    for number, plan in enumerate(plans):
        recipe = {**description["recipe"], "steps": plan["steps"]}
        of_then = {**description, "recipe": recipe, "earlier_plans": plans[:number]}
        found[fingerprint(of_then)] = int(plan["until_step"])
    return found


def read_json(path: Path) -> dict[str, Any]:
    """Reads a JSON object from a file of a run folder.

    Raises:
        RunError: it is missing, no regular file, too large, or damaged.
    """
    try:
        content = json.loads(read_regular(path, most_bytes=_LARGEST_JSON).decode())
    except FileNotFoundError as error:
        raise RunError(f"{path.parent}: {path.name} is missing, so it is no run folder") from error
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, RecursionError) as error:
        raise RunError(f"{path}: damaged: {error}") from error
    if not isinstance(content, dict):
        raise RunError(f"{path}: damaged: an object was expected, found {type(content).__name__}")
    return content


def _require_fields(file: Path, description: Mapping[str, Any]) -> None:
    """Raises RunError where a field is missing or of another type."""
    fields: tuple[tuple[tuple[str, ...], tuple[type, ...]], ...] = (
        (("recipe",), (dict,)),
        (("recipe", "name"), (str,)),
        (("recipe", "steps"), (int,)),
        (("seed",), (int,)),
        (("data",), (dict,)),
        (("data", "name"), (str,)),
        (("data", "data_dir"), (str, type(None))),
        (("data", "source"), (str,)),
        (("data", "sha256"), (dict,)),
        (("init_from",), (str, type(None))),
        (("versions",), (dict,)),
    )
    for names, types in fields:
        value: Any = description
        for name in names:
            if name not in value:
                raise RunError(f"{file}: damaged, or of no run: {'.'.join(names)!r} is missing")
            value = value[name]
        if type(value) not in types:
            expected = " or ".join("null" if kind is type(None) else kind.__name__ for kind in types)
            raise RunError(
                f"{file}: damaged: {'.'.join(names)!r} should be {expected}, found {type(value).__name__}"
            )
    also = description["data"].get("also", {})
    if not isinstance(also, dict) or not all(type(value) is str for value in also.values()):
        raise RunError(f"{file}: damaged: 'data.also' should be an object of SHA-256")
    plans = description.get("earlier_plans", [])
    names_of_a_plan = {"steps", "until_step"}
    if not isinstance(plans, list) or not all(
        isinstance(plan, dict)
        and plan.keys() == names_of_a_plan
        and all(type(value) is int for value in plan.values())
        for plan in plans
    ):
        raise RunError(f"{file}: damaged: 'earlier_plans' should be a list of 'steps' and 'until_step'")
    if type(description.get("pictures", "")) is not str:
        raise RunError(f"{file}: damaged: 'pictures' should be str")
    if description.get("measured_on", "validation") != "validation":
        raise RunError(f"{file}: damaged: 'measured_on' should be 'validation'")
    if type(description.get("form", 1)) is not int:
        raise RunError(f"{file}: damaged: 'form' should be int, found {type(description['form']).__name__}")
