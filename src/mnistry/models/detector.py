"""The page detector: a fully convolutional network that says where on a page digits are, which, how large."""

from collections.abc import Callable
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.conv import Convolution
from mnistry.models.layers import Linear, Moments, he_normal, linear, means_and_deviations, normalized
from mnistry.models.model import CLASSES, Trainable

STRIDE = 4
"""Pixels of the page for one place of the heat map."""
OUTPUTS = CLASSES + 3
"""A logit for each digit; one for digits that are too small to be told at this scale; the logarithms of
height and width in units of `USUAL_SIZE`."""
USUAL_SIZE = 20.0
RARE = 0.01
"""How probable a digit is at any place before anything is learnt."""
COARSE_DILATIONS = (1, 2, 1, 2)
"""So the network sees as far as five digits to each side."""


@dataclass(frozen=True)
class DetectorConfig:
    """Convolutions at a half, a quarter and an eighth of the page's size, and at a quarter again."""

    features: tuple[int, int, int, int] = (16, 32, 64, 96)
    """Features of the first layer, of the second, at a quarter, and at an eighth of the size."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")
        if min(self.features) < 1:
            raise InvalidValueError(f"`model.features` must be at least 1, not {self.features}")

    def build(self, random: np.random.Generator) -> "Detector":
        """Draws the initial weights: He's, with zero biases; at first, digits are rare."""
        first, second, fine, coarse = self.features
        output = linear(0.1 * he_normal(random, fine, OUTPUTS))
        bias = np.where(np.arange(OUTPUTS) <= CLASSES, np.log(RARE / (1 - RARE)), 0)
        return Detector(
            stem=tuple(
                Convolution.create(random, *shape, 3)
                for shape in ((4, first), (first, second), (second, fine))
            ),
            fine=tuple(Convolution.create(random, fine, fine, 3) for _ in range(2)),
            down=Convolution.create(random, fine, coarse, 3),
            coarse=tuple(Convolution.create(random, coarse, coarse, 3) for _ in COARSE_DILATIONS),
            up=linear(0.5 * he_normal(random, coarse, fine)),
            merged=tuple(Convolution.create(random, fine, fine, 3) for _ in range(2)),
            output=Linear(output.weight, jnp.asarray(bias, jnp.float32)),
        )


class _Layers(eqx.Module):
    """The weights of a detector, whether it is trained or used."""

    stem: tuple[Convolution, ...]
    fine: tuple[Convolution, ...]
    down: Convolution
    coarse: tuple[Convolution, ...]
    up: Linear
    merged: tuple[Convolution, ...]
    output: Linear

    def _forward(self, pages: Array, *, normalising: bool) -> tuple[Array, list[Moments]]:
        """The output at every place, and the moments of each convolution in the order that they are made."""
        found: list[Moments] = []

        def layer(x: Array, weights: Convolution, stride: int = 1, dilation: int = 1) -> Array:
            x = convolved(x, weights.kernel, stride, dilation)
            if normalising:
                x, of_layer = normalized(x)
                found.append(of_layer)
            return jax.nn.relu(x + weights.bias)

        x = layer(blocks(pages), self.stem[0])
        x = layer(x, self.stem[1])
        x = layer(x, self.stem[2], stride=2)
        for weights in self.fine:
            x = x + layer(x, weights)
        y = layer(x, self.down, stride=2)
        for weights, dilation in zip(self.coarse, COARSE_DILATIONS, strict=True):
            y = y + layer(y, weights, dilation=dilation)
        x = x + doubled(self.up(y))
        for weights in self.merged:
            x = x + layer(x, weights)
        return self.output(x), found


class FoldedDetector(_Layers):
    """A detector for use: normalisation is part of its weights."""

    def __call__(self, pages: Array) -> Array:
        """What is where.

        Args:
            pages: float32 `[batch, height, width]`, grey levels as deviations from their surroundings, see
                `mnistry.reading.flatten`; sides are multiples of 8.

        Returns:
            float32 `[batch, height / 4, width / 4, 13]`: a logit for each digit, of which the middle is
            there; one for digits that are too small to be told; the logarithms of height and width in units
            of 20 pixels.
        """
        return self._forward(pages, normalising=False)[0]


class Detector(_Layers, Trainable):
    """A detector that is trained: each batch is normalised by its own moments.

    Sources: Zhou, Wang and Krähenbühl, "Objects as Points", 2019 (a heat map for each class, and sizes);
    Ronneberger, Fischer and Brox, "U-Net", 2015 (far sight at a coarse scale, places at a fine one);
    Ioffe and Szegedy, "Batch normalization", 2015.
    """

    def __call__(self, pages: Array) -> Array:
        """As of `FoldedDetector`."""
        return self._forward(pages, normalising=True)[0]

    def folded(self, batches: Array) -> FoldedDetector:
        """The detector for use: what each batch decided while training is fixed.

        Args:
            batches: float32 `[n, batch, height, width]`, pages as training sees them.
        """
        amounts = iter(amounts_over(batches, lambda pages: self._forward(pages, normalising=True)[1]))

        def all_folded(layers: tuple[Convolution, ...]) -> tuple[Convolution, ...]:
            return tuple(layer.folded(*next(amounts)) for layer in layers)

        stem, fine = all_folded(self.stem), all_folded(self.fine)
        (down,) = all_folded((self.down,))
        return FoldedDetector(
            stem, fine, down, all_folded(self.coarse), self.up, all_folded(self.merged), self.output
        )


def amounts_over(batches: Array, moments_of: Callable[[Array], list[Moments]]) -> list[tuple[Array, Array]]:
    """Means and deviations over several batches, for each normalised layer; one call of the model a batch.

    Args:
        batches: float32 `[n, batch, height, width]`.
        moments_of: the moments of each layer in one batch.
    """
    of_batch = jax.jit(moments_of)
    each = [of_batch(images) for images in batches]
    return means_and_deviations(
        [
            (jnp.stack([mean for mean, _ in layer]), jnp.stack([square for _, square in layer]))
            for layer in zip(*each, strict=True)
        ]
    )


def convolved(x: Array, kernel: Array, stride: int, dilation: int) -> Array:
    """A convolution that pads with zeros, so that a stride of 1 keeps the size.

    XLA's own: outside a compiled loop it is the fastest on a CPU, too.
    """
    margin = dilation * (kernel.shape[0] // 2)
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        ((margin, margin), (margin, margin)),
        rhs_dilation=(dilation, dilation),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def blocks(pages: Array) -> Array:
    """Each 2×2 block of pixels as one place with four features: `[batch, h, w]` to `[batch, h/2, w/2, 4]`."""
    batch, height, width = pages.shape
    split = pages.reshape(batch, height // 2, 2, width // 2, 2).transpose(0, 1, 3, 2, 4)
    return split.reshape(batch, height // 2, width // 2, 4)


def doubled(x: Array) -> Array:
    """Each place as a 2×2 block of places: `[batch, h, w, features]` to `[batch, 2h, 2w, features]`."""
    return jnp.repeat(jnp.repeat(x, 2, axis=1), 2, axis=2)
