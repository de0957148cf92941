"""The models that can be asked for: loaded when first needed, taken anew when their file is replaced."""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from mnistry.data.dataset import DIGITS
from mnistry.errors import RunError, UnknownNameError
from mnistry.files import read_regular
from mnistry.reading.classifier import SHIPPED_MODEL, Classifier
from mnistry.reading.onnx_files import read_model
from mnistry.reading.recognizer import Recognizer
from mnistry.runs import MODEL, read_run
from mnistry.service import answers
from mnistry.service.batches import Batcher
from mnistry.service.limits import Limits
from mnistry.service.metrics import Metrics
from mnistry.service.problems import Problem

SHIPPED, SHIPPED_RECIPE = "shipped", "reader"
MOST_BYTES = 1 << 28  # of a model; the largest recipe's takes three megabytes
CHECK_SECONDS = 1.0  # between two looks at the same file

_log = logging.getLogger(__name__)

Stamp = tuple[int, int, int]
"""What changes when a file is replaced: its number, its size and the time of its last change."""


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model as it was in its file at one moment, beside the shipped one of the other kind."""

    recognizer: Recognizer
    classify: Batcher
    sha256: str
    size: int

    @property
    def class_names(self) -> tuple[str, ...]:
        """What its ten classes are called."""
        return self.recognizer.classifier.class_names


class _Description(NamedTuple):
    """What `/v1/models` tells of a model's file."""

    sha256: str
    size: int
    class_names: tuple[str, ...]


@dataclass(eq=False)
class _Kept:
    """A model in memory, and what was last seen of its file."""

    model: LoadedModel
    stamp: Stamp
    looked: float = field(default_factory=time.monotonic)


class Models:
    """The shipped model, one that was named at the start, and those of a folder of runs."""

    def __init__(
        self,
        named: Path | None,
        runs: Path,
        *,
        limits: Limits,
        executor: Executor,
        metrics: Metrics,
    ) -> None:
        """
        Args:
            named: a run folder or an ONNX file, the default; without it the shipped model is.
            runs: the folder of runs; it need not exist.
            limits: how many models are kept, and how many threads run them.
            executor: where they run.
            metrics: where batches are counted.

        Raises:
            RunError: the default model cannot be used.
        """
        self._runs = runs
        self._limits = limits
        self._executor = executor
        self._metrics = metrics
        self._fixed = {SHIPPED: SHIPPED_MODEL}
        self.default = SHIPPED
        if named:
            read_model(named)  # says best what is missing
            self.default = named.resolve().name if named.is_dir() else named.stem
            self._fixed[self.default] = named / MODEL if named.is_dir() else named
        # Several threads run them at the same time.
        self._shipped = Recognizer.load(threads=1)
        self._described: dict[Path, tuple[Stamp, _Description]] = {}
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._loading: dict[str, asyncio.Task[_Kept]] = {}
        self._kept[self.default] = self._load(self._fixed[self.default])

    async def get(self, name: str | None) -> LoadedModel:
        """A model by its name, by default the default one.

        Raises:
            Problem: there is none of this name (404), or it cannot be used (503).
        """
        name = name or self.default
        kept = self._kept.get(name)
        if kept and time.monotonic() - kept.looked < CHECK_SECONDS:
            self._kept.move_to_end(name)
            return kept.model
        path = self._fixed.get(name) or self._run(name)
        if kept:  # those who ask meanwhile get the model that is there
            kept.looked = time.monotonic()
            await asyncio.to_thread(self._take_anew, path, kept)
            return kept.model
        if name not in self._loading:  # those who ask meanwhile wait for the same one
            self._loading[name] = asyncio.create_task(asyncio.to_thread(self._load, path))
        try:
            kept = await asyncio.shield(self._loading[name])
        except RunError as error:
            _log.warning("%s", error)
            raise Problem(503, f"The model {name!r} cannot be used; the service's log tells why.") from error
        finally:
            self._loading.pop(name, None)
        self._kept[name] = kept
        others = [other for other in self._kept if other != self.default]
        for other in others[: -self._limits.models]:
            del self._kept[other]
        return kept.model

    async def listed(self) -> list[answers.Model]:
        """What `/v1/models` tells of each: name, recipe, file, classes, and accuracy on the test part."""
        return await asyncio.to_thread(self._list)

    def _run(self, name: str) -> Path:
        runs = self._found_runs()
        if name not in runs:
            raise Problem(404, str(UnknownNameError("model", name, [*self._fixed, *runs])))
        return runs[name]

    def _found_runs(self) -> dict[str, Path]:
        return {path.parent.name: path for path in sorted(self._runs.glob(f"*/{MODEL}"))}

    def _list(self) -> list[answers.Model]:
        models = []
        for name, path in {**self._found_runs(), **self._fixed}.items():
            try:
                sha256, size, names = self._in_use(name, path)
            except OSError:
                continue  # it was removed a moment ago
            recipe, accuracy = _recipe_and_accuracy(path)
            classes = msgspec.UNSET if names == DIGITS else list(names)
            models.append(answers.Model(name, name == self.default, recipe, sha256, size, accuracy, classes))
        return sorted(models, key=lambda model: (not model.default, model.name))

    def _in_use(self, name: str, path: Path) -> _Description:
        """Of the model that answers to a name, be it in memory or only in its file."""
        if kept := self._kept.get(name):
            return _Description(kept.model.sha256, kept.model.size, kept.model.class_names)
        stamp = _stamp(path)
        found = self._described.get(path)
        if found is None or found[0] != stamp:
            content = _content(path)
            description = _Description(hashlib.sha256(content).hexdigest(), len(content), _names(content))
            found = self._described[path] = stamp, description
        return found[1]

    def _load(self, path: Path) -> _Kept:
        try:
            stamp = _stamp(path)
            content = _content(path)
            recognizer = self._recognizer(path, content)
            classifier = recognizer.classifier
            classes = classifier.all_logits(np.zeros((1, 28, 28), np.uint8)).shape[1]
        except Exception as error:  # ONNX Runtime raises classes of its own, with no common base
            raise RunError(f"{path}: no usable model: {error}") from error
        if classes not in (named := len(classifier.class_names), named + 2):
            raise RunError(f"{path}: expected logits of {named} or {named + 2} classes, found {classes}")
        classify = Batcher(classifier.probabilities, self._executor, self._limits.workers, self._metrics)
        model = LoadedModel(recognizer, classify, hashlib.sha256(content).hexdigest(), len(content))
        return _Kept(model, stamp)

    def _recognizer(self, path: Path, content: bytes) -> Recognizer:
        """As `Recognizer.load`, with the shipped networks that are in memory already.

        Raises:
            ValueError: it is no network that reads pictures.
        """
        if path == SHIPPED_MODEL:
            shipped = self._shipped
            return Recognizer(Classifier(content, threads=1), shipped.detector, shipped.verifier)
        return self._shipped.having_file(path, content, threads=1)

    def _take_anew(self, path: Path, kept: _Kept) -> None:
        """Loads a model again if its file is another one; if that one is bad, the old one stays."""
        try:
            stamp = _stamp(path)
            if stamp == kept.stamp:
                return
            kept.stamp = stamp  # a bad file is looked at, and logged, once
            kept.model = self._load(path).model
            _log.warning("%s was replaced: SHA-256 %s", path, kept.model.sha256)
        except (OSError, RunError) as error:
            _log.warning("the model in memory serves on: %s", error)


def _content(path: Path) -> bytes:
    return read_regular(path, most_bytes=MOST_BYTES)


def _names(content: bytes) -> tuple[str, ...]:
    """What the classes of a model are called; digits where the model is of no use."""
    try:
        return Classifier(content, threads=1).class_names
    except Exception:  # ONNX Runtime raises classes of its own; who asks for this model is told
        return DIGITS


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns


def _recipe_and_accuracy(path: Path) -> tuple[str | None, float | None]:
    """The recipe that made a model and its accuracy on the test part, None where its folder does not tell."""
    if path == SHIPPED_MODEL:
        return SHIPPED_RECIPE, None
    try:
        run = read_run(path.parent)
    except RunError:
        return None, None
    try:
        accuracy = run.figures.get("accuracy")
    except RunError:
        accuracy = None
    return run.recipe_name, accuracy if isinstance(accuracy, float) else None
