"""Accuracy and loss on the validation part, while training goes on."""

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.losses import cross_entropy
from mnistry.models import Model
from mnistry.training.batches import batch_indices

BATCH = 1000


def validation_figures(model: Model, images: Array, labels: Array) -> dict[str, float]:
    """Accuracy and mean cross-entropy on held-out examples, uint8 `[n, 28, 28]` and `[n]`."""
    batches = batch_indices(
        0,
        -(-len(labels) // BATCH),
        examples=len(labels),
        batch_size=min(BATCH, len(labels)),
        order="file",
        seed=0,
    )
    correct, loss = _sums(model, images, labels, batches)
    return {
        "validation_accuracy": int(correct) / len(labels),
        "validation_loss": float(loss) / len(labels),
    }


@jax.jit
def _sums(model: Model, images: Array, labels: Array, batches: Array) -> tuple[Array, Array]:
    """The number of correct answers, and the sum of the losses, over the rows in `batches`."""

    def sums(rows: Array) -> tuple[Array, Array]:
        logits = model(images[rows].astype(jnp.float32) / 255)
        truth = labels[rows].astype(jnp.int32)
        correct = (logits.argmax(axis=-1) == truth) & (rows >= 0)
        return correct.sum(), jnp.where(rows >= 0, cross_entropy(logits, truth), 0).sum()

    correct, losses = jax.lax.map(sums, batches)
    return correct.sum(), losses.sum()
