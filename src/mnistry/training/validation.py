"""Accuracy and loss on the validation part, while training goes on."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from mnistry.data import Examples
from mnistry.losses import cross_entropy
from mnistry.models import FoldedModel, Model
from mnistry.recipes import Recipe
from mnistry.training.batches import batch_indices
from mnistry.training.folding import folded, folding_batches

BATCH = 1000


class Validation:
    """Measures a model on held-out examples, which stay on the devices."""

    def __init__(self, recipe: Recipe, examples: Examples, train: Examples, mesh: Mesh) -> None:
        """
        Args:
            recipe: what is being trained.
            examples: the validation part; not empty.
            train: the training part, which decides how the model is folded.
            mesh: the devices that share each batch.
        """
        size = -(-BATCH // mesh.size) * mesh.size  # the devices share a batch evenly
        count = -(-len(examples) // size)
        batches = batch_indices(0, count, examples=len(examples), batch_size=size, order="file", seed=0)
        self._size = len(examples)
        everywhere = NamedSharding(mesh, PartitionSpec())
        self._examples = jax.device_put((examples.images, examples.labels), everywhere)
        self._batches = jax.device_put(batches, NamedSharding(mesh, PartitionSpec(None, "batch")))
        self._seen = folding_batches(recipe, train)  # once: the same at every measurement

    def compile(self, model: Model) -> None:
        """Compiles what `figures` needs, without measuring anything."""
        _sums(folded(model, self._seen), *self._examples, self._batches, 0)

    def figures(self, model: Model) -> dict[str, float]:
        """Accuracy and mean cross-entropy."""
        for_use = folded(model, self._seen)
        correct, loss = _sums(for_use, *self._examples, self._batches, len(self._batches))
        return {
            "validation_accuracy": int(correct) / self._size,
            "validation_loss": float(loss) / self._size,
        }


@jax.jit
def _sums(
    model: FoldedModel, images: Array, labels: Array, batches: Array, count: int | np.integer
) -> tuple[Array, Array]:
    """The number of correct answers, and the sum of the losses, over the first `count` of the batches."""

    def add(index: Array, sums: tuple[Array, Array]) -> tuple[Array, Array]:
        rows = batches[index]
        logits = model(images[rows].astype(jnp.float32) / 255)
        truth = labels[rows].astype(jnp.int32)
        correct = (logits.argmax(axis=-1) == truth) & (rows >= 0)
        losses = jnp.where(rows >= 0, cross_entropy(logits, truth), 0)
        return sums[0] + correct.sum(), sums[1] + losses.sum()

    sums: tuple[Array, Array] = jax.lax.fori_loop(0, count, add, (jnp.int32(0), jnp.float32(0)))
    return sums
