"""Whether what is handed on computes what was trained."""

from contextlib import AbstractContextManager

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.errors import ExportError
from mnistry.models import FoldedModel

TOLERANCE = 1e-4


def exact_products() -> AbstractContextManager[object]:
    """Makes products as exact as ONNX does; an accelerator rounds what it multiplies to ten bits else."""
    found: AbstractContextManager[object] = jax.default_matmul_precision("highest")
    return found


@jax.jit
def trained_logits(model: FoldedModel, images: Array) -> Array:
    """The model's logits, float32 `[n, 10]`, of images uint8 `[n, 28, 28]`."""
    with exact_products():
        return model(images.astype(jnp.float32) / 255)


def checked_difference(model: FoldedModel, images: np.ndarray, exported: np.ndarray, what: str) -> float:
    """The largest difference between exported logits and those of the model they should come from.

    Args:
        model: the trained model.
        images: uint8 `[n, 28, 28]`.
        exported: float32 `[n, 10]`, what the exported form gives for these images.
        what: the exported file, for the message.

    Raises:
        ExportError: they differ by more than 1e-4, or, where logits are larger than 1, by more than
            1e-4 of the largest: float32 holds seven digits, so rounding alone grows with the numbers.
    """
    trained = np.asarray(trained_logits(model, jnp.asarray(images)))
    difference = float(np.abs(exported - trained).max(initial=0))
    tolerance = TOLERANCE * max(1.0, float(np.abs(trained).max(initial=0)))
    if not difference <= tolerance:  # not `>`, which is false for NaN
        raise ExportError(
            f"{what}: its logits differ from the trained model's by {difference:.3g}, more than "
            f"{tolerance:.3g}; it was not written"
        )
    return difference
