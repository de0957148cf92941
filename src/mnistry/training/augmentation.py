"""What a recipe does to images before it learns from them, and the model as it is for use afterwards."""

from functools import partial
from typing import assert_never

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.data import Examples
from mnistry.data.affine import deformed
from mnistry.data.augment import on_paper
from mnistry.models import FoldedModel, Model
from mnistry.recipes import Recipe

FOLDING_BATCHES, FOLDING_BATCH = 5, 1000


def augmented(recipe: Recipe, key: Array, images: Array, labels: Array) -> tuple[Array, Array]:
    """A batch as the recipe wants it: float32 `[batch, 28, 28]` and labels int32 `[batch]`, as they come in.

    Args:
        recipe: says how.
        key: random key.
        images: 0 (paper) to 1 (ink).
        labels: the classes.
    """
    match recipe.augmentation:
        case "none":
            return images, labels
        case "affine":
            moved = deformed(
                key,
                images,
                shift=recipe.shift,
                rotation=recipe.rotation,
                stretch=recipe.stretch,
                bend=recipe.bend,
            )
            return moved, labels
        case "paper":
            return on_paper(key, images, labels)
    assert_never(recipe.augmentation)


def folding_batches(recipe: Recipe, train: Examples) -> Array:
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


@jax.jit
def folded(model: Model, batches: Array) -> FoldedModel:
    """`Model.folded`, compiled."""
    return model.folded(batches)
