"""What a model is: one that is trained, and the same for use, normalisation folded into its weights.

They are two types because they are two things. Weights into which the moments of normalisation have been
folded look like any others, but trained on under normalisation they would be normalised twice.
"""

from typing import Self

import equinox as eqx
import jax
from jax import Array

CLASSES = 10


class FoldedModel(eqx.Module):
    """A classifier of 28×28 images for use; a pytree of float32 arrays.

    Nothing in it is random, and what it says of an image does not depend on the others of a batch.
    """

    def __call__(self, images: Array) -> Array:
        """Returns the logits, float32 `[batch, classes]`.

        The classes are ten, or as many as the model was built for; two more, the last ones, where it knows
        "no digit" and "several" too.

        Args:
            images: float32 `[batch, 28, 28]`, 0 (paper) to 1 (ink).
        """
        raise NotImplementedError


class Trainable(eqx.Module):
    """Whatever is trained; a pytree of float32 arrays."""

    @property
    def parameters(self) -> int:
        """How many numbers training finds."""
        return sum(leaf.size for leaf in jax.tree.leaves(self))


class Model(Trainable):
    """A classifier of 28×28 images that is trained. For use, it is `folded`."""

    @property
    def shares(self) -> int:
        """Into how many parts a batch is dealt out, row by row, each of which is learnt from by itself."""
        return 1

    def __call__(self, images: Array, key: Array, present: Array | None = None) -> Array:
        """Returns the logits of a step of training, float32 `[batch, classes]`.

        Args:
            images: float32 `[batch, 28, 28]`, 0 (paper) to 1 (ink).
            key: random key, for dropout.
            present: bool `[batch]`, which rows hold an example; the others do not influence these. By
                default all of them do.
        """
        raise NotImplementedError

    def folded(self, batches: Array) -> FoldedModel:
        """The model for use: what each batch decided while training is fixed.

        Args:
            batches: float32 `[n, batch, 28, 28]`, images of the training part.
        """
        raise NotImplementedError


class PlainModel(Model, FoldedModel):
    """A model without normalisation: what is trained is used as it is, then called without a key."""

    def __call__(self, images: Array, key: Array | None = None, present: Array | None = None) -> Array:
        """See `Model`; without a key nothing is dropped."""
        raise NotImplementedError

    def folded(self, batches: Array) -> Self:
        """The model itself."""
        del batches  # nothing depends on them
        return self
