"""Softmax regression: one linear layer from the pixels to the ten classes."""

from dataclasses import dataclass

import numpy as np
from jax import Array

from mnistry.models.layers import PIXELS, Linear, linear
from mnistry.models.model import CLASSES, PlainModel


@dataclass(frozen=True)
class SoftmaxConfig:
    """784→10, all weights and biases zero at the start."""

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "SoftmaxRegression":
        """Returns the model with its initial weights; nothing is drawn."""
        return SoftmaxRegression(linear(np.zeros((PIXELS, classes))))


class SoftmaxRegression(PlainModel):
    """Multinomial logistic regression on the pixels.

    Source: "MNIST for ML beginners", TensorFlow 1 tutorials.
    """

    output: Linear

    def __call__(self, images: Array, key: Array | None = None, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        return self.output(images.reshape(-1, PIXELS))
