"""Another pen: its faults are independent of each other."""

import jax
import jax.numpy as jnp
import numpy as np

from mnistry.training.augment.writing import ink


def widened(mask: np.ndarray) -> np.ndarray:
    """The places of a mask with their neighbours in their rows and columns."""
    padded = np.pad(mask, 1)
    return mask | padded[:-2, 1:-1] | padded[2:, 1:-1] | padded[1:-1, :-2] | padded[1:-1, 2:]


def test_blurred_images_get_strong_grain_as_often_as_others() -> None:
    """Of a disc, whose ink is even, the grain is what differs from the neighbours within it.

    Two pixels off its edge there is ink only where the pen was wide and the image blurred.
    """
    rows, columns = np.mgrid[:28, :28] - 13.5
    radius = np.hypot(rows, columns)
    disc = jnp.asarray(radius < 9, jnp.float32)
    keys = jax.random.split(jax.random.key(0), 4000)
    images = np.asarray(jax.jit(jax.vmap(ink, in_axes=(0, None)))(keys, disc))
    once = widened(np.asarray(disc, bool))
    blurred = images[:, widened(once) & ~once].max(axis=1) > 0
    assert 0.05 < blurred.mean() < 0.5
    inner = radius < 6
    neighbours = sum(np.roll(images, step, axis) for step in (-1, 1) for axis in (1, 2)) / 4
    grain = (images - neighbours)[:, inner].std(axis=1) / images[:, inner].mean(axis=1) / np.sqrt(1.25)
    strong = grain > 0.09  # 0.15 at most, evenly spread, in three of ten
    for some in (blurred, ~blurred):
        assert 0.06 < strong[some].mean() < 0.18
