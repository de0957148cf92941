"""Convolutional networks."""

from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.models.layers import CLASSES, Linear, Model, convolve, he_normal, linear, max_pool


@dataclass(frozen=True)
class LeNet5Config:
    """Convolution 5×5×6, pool, convolution 5×5×16, pool, 120, 84, 10."""

    def build(self, random: np.random.Generator) -> "LeNet5":
        """Draws the initial weights: He's, with zero biases."""
        return LeNet5(
            Convolution.create(random, 1, 6),
            Convolution.create(random, 6, 16),
            tuple(linear(he_normal(random, *shape)) for shape in ((400, 120), (120, 84), (84, CLASSES))),
        )


class Convolution(eqx.Module):
    """A 5×5 convolution with bias."""

    kernel: Array  # float32 [5, 5, channels, features]
    bias: Array  # float32 [features]

    @staticmethod
    def create(random: np.random.Generator, channels: int, features: int) -> "Convolution":
        """Weights normal with variance 2 / (25 channels), zero bias."""
        kernel = he_normal(random, 5, 5, channels, features)
        return Convolution(jnp.asarray(kernel, jnp.float32), jnp.zeros(features))


class LeNet5(Model):
    """LeNet-5 with ReLU and max-pooling in place of the original's squashing and averaging.

    The first convolution pads 28×28 to 32×32, the size that the original was given.

    Source: LeCun, Bottou, Bengio and Haffner, "Gradient-based learning applied to document
    recognition", 1998.
    """

    first: Convolution
    second: Convolution
    dense: tuple[Linear, ...]

    def __call__(self, images: Array, key: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        x = images[..., None]
        # ReLU after pooling gives the same numbers as before it, on a quarter of the values.
        x = jax.nn.relu(max_pool(convolve(x, self.first.kernel, "SAME") + self.first.bias))
        x = jax.nn.relu(max_pool(convolve(x, self.second.kernel, "VALID") + self.second.bias))
        x = x.reshape(len(x), -1)
        for layer in self.dense[:-1]:
            x = jax.nn.relu(layer(x))
        return self.dense[-1](x)
