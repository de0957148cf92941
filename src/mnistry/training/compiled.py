"""`train_step` with compiled kernels in it, where there are some for a recipe: the same numbers, sooner."""

from dataclasses import replace
from typing import TypeVar

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh

from mnistry.models import (
    Model,
    ModelConfig,
    Perceptron,
    PerceptronConfig,
    RowLstm,
    RowLstmConfig,
    Scratch,
    ScratchConfig,
    Trainable,
)
from mnistry.models.layers import PIXELS
from mnistry.native.calls import descend, last_hidden_state, product, usable
from mnistry.optimizers import average_decay
from mnistry.recipes import Recipe
from mnistry.training.state import State, schedule_of, updated
from mnistry.training.step import Step, batch_loss, batch_to_learn_from

Tree = TypeVar("Tree", bound=Trainable)


def compiled_step(recipe: Recipe, mesh: Mesh) -> Step | None:
    """What makes the steps of a recipe with compiled kernels; None where plain JAX is to make them.

    Several devices share a batch in plain JAX: a kernel shares its work among the cores by itself.

    Raises:
        UnknownNameError: the environment asks for kernels that there are not.
    """
    if not has_kernels(recipe.model) or mesh.size > 1 or not usable():
        return None
    descends = recipe.optimizer == "sgd" and not isinstance(recipe.model, RowLstmConfig)
    return descending_step if descends else step_with_kernels


def has_kernels(config: ModelConfig) -> bool:
    """Whether there are kernels for a model: an LSTM, or one that begins with a wide product with the pixels.

    To find the blank ones costs as much as ten columns do: softmax regression is no faster without them.
    """
    return isinstance(config, PerceptronConfig | ScratchConfig | RowLstmConfig)


def shares_by_itself(config: ModelConfig) -> bool:
    """Whether a kernel gives each core its part of a batch for a whole pass, as that of an LSTM does."""
    return isinstance(config, RowLstmConfig) and usable()


class Skipping(eqx.Module):
    """Weights that a product with leaves out the zeros of `x`."""

    weight: Array  # float32 [inputs, outputs]
    shift: Array | None = None  # is added to the product, float32 [batch, outputs]

    def __rmatmul__(self, x: Array) -> Array:
        """`x @ weight`, float32 `[batch, outputs]`, for `x` float32 `[batch, inputs]`."""
        result = product(x, self.weight)
        return result if self.shift is None else result + self.shift


class WholeLstm(Model):
    """An LSTM that goes over all rows in one kernel."""

    plain: RowLstm

    def __call__(self, images: Array, key: Array, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        weights = jnp.concatenate([self.plain.input.weight, self.plain.recurrent])
        return self.plain.output(last_hidden_state(images, weights, self.plain.input.bias))


def step_with_kernels(
    recipe: Recipe, state: State, images: Array, labels: Array, present: Array
) -> tuple[State, Array]:
    """`train_step`, the gradient found through kernels."""
    assert isinstance(state.model, Model)
    key, images, labels = batch_to_learn_from(recipe, state, images, labels)

    def loss_of(model: Model) -> Array:
        if isinstance(model, RowLstm):
            model = WholeLstm(model)
        else:
            model = with_first_weight(model, Skipping(first_weight(model)))
        return batch_loss(recipe, key, images, labels, present, model)

    loss, gradient = jax.value_and_grad(loss_of)(state.model)
    return updated(recipe, state, gradient), loss


def descending_step(
    recipe: Recipe, state: State, images: Array, labels: Array, present: Array
) -> tuple[State, Array]:
    """The same for plain gradient descent, where the gradient of the first layer's weights is never kept.

    What is found in its place is the gradient of the product with them, as that of zeros which are added to
    it. One kernel makes the new weights of it and of the images, and moves their average.
    """
    assert isinstance(state.model, Model)
    key, images, labels = batch_to_learn_from(recipe, state, images, labels)
    weight = first_weight(state.model)

    def loss_of(model: Model, shift: Array) -> Array:
        skipping = with_first_weight(model, Skipping(weight, shift))
        return batch_loss(recipe, key, images, labels, present, skipping)

    nothing = jnp.zeros((len(images), weight.shape[1]))
    loss, (gradient, of_product) = jax.value_and_grad(loss_of, argnums=(0, 1))(state.model, nothing)
    after = updated(recipe, state, gradient)  # but for the first weights
    new_weight, new_average = descend(
        images.reshape(-1, PIXELS),
        of_product,
        weight,
        None if state.average is None else first_weight(state.average),
        rate=schedule_of(recipe)(state.step),
        l2=recipe.l2_penalty,
        kept=average_decay(after.step, recipe.averaging),
        last=loss,
    )
    average = after.average and with_first_weight(after.average, new_average)
    return replace(after, model=with_first_weight(after.model, new_weight), average=average), loss


def first_weight(model: Trainable) -> Array:
    """The weights of a model's first layer, float32 `[pixels, outputs]`."""
    match model:
        case Perceptron():
            return model.layers[0].weight
        case Scratch():
            return model.layers[0].W
    raise TypeError(f"{type(model).__name__} has no such layer")


def with_first_weight(model: Tree, weight: Array | Skipping | None) -> Tree:
    """The model with others in their place."""
    changed: Tree = eqx.tree_at(first_weight, model, weight)
    return changed
