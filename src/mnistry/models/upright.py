"""Digits set upright and brought to one width: an input layer without a parameter."""

import jax.numpy as jnp
from jax import Array

STEEPEST = 1.0  # the most that a row moves for each row that it lies further down
USUAL_WIDTH = 4.2  # what the ink deviates from its middle column, in pixels, once it is upright
NARROWEST, WIDEST = 0.45, 1.6  # in usual widths: narrower digits stay narrow, wider ones wide
LITTLE = 1e-3  # guards the divisions where there is no ink


def set_upright(images: Array) -> Array:
    """Each digit sheared until it does not lean, and stretched to the usual width.

    The moments of the ink tell by how much: rows are moved until the ink's columns do not depend on its
    rows, then all columns are spread around the middle one. Pixels are interpolated linearly along
    their rows; what comes in from outside is 0.

    Source: the shear is the "deskewing" of Y. LeCun et al., "Gradient-based learning applied to document
    recognition", 1998; the width is normalised in D. Ciresan, U. Meier and J. Schmidhuber, "Multi-column
    deep neural networks for image classification", 2012.

    Args:
        images: float32 `[batch, height, width]`, 0 (paper) to 1 (ink).

    Returns:
        float32 of the same shape.
    """
    height, width = images.shape[1:]
    rows = jnp.arange(height, dtype=images.dtype)[:, None]
    columns = jnp.arange(width, dtype=images.dtype)
    mass = jnp.maximum(images.sum(axis=(1, 2), keepdims=True), LITTLE)

    def mean(of_places: Array) -> Array:
        return (images * of_places).sum(axis=(1, 2), keepdims=True) / mass

    middle = mean(columns)
    down, across = rows - mean(rows), columns - middle
    slant = jnp.clip(mean(down * across) / jnp.maximum(mean(down**2), LITTLE), -STEEPEST, STEEPEST)
    lean = slant * down
    spread = jnp.sqrt(jnp.maximum(mean((across - lean) ** 2), LITTLE))
    scale = jnp.clip(spread / USUAL_WIDTH, NARROWEST, WIDEST)
    # Where in its row each pixel comes from.
    source = middle + scale * across + lean
    left = jnp.clip(jnp.floor(source), -1, width)
    share = jnp.clip(source - left, 0, 1)
    padded = jnp.pad(images, ((0, 0), (0, 0), (1, 2)))
    index = (left + 1).astype(jnp.int32)
    lefts, rights = (jnp.take_along_axis(padded, index + one, axis=2) for one in (0, 1))
    return lefts + share * (rights - lefts)
