"""What a recipe does to images before it learns from them, and the model as it is for use afterwards."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.data import Examples
from mnistry.data.affine import deformed
from mnistry.data.augment import on_paper
from mnistry.models import Model
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
    if recipe.augmentation == "affine":
        amounts = {"shift": recipe.shift, "rotation": recipe.rotation, "stretch": recipe.stretch}
        return deformed(key, images, **amounts), labels
    if recipe.augmentation == "paper":
        return on_paper(key, images, labels)
    return images, labels


def for_use(recipe: Recipe, model: Model, train: Examples) -> Model:
    """`Model.folded` with images of the training part, augmented as in training.

    They are taken evenly from all of it, and each batch from all of these, so that data sets which lie sorted
    by class serve too.
    """
    size = min(FOLDING_BATCH, len(train))
    count = min(FOLDING_BATCHES, len(train) // size)
    rows = np.linspace(0, len(train) - 1, count * size).astype(int).reshape(size, count).T
    folded: Model = _folded(recipe, model, train.images[rows], train.labels[rows])
    return folded


@partial(jax.jit, static_argnums=0)
def _folded(recipe: Recipe, model: Model, images: Array, labels: Array) -> Model:
    def prepared(batch: tuple[Array, Array, Array]) -> Array:
        key, pixels, classes = batch
        return augmented(recipe, key, pixels.astype(jnp.float32) / 255, classes.astype(jnp.int32))[0]

    keys = jax.random.split(jax.random.key(0), len(images))
    return model.folded(jax.lax.map(prepared, (keys, images, labels)))
