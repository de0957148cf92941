"""The model as it is for use: normalisation folded in, by images of the training part."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.models import FoldedModel, Model, Trainable
from mnistry.recipes import Recipe
from mnistry.training.augment import augmented
from mnistry.training.batches import Rows

FOLDING_BATCHES, FOLDING_BATCH = 5, 1000


def folding_batches(recipe: Recipe, train: Rows) -> Array:
    """Images of the training part for `folded`, augmented as in training: float32 `[n, batch, 28, 28]`.

    They are taken evenly from all of it, and each batch from all of these, so that data sets which lie sorted
    by class serve too.
    """
    size = min(FOLDING_BATCH, len(train))
    count = min(FOLDING_BATCHES, len(train) // size)
    rows = np.linspace(0, len(train) - 1, count * size).astype(int).reshape(size, count).T
    batches: Array = _prepared(recipe, train.images[rows], train.labels[rows])
    return batches


@partial(jax.jit, static_argnums=0)
def _prepared(recipe: Recipe, images: Array, labels: Array) -> Array:
    def prepared(batch: tuple[Array, Array, Array]) -> Array:
        key, pixels, classes = batch
        return augmented(recipe, key, pixels.astype(jnp.float32) / 255, classes.astype(jnp.int32))[0]

    keys = jax.random.split(jax.random.key(0), len(images))
    batches: Array = jax.lax.map(prepared, (keys, images, labels))
    return batches


def for_use(recipe: Recipe, model: Trainable, batches: Array) -> FoldedModel:
    """The model that is handed on: folded, and rounded to half precision where the recipe says so."""
    found: FoldedModel = folded(model, batches)
    if not recipe.half_precision:
        return found
    rounded: FoldedModel = jax.tree.map(
        lambda weights: weights.astype(jnp.float16).astype(jnp.float32), found
    )
    return rounded


@jax.jit
def folded(model: Model, batches: Array) -> FoldedModel:
    """`Model.folded`, compiled."""
    return model.folded(batches)
