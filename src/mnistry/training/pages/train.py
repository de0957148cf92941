"""The training of the two networks that read pages, on pages that are drawn while they learn.

`train_on_pages` → `fit` → `PageSteps` → `train_step`.
"""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from mnistry.atomic import remove_leftovers, write_bytes, write_text
from mnistry.errors import ExportError, RunError
from mnistry.export.agreement import exact_products
from mnistry.export.arrays import named_arrays, safetensors_bytes
from mnistry.export.detector import detector_to_onnx
from mnistry.models import Detector, FoldedDetector, Trainable, VerifierConfig
from mnistry.reading.detector import Detector as OnnxDetector
from mnistry.reading.verifier import Verifier
from mnistry.recipes import Recipe
from mnistry.runs import EVALUATION, MODEL, TRAINABLE, WEIGHTS
from mnistry.training.devices import keep_compiled, spare_cores
from mnistry.training.loop import fit
from mnistry.training.pages.drawing import Drawing, Drawn, Pages, drawing, first_batches
from mnistry.training.pages.patches import Patches, patch_loss
from mnistry.training.pages.score import Found, found_on
from mnistry.training.pages.sources import digests
from mnistry.training.pages.targets import Batch, as_deviations, detection_loss
from mnistry.training.pages.verifying import VerifierValidation, hand_on_verifier, rounded, told_of
from mnistry.training.pages.weighing import weigh
from mnistry.training.progress import TrainingProgress
from mnistry.training.record import Record
from mnistry.training.run import Run
from mnistry.training.start import first_state, state_to_resume
from mnistry.training.state import State, updated

VALIDATION_PAGES, FOLDING_PAGES, BATCH = 256, 256, 16
TOLERANCE = 1e-3
"""Largest difference between the probabilities of the trained detector and of `model.onnx`."""


def train_on_pages(
    recipe: Recipe,
    folder: Path,
    *,
    data_dir: Path | str | None,
    seed: int,
    runs: Path | str,
    init_from: Path | str | None,
    progress: TrainingProgress,
) -> Run:
    """Trains a detector or a verifier with the handwriting of a folder; see `mnistry.training.train`."""
    keep_compiled()
    state = first_state(recipe, seed, init_from)
    run = Run.create(
        runs,
        recipe,
        seed=seed,
        source=f"pages drawn with the handwriting in {folder}",
        sha256=digests(folder),
        data=folder,
        data_dir=data_dir,
        init_from=init_from,
    )
    with run.locked():
        return _train(run, state, progress)


def resume_on_pages(run: Run, progress: TrainingProgress) -> Run:
    """Goes on with such a run; see `mnistry.training.resume`.

    Raises:
        RunError: the handwriting is not the same any more.
    """
    if digests(Path(run.data)) != run.data_sha256:
        raise RunError(
            f"{run.path}: the handwriting in {run.data} is not what this run was started with (its SHA-256 "
            "differs). Put the former files back, or start a new run."
        )
    keep_compiled()
    with run.locked():
        remove_leftovers(run.path)
        return _train(run, state_to_resume(run, progress), progress)


def _train(run: Run, state: State, progress: TrainingProgress) -> Run:
    recipe = run.recipe
    verifies = isinstance(recipe.model, VerifierConfig)
    drawn: Drawn = (Patches if verifies else Pages)(Path(run.data), run.data_dir, run.seed, recipe.batch_size)
    with (
        progress.over(recipe.steps),
        Record(run, from_step=int(state.step)) as record,
        drawing(drawn, spare_cores()) as batches,
    ):
        progress.note(
            f"{run.path}: {recipe.name}, seed {run.seed}, from step {int(state.step):,}; {recipe.batch_size} "
            f"{'places on pages' if verifies else 'pages'} a step, drawn with the handwriting in {run.data}"
        )
        validation = VerifierValidation(run) if verifies else DetectorValidation(run)
        steps = PageSteps(recipe, batches, patch_loss if verifies else page_loss)
        state = fit(run, steps, validation, state, progress, record)
        _finish(run, state, validation)
        progress.note(f"finished: {run.path}")
    return run


Mixed = Callable[[Batch, int], Batch]
"""Makes a batch of pages and its number a batch with other pages besides."""


BatchLoss = Callable[[Any, Any], Array]
"""The loss of a model on a batch, float32 `[]`."""


def unmixed(batch: Batch, number: int) -> Batch:
    """The batch as it is."""
    return batch


class PageSteps:
    """Makes updates, each with a batch that is drawn for it."""

    def __init__(self, recipe: Recipe, batches: Drawing, loss: BatchLoss) -> None:
        self._batches = batches
        # One step a call: XLA's convolutions are slow inside a compiled loop on a CPU, and fast outside.
        self._step = jax.jit(partial(train_step, recipe, loss), donate_argnums=0)

    def __call__(self, state: State, first: int, count: int) -> tuple[State, np.ndarray]:
        """Makes `count` updates after step `first`; returns the losses of their batches too."""
        losses = []
        for number in range(first, first + count):
            state, loss = self._step(state, self._batches.batch(number))
            losses.append(loss)
        return state, np.array(losses, np.float32)


def page_loss(model: Detector, batch: Batch) -> Array:
    """The loss of a detector on a batch of pages, float32 `[]`."""
    return jnp.sum(jnp.stack(detection_loss(model(as_deviations(batch.images)), batch)))


def train_step(recipe: Recipe, batch_loss: BatchLoss, state: State, batch: Any) -> tuple[State, Array]:
    """One update of the weights.

    Returns:
        The state after, and the loss of the batch before the update, float32 `[]`.
    """
    loss, gradient = jax.value_and_grad(batch_loss)(state.model, batch)
    return updated(recipe, state, gradient), loss


class DetectorValidation:
    """Measures a detector on pages by writers who write none for training."""

    def __init__(self, run: Run, mixed: Mixed = unmixed) -> None:
        """
        Args:
            run: whose pages they are.
            mixed: what else the batches hold by which the model is folded.
        """
        folder, half = Path(run.data), run.recipe.half_precision
        held_out = Pages(folder, run.data_dir, 0, BATCH, held_out=True)
        self._batches = list(first_batches(held_out, VALIDATION_PAGES // BATCH))
        seen = Pages(folder, run.data_dir, run.seed, BATCH)
        drawn = first_batches(seen, FOLDING_PAGES // BATCH)
        self._seen = [mixed(batch, number) for number, batch in enumerate(drawn)]
        self._half = half

    def compile(self, model: Trainable) -> None:
        """Nothing: what is compiled is compiled when it is first used."""

    def folded(self, model: Trainable) -> FoldedDetector:
        """The detector for use."""
        assert isinstance(model, Detector)
        seen = jnp.stack([as_deviations(batch.images) for batch in self._seen])
        folded: FoldedDetector = rounded(model.folded(seen), half=self._half)
        return folded

    def found(self, onnx: OnnxDetector) -> Found:
        """What a detector finds on the pages."""
        return sum((found_on(onnx, batch) for batch in self._batches), Found())

    def figures(self, model: Trainable) -> dict[str, float]:
        """The shares of the digits that are found, and of what is found that are digits."""
        found = self.found(OnnxDetector(detector_to_onnx(self.folded(model))))
        return {
            "validation_recall": found.recall,
            "validation_precision": found.precision,
            "validation_accuracy": found.f1,
        }

    def weights(self, onnx: OnnxDetector) -> NDArray[np.float64]:
        """How much each piece of evidence speaks for a digit, beside what the shipped verifier says."""
        return weigh(onnx, Verifier.load(), self._batches)

    def difference(self, model: FoldedDetector, onnx: OnnxDetector) -> float:
        """The largest difference between the probabilities of both."""
        image = self._batches[0].images[0]
        with exact_products():
            own = jax.nn.sigmoid(model(as_deviations(image[None]))[0, ..., :-2])
        return float(np.abs(np.asarray(own).transpose(2, 0, 1) - onnx.heat(image)[:-2]).max())


def _finish(run: Run, state: State, validation: DetectorValidation | VerifierValidation) -> None:
    """Writes the weights, `model.onnx` and the figures on the validation pages; raises as `hand_on`."""
    if isinstance(validation, VerifierValidation):
        figures = hand_on_verifier(run, state, validation)
    else:
        _, figures = hand_on(run, state, validation)
    # Last, because it says that the run is finished.
    write_text(run.path / EVALUATION, json.dumps(figures, indent=2) + "\n")


def hand_on(run: Run, state: State, validation: DetectorValidation) -> tuple[OnnxDetector, dict[str, Any]]:
    """Writes the weights and `model.onnx`.

    Returns:
        The detector as it was written, and its figures on the validation pages.

    Raises:
        ExportError: the ONNX model does not agree with the trained one.
        OSError: the folder cannot be written to.
    """
    model = validation.folded(state.final_model)
    onnx = OnnxDetector(detector_to_onnx(model))
    difference = validation.difference(model, onnx)
    if not difference <= TOLERANCE:
        raise ExportError(
            f"{MODEL}: its probabilities differ from the trained detector's by {difference:.3g}, more than "
            f"{TOLERANCE:.3g}; it was not written"
        )
    found = validation.found(onnx)
    weights = validation.weights(onnx)
    content = detector_to_onnx(model, weights)
    write_bytes(run.path / TRAINABLE, safetensors_bytes(named_arrays(state.final_model)))
    write_bytes(run.path / WEIGHTS, safetensors_bytes(named_arrays(model)))
    write_bytes(run.path / MODEL, content)
    return OnnxDetector(content), {
        "part": "pages by other writers",
        "data": run.data,
        **told_of(run, state),
        "onnx_largest_difference": difference,
        "weights_of_evidence": weights.round(4).tolist(),
        **found.to_json(),
    }
