"""Optimizers, learning-rate schedules and the averaging of weights, by the tutorials' definitions."""

from typing import Literal, TypeVar, get_args

import jax
import jax.numpy as jnp
import optax
from jax import Array

from mnistry.errors import UnknownNameError

OptimizerName = Literal["sgd", "momentum", "rmsprop", "adam"]
ScheduleName = Literal["constant", "staircase", "cosine", "triangular", "inv"]
Tree = TypeVar("Tree")
ADAM = {"b1": 0.9, "b2": 0.999, "eps": 1e-8}
RMSPROP = {"decay": 0.9, "eps": 1e-7}
RISE = 0.2  # share of the steps in which the triangular rate rises


def learning_rate_schedule(
    name: ScheduleName,
    learning_rate: float,
    *,
    steps: int,
    decay_rate: float,
    decay_steps: int,
    gamma: float = 1e-4,
    power: float = 0.75,
) -> optax.Schedule:
    """The learning rate as a function of the step, counted from 0.

    Args:
        name: "constant"; "staircase", `learning_rate · decay_rate^⌊step / decay_steps⌋`; "cosine", from
            `learning_rate` down to 0 at `steps` (Loshchilov and Hutter, "SGDR", 2017); "triangular", in a
            fifth of the steps from a tenth up to `learning_rate`, then down to 0; or Caffe's policy "inv",
            `learning_rate · (1 + gamma · step)^-power`.
        learning_rate: the rate at step 0; of "triangular", the highest one.
        steps: the length of the run.
        decay_rate: the factor of one stair.
        decay_steps: the steps on one stair.
        gamma: of "inv".
        power: of "inv".

    Raises:
        UnknownNameError: there is no such schedule.
    """
    match name:
        case "constant":
            return optax.constant_schedule(learning_rate)
        case "staircase":
            return optax.exponential_decay(learning_rate, decay_steps, decay_rate, staircase=True)
        case "cosine":
            return optax.cosine_decay_schedule(learning_rate, steps)
        case "triangular":
            rise = max(1, round(RISE * steps))
            up = optax.linear_schedule(learning_rate / 10, learning_rate, rise)
            return optax.join_schedules([up, optax.linear_schedule(learning_rate, 0, steps - rise)], [rise])
        case "inv":
            return lambda step: learning_rate * (1 + gamma * step) ** -power
    raise UnknownNameError("schedule", name, get_args(ScheduleName))


def spans_the_run(name: ScheduleName) -> bool:
    """Whether the learning rate of a step depends on how many steps the run has."""
    return name in ("cosine", "triangular")


def make_optimizer(
    name: OptimizerName, schedule: optax.Schedule, *, momentum: float
) -> optax.GradientTransformation:
    """The named update rule.

    "sgd": `w ← w - lr·g`. "momentum": `v ← m·v + g`, `w ← w - lr·v` (for a constant rate the tutorials'
    `v ← m·v - lr·g`, `w ← w + v`). "rmsprop": `s ← 0.9·s + 0.1·g²`, `w ← w - lr·g / √(s + 1e-7)`, with
    Keras's constants (Hinton, lecture 6e of "Neural networks for machine learning", 2012). "adam": Kingma
    and Ba, 2015, with their constants.

    Raises:
        UnknownNameError: there is no such optimizer.
    """
    match name:
        case "sgd":
            return optax.sgd(schedule)
        case "momentum":
            return optax.sgd(schedule, momentum=momentum)
        case "rmsprop":
            return optax.rmsprop(schedule, **RMSPROP)
        case "adam":
            return optax.adam(schedule, **ADAM)
    raise UnknownNameError("optimizer", name, get_args(OptimizerName))


def moving_average(average: Tree, weights: Tree, updates: Array, max_decay: float) -> Tree:
    """One step of the exponential moving average of weights.

    `average ← decay · average + (1 - decay) · weights` with `decay = min(max_decay, (1 + t) / (10 + t))`
    and t the updates made so far: short memory at first, so that the initial weights are soon forgotten.

    Source: TensorFlow's `ExponentialMovingAverage(num_updates=...)`.
    """
    decay = average_decay(updates, max_decay)
    moved: Tree = jax.tree.map(lambda a, w: a + (1 - decay) * (w - a), average, weights)
    return moved


def average_decay(updates: Array, max_decay: float) -> Array:
    """The share of a moving average that its next step keeps, float32 `[]`; see `moving_average`."""
    t = updates.astype(jnp.float32)
    return jnp.minimum(max_decay, (1 + t) / (10 + t))


def l2_penalty(model: object) -> Array:
    """Half the sum of squares of all weight matrices and kernels (not of biases), float32 `[]`.

    This is TensorFlow's `l2_regularizer`; it acts through the gradient, unlike decoupled weight decay.
    """
    matrices = [leaf for leaf in jax.tree.leaves(model) if leaf.ndim >= 2]
    return 0.5 * jnp.sum(jnp.stack([jnp.sum(matrix**2) for matrix in matrices]))
