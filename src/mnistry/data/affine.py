"""Images a little shifted, turned and stretched: augmentation inside the compiled training loop."""

import jax
import jax.numpy as jnp
from jax import Array


def deformed(key: Array, images: Array, *, shift: float, rotation: float, stretch: float) -> Array:
    """Each image shifted, turned and stretched by random amounts, evenly spread up to the largest ones.

    Shifts alone go by whole pixels, which is several times faster; with turns or stretches they are of any
    size and pixels are interpolated linearly. What comes in from outside is 0.

    Args:
        key: random key.
        images: float32 `[batch, height, width]`.
        shift: the largest, down and to the right, up and to the left; pixels.
        rotation: the largest turn either way; degrees.
        stretch: the largest share by which width and height, each by itself, grow or shrink, and by which
            upright lines lean.

    Returns:
        float32 of the same shape.
    """
    if not rotation and not stretch:
        return _shifted(key, images, round(shift))
    batch, height, width = images.shape
    largest = jnp.array([jnp.deg2rad(rotation), stretch, stretch, stretch, shift, shift])
    amounts = jax.random.uniform(key, (6, batch), minval=-1) * largest[:, None]
    angle, taller, wider, slant, down, right = amounts[:, :, None, None]
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    rows, columns = jnp.mgrid[:height, :width].astype(jnp.float32)
    rows, columns = rows - middle_row, columns - middle_column
    # Where each pixel comes from.
    across = (jnp.cos(angle) * columns + jnp.sin(angle) * rows) * jnp.exp(wider) + slant * rows
    along = (jnp.cos(angle) * rows - jnp.sin(angle) * columns) * jnp.exp(taller)
    return _sampled(images, along + down + middle_row, across + right + middle_column)


def _shifted(key: Array, images: Array, most: int) -> Array:
    batch, height, width = images.shape
    padded = jnp.pad(images, ((0, 0), (most, most), (most, most)))
    down, right = jax.random.randint(key, (2, batch, 1), 0, 2 * most + 1)
    rows, columns = down + jnp.arange(height), right + jnp.arange(width)
    return padded[jnp.arange(batch)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _sampled(images: Array, rows: Array, columns: Array) -> Array:
    """Images at places between their pixels, float32 `[batch, height, width]`; outside they are 0."""
    batch, height, width = images.shape
    top, left = jnp.clip(jnp.floor(rows), -1, height), jnp.clip(jnp.floor(columns), -1, width)
    lower, righter = jnp.clip(rows - top, 0, 1), jnp.clip(columns - left, 0, 1)
    padded = jnp.pad(images, ((0, 0), (1, 2), (1, 2))).reshape(batch, -1)
    corner = ((top + 1) * (width + 3) + left + 1).astype(jnp.int32).reshape(batch, -1)

    def at(offset: int) -> Array:
        return jnp.take_along_axis(padded, corner + offset, axis=1).reshape(rows.shape)

    upper_row = at(0) * (1 - righter) + at(1) * righter
    lower_row = at(width + 3) * (1 - righter) + at(width + 4) * righter
    return upper_row * (1 - lower) + lower_row * lower
