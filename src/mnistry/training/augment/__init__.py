"""What a recipe does to images before it learns from them: a function for each augmentation, on the device.

Everything here is a pure function of a random key and runs inside the compiled training loop.
"""

from typing import assert_never

from jax import Array

from mnistry.recipe import Recipe
from mnistry.training.augment.affine import deformed
from mnistry.training.augment.paper import on_paper

__all__ = ["augmented"]


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
