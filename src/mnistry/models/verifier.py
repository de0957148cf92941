"""The verifier: a network that takes a second look at each place that the detector found."""

from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.conv import Convolution
from mnistry.models.detector import amounts_over, blocks, convolved
from mnistry.models.layers import Linear, Moments, he_normal, linear, normalized
from mnistry.models.model import CLASSES, Trainable

PATCH = 48
"""Rows and columns of what it sees of a page: a digit of 26 pixels, and what stands around it."""
STRIDES = (1, 2, 1, 2, 1)
"""Of each convolution; those that keep the size add to what came in."""
LAST_SIDE = PATCH // 2 // 4


@dataclass(frozen=True)
class VerifierConfig:
    """Convolutions at a half, a quarter and an eighth of the patch's size, then two linear layers."""

    features: tuple[int, int, int, int] = (32, 64, 128, 96)
    """Features of the convolutions at a half, at a quarter and at an eighth of the size, and of the first
    linear layer."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")
        if min(self.features) < 1:
            raise InvalidValueError(f"`model.features` must be at least 1, not {self.features}")

    def build(self, random: np.random.Generator) -> "Verifier":
        """Draws the initial weights: He's, with zero biases."""
        fine, middle, coarse, hidden = self.features
        shapes = ((4, fine), (fine, middle), (middle, middle), (middle, coarse), (coarse, coarse))
        return Verifier(
            tuple(Convolution.create(random, *shape, 3) for shape in shapes),
            linear(he_normal(random, LAST_SIDE**2 * coarse, hidden)),
            linear(0.1 * he_normal(random, hidden, CLASSES + 1)),
        )


class _Layers(eqx.Module):
    """The weights of a verifier, whether it is trained or used."""

    convolutions: tuple[Convolution, ...]
    hidden: Linear
    output: Linear

    def _forward(self, patches: Array, *, normalising: bool) -> tuple[Array, list[Moments]]:
        """The logits, and the moments of each convolution."""
        x, found = blocks(patches), []
        for weights, stride in zip(self.convolutions, STRIDES, strict=True):
            y = convolved(x, weights.kernel, stride, dilation=1)
            if normalising:
                y, of_layer = normalized(y)
                found.append(of_layer)
            y = jax.nn.relu(y + weights.bias)
            x = x + y if x.shape == y.shape else y
        return self.output(jax.nn.relu(self.hidden(x.reshape(len(x), -1)))), found


class FoldedVerifier(_Layers):
    """A verifier for use: normalisation is part of its weights."""

    def __call__(self, patches: Array) -> Array:
        """What stands in the middle of each patch.

        Args:
            patches: float32 `[batch, 48, 48]`, parts of a page as the detector sees it, grey levels as
                deviations from their surroundings; what is to be told is in the middle, 26 pixels high, or
                nearly as wide.

        Returns:
            float32 `[batch, 11]`: a logit for each digit, and one for what is none.
        """
        return self._forward(patches, normalising=False)[0]


class Verifier(_Layers, Trainable):
    """A verifier that is trained: each batch is normalised by its own moments.

    Sources: Girshick et al., "Rich feature hierarchies for accurate object detection", 2014 (a network of its
    own tells what was proposed); He et al., "Deep residual learning", 2015; Ioffe and Szegedy, "Batch
    normalization", 2015.
    """

    def __call__(self, patches: Array) -> Array:
        """As of `FoldedVerifier`."""
        return self._forward(patches, normalising=True)[0]

    def folded(self, batches: Array) -> FoldedVerifier:
        """The verifier for use: what each batch decided while training is fixed.

        Args:
            batches: float32 `[n, batch, 48, 48]`, patches as training sees them.
        """
        amounts = amounts_over(batches, lambda patches: self._forward(patches, normalising=True)[1])
        folded = (layer.folded(*of_layer) for layer, of_layer in zip(self.convolutions, amounts, strict=True))
        return FoldedVerifier(tuple(folded), self.hidden, self.output)
