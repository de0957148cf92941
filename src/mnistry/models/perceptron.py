"""Multilayer perceptrons: linear layers with ReLU between them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.models.layers import CLASSES, PIXELS, Linear, Model, dropout, glorot_linear, he_linear


@dataclass(frozen=True)
class PerceptronConfig:
    """784→hidden ReLU→…→10."""

    hidden: tuple[int, ...] = (500,)
    """Width of each hidden layer, first to last."""
    initialization: Literal["truncated-normal", "he"] = "truncated-normal"
    """Weights: normal with σ 0.1 cut at 2 σ, or He's for ReLU networks. Biases are zero."""
    dropout: float = 0.0
    """Share of each hidden layer's units that is zeroed while training."""

    def __post_init__(self) -> None:
        if not self.hidden or min(self.hidden) < 1:
            raise InvalidValueError(
                f"model.hidden must be one or more widths of at least 1, not {self.hidden}"
            )
        if not 0 <= self.dropout < 1:
            raise InvalidValueError(f"model.dropout must be at least 0 and below 1, not {self.dropout}")

    def build(self, key: Array) -> "Perceptron":
        """Draws the initial weights."""
        shapes = list(pairwise((PIXELS, *self.hidden, CLASSES)))
        keys = jax.random.split(key, len(shapes))
        if self.initialization == "truncated-normal":
            draw = [_truncated_normal_linear] * len(shapes)
        else:
            draw = [he_linear] * len(self.hidden) + [glorot_linear]
        layers = [linear(key, *shape) for linear, key, shape in zip(draw, keys, shapes, strict=True)]
        return Perceptron(tuple(layers), self.dropout)


class Perceptron(Model):
    """A fully connected network.

    Sources: the 784-500-10 network of the TensorFlow 1 textbooks (truncated normal weights, L2,
    decaying learning rate, averaged weights); Keras's `mnist_mlp` example (two layers of 512, dropout).
    """

    layers: tuple[Linear, ...]
    dropout: float = eqx.field(static=True)

    def __call__(self, images: Array, key: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        x = images.reshape(-1, PIXELS)
        for index, layer in enumerate(self.layers[:-1]):
            x = jax.nn.relu(layer(x))
            if key is not None and self.dropout > 0:
                x = dropout(x, self.dropout, jax.random.fold_in(key, index))
        return self.layers[-1](x)


def _truncated_normal_linear(key: Array, inputs: int, outputs: int) -> Linear:
    """TensorFlow's `tf.truncated_normal(stddev=0.1)`: draws beyond 2 σ are drawn again."""
    return Linear(0.1 * jax.random.truncated_normal(key, -2, 2, (inputs, outputs)), jnp.zeros(outputs))
