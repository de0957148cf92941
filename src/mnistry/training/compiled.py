"""`train_step` with compiled kernels in it, where there are some for a recipe: the same numbers, sooner."""

from typing import Literal

import equinox as eqx
import jax
import jax.numpy as jnp
from jax import Array
from jax.sharding import Mesh

from mnistry.models import (
    Committee,
    CommitteeConfig,
    ConvNet,
    ConvNetConfig,
    LeNet5,
    LeNet5Config,
    Model,
    ModelConfig,
    PerceptronConfig,
    RowLstm,
    RowLstmConfig,
    ScratchConfig,
)
from mnistry.models.conv import padding_of
from mnistry.models.layers import VARIANCE_FLOOR, padded
from mnistry.native.calls import last_hidden_state, usable
from mnistry.native.convolution import convolve_and_normalize, convolve_and_pool
from mnistry.recipes import Recipe
from mnistry.training.descending import descending_step
from mnistry.training.state import State, updated
from mnistry.training.step import Step, batch_loss, batch_to_learn_from


def compiled_step(recipe: Recipe, mesh: Mesh) -> Step | None:
    """What makes the steps of a recipe with compiled kernels; None where plain JAX is to make them.

    Several devices share a batch in plain JAX: a kernel shares its work among the cores by itself. So are
    batches in file order normalised, which can be short.

    Raises:
        UnknownNameError: the environment asks for kernels that there are not.
    """
    if not has_kernels(recipe.model) or mesh.size > 1 or not usable():
        return None
    if isinstance(recipe.model, ConvNetConfig | CommitteeConfig) and recipe.order == "file":
        return None
    dense = isinstance(recipe.model, PerceptronConfig | ScratchConfig)
    return descending_step if dense else step_with_kernels


def has_kernels(config: ModelConfig) -> bool:
    """Whether there are kernels for a model: an LSTM, convolutions pooled or normalised, wide dense layers.

    To find the blank pixels costs as much as ten columns do: softmax regression is no faster without them.
    """
    kinds = PerceptronConfig | ScratchConfig | RowLstmConfig | LeNet5Config | ConvNetConfig | CommitteeConfig
    return isinstance(config, kinds)


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


class WholeConvolution(eqx.Module):
    """A convolution, its pooling, bias and ReLU in one kernel."""

    kernel: Array  # float32 [size, size, channels, features]
    bias: Array  # float32 [features]

    def pooled(self, images: Array, padding: Literal["SAME", "VALID"]) -> Array:
        """What `Convolution.pooled` returns; images of one channel have no gradient."""
        return convolve_and_pool(images, self.kernel, self.bias, padding)


class WholeConvNet(Model):
    """A net each of whose convolutions is one kernel with its normalisation, bias and ReLU."""

    plain: ConvNet

    def __call__(self, images: Array, key: Array, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        x = images[..., None]
        for layer, (stride, residual) in zip(self.plain.convolutions, self.plain.config.layers, strict=True):
            data = layer is self.plain.convolutions[0]
            given = padded(x, layer.kernel, padding_of(residual))
            y = convolve_and_normalize(given, layer.kernel, layer.bias, stride, VARIANCE_FLOOR, data)
            x = x + y if residual else y
        return self.plain.logits(x, key)


def with_kernels(model: Model) -> Model:
    """A model that computes the same with kernels."""
    changed: Model
    match model:
        case RowLstm():
            return WholeLstm(model)
        case LeNet5():
            whole = [WholeConvolution(layer.kernel, layer.bias) for layer in (model.first, model.second)]
            changed = eqx.tree_at(lambda plain: [plain.first, plain.second], model, whole)
            return changed
        case ConvNet():
            return WholeConvNet(model)
        case Committee():
            members = tuple(WholeConvNet(member) for member in model.members)
            changed = eqx.tree_at(lambda plain: plain.members, model, members)
            return changed
    raise TypeError(f"{type(model).__name__} has no kernels")


def step_with_kernels(
    recipe: Recipe, state: State, images: Array, labels: Array, present: Array
) -> tuple[State, Array]:
    """`train_step`, the gradient found through kernels."""
    assert isinstance(state.model, Model)
    key, images, labels = batch_to_learn_from(recipe, state, images, labels)

    def loss_of(model: Model) -> Array:
        return batch_loss(recipe, key, images, labels, present, with_kernels(model))

    loss, gradient = jax.value_and_grad(loss_of)(state.model)
    return updated(recipe, state, gradient), loss / state.model.shares
