"""Convolutional networks."""

from dataclasses import dataclass
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.layers import (
    SIDE,
    Linear,
    Moments,
    convolve,
    convolve_and_pool,
    dropout,
    he_normal,
    initial,
    linear,
    means_and_deviations,
    normalized,
)
from mnistry.models.model import CLASSES, FoldedModel, Model, PlainModel


@dataclass(frozen=True)
class LeNet5Config:
    """Convolution 5×5×6, pool, convolution 5×5×16, pool, 120, 84, 10."""

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "LeNet5":
        """Draws the initial weights: He's, with zero biases."""
        return LeNet5(
            Convolution.create(random, 1, 6),
            Convolution.create(random, 6, 16),
            tuple(linear(he_normal(random, *shape)) for shape in ((400, 120), (120, 84), (84, classes))),
        )


@dataclass(frozen=True)
class ConvNetConfig:
    """Convolutions without padding, each with batch normalisation and ReLU, then one linear layer."""

    features: tuple[int, ...] = (24, 48, 64)
    """Features of each convolution."""
    sizes: tuple[int, ...] = (6, 3, 3)
    """Height and width of each kernel."""
    strides: tuple[int, ...] = (2, 2, 1)
    """Stride of each convolution."""
    dropout: float = 0.0
    """Share of the last features that is dropped in each step of training."""
    no_digit: bool = False
    """Whether there are two more classes, "no digit" and "several"."""
    residual: tuple[int, ...] = ()
    """Convolutions, counted from 0, that keep the size and add what they find to what they are given."""
    views: Literal[1, 5] = 1
    """How often the model in use looks at an image: once, or also moved by a pixel to each side."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")
        if not len(self.features) == len(self.sizes) == len(self.strides) > 0:
            raise InvalidValueError(
                "`model.features`, `model.sizes` and `model.strides` must have one number a convolution; "
                f"they have {len(self.features)}, {len(self.sizes)} and {len(self.strides)}"
            )
        for name in ("features", "sizes", "strides"):
            if min(getattr(self, name)) < 1:
                raise InvalidValueError(f"`model.{name}` must be at least 1, not {getattr(self, name)}")
        if self.last_side < 1:
            raise InvalidValueError(
                f"`model.sizes` and `model.strides` leave nothing of the image's {SIDE} rows: {self.sizes}, "
                f"{self.strides}"
            )
        for place in self.residual:
            if not 0 < place < len(self.features):
                raise InvalidValueError(
                    "`model.residual` must name convolutions after the first, 1 to "
                    f"{len(self.features) - 1}, not {place}"
                )
            if self.features[place] != self.features[place - 1]:
                raise InvalidValueError(
                    f"`model.residual`: convolution {place} must give as many features as it is given, "
                    f"{self.features[place - 1]}, not {self.features[place]}"
                )
            if self.strides[place] != 1 or self.sizes[place] % 2 == 0:
                raise InvalidValueError(
                    f"`model.residual`: convolution {place} must have an odd size and a stride of 1, not "
                    f"{self.sizes[place]} and {self.strides[place]}"
                )
        if not 0 <= self.dropout < 1:
            raise InvalidValueError(f"`model.dropout` must be at least 0 and below 1, not {self.dropout}")

    @property
    def layers(self) -> list[tuple[int, bool]]:
        """The stride of each convolution, and whether it is residual."""
        return [(stride, place in self.residual) for place, stride in enumerate(self.strides)]

    @property
    def last_side(self) -> int:
        """Rows and columns after the last convolution."""
        side = SIDE
        for size, (stride, residual) in zip(self.sizes, self.layers, strict=True):
            side = side if residual else (side - size) // stride + 1
        return side

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "ConvNet":
        """Draws the initial weights: He's, with zero biases."""
        channels = (1, *self.features)
        convolutions = [
            Convolution.create(random, channels[index], features, self.sizes[index])
            for index, features in enumerate(self.features)
        ]
        output = linear(he_normal(random, self.last_side**2 * channels[-1], classes + 2 * self.no_digit))
        return ConvNet(tuple(convolutions), output, self)


class Convolution(eqx.Module):
    """A convolution with bias."""

    kernel: Array  # float32 [size, size, channels, features]
    bias: Array  # float32 [features]

    @staticmethod
    def create(random: np.random.Generator, channels: int, features: int, size: int = 5) -> "Convolution":
        """Weights normal with variance 2 / (size² channels), zero bias."""
        kernel = he_normal(random, size, size, channels, features)
        return Convolution(initial(kernel), initial(np.zeros(features)))

    def pooled(self, images: Array, padding: Literal["SAME", "VALID"]) -> Array:
        """Convolves, takes the largest of each 2×2 block, adds the bias, and cuts off what is negative.

        Bias and ReLU after pooling give the same numbers as before it, on a quarter of the values.

        Args:
            images: float32 `[batch, height, width, channels]`.
            padding: see `convolve`.

        Returns:
            float32 `[batch, ⌊height' / 2⌋, ⌊width' / 2⌋, features]`.
        """
        return jax.nn.relu(convolve_and_pool(images, self.kernel, padding) + self.bias)

    def folded(self, mean: Array, deviation: Array) -> "Convolution":
        """With normalisation by these as part of it."""
        return Convolution(self.kernel / deviation, self.bias - mean / deviation)


class LeNet5(PlainModel):
    """LeNet-5 with ReLU and max-pooling in place of the original's squashing and averaging.

    The first convolution pads 28×28 to 32×32, the size that the original was given.

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
    recognition", 1998.
    """

    first: Convolution
    second: Convolution
    dense: tuple[Linear, ...]

    def __call__(self, images: Array, key: Array | None = None, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        x = self.first.pooled(images[..., None], "SAME")
        x = self.second.pooled(x, "VALID")
        x = x.reshape(len(x), -1)
        for layer in self.dense[:-1]:
            x = jax.nn.relu(layer(x))
        return self.dense[-1](x)


class ConvNet(Model):
    """Convolutions with batch normalisation and ReLU, then one linear layer.

    Normalisation has no weights of its own but the bias: the scale of a feature before a ReLU is made up for
    by the layer after it. In training, each batch is normalised by its own moments; `folded` puts the moments
    of the training images into kernels and biases.

    Sources: Ioffe and Szegedy, "Batch normalization", 2015; He et al., "Deep residual learning", 2015.
    """

    convolutions: tuple[Convolution, ...]
    output: Linear
    config: ConvNetConfig = eqx.field(static=True)

    def __call__(self, images: Array, key: Array, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        return self.logits(self._features(images, present)[0], key)

    def logits(self, features: Array, key: Array) -> Array:
        """What the last convolution gave, float32 `[batch, side, side, features]`, to logits."""
        x = features.reshape(len(features), -1)
        return self.output(dropout(x, rate, key) if (rate := self.config.dropout) else x)

    def folded(self, batches: Array) -> "FoldedConvNet":
        """Normalisation by the moments of these images, as kernels and biases; see `Model.folded`."""
        moments = jax.lax.map(lambda images: self._features(images)[1], batches)
        pairs = zip(self.convolutions, means_and_deviations(moments), strict=True)
        convolutions = tuple(layer.folded(*amounts) for layer, amounts in pairs)
        return FoldedConvNet(convolutions, self.output, self.config)

    def _features(self, images: Array, present: Array | None = None) -> tuple[Array, list[Moments]]:
        """What the last convolution gives, and the moments of each one."""
        x, moments = images[..., None], []
        for layer, (stride, residual) in zip(self.convolutions, self.config.layers, strict=True):
            y, of_layer = normalized(convolve(x, layer.kernel, padding_of(residual), stride), present)
            y = jax.nn.relu(y + layer.bias)
            x = x + y if residual else y
            moments.append(of_layer)
        return x, moments


class FoldedConvNet(FoldedModel):
    """A `ConvNet` for use: convolutions with ReLU, then one linear layer.

    With several views of an image, its logits are the mean of their log-probabilities.

    Source: Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep convolutional neural
    networks", 2012 (several views of each image).
    """

    convolutions: tuple[Convolution, ...]
    output: Linear
    config: ConvNetConfig = eqx.field(static=True)

    def __call__(self, images: Array) -> Array:
        """Returns the logits; see `FoldedModel`."""
        if self.config.views == 1:
            return self._logits(images)
        logits = self._logits(jnp.concatenate([moved(images, *by) for by in MOVES]))
        return jax.nn.log_softmax(logits).reshape(len(MOVES), len(images), -1).mean(axis=0)

    def _logits(self, images: Array) -> Array:
        x = images[..., None]
        for layer, (stride, residual) in zip(self.convolutions, self.config.layers, strict=True):
            y = jax.nn.relu(convolve(x, layer.kernel, padding_of(residual), stride) + layer.bias)
            x = x + y if residual else y
        return self.output(x.reshape(len(x), -1))


MOVES = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
"""The views of an image: by how many pixels it is moved down and to the right."""


def moved(images: Array, down: int, right: int) -> Array:
    """Images, `[batch, height, width]`, moved by at most a pixel each way; what comes in is paper."""
    _, height, width = images.shape
    padded = jnp.pad(images, ((0, 0), (1, 1), (1, 1)))
    return padded[:, 1 - down : 1 - down + height, 1 - right : 1 - right + width]


def padding_of(residual: bool) -> Literal["SAME", "VALID"]:
    """How a convolution of a `ConvNet` pads what it is given."""
    return "SAME" if residual else "VALID"
