"""A network written from nothing but arrays and a gradient: layer, model, batches, update rule.

This file can be read alone. It holds every part of a training program in its plainest form: a dense
layer, a sequential model, a batch generator, two update rules, a training loop, the gradients of the
network worked out by hand, and what a gradient of a gradient is. The `scratch` recipe trains the same
model with the engine that trains all recipes, and a test holds the two to the same weights.

Source: the "from scratch" chapter of F. Chollet, "Deep Learning with Python", and the NumPy networks
that many tutorials begin with.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.layers import PIXELS
from mnistry.models.model import CLASSES, PlainModel

EPSILON = 1e-10  # keeps the logarithm of a probability finite


@dataclass(frozen=True)
class ScratchConfig:
    """784→hidden ReLU→10 softmax; weights uniform in [0, 0.1), zero biases."""

    hidden: int = 512
    """Width of the hidden layer."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")
        if self.hidden < 1:
            raise InvalidValueError(f"`model.hidden` must be at least 1, not {self.hidden}")

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "Scratch":
        """Draws the initial weights."""
        return Scratch(
            (Dense.create(random, PIXELS, self.hidden), Dense.create(random, self.hidden, classes))
        )


class Dense(eqx.Module):
    """`activation(x @ W + b)`, without the activation: the sequential model applies it."""

    W: Array  # float32 [inputs, outputs]
    b: Array  # float32 [outputs]

    @staticmethod
    def create(random: np.random.Generator, inputs: int, outputs: int) -> "Dense":
        """Weights uniform in [0, 0.1), biases zero."""
        weights = random.uniform(0, 0.1, (inputs, outputs))
        return Dense(jnp.asarray(weights, jnp.float32), jnp.zeros(outputs))

    def __call__(self, x: Array) -> Array:
        """Maps float32 `[batch, inputs]` to `[batch, outputs]`."""
        return x @ self.W + self.b


class Scratch(PlainModel):
    """A sequential model: dense layers with ReLU between them, and a softmax after the last."""

    layers: tuple[Dense, ...]

    def __call__(self, images: Array, key: Array | None = None, present: Array | None = None) -> Array:
        """Returns the logits: what goes into the last softmax; see `Model`."""
        x = images.reshape(-1, PIXELS)
        for layer in self.layers[:-1]:
            x = relu(layer(x))
        return self.layers[-1](x)

    def probabilities(self, images: Array) -> Array:
        """The output of the network, float32 `[batch, 10]`; each row sums to one."""
        return softmax(self(images))


def relu(x: Array) -> Array:
    """`max(x, 0)` as one array operation.

    >>> relu(jnp.array([-1.0, 0.0, 2.0])).tolist()
    [0.0, 0.0, 2.0]
    """
    return jnp.maximum(x, 0)


def relu_with_loops(x: np.ndarray) -> np.ndarray:
    """`max(x, 0)` as two loops over a matrix: what the array operation does for us.

    >>> relu_with_loops(np.array([[-1.0, 0.0], [2.0, -3.0]])).tolist()
    [[0.0, 0.0], [2.0, 0.0]]
    """
    result = x.copy()
    for row in range(x.shape[0]):
        for column in range(x.shape[1]):
            result[row, column] = max(x[row, column], 0)
    return result


def softmax(logits: Array) -> Array:
    """`exp(logits)` scaled to sum to one; the largest is subtracted first so that nothing overflows."""
    exponentials = jnp.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def mean_cross_entropy(model: Scratch, images: Array, labels: Array) -> Array:
    """The mean of `-log(probability of the true class)`, float32 `[]`."""
    probabilities = model.probabilities(images)
    return -jnp.log(probabilities[jnp.arange(len(labels)), labels] + EPSILON).mean()


def batches(images: np.ndarray, labels: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the examples in file order, `size` at a time; the last batch may be shorter."""
    for start in range(0, len(images), size):
        yield images[start : start + size], labels[start : start + size]


def gradient_step(model: Scratch, gradient: Scratch, learning_rate: float) -> Scratch:
    """`w ← w - learning_rate · gradient` for every array of the model."""
    stepped: Scratch = jax.tree.map(lambda w, g: w - learning_rate * g, model, gradient)
    return stepped


def momentum_step(
    model: Scratch, velocity: Scratch, gradient: Scratch, learning_rate: float, momentum: float
) -> tuple[Scratch, Scratch]:
    """`v ← momentum · v - learning_rate · gradient`, then `w ← w + v`. Returns (model, velocity)."""
    velocity = jax.tree.map(lambda v, g: momentum * v - learning_rate * g, velocity, gradient)
    return jax.tree.map(lambda w, v: w + v, model, velocity), velocity


def fit(
    model: Scratch, images: np.ndarray, labels: np.ndarray, *, epochs: int, size: int, learning_rate: float
) -> tuple[Scratch, list[float]]:
    """The whole of training: for each epoch, for each batch, one step against the gradient.

    Args:
        images: float32 `[n, 28, 28]`, 0 to 1.
        labels: integers `[n]`, 0 to 9.
        epochs: passes over the examples.
        size: the batch size.
        learning_rate: length of a step.

    Returns:
        The trained model and the loss of every batch.
    """
    loss_and_gradient = jax.jit(jax.value_and_grad(mean_cross_entropy))
    losses = []
    for _ in range(epochs):
        for batch_images, batch_labels in batches(images, labels, size):
            loss, gradient = loss_and_gradient(model, batch_images, batch_labels)
            model = gradient_step(model, gradient, learning_rate)
            losses.append(float(loss))
    return model, losses


def gradients_by_hand(model: Scratch, images: Array, labels: Array) -> Scratch:
    """The gradient of the mean cross-entropy of a two-layer network, derived with the chain rule.

    With `h = relu(x W₁ + b₁)`, `z = h W₂ + b₂`, `p = softmax(z)` and the loss `-log p_y` averaged over
    the batch, the derivative with respect to the logits is `p - onehot(y)`, and every other one is
    that, carried back through a matrix product. (The 1e-10 that guards the logarithm is left out.)

    Returns:
        The gradient in the shape of the model.
    """
    first, second = model.layers
    x = images.reshape(-1, PIXELS)
    h = relu(first(x))
    z = second(h)
    dz = (softmax(z) - jax.nn.one_hot(labels, z.shape[-1])) / len(x)
    dh = (dz @ second.W.T) * (h > 0)
    return Scratch((Dense(x.T @ dh, dh.sum(axis=0)), Dense(h.T @ dz, dz.sum(axis=0))))


def fall(seconds: float) -> tuple[float, float, float]:
    """Position (m), speed (m/s) and acceleration (m/s²) of an apple that fell for `seconds`.

    The position is 4.9·t²; speed is its gradient, acceleration the gradient of that gradient.

    >>> [round(value, 4) for value in fall(2.0)]
    [19.6, 19.6, 9.8]
    """

    def position(t: Array | float) -> Array:
        return jnp.asarray(4.9 * t**2)

    speed = jax.grad(position)
    acceleration = jax.grad(speed)
    return float(position(seconds)), float(speed(seconds)), float(acceleration(seconds))
