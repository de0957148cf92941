"""One update of the weights: the mathematics of training."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.losses import example_losses, smoothed
from mnistry.models import Model
from mnistry.optimizers import l2_penalty
from mnistry.recipes import Recipe
from mnistry.training.augment import augmented
from mnistry.training.state import State, updated

Step = Callable[[Recipe, State, Array, Array, Array], tuple[State, Array]]
"""`train_step`, or what computes the same numbers in another way."""


def train_step(
    recipe: Recipe, state: State, images: Array, labels: Array, present: Array
) -> tuple[State, Array]:
    """One update of the weights.

    Args:
        recipe: the loss, the optimizer and the averaging.
        state: the state before.
        images: float32 `[batch, 28, 28]`, 0 to 1.
        labels: int32 `[batch]`.
        present: bool `[batch]`; a place of the batch without an example counts for nothing.

    Returns:
        The state after, and the loss of the batch before the update, float32 `[]`; of a model that deals its
        batches out, the mean of its members' losses.
    """
    assert isinstance(state.model, Model)
    key, images, labels = batch_to_learn_from(recipe, state, images, labels)
    loss_of = partial(batch_loss, recipe, key, images, labels, present)
    loss, gradient = jax.value_and_grad(loss_of)(state.model)
    return updated(recipe, state, gradient), loss / state.model.shares


def batch_to_learn_from(
    recipe: Recipe, state: State, images: Array, labels: Array
) -> tuple[Array, Array, Array]:
    """The random key of a step, and its images and labels as the recipe's augmentation makes them."""
    key = jax.random.fold_in(jax.random.wrap_key_data(state.key), state.step)
    if recipe.augmentation == "none":
        return key, images, labels
    key, augmentation_key = jax.random.split(key)
    return key, *augmented(recipe, augmentation_key, images, labels)


def batch_loss(
    recipe: Recipe, key: Array, images: Array, labels: Array, present: Array, model: Model
) -> Array:
    """The loss of a model on a batch, float32 `[]`; see `train_step`."""
    # Only batches in file order can be short; the others are spared the bookkeeping.
    short = present if recipe.order == "file" else None
    logits = model(images, key, short)
    targets = smoothed(labels, logits.shape[-1], share) if (share := recipe.label_smoothing) else labels
    losses = jnp.where(present, example_losses(recipe.loss, logits, targets), 0)
    # One column for each share of the batch, whose loss is its own.
    sums, counts = (rows.reshape(-1, model.shares).sum(axis=0) for rows in (losses, present))
    loss = {"mean": sums / jnp.maximum(counts, 1), "sum": sums}[recipe.reduction].sum()
    return loss + recipe.l2_penalty * l2_penalty(model) if recipe.l2_penalty else loss
