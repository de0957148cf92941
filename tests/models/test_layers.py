"""Layers against their definitions."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.models.layers import (
    convolve,
    convolve_and_pool,
    convolve_as_product,
    convolve_natively,
    convolve_patches,
    dropout,
    max_pool,
)

Convolve = Callable[..., jax.Array]


@pytest.mark.parametrize(
    ("padding", "size", "stride", "channels", "features"),
    [
        ("SAME", 5, 1, 1, 6),
        ("SAME", 3, 1, 4, 20),
        ("VALID", 3, 1, 4, 2),
        ("VALID", 1, 1, 2, 3),
        ("VALID", 4, 2, 1, 6),
        ("SAME", 3, 2, 4, 20),
        ("VALID", 3, 3, 2, 3),
    ],
)
def test_all_lowerings_of_a_convolution_agree(
    padding: Literal["SAME", "VALID"], size: int, stride: int, channels: int, features: int
) -> None:
    """In value, and in the gradients of the images and of the kernel."""
    keys = jax.random.split(jax.random.key(0), 3)
    images = jax.random.normal(keys[0], (3, 9, 8, channels))
    kernel = jax.random.normal(keys[1], (size, size, channels, features))

    @jax.jit
    def all_lowerings(images: jax.Array, kernel: jax.Array) -> list[tuple[jax.Array, ...]]:
        found = []
        for lowering in (convolve_natively, convolve_as_product, convolve_patches):
            output, slopes = jax.vjp(partial(lowering, padding=padding, stride=stride), images, kernel)
            found.append((output, *slopes(2 * output)))
        return found

    native, *others = all_lowerings(images, kernel)
    for other in others:
        for value, native_value in zip(other, native, strict=True):
            np.testing.assert_allclose(value, native_value, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("lowering", [convolve_as_product, convolve_patches, convolve_natively])
def test_the_gradient_of_a_convolution_agrees_with_finite_differences(lowering: Convolve) -> None:
    with jax.enable_x64(True):
        random = np.random.default_rng(0)
        images, kernel = random.normal(size=(2, 6, 5, 3)), random.normal(size=(3, 3, 3, 4))
        direction = random.normal(size=kernel.shape)

        def loss(kernel: np.ndarray) -> jax.Array:
            return jnp.tanh(lowering(images, kernel, "SAME")).sum()

        slope = float(np.vdot(jax.grad(loss)(kernel), direction))
        ahead, behind = (float(loss(kernel + step * direction)) for step in (1e-6, -1e-6))
        assert slope == pytest.approx((ahead - behind) / 2e-6, rel=1e-6)


def test_a_convolution_worked_by_hand() -> None:
    image = jnp.arange(16.0).reshape(1, 4, 4, 1)
    kernel = jnp.zeros((3, 3, 1, 1)).at[0, 0].set(1).at[1, 1].set(10)
    # Output (0, 0) sees rows and columns 0 to 2: pixel (0, 0) is 0 and pixel (1, 1) is 5.
    assert convolve(image, kernel, "VALID")[0, ..., 0].tolist() == [[50, 61], [94, 105]]


def test_max_pooling_by_hand() -> None:
    image = jnp.array([[1, 5, 2, 0], [3, 4, 9, 8], [0, 0, -1, -2], [0, 7, -3, -4]], jnp.float32)
    assert max_pool(image[None, ..., None])[0, ..., 0].tolist() == [[5, 9], [7, -1]]
    assert max_pool(image[None, :3, :3, None])[0, ..., 0].tolist() == [[5]], "an odd row is left out"


@pytest.mark.parametrize(
    ("padding", "size", "channels", "features", "height", "width"),
    [
        ("SAME", 5, 1, 6, 8, 28),  # two tiles
        ("VALID", 5, 6, 16, 14, 14),  # tiles of two columns
        ("VALID", 3, 1, 9, 10, 28),  # a single tile
        ("VALID", 3, 4, 20, 8, 6),  # too many features for tiles
        ("VALID", 3, 3, 6, 13, 9),  # odd sides
    ],
)
def test_pooling_within_a_convolution_agrees_with_pooling_after_it(
    padding: Literal["SAME", "VALID"], size: int, channels: int, features: int, height: int, width: int
) -> None:
    """In value, and in the gradients of the images and of the kernel."""
    keys = jax.random.split(jax.random.key(0), 3)
    images = jax.random.normal(keys[0], (3, height, width, channels))
    kernel = jax.random.normal(keys[1], (size, size, channels, features))

    def one_after_the_other(images: jax.Array, kernel: jax.Array) -> jax.Array:
        return max_pool(convolve_natively(images, kernel, padding))

    @jax.jit
    def both(images: jax.Array, kernel: jax.Array) -> list[tuple[jax.Array, ...]]:
        found = []
        for way in (partial(convolve_and_pool, padding=padding), one_after_the_other):
            output, slopes = jax.vjp(way, images, kernel)
            found.append((output, *slopes(jax.random.normal(keys[2], output.shape))))
        return found

    for value, expected in zip(*both(images, kernel), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-3)


def test_equally_large_places_of_a_block_share_its_gradient() -> None:
    images, kernel = jnp.ones((1, 4, 4, 1)), jnp.ones((3, 3, 1, 1))

    @jax.jit
    def pooled(images: jax.Array, kernel: jax.Array) -> tuple[jax.Array, ...]:
        output, slopes = jax.vjp(partial(convolve_and_pool, padding="VALID"), images, kernel)
        return output, *slopes(jnp.ones_like(output))

    output, of_images, of_kernel = pooled(images, kernel)
    assert output.tolist() == [[[[9]]]]
    # Each of the four places has a quarter, which goes to the nine pixels under it.
    assert (4 * of_images[0, ..., 0]).tolist() == [[1, 2, 2, 1], [2, 4, 4, 2], [2, 4, 4, 2], [1, 2, 2, 1]]
    assert of_kernel[..., 0, 0].tolist() == [[1, 1, 1], [1, 1, 1], [1, 1, 1]]


def test_dropout_keeps_the_mean_and_zeroes_its_share() -> None:
    dropped = dropout(jnp.ones(100_000), 0.2, jax.random.key(0))
    assert set(np.unique(dropped)) == {0.0, 1.25}
    assert float((dropped == 0).mean()) == pytest.approx(0.2, abs=0.005)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)
