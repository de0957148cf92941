"""Multilayer perceptrons: linear layers with ReLU between them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, assert_never

import equinox as eqx
import jax
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.layers import PIXELS, Linear, dropout, glorot_uniform, he_normal, linear
from mnistry.models.model import CLASSES, PlainModel


@dataclass(frozen=True)
class PerceptronConfig:
    """784→hidden ReLU→…→10."""

    hidden: tuple[int, ...] = (500,)
    """Width of each hidden layer, first to last."""
    initialization: Literal["truncated-normal", "he", "glorot"] = "truncated-normal"
    """Weights: normal with σ 0.1 cut at 2 σ, He's for ReLU networks, or Glorot's uniform ones. Biases are
    zero."""
    dropout: float = 0.0
    """Share of each hidden layer's units that is zeroed while training."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")
        if not self.hidden or min(self.hidden) < 1:
            raise InvalidValueError(
                f"`model.hidden` must be one or more widths of at least 1, not {self.hidden}"
            )
        if not 0 <= self.dropout < 1:
            raise InvalidValueError(f"`model.dropout` must be at least 0 and below 1, not {self.dropout}")

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "Perceptron":
        """Draws the initial weights."""
        shapes = pairwise((PIXELS, *self.hidden, classes))
        match self.initialization:
            case "truncated-normal":
                weights = [_truncated_normal(random, shape) for shape in shapes]
            case "he":
                weights = [he_normal(random, *shape) for shape in shapes]
            case "glorot":
                weights = [glorot_uniform(random, *shape) for shape in shapes]
            case _:
                assert_never(self.initialization)
        return Perceptron(tuple(linear(weight) for weight in weights), self.dropout)


class Perceptron(PlainModel):
    """A fully connected network.

    Sources: the 784-500-10 network of the TensorFlow 1 textbooks (truncated normal weights, L2,
    decaying learning rate, averaged weights); Keras's `mnist_mlp` example (two layers of 512, dropout).
    """

    layers: tuple[Linear, ...]
    dropout: float = eqx.field(static=True)

    def __call__(self, images: Array, key: Array | None = None, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        x = images.reshape(-1, PIXELS)
        for index, layer in enumerate(self.layers[:-1]):
            x = jax.nn.relu(layer(x))
            if key is not None and self.dropout > 0:
                x = dropout(x, self.dropout, jax.random.fold_in(key, index))
        return self.layers[-1](x)


def _truncated_normal(random: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """TensorFlow's `tf.truncated_normal(stddev=0.1)`: what falls beyond 2 σ is drawn again."""
    draws = random.normal(size=shape)
    while (outside := np.abs(draws) > 2).any():
        draws[outside] = random.normal(size=outside.sum())
    return 0.1 * draws
