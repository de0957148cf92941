"""One update of the weights in one pass: the gradient of a wide layer's weights is used as it is found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
import optax
from jax import Array

from mnistry.models import Model, Perceptron, Scratch, Trainable
from mnistry.native.calls import Amounts, Factors, Learnt, descend, drawing, factored_product
from mnistry.optimizers import ADAM, RMSPROP, average_decay
from mnistry.recipes import Recipe
from mnistry.training.state import State, schedule_of, updated
from mnistry.training.step import batch_loss, batch_to_learn_from

Tree = TypeVar("Tree", bound=Trainable)
_MOMENTS: dict[str, tuple[str | None, ...]] = {
    "sgd": (),
    "momentum": ("trace",),
    "rmsprop": (None, "nu"),
    "adam": ("mu", "nu"),
}
"""What each optimizer keeps of the gradients, first and second, as optax calls it."""


class Factored(eqx.Module):
    """Weights of a layer that leaves the zeros of `x` out, and does not multiply their gradient out."""

    weight: Array  # float32 [inputs, outputs]
    factors: Factors  # has the gradient in their place

    def __rmatmul__(self, x: Array) -> Array:
        """`x @ weight`, float32 `[batch, outputs]`, for `x` float32 `[batch, inputs]`."""
        return factored_product(x, self.weight, self.factors)


def descending_step(
    recipe: Recipe, state: State, images: Array, labels: Array, present: Array
) -> tuple[State, Array]:
    """`train_step`, where the gradients of the wide layers' weights are never kept.

    What is found in their place is what they are products of. One kernel makes the new weights of that, the
    optimizer's moments and the average.
    """
    assert isinstance(state.model, Model)
    key, images, labels = batch_to_learn_from(recipe, state, images, labels)
    weights = wide_weights(state.model)

    def loss_of(model: Model, factors: list[Factors]) -> Array:
        factored = [Factored(*each) for each in zip(weights, factors, strict=True)]
        return batch_loss(recipe, drawing(key), images, labels, present, with_wide_weights(model, factored))

    nothing = [Factors(*(jnp.zeros((len(images), width)) for width in weight.shape)) for weight in weights]
    loss, (gradient, factors) = jax.value_and_grad(loss_of, argnums=(0, 1))(state.model, nothing)
    after = updated(recipe, state, gradient)  # but for the wide layers' weights
    amounts = amounts_of(recipe, state.step)
    # The way back ends with the first layer: by then nothing else needs any weights.
    last = loss + factors[0].of_product[0, 0]
    learnt = [
        descend(each, before, amounts, last)
        for each, before in zip(factors, learnt_of(recipe, state), strict=True)
    ]
    return with_learnt(recipe, after, learnt), loss


def amounts_of(recipe: Recipe, step: Array) -> Amounts:
    """The recipe's update after so many steps, in numbers; see `make_optimizer`."""
    plain = Amounts(schedule_of(recipe)(step), recipe.l2_penalty, average_decay(step + 1, recipe.averaging))
    match recipe.optimizer:
        case "sgd":
            return plain
        case "momentum":
            return plain._replace(first_decay=recipe.momentum)
        case "rmsprop":
            decay, floor = RMSPROP["decay"], RMSPROP["eps"]
            return plain._replace(second_decay=decay, second_share=1 - decay, floor_in_root=floor)
        case "adam":
            first, second = ADAM["b1"], ADAM["b2"]
            scales = [optax.tree.bias_correction(jnp.ones(()), decay, step + 1) for decay in (first, second)]
            return plain._replace(
                first_decay=first,
                first_share=1 - first,
                first_scale=scales[0],
                second_decay=second,
                second_share=1 - second,
                second_scale=scales[1],
                floor=ADAM["eps"],
            )


def learnt_of(recipe: Recipe, state: State) -> list[Learnt]:
    """What is learnt of each wide layer: its weights, their average, the optimizer's moments."""
    weights = wide_weights(state.model)

    def layers_of(tree: Trainable | None) -> Sequence[Array | None]:
        return [None] * len(weights) if tree is None else wide_weights(tree)

    moments = [
        optax.tree.get(state.optimizer_state, name) if name else None for name in _MOMENTS[recipe.optimizer]
    ]
    kept = [layers_of(tree) for tree in (state.average, *moments)]
    return [Learnt(*layer) for layer in zip(weights, *kept, strict=True)]


def with_learnt(recipe: Recipe, state: State, learnt: list[Learnt]) -> State:
    """The state with that in its place."""
    weights, averages, *moments = zip(*learnt, strict=True)
    optimizer_state = state.optimizer_state
    for name, values in zip(_MOMENTS[recipe.optimizer], moments, strict=False):
        if name:
            tree = with_wide_weights(optax.tree.get(optimizer_state, name), values)
            optimizer_state = optax.tree.set(optimizer_state, **{name: tree})
    return replace(
        state,
        model=with_wide_weights(state.model, weights),
        average=state.average and with_wide_weights(state.average, averages),
        optimizer_state=optimizer_state,
    )


def wide_weights(model: Trainable) -> list[Array]:
    """The weights of all layers but the last, which is narrow; float32 `[inputs, outputs]` each."""
    match model:
        case Perceptron():
            return [layer.weight for layer in model.layers[:-1]]
        case Scratch():
            return [layer.W for layer in model.layers[:-1]]
    raise TypeError(f"{type(model).__name__} has no such layers")


def with_wide_weights(model: Tree, weights: Sequence[Array | Factored]) -> Tree:
    """The model with others in their place."""
    changed: Tree = eqx.tree_at(wide_weights, model, list(weights))
    return changed
