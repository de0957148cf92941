"""A network of separable convolutions: much reading from few parameters."""

from dataclasses import dataclass

import equinox as eqx
import jax
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.conv import Convolution
from mnistry.models.layers import (
    SIDE,
    Linear,
    Moments,
    convolve,
    convolve_and_pool,
    he_normal,
    initial,
    linear,
    means_and_deviations,
    normalized,
)
from mnistry.models.model import CLASSES, FoldedModel, Model
from mnistry.models.upright import set_upright

SIZE = 3  # rows and columns of every kernel
LEAK = 0.2  # slope below zero: with few features, none may fall silent


@dataclass(frozen=True)
class SeparableNetConfig:
    """A convolution at full resolution, max-pooling, separable convolutions, the mean over all places.

    All are 3×3 without padding, each with batch normalisation and a leaky ReLU.
    """

    features: tuple[int, ...] = (6, 6, 9, 10, 10)
    """Features of each convolution; only the first is a full one."""
    upright: bool = False
    """Whether digits are set upright and brought to one width first."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")
        if len(self.features) < 2 or min(self.features) < 1:
            raise InvalidValueError(
                f"`model.features` must be two or more numbers, each at least 1, not {self.features}"
            )
        if (SIDE - SIZE + 1) // 2 - (SIZE - 1) * (len(self.features) - 1) < 1:
            raise InvalidValueError(
                f"`model.features` must be at most 7 numbers, not {len(self.features)}: each convolution "
                "takes two of the 13 rows that pooling leaves"
            )

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "SeparableNet":
        """Draws the initial weights: He's, with zero biases."""
        separable = tuple(
            SeparableConvolution.create(random, channels, features)
            for channels, features in zip(self.features, self.features[1:], strict=False)
        )
        output = linear(he_normal(random, self.features[-1], classes))
        first = Convolution.create(random, 1, self.features[0], SIZE)
        return SeparableNet(first, separable, output, self.upright)


class SeparableConvolution(eqx.Module):
    """A convolution of each channel by itself, then sums of the channels, then a bias."""

    depthwise: Array  # float32 [3, 3, channels]
    pointwise: Array  # float32 [channels, features]
    bias: Array  # float32 [features]

    @staticmethod
    def create(random: np.random.Generator, channels: int, features: int) -> "SeparableConvolution":
        """Both kernels normal with variance 2 / inputs, zero bias."""
        depthwise = random.normal(0, np.sqrt(2 / SIZE**2), (SIZE, SIZE, channels))
        pointwise = he_normal(random, channels, features)
        return SeparableConvolution(initial(depthwise), initial(pointwise), initial(np.zeros(features)))

    @property
    def kernel(self) -> Array:
        """That of the full convolution which does the same, float32 `[3, 3, channels, features]`.

        On a CPU the product with few features is faster than many small sums.
        """
        return self.depthwise[..., None] * self.pointwise

    def folded(self, mean: Array, deviation: Array) -> "SeparableConvolution":
        """With normalisation by these as part of it."""
        pointwise, bias = self.pointwise / deviation, self.bias - mean / deviation
        return SeparableConvolution(self.depthwise, pointwise, bias)


class SeparableNet(Model):
    """Separable convolutions with batch normalisation, read at all places and averaged.

    Normalisation is as in `ConvNet`: by the batch in training, afterwards part of the weights.

    Sources: L. Sifre, "Rigid-motion scattering for image classification", 2014 (separable convolutions);
    M. Lin et al., "Network in network", 2013 (the mean over all places); R. Grimov and J. Warn have published
    nets of this kind with 1,936 and 697 parameters for MNIST.
    """

    first: Convolution
    separable: tuple[SeparableConvolution, ...]
    output: Linear
    upright: bool = eqx.field(static=True)

    def __call__(self, images: Array, key: Array, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        x, _ = self._features(images, present)
        return self.output(x.mean(axis=(1, 2)))

    def folded(self, batches: Array) -> "FoldedSeparableNet":
        """Normalisation by the moments of these images, as kernels and biases; see `Model.folded`."""
        moments = jax.lax.map(lambda images: self._features(images)[1], batches)
        of_first, *of_others = means_and_deviations(moments)
        pairs = zip(self.separable, of_others, strict=True)
        separable = tuple(layer.folded(*amounts) for layer, amounts in pairs)
        return FoldedSeparableNet(self.first.folded(*of_first), separable, self.output, self.upright)

    def _features(self, images: Array, present: Array | None = None) -> tuple[Array, list[Moments]]:
        """What the last convolution gives, and the moments of each one."""
        x = convolve_and_pool(_channel(images, upright=self.upright), self.first.kernel, "VALID")
        x, of_first = normalized(x, present)
        x, moments = jax.nn.leaky_relu(x + self.first.bias, LEAK), [of_first]
        for layer in self.separable:
            x, of_layer = normalized(convolve(x, layer.kernel, "VALID"), present)
            x = jax.nn.leaky_relu(x + layer.bias, LEAK)
            moments.append(of_layer)
        return x, moments


class FoldedSeparableNet(FoldedModel):
    """A `SeparableNet` for use."""

    first: Convolution
    separable: tuple[SeparableConvolution, ...]
    output: Linear
    upright: bool = eqx.field(static=True)

    def __call__(self, images: Array) -> Array:
        """Returns the logits; see `FoldedModel`."""
        x = convolve_and_pool(_channel(images, upright=self.upright), self.first.kernel, "VALID")
        x = jax.nn.leaky_relu(x + self.first.bias, LEAK)
        for layer in self.separable:
            x = jax.nn.leaky_relu(convolve(x, layer.kernel, "VALID") + layer.bias, LEAK)
        return self.output(x.mean(axis=(1, 2)))


def _channel(images: Array, *, upright: bool) -> Array:
    """Images `[batch, 28, 28]`, set upright if wanted, as a single channel, `[batch, 28, 28, 1]`."""
    return (set_upright(images) if upright else images)[..., None]
