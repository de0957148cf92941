"""Ink on a canvas: what a pen leaves along a path, and where there is ink."""

import jax.numpy as jnp
from jax import Array

from mnistry.data.dataset import SIDE


def pen(path: Array, width: Array, nib: Array | float = 1.0) -> Array:
    """A path, row and column `[n, 2]`, drawn as ink, float32 `[28, 28]`.

    The pen's tip is an ellipse, `2 width / nib` high and `2 width nib` wide.
    """
    pixels = jnp.arange(SIDE, dtype=jnp.float32)[:, None]
    down, right = ((pixels - path[:, 0]) * nib) ** 2, ((pixels - path[:, 1]) / nib) ** 2
    distance = jnp.sqrt((down[:, None] + right[None]).min(axis=-1))
    return jnp.clip(width + 0.5 - distance, 0, 1)


def curves(points: Array) -> Array:
    """Points `[n, 2]` along Bézier curves, whose control points are `[strokes, 4, 2]`."""
    t = jnp.linspace(0, 1, 16)[:, None]
    bezier = jnp.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1)
    return jnp.einsum("tk,skd->std", bezier, points).reshape(-1, 2)


def line(middle: Array, reach: Array, width: Array) -> Array:
    """A straight stroke from `middle - reach` to `middle + reach` (row, column): float32 `[28, 28]`."""
    rows, columns = jnp.arange(SIDE)[:, None] - middle[0], jnp.arange(SIDE) - middle[1]
    along = jnp.clip((rows * reach[0] + columns * reach[1]) / jnp.maximum((reach**2).sum(), 1), -1, 1)
    distance = jnp.hypot(rows - along * reach[0], columns - along * reach[1])
    return jnp.clip(1.6 + 0.5 * width - distance, 0, 1)


def ink_columns(image: Array) -> tuple[Array, Array]:
    """The first and one past the last column with ink, each float32 `[]`, of an image `[rows, columns]`."""
    inked = image.max(axis=0) > 0.3
    return inked.argmax().astype(jnp.float32), len(inked) - inked[::-1].argmax().astype(jnp.float32)


def wide(images: Array) -> Array:
    """Images `[..., 28, 28]` on a canvas of twice the width, `[..., 28, 56]`."""
    return jnp.pad(images, [(0, 0)] * (images.ndim - 1) + [(0, SIDE)])
