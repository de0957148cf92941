"""Losses, an example each: what is averaged or summed is for the caller to say.

Labels are integers `[batch]` or one-hot rows `[batch, 10]`. The tutorials' comparison of two losses,
for the true class 2 and the outputs 0.1, 0.3, 0.6:

>>> probabilities = jnp.array([[0.1, 0.3, 0.6]])
>>> round(float(squared_error(probabilities, jnp.array([2]))[0]), 2)
0.26
>>> round(float(probability_cross_entropy(probabilities, jnp.array([2]))[0]), 2)
0.51
"""

from typing import Literal, get_args

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.errors import InvalidValueError, UnknownNameError
from mnistry.own import OwnConfig, Undefined

LossName = Literal["cross-entropy", "probability-cross-entropy", "squared-error"]


class OwnLoss(OwnConfig):
    """A loss of one's own; derive from it, and give the loss of each example by `__call__`.

    What derives from it becomes a frozen dataclass, whose fields, JSON values, a run keeps.

    >>> class Focal(OwnLoss):
    ...     gamma: float = 2.0
    ...
    ...     def __call__(self, logits: Array, targets: Array) -> Array:
    ...         p = (targets * jax.nn.softmax(logits)).sum(axis=-1)
    ...         return -((1 - p) ** self.gamma) * jnp.log(p)
    >>> Focal(gamma=0.0)(jnp.zeros((1, 4)), one_hot(jnp.array([2]), 4)).round(3) == 1.386
    Array([ True], dtype=bool)
    """

    def __call__(self, logits: Array, targets: Array) -> Array:
        """The loss of each example, float32 `[batch]`.

        Args:
            logits: float32 `[batch, classes]`.
            targets: one-hot rows, or smoothed ones, float32 `[batch, classes]`.
        """
        raise NotImplementedError


class UndefinedLoss(Undefined, OwnLoss):
    """See `Undefined`."""

    def __call__(self, logits: Array, targets: Array) -> Array:
        """Raises RunError."""
        raise self.error()


EPSILON = 1e-10  # the tutorials' guard against log(0)


def one_hot(labels: Array, classes: int) -> Array:
    """Integer labels `[batch]` as float32 rows `[batch, classes]`; one-hot rows pass unchanged."""
    return labels if labels.ndim == 2 else jax.nn.one_hot(labels, classes)


def smoothed(labels: Array, classes: int, share: float) -> Array:
    """Labels of which a share is spread evenly over all classes, float32 `[batch, classes]`.

    Source: Szegedy et al., "Rethinking the Inception architecture for computer vision", 2016.
    """
    return (1 - share) * one_hot(labels, classes) + share / classes


def cross_entropy(logits: Array, labels: Array) -> Array:
    """`-log softmax(logits)` of the true class, float32 `[batch]`, from logits `[batch, classes]`."""
    return -(one_hot(labels, logits.shape[-1]) * jax.nn.log_softmax(logits)).sum(axis=-1)


def probability_cross_entropy(probabilities: Array, labels: Array, epsilon: float = EPSILON) -> Array:
    """`-log(y + epsilon)` of the true class, float32 `[batch]`, from probabilities `[batch, classes]`.

    The early tutorials' form. `cross_entropy` is the same, and exact for very small probabilities.
    """
    return -(one_hot(labels, probabilities.shape[-1]) * jnp.log(probabilities + epsilon)).sum(axis=-1)


def squared_error(probabilities: Array, labels: Array) -> Array:
    """The sum over classes of (output - target)², float32 `[batch]`."""
    return ((probabilities - one_hot(labels, probabilities.shape[-1])) ** 2).sum(axis=-1)


def example_losses(loss: LossName | OwnLoss, logits: Array, labels: Array) -> Array:
    """The named loss, or one's own, of each example, float32 `[batch]`, from logits `[batch, classes]`.

    Raises:
        UnknownNameError: there is no such loss.
        InvalidValueError: one's own gives anything but a number for each example.
    """
    if isinstance(loss, OwnLoss):
        losses = loss(logits, one_hot(labels, logits.shape[-1]))
        if jnp.shape(losses) != logits.shape[:1]:
            raise InvalidValueError(
                f"{type(loss).__name__} must give the loss of each example, of shape "
                f"{list(logits.shape[:1])}, found {list(jnp.shape(losses))}"
            )
        return losses
    match loss:
        case "cross-entropy":
            return cross_entropy(logits, labels)
        case "probability-cross-entropy":
            return probability_cross_entropy(jax.nn.softmax(logits), labels)
        case "squared-error":
            return squared_error(jax.nn.softmax(logits), labels)
    raise UnknownNameError("loss", loss, get_args(LossName))
