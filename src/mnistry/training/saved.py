"""The models in the checkpoints of a run, as they are for use: how a run in training is watched."""

import time
from collections.abc import Iterator
from pathlib import Path

from mnistry.data import Dataset
from mnistry.errors import RunError
from mnistry.export.without_onnx import usable
from mnistry.reading.classifier import Classifier
from mnistry.training.checkpoint import checkpoints, load_checkpoint
from mnistry.training.folding import folding_batches, for_use
from mnistry.training.run import Run
from mnistry.training.state import initial_state


class SavedModels:
    """Makes of a run's checkpoints what its `model.onnx` would be if it had ended there."""

    def __init__(self, run: Run, dataset: Dataset) -> None:
        """
        Args:
            run: the run.
            dataset: its own, as `run.load_data` gives it.

        Raises:
            RunError: its model finds digits on pages.
        """
        if run.recipe.reads_pages:
            raise RunError(
                f"{run.path}: its model finds digits on pages, and has no figures on single images. "
                "Measure it with `mnistry evaluate-pictures`"
            )
        train = run.divided(dataset).train
        self._seen = folding_batches(run.recipe, train)
        self._checked = train.images[:1]
        self._like = initial_state(run.recipe, run.seed, run.classes)
        self._run, self._class_names = run, dataset.class_names

    def classifier(self, path: Path) -> Classifier:
        """The model of a checkpoint, with the averaged weights where the run keeps an average.

        Raises:
            CheckpointError: the file is gone, damaged, or of another run.
        """
        of, before = self._run.fingerprint, self._run.earlier_fingerprints
        state = load_checkpoint(path, like=self._like, of=of, before=before)
        model = for_use(self._run.recipe, state.final_model, self._seen)
        return usable(model, self._class_names, self._checked, str(path)).classifier


def checkpoint_of(run: Run, step: int | None = None) -> tuple[int, Path]:
    """The checkpoint of a step, or the newest one, and its step.

    Raises:
        RunError: there is none.
    """
    found = checkpoints(run.checkpoints)
    if step is None:
        step = max(found, default=None)
    if step not in found:
        known = ", ".join(f"{one:,}" for one in found) or "there is none yet"
        sought = "a checkpoint" if step is None else f"the checkpoint of step {step:,}"
        raise RunError(
            f"{run.checkpoints}: {sought} was expected, found are those of the steps: {known}. A run keeps "
            f"its newest {run.recipe.keep_checkpoints}, one each {run.recipe.checkpoint_every:,} steps"
        )
    assert step is not None
    return step, found[step]


def new_checkpoints(run: Run, seconds: float) -> Iterator[tuple[int, Path]]:
    """The newest checkpoint, then what is the newest at each later look, until nobody trains the run.

    Args:
        run: the run, which another process may be training.
        seconds: from one look to the next.

    Yields:
        Steps, ascending, and files.
    """
    last = -1
    while True:
        # Asked first: what the training process saves last is there once it holds the lock no more.
        in_training = run.in_training
        newest = max(checkpoints(run.checkpoints).items(), default=(-1, run.checkpoints))
        if newest[0] > last:
            yield newest
            last = newest[0]
        elif in_training:
            time.sleep(seconds)
        else:
            return
