"""`train_step` with compiled kernels in it, where there are some for a recipe: the same numbers, sooner."""

import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh

from mnistry.models import Model, ModelConfig, PerceptronConfig, RowLstm, RowLstmConfig, ScratchConfig
from mnistry.native.calls import last_hidden_state, usable
from mnistry.recipes import Recipe
from mnistry.training.descending import descending_step
from mnistry.training.state import State, updated
from mnistry.training.step import Step, batch_loss, batch_to_learn_from


def compiled_step(recipe: Recipe, mesh: Mesh) -> Step | None:
    """What makes the steps of a recipe with compiled kernels; None where plain JAX is to make them.

    Several devices share a batch in plain JAX: a kernel shares its work among the cores by itself.

    Raises:
        UnknownNameError: the environment asks for kernels that there are not.
    """
    if not has_kernels(recipe.model) or mesh.size > 1 or not usable():
        return None
    return lstm_step if isinstance(recipe.model, RowLstmConfig) else descending_step


def has_kernels(config: ModelConfig) -> bool:
    """Whether there are kernels for a model: an LSTM, or one that begins with a wide product with the pixels.

    To find the blank ones costs as much as ten columns do: softmax regression is no faster without them.
    """
    return isinstance(config, PerceptronConfig | ScratchConfig | RowLstmConfig)


def shares_by_itself(config: ModelConfig) -> bool:
    """Whether a kernel gives each core its part of a batch for a whole pass, as that of an LSTM does."""
    return isinstance(config, RowLstmConfig) and usable()


class WholeLstm(Model):
    """An LSTM that goes over all rows in one kernel."""

    plain: RowLstm

    def __call__(self, images: Array, key: Array, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        weights = jnp.concatenate([self.plain.input.weight, self.plain.recurrent])
        return self.plain.output(last_hidden_state(images, weights, self.plain.input.bias))


def lstm_step(
    recipe: Recipe, state: State, images: Array, labels: Array, present: Array
) -> tuple[State, Array]:
    """`train_step`, the gradient found through the kernels of an LSTM."""
    assert isinstance(state.model, RowLstm)
    key, images, labels = batch_to_learn_from(recipe, state, images, labels)

    def loss_of(model: RowLstm) -> Array:
        return batch_loss(recipe, key, images, labels, present, WholeLstm(model))

    loss, gradient = jax.value_and_grad(loss_of)(state.model)
    return updated(recipe, state, gradient), loss
