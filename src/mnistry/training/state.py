"""The state of a training run: everything that a step changes, and all that a checkpoint holds."""

from functools import partial

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from mnistry.data.dataset import CLASSES
from mnistry.errors import InvalidValueError
from mnistry.models import Trainable
from mnistry.optimizers import learning_rate_schedule, make_optimizer, moving_average
from mnistry.recipes import Recipe

MOST_STEPS = 2**31 - 1  # what an int32 counts
MOST_IMAGES = 2**20  # in a batch: three gigabytes of pixels


class State(eqx.Module):
    """A pytree of arrays. `step` updates have been made."""

    model: Trainable
    average: Trainable | None  # moving average of the model's weights, where the recipe keeps one
    optimizer_state: optax.OptState
    step: Array  # int32 []
    key: Array  # uint32 [2], the data of the random key that the steps' keys come from

    @property
    def final_model(self) -> Trainable:
        """The model that a run hands on: the averaged weights where there are any."""
        return self.model if self.average is None else self.average


def schedule_of(recipe: Recipe) -> optax.Schedule:
    """The recipe's learning rate as a function of the step."""
    return learning_rate_schedule(
        recipe.schedule,
        recipe.learning_rate,
        steps=recipe.steps,
        decay_rate=recipe.decay_rate,
        decay_steps=recipe.decay_steps,
        gamma=recipe.gamma,
        power=recipe.power,
    )


def optimizer_of(recipe: Recipe) -> optax.GradientTransformation:
    """The recipe's update rule."""
    return make_optimizer(recipe.optimizer, schedule_of(recipe), momentum=recipe.momentum)


def updated(recipe: Recipe, state: State, gradient: Trainable) -> State:
    """The state after one update of the weights with a gradient, which has the model's structure."""
    updates, optimizer_state = optimizer_of(recipe).update(gradient, state.optimizer_state)
    model = optax.apply_updates(state.model, updates)
    step = state.step + 1
    average = state.average and moving_average(state.average, model, step, recipe.averaging)
    return State(model, average, optimizer_state, step, state.key)


def initial_state(recipe: Recipe, seed: int, classes: int = CLASSES) -> State:
    """The state before the first step: the same for the same recipe, seed and number of classes.

    Raises:
        InvalidValueError: more steps than can be counted, a batch that no memory holds, or more classes than
            the model can have.
    """
    if classes > CLASSES and getattr(recipe.model, "no_digit", False):
        raise InvalidValueError(
            f"{recipe.name}: its model tells ten digits from what is none, and cannot have {classes} classes"
        )
    for name, most in (("steps", MOST_STEPS), ("batch_size", MOST_IMAGES)):
        if getattr(recipe, name) > most:
            raise InvalidValueError(f"`{name}` must be at most {most:,}, not {getattr(recipe, name):,}")
    model = recipe.untrained(np.random.default_rng(seed), classes)
    state: State = starting_from(recipe, model, jax.random.key_data(jax.random.key(seed)))
    return state


@partial(jax.jit, static_argnums=0)
def starting_from(recipe: Recipe, model: Trainable, key: Array) -> State:
    """The state before the first step, for given weights; compiled whole, not array by array."""
    return State(
        model=model,
        average=jax.tree.map(jnp.copy, model) if recipe.averaging else None,
        optimizer_state=optimizer_of(recipe).init(model),
        step=jnp.zeros((), jnp.int32),
        key=key,
    )
