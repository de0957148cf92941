"""How what was written comes to the reader: soiled, slanted, bent, with another pen, faint, blurred."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.data.dataset import SIDE
from mnistry.data.normalize import CENTRE, INK_SIDE
from mnistry.training.augment.affine import smooth_field

KNOTS = 5  # each way, of the nets of smooth random fields


def soil(key: Array, canvas: Array) -> Array:
    """Some canvases get specks near the ink and lines through it, as are left over of patterned paper."""
    often_key, speck_key, line_key, place_key = jax.random.split(key, 4)
    near = canvas
    for window in ((5, 1), (1, 5)):
        near = jax.lax.reduce_window(near, 0.0, jax.lax.max, window, (1, 1), "SAME")
    specks = 0.8 * (jax.random.normal(speck_key, canvas.shape) > 2.2)
    rows = jnp.arange(SIDE)[:, None] - 0.2 * jax.random.normal(line_key) * (jnp.arange(2 * SIDE) - CENTRE)
    spacing, first = jax.random.uniform(place_key, (2,), minval=4.0, maxval=12.0)
    lines = 0.7 * (jnp.mod(rows - first, spacing) < 1)
    chance = jax.random.uniform(often_key)
    dirt = jnp.where(chance < 0.1, specks, jnp.where(chance < 0.15, lines, 0))
    return jnp.maximum(canvas, dirt * (near > 0.3))


def write(key: Array, canvas: Array) -> Array:
    """Slants, turns, stretches and bends what is on a canvas, and puts it into the 20×20 box again.

    Args:
        key: random key.
        canvas: float32 `[28, 56]`.

    Returns:
        float32 `[28, 28]`, the centre of mass in the middle.
    """
    affine_key, strength_key, rows_key, columns_key, box_key, shift_key = jax.random.split(key, 6)
    strength = jax.random.uniform(strength_key, minval=0.0, maxval=1.0)
    most = jnp.stack([0.3 * strength, 0.5 * strength, 0.9 * jnp.sqrt(strength)])
    angle, shear, stretch = jax.random.uniform(affine_key, (3,), minval=-1.0) * most
    turn = jnp.array([[jnp.cos(angle), -jnp.sin(angle)], [jnp.sin(angle), jnp.cos(angle)]])
    matrix = (
        turn @ jnp.array([[1.0, 0.0], [shear, 1.0]]) @ jnp.diag(jnp.exp(jnp.stack([-stretch, stretch]) / 2))
    )

    moved = jnp.tensordot(matrix, jnp.stack(jnp.mgrid[:SIDE, : 2 * SIDE]).astype(jnp.float32), 1)
    low = jnp.where(canvas > 0.3, moved, 1e3).min(axis=(1, 2)) - 0.5
    high = jnp.where(canvas > 0.3, moved, -1e3).max(axis=(1, 2)) + 0.5
    size = INK_SIDE + strength * jax.random.uniform(box_key, minval=-2.0, maxval=1.5)
    scale = jnp.maximum(high - low, 1.0).max() / size
    mass = (moved * canvas).sum(axis=(1, 2)) / jnp.maximum(canvas.sum(), 1e-3)
    # The centre of mass to the middle, but nothing over the edge.
    half = SIDE / 2 - 0.5
    centre = jnp.clip(mass, high - half * scale, jnp.maximum(low + half * scale, high - half * scale))
    centre = centre + jax.random.uniform(shift_key, (2,), minval=-1.0) * strength

    grid = jnp.stack(jnp.mgrid[:SIDE, :SIDE], axis=-1).astype(jnp.float32)
    fields = [smooth_field(own, KNOTS, SIDE, SIDE) for own in (rows_key, columns_key)]
    bend = jnp.stack(fields, axis=-1) * 1.3 * strength
    source = ((grid - CENTRE + bend) * scale + centre) @ jnp.linalg.inv(matrix).T
    sample = partial(jax.scipy.ndimage.map_coordinates, order=1, mode="constant")
    return jnp.asarray(sample(canvas, [source[..., 0], source[..., 1]]))


def _neighbours(image: Array) -> list[Array]:
    padded = jnp.pad(image, 1)
    return [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]


def ink(key: Array, image: Array) -> Array:
    """Another pen: thicker or thinner, even or faint in places, sharp or blurred."""
    keys = iter(jax.random.split(key, 11))
    pen = jax.random.uniform(next(keys), minval=-1.0) * jax.random.uniform(next(keys))
    neighbours = _neighbours(image)
    widest = jnp.maximum(image, jnp.stack(neighbours).max(axis=0))
    thinnest = jnp.minimum(image, jnp.stack(neighbours).min(axis=0))
    image = jnp.where(pen > 0, image + 1.2 * pen * (widest - image), image - 0.75 * -pen * (image - thinnest))
    blur = jax.random.uniform(next(keys), maxval=0.2) * jax.random.bernoulli(next(keys))
    image = (1 - 4 * blur) * image + blur * sum(_neighbours(image))
    # Ink that a threshold has evened out, as in bilevel scans, or that is as soft as it was.
    gain = jax.random.choice(next(keys), jnp.array([1.0, 1.0, 1.5, 3.0]))
    image = jnp.clip((image / jnp.maximum(image.max(), 0.1) - 0.5) * gain + 0.5, 0, 1) * (image > 0.02)
    faint = 0.5 * jax.random.uniform(next(keys)) * (jax.random.uniform(next(keys)) < 0.3)
    places = jax.nn.sigmoid(2 * smooth_field(next(keys), KNOTS, SIDE, SIDE))
    image = image * (1 - faint * places)
    grain = 0.15 * jax.random.uniform(next(keys)) * (jax.random.uniform(next(keys)) < 0.3)
    image = image * (1 + grain * jax.random.normal(next(keys), image.shape))
    return jnp.clip(image / jnp.maximum(image.max(), 0.1), 0, 1)
