"""Accuracy and loss on parts of the data, while training goes on."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.sharding import Mesh

from mnistry.data import Examples
from mnistry.losses import cross_entropy
from mnistry.models import FoldedModel, Model
from mnistry.recipes import Recipe
from mnistry.training.batches import batch_indices
from mnistry.training.devices import SHARED, on_devices
from mnistry.training.folding import folded, folding_batches

BATCH = 1000
TRAIN_IMAGES = 1000  # of the training part, whose accuracy stands beside that of the validation part


class Part:
    """Examples that stay on the devices, to measure models on: whole, or one batch after the other."""

    def __init__(self, examples: Examples, mesh: Mesh, *, batch: int | None = None) -> None:
        """
        Args:
            examples: the part; not empty.
            mesh: the devices that share each batch.
            batch: images in one, the last one has fewer; by default what is fast.
        """
        size = min(batch or BATCH, len(examples))
        count = -(-len(examples) // size)
        batches = batch_indices(0, count, examples=len(examples), batch_size=size, order="file", seed=0)
        # The devices share a batch evenly.
        batches = np.pad(batches, ((0, 0), (0, -size % mesh.size)), constant_values=-1)
        self._examples = on_devices((examples.images, examples.labels), mesh)
        self._batches = on_devices(batches, mesh, None, SHARED)
        self._sizes = (batches >= 0).sum(axis=1)

    def compile(self, model: FoldedModel) -> None:
        """Compiles what measuring needs, without measuring anything."""
        _sums(model, *self._examples, self._batches, 0, 0)

    def whole(self, model: FoldedModel) -> tuple[float, float]:
        """The accuracy and the mean cross-entropy on all of it."""
        return self._means(model, 0, len(self._sizes))

    def batch(self, model: FoldedModel, number: int) -> tuple[float, int]:
        """The accuracy on a batch, and its size; after the last one the first comes again."""
        number %= len(self._sizes)
        return self._means(model, number, number + 1)[0], int(self._sizes[number])

    def __len__(self) -> int:
        """How many examples it has."""
        return int(self._sizes.sum())

    def _means(self, model: FoldedModel, first: int, end: int) -> tuple[float, float]:
        correct, loss = _sums(model, *self._examples, self._batches, first, end)
        size = int(self._sizes[first:end].sum())
        return int(correct) / size, float(loss) / size


class Validation:
    """Measures a model on held-out examples, and on some that it learns from."""

    def __init__(self, recipe: Recipe, examples: Examples, train: Examples, mesh: Mesh) -> None:
        """
        Args:
            recipe: what is being trained.
            examples: the validation part; it may be empty.
            train: the training part, which decides how the model is folded.
            mesh: the devices that share each batch.
        """
        self._held_out = Part(examples, mesh) if len(examples) else None
        rows = np.linspace(0, len(train) - 1, min(TRAIN_IMAGES, len(train))).astype(int)
        self._train = Part(train[rows], mesh)
        self._seen = on_devices(folding_batches(recipe, train), mesh)  # once: the same at every measurement

    def compile(self, model: Model) -> None:
        """Compiles what `figures` needs, without measuring anything."""
        for_use = folded(model, self._seen)
        for part in filter(None, (self._held_out, self._train)):
            part.compile(for_use)

    def figures(self, model: Model) -> dict[str, float]:
        """Accuracy and mean cross-entropy on the validation part; accuracy on up to 1,000 training images."""
        for_use = folded(model, self._seen)
        figures = {}
        if self._held_out:
            accuracy, loss = self._held_out.whole(for_use)
            figures = {"validation_accuracy": accuracy, "validation_loss": loss}
        return figures | {"train_accuracy": self._train.whole(for_use)[0]}


@jax.jit
def _sums(
    model: FoldedModel,
    images: Array,
    labels: Array,
    batches: Array,
    first: int | np.integer,
    end: int | np.integer,
) -> tuple[Array, Array]:
    """The number of correct answers, and the sum of the losses, over the batches from `first` to `end`."""

    def add(index: Array, sums: tuple[Array, Array]) -> tuple[Array, Array]:
        rows = batches[index]
        logits = model(images[rows].astype(jnp.float32) / 255)
        truth = labels[rows].astype(jnp.int32)
        correct = (logits.argmax(axis=-1) == truth) & (rows >= 0)
        losses = jnp.where(rows >= 0, cross_entropy(logits, truth), 0)
        return sums[0] + correct.sum(), sums[1] + losses.sum()

    sums: tuple[Array, Array] = jax.lax.fori_loop(first, end, add, (jnp.int32(0), jnp.float32(0)))
    return sums
