"""Convolutional networks with pooling: convolutions, some of them pooled, then dense layers."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import equinox as eqx
import jax
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.conv import Convolution
from mnistry.models.layers import SIDE, Linear, convolve, convolve_and_pool, initial, linear
from mnistry.models.model import CLASSES, PlainModel


@dataclass(frozen=True)
class PooledNetConfig:
    """Convolutions without padding, each with max-pooling after it or not, then dense layers with ReLU."""

    features: tuple[int, ...] = (32, 64, 64)
    """Features of each convolution."""
    sizes: tuple[int, ...] = (3, 3, 3)
    """Height and width of each kernel."""
    pools: tuple[int, ...] = (2, 2, 1)
    """After each convolution, 2: the largest value of each 2×2 block is taken; 1: nothing is done."""
    dense: tuple[int, ...] = (64,)
    """Width of each hidden dense layer."""
    relu: bool = True
    """Whether a ReLU follows each convolution, as it does each hidden dense layer."""
    initialization: Literal["glorot", "caffe-xavier"] = "glorot"
    """Weights, uniform: Glorot's (also called Xavier's) with the variance 2 / (inputs + outputs), or what
    Caffe calls so, 1 / inputs. Biases are zero."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")
        if not len(self.features) == len(self.sizes) == len(self.pools) > 0:
            raise InvalidValueError(
                "`model.features`, `model.sizes` and `model.pools` must have one number a convolution; "
                f"they have {len(self.features)}, {len(self.sizes)} and {len(self.pools)}"
            )
        for name in ("features", "sizes", "dense"):
            if min(getattr(self, name), default=1) < 1:
                raise InvalidValueError(f"`model.{name}` must be at least 1, not {getattr(self, name)}")
        if not set(self.pools) <= {1, 2}:
            raise InvalidValueError(f"`model.pools` must be 1 or 2 each, not {self.pools}")
        if self.last_side < 1:
            raise InvalidValueError(
                f"`model.sizes` and `model.pools` leave nothing of the image's {SIDE} rows: {self.sizes}, "
                f"{self.pools}"
            )

    @property
    def last_side(self) -> int:
        """Rows and columns after the last convolution and its pooling."""
        side = SIDE
        for size, pool in zip(self.sizes, self.pools, strict=True):
            side = (side - size + 1) // pool
        return side

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "PooledNet":
        """Draws the initial weights."""
        channels = (1, *self.features)
        kernels = [
            self._drawn(random, size, size, *ends)
            for size, ends in zip(self.sizes, pairwise(channels), strict=True)
        ]
        widths = (self.last_side**2 * channels[-1], *self.dense, classes)
        return PooledNet(
            tuple(Convolution(initial(kernel), initial(np.zeros(kernel.shape[-1]))) for kernel in kernels),
            tuple(linear(self._drawn(random, *ends)) for ends in pairwise(widths)),
            self.pools,
            self.relu,
        )

    def _drawn(self, random: np.random.Generator, *shape: int) -> np.ndarray:
        """Weights of this shape: the places of a kernel, if it has any, then inputs and outputs."""
        inputs, outputs = np.prod(shape[:-1]), np.prod(shape[:-2]) * shape[-1]
        variance = 2 / (inputs + outputs) if self.initialization == "glorot" else 1 / inputs
        bound = np.sqrt(3 * variance)
        return random.uniform(-bound, bound, shape)


class PooledNet(PlainModel):
    """Convolutions, some with max-pooling, then dense layers.

    Sources: the convolutional network of the Keras tutorials (32, 64, 64 features, a dense layer of 64);
    Caffe's LeNet (20 and 50 features, a dense layer of 500, ReLU after that alone).
    """

    convolutions: tuple[Convolution, ...]
    dense: tuple[Linear, ...]
    pools: tuple[int, ...] = eqx.field(static=True)
    relu: bool = eqx.field(static=True)

    def __call__(self, images: Array, key: Array | None = None, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        x = images[..., None]
        for layer, pool in zip(self.convolutions, self.pools, strict=True):
            # Bias and ReLU after pooling give the same numbers as before it, on a quarter of the values.
            x = (convolve if pool == 1 else convolve_and_pool)(x, layer.kernel, "VALID") + layer.bias
            x = jax.nn.relu(x) if self.relu else x
        x = x.reshape(len(x), -1)
        for hidden in self.dense[:-1]:
            x = jax.nn.relu(hidden(x))
        return self.dense[-1](x)
