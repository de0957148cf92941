"""From a page's digits to what the detector should say of it, and how far it is from that."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from mnistry.models.detector import STRIDE, USUAL_SIZE
from mnistry.models.model import CLASSES
from mnistry.reading.flatten import LEVEL, STEP
from mnistry.training.pages.canvas import ANY, HEIGHT, WIDTH
from mnistry.training.pages.page import NOTHING, Page

SPREAD = 0.1
"""Deviation of a peak of the heat map, as a share of the digit's width and height."""
LEAST_SPREAD = 0.5
"""As above, in places of the heat map."""
SIZE_WEIGHT = 0.5
"""Weight of the error of sizes beside that of the heat map."""
SMALL_WEIGHT = 2.0
"""Weight of the cross-entropy of what is too small."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Pages and what should be said of them.

    Attributes:
        images: uint8 `[batch, height, width]`.
        heat: uint8 `[batch, height / 4, width / 4, 10]`; 255 is the middle of a digit.
        counts: bool `[batch, height / 4, width / 4]`, false where it does not matter what is found.
        sizes: float32 `[batch, height / 4, width / 4, 2]`, logarithms of height and width / 20 pixels.
        sized: bool, as `counts`: where the size is known.
        small: bool, as `counts`: where digits are that are too small to be found at this scale.
    """

    images: NDArray[np.uint8]
    heat: NDArray[np.uint8]
    counts: NDArray[np.bool_]
    sizes: NDArray[np.float32]
    sized: NDArray[np.bool_]
    small: NDArray[np.bool_]


jax.tree_util.register_dataclass(Batch)


def as_deviations(images: Array | NDArray[np.uint8]) -> Array:
    """Pages, uint8, as the network takes them: float32, deviations from the surroundings."""
    return (jnp.asarray(images, jnp.float32) - LEVEL) / STEP


def batch_of(pages: list[Page]) -> Batch:
    """The batch that these pages make."""
    rows, columns = HEIGHT // STRIDE, WIDTH // STRIDE
    count = len(pages)
    batch = Batch(
        np.stack([page.image for page in pages]),
        np.zeros((count, rows, columns, CLASSES), np.uint8),
        np.ones((count, rows, columns), np.bool_),
        np.zeros((count, rows, columns, 2), np.float32),
        np.zeros((count, rows, columns), np.bool_),
        np.stack([page.small for page in pages]),
    )
    for number, page in enumerate(pages):
        for x, y, width, height, digit in page.digits[page.digits[:, 4] != NOTHING]:
            # A place of the heat map is as wide as four pixels; this is where its middle lies.
            across, down = x / STRIDE - 0.5, y / STRIDE - 0.5
            if digit == ANY:
                low_x, high_x = across - width / 2 / STRIDE, across + width / 2 / STRIDE
                low_y, high_y = down - height / 2 / STRIDE, down + height / 2 / STRIDE
                batch.counts[
                    number,
                    max(0, int(low_y)) : max(0, int(high_y) + 2),
                    max(0, int(low_x)) : max(0, int(high_x) + 2),
                ] = False
                continue
            middle_x = min(columns - 1, max(0, round(float(across))))
            middle_y = min(rows - 1, max(0, round(float(down))))
            _peak(batch.heat[number, :, :, int(digit)], middle_x, middle_y, width / STRIDE, height / STRIDE)
            around = (
                number,
                slice(max(0, middle_y - 1), middle_y + 2),
                slice(max(0, middle_x - 1), middle_x + 2),
            )
            batch.sizes[around] = np.log(height / USUAL_SIZE), np.log(max(width, 2) / USUAL_SIZE)
            batch.sized[around] = True
    batch.counts[batch.heat.max(axis=-1) == 255] = True
    return batch


def _peak(heat: NDArray[np.uint8], x: int, y: int, width: float, height: float) -> None:
    """A hill that is 255 high at one place."""
    wide, high = max(LEAST_SPREAD, SPREAD * width), max(LEAST_SPREAD, SPREAD * height)
    reach_x, reach_y = int(3 * wide) + 1, int(3 * high) + 1
    rows = np.arange(max(0, y - reach_y), min(heat.shape[0], y + reach_y + 1))
    columns = np.arange(max(0, x - reach_x), min(heat.shape[1], x + reach_x + 1))
    down, across = np.exp(-((rows - y) ** 2) / (2 * high**2)), np.exp(-((columns - x) ** 2) / (2 * wide**2))
    hill = np.rint(255 * down[:, None] * across[None, :]).astype(np.uint8)
    part = heat[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    np.maximum(part, hill, out=part)


def detection_loss(output: Array, batch: Batch) -> tuple[Array, Array, Array]:
    """How far the detector's output is from what it should be.

    The focal loss of "Objects as Points" for the heat map, per digit; the mean absolute error of the
    logarithms of the sizes; the mean cross-entropy of what is too small.

    Args:
        output: float32 `[batch, height / 4, width / 4, 13]`, see `FoldedDetector`.
        batch: what it should say.

    Returns:
        The three, float32 `[]`, each with its weight: the loss of training is their sum.
    """
    logits, small, sizes = output[..., :CLASSES], output[..., CLASSES], output[..., CLASSES + 1 :]
    heat = jnp.asarray(batch.heat, jnp.float32) / 255
    middle = batch.heat == 255
    chance = jax.nn.sigmoid(logits)
    there = -((1 - chance) ** 2) * jax.nn.log_sigmoid(logits)
    elsewhere = -((1 - heat) ** 4) * chance**2 * jax.nn.log_sigmoid(-logits)
    losses = jnp.where(middle, there, elsewhere) * batch.counts[..., None]
    digits = jnp.maximum(middle.sum(), 1)
    sized = jnp.asarray(batch.sized)[..., None]
    error = jnp.where(sized, jnp.abs(sizes - batch.sizes), 0).sum() / jnp.maximum(2 * sized.sum(), 1)
    unseen = -jnp.where(batch.small, jax.nn.log_sigmoid(small), jax.nn.log_sigmoid(-small)).mean()
    return losses.sum() / digits, SIZE_WEIGHT * error, SMALL_WEIGHT * unseen
