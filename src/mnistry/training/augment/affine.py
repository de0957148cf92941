"""Images a little shifted, turned, stretched and bent: augmentation inside the compiled training loop."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

KNOTS = 6  # each way, of the net by which images are bent


def deformed(
    key: Array, images: Array, *, shift: float, rotation: float, stretch: float, bend: float
) -> Array:
    """Each image bent, and shifted, turned and stretched by random amounts, evenly spread up to the largest.

    Shifts alone go by whole pixels, which is several times faster; with anything else they are of any
    size and pixels are interpolated linearly. What comes in from outside is 0.

    Source of the bends: P. Simard et al., "Best practices for convolutional neural networks applied to visual
    document analysis", 2003.

    Args:
        key: random key.
        images: float32 `[batch, height, width]`.
        shift: the largest, down and to the right, up and to the left; pixels.
        rotation: the largest turn either way; degrees.
        stretch: the largest share by which width and height, each by itself, grow or shrink, and by which
            upright lines lean.
        bend: how far places move apart from the rest, down and to the right; the standard deviation, in
            pixels.

    Returns:
        float32 of the same shape.
    """
    if not rotation and not stretch and not bend:
        return _shifted(key, images, round(shift))
    batch, height, width = images.shape
    largest = jnp.array([jnp.deg2rad(rotation), stretch, stretch, stretch, shift, shift])
    amounts_key, bend_key = jax.random.split(key)
    amounts = jax.random.uniform(amounts_key, (6, batch), minval=-1) * largest[:, None]
    angle, taller, wider, slant, down, right = amounts[:, :, None, None]
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    rows, columns = jnp.mgrid[:height, :width].astype(jnp.float32)
    rows, columns = rows - middle_row, columns - middle_column
    # Where each pixel comes from.
    across = (jnp.cos(angle) * columns + jnp.sin(angle) * rows) * jnp.exp(wider) + slant * rows
    along = (jnp.cos(angle) * rows - jnp.sin(angle) * columns) * jnp.exp(taller)
    rows, columns = along + down + middle_row, across + right + middle_column
    if bend:
        keys = jax.random.split(bend_key, 2 * batch)
        moved = bend * jax.vmap(lambda own: smooth_field(own, KNOTS, height, width))(keys)
        rows, columns = rows + moved[:batch], columns + moved[batch:]
    return _sampled(images, rows, columns)


def smooth_field(key: Array, knots: int, height: int, width: int) -> Array:
    """A smooth random field, float32 `[height, width]`: normal at knots, linear between them."""
    field: Array = _spread(knots, height) @ jax.random.normal(key, (knots, knots)) @ _spread(knots, width).T
    return field


def _spread(knots: int, size: int) -> np.ndarray:
    """Float32 `[size, knots]`: spreads values at evenly spaced knots linearly over a line of pixels."""
    places = np.linspace(0, knots - 1, size)
    return np.asarray(np.maximum(0, 1 - np.abs(places[:, None] - np.arange(knots))), np.float32)


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
