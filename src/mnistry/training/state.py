"""The state of a training run: everything that a step changes, and all that a checkpoint holds."""

from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array

from mnistry.models import Model
from mnistry.optimizers import learning_rate_schedule, make_optimizer
from mnistry.recipes import Recipe

Tree = TypeVar("Tree")


class State(eqx.Module):
    """A pytree of arrays. `step` updates have been made."""

    model: Model
    average: Model | None  # moving average of the model's weights, where the recipe keeps one
    optimizer_state: optax.OptState
    step: Array  # int32 []
    key: Array  # uint32 [2], the data of the random key that the steps' keys come from

    @property
    def final_model(self) -> Model:
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
    )


def optimizer_of(recipe: Recipe) -> optax.GradientTransformation:
    """The recipe's update rule."""
    return make_optimizer(recipe.optimizer, schedule_of(recipe), momentum=recipe.momentum)


def initial_state(recipe: Recipe, seed: int) -> State:
    """The state before the first step: the same for the same recipe and seed."""
    weights_key, steps_key = jax.random.split(jax.random.key(seed))
    return starting_from(recipe, recipe.model.build(weights_key), jax.random.key_data(steps_key))


def starting_from(recipe: Recipe, model: Model, key: Array) -> State:
    """The state before the first step, for given weights."""
    return State(
        model=model,
        average=jax.tree.map(jnp.copy, model) if recipe.averaging else None,
        optimizer_state=optimizer_of(recipe).init(model),
        step=jnp.zeros((), jnp.int32),
        key=key,
    )


def named_arrays(tree: object) -> dict[str, np.ndarray]:
    """The arrays of a pytree by the path to each, such as `layers/0/weight`."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): np.asarray(leaf) for path, leaf in leaves}


def with_arrays(tree: Tree, arrays: dict[str, np.ndarray]) -> Tree:
    """The tree with its arrays replaced by those of the same names.

    Raises:
        ValueError: a name is missing or unknown, or a shape or dtype differs.
    """
    expected = {name: (array.shape, array.dtype) for name, array in named_arrays(tree).items()}
    found = {name: (array.shape, array.dtype) for name, array in arrays.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            shapes = f"expected {_describe(expected.get(name))}, found {_describe(found.get(name))}"
            raise ValueError(f"array {name!r}: {shapes}")
    filled: Tree = jax.tree.unflatten(
        jax.tree.structure(tree), [jnp.asarray(arrays[name]) for name in expected]
    )
    return filled


def _describe(shape_and_dtype: tuple[tuple[int, ...], np.dtype] | None) -> str:
    if shape_and_dtype is None:
        return "none"
    shape, dtype = shape_and_dtype
    return f"{dtype}{list(shape)}"
