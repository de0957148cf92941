"""How a verifier is measured, and what its training hands on."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from mnistry.atomic import write_bytes
from mnistry.data.dataset import CLASSES
from mnistry.errors import ExportError
from mnistry.export.agreement import exact_products
from mnistry.export.arrays import named_arrays, safetensors_bytes
from mnistry.export.verifier import verifier_to_onnx
from mnistry.models import FoldedVerifier, Trainable, Verifier
from mnistry.reading.verifier import Verifier as OnnxVerifier
from mnistry.runs import MODEL, TRAINABLE, WEIGHTS
from mnistry.training.pages.drawing import first_batches
from mnistry.training.pages.patches import PatchBatch, Patches
from mnistry.training.pages.targets import as_deviations
from mnistry.training.run import Run
from mnistry.training.state import State

VALIDATION_PAGES, FOLDING_BATCHES, BATCH = 256, 16, 512
KEPT = 0.99
"""Share of the digits that are to be taken for digits where it is told how much of the rest is."""
TOLERANCE = 1e-3
"""Largest difference between the probabilities of the trained verifier and of `model.onnx`."""


class VerifierValidation:
    """Measures a verifier on places on pages by writers who write none for training."""

    def __init__(self, run: Run) -> None:
        """
        Args:
            run: whose places they are.
        """
        folder = Path(run.data)
        held_out = Patches(folder, run.data_dir, 0, BATCH, held_out=True)
        self._places = held_out.group(held_out.sources(), 0, VALIDATION_PAGES)
        seen = Patches(folder, run.data_dir, run.seed, BATCH)
        batches = first_batches(seen, FOLDING_BATCHES)
        self._seen = jnp.stack([as_deviations(batch.images) for batch in batches])
        self._half = run.recipe.half_precision

    def compile(self, model: Trainable) -> None:
        """Nothing: what is compiled is compiled when it is first used."""

    def folded(self, model: Trainable) -> FoldedVerifier:
        """The verifier for use."""
        assert isinstance(model, Verifier)
        folded: FoldedVerifier = rounded(model.folded(self._seen), half=self._half)
        return folded

    def figures(self, model: Trainable) -> dict[str, float]:
        """What is told right of the places, as `told_right`, for the log of a run."""
        told = told_right(OnnxVerifier(verifier_to_onnx(self.folded(model))), self._places)
        return {"validation_accuracy": told["accuracy"], "validation_loss": told["loss"]}

    def told(self, onnx: OnnxVerifier) -> dict[str, float]:
        """As `told_right`, of the places."""
        return told_right(onnx, self._places)

    def difference(self, model: FoldedVerifier, onnx: OnnxVerifier) -> float:
        """As `require_agreement`, on these places."""
        return require_agreement(model, onnx, self._places.images[:BATCH])


def told_right(verifier: OnnxVerifier, places: PatchBatch) -> dict[str, float]:
    """How much of some places is told right: counts, shares, and the mean cross-entropy."""
    chances, labels = verifier.probabilities(places.images), places.labels
    digits = labels < CLASSES
    none = chances[:, CLASSES]
    limit = np.quantile(none[digits], KEPT) if digits.any() else 1.0
    return {
        "n": len(labels),
        "correct": int((chances.argmax(axis=1) == labels).sum()),
        "accuracy": float((chances.argmax(axis=1) == labels).mean()),
        "loss": float(-np.log(np.maximum(chances[np.arange(len(labels)), labels], 1e-9)).mean()),
        "digits": int(digits.sum()),
        "digits_told": float((chances[digits, :CLASSES].argmax(axis=1) == labels[digits]).mean()),
        "taken_for_digits": float((none[~digits] < limit).mean()),
    }


def hand_on_verifier(run: Run, state: State, validation: VerifierValidation) -> dict[str, Any]:
    """Writes the weights and `model.onnx`, and returns the figures.

    Raises:
        ExportError: the ONNX model does not agree with the trained one.
        OSError: the folder cannot be written to.
    """
    model = validation.folded(state.final_model)
    content = verifier_to_onnx(model)
    onnx = OnnxVerifier(content)
    difference = validation.difference(model, onnx)
    write_bytes(run.path / TRAINABLE, safetensors_bytes(named_arrays(state.final_model)))
    write_bytes(run.path / WEIGHTS, safetensors_bytes(named_arrays(model)))
    write_bytes(run.path / MODEL, content)
    return {
        "part": "places on pages by other writers",
        "data": run.data,
        **told_of(run, state),
        "onnx_largest_difference": difference,
        **validation.told(onnx),
    }


def require_agreement(model: FoldedVerifier, onnx: OnnxVerifier, images: NDArray[np.uint8]) -> float:
    """The largest difference between the probabilities of both.

    Raises:
        ExportError: it is too large.
    """
    with exact_products():
        own = jax.nn.softmax(model(as_deviations(images)))
    difference = float(np.abs(np.asarray(own) - onnx.probabilities(images)).max())
    if not difference <= TOLERANCE:
        raise ExportError(
            f"what its ONNX form says differs from the trained verifier by {difference:.3g}, more "
            f"than {TOLERANCE:.3g}; it was not written"
        )
    return difference


def rounded(model: Any, *, half: bool) -> Any:
    """A model for use, its weights rounded to half precision if that is asked for."""
    if not half:
        return model
    return jax.tree.map(lambda weights: weights.astype(jnp.float16).astype(jnp.float32), model)


def told_of(run: Run, state: State) -> dict[str, float]:
    """How long a run has learnt."""
    seconds = next((row["seconds"] for row in run.history()[::-1]), 0.0)
    return {"steps": int(state.step), "train_seconds": round(seconds, 3)}
