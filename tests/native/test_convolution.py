"""A convolution in one kernel gives what plain JAX gives, and so do its gradients, by every set."""

from collections.abc import Callable
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.models.conv import Convolution
from mnistry.native.convolution import SIZES, convolve_and_pool
from mnistry.native.library import SETS

Padding = Literal["SAME", "VALID"]
Pooled = Callable[..., jax.Array]
# Batch, height, width, channels, features, size: LeNet's two; odd sides, whose last row and column are left
# out; wide images; many channels; one place.
SHAPES = [
    ((16, 28, 28, 1, 6, 5), "SAME"),
    ((16, 14, 14, 6, 16, 5), "VALID"),
    ((9, 11, 13, 3, 7, 3), "SAME"),
    ((3, 8, 75, 1, 20, 3), "VALID"),
    ((3, 9, 13, 20, 34, 5), "VALID"),
    ((1, 6, 6, 1, 1, 5), "VALID"),
]


def arrays(batch: int, height: int, width: int, channels: int, features: int, size: int) -> list[np.ndarray]:
    """Images, half of them blank, and a whole corner, where all places are equal; a kernel, a bias."""
    random = np.random.default_rng(batch + features)
    images = np.maximum(random.normal(size=(batch, height, width, channels)), 0)
    images[:, : height // 2 + 1, : width // 2 + 1] = 0
    kernel = random.normal(size=(size, size, channels, features)) / np.sqrt(size * size * channels)
    return [each.astype(np.float32) for each in (images, kernel, 0.3 * random.normal(size=features))]


def plain(images: jax.Array, kernel: jax.Array, bias: jax.Array, padding: Padding) -> jax.Array:
    return Convolution(kernel, bias).pooled(images, padding)


def results_and_gradients(function: Pooled, padding: Padding, given: list[np.ndarray]) -> list[np.ndarray]:
    """What it returns, and the gradients of bias and kernel and of images that are not pixels."""

    @jax.jit
    def both(*given: jax.Array) -> list[jax.Array]:
        value, back = jax.vjp(partial(function, padding=padding), *given)
        gradient = jnp.cos(jnp.arange(value.size, dtype=jnp.float32)).reshape(value.shape)
        of_images, *others = back(gradient)
        return [value, *others] if given[0].shape[-1] == 1 else [value, *others, of_images]

    return [np.asarray(each) for each in both(*given)]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(("shape", "padding"), SHAPES)
def test_the_pooled_convolution_and_its_gradients(
    use: Callable[[str], None], name: str, shape: tuple[int, ...], padding: Padding
) -> None:
    use(name)
    given = arrays(*shape)

    def kernel(images: jax.Array, kernel: jax.Array, bias: jax.Array, padding: Padding) -> jax.Array:
        return convolve_and_pool(images, kernel, bias, padding)

    found = results_and_gradients(kernel, padding, given)
    expected = results_and_gradients(plain, padding, given)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-6 * max(1, abs(theirs).max()))


def test_what_is_not_finite_is_not_lost(use: Callable[[str], None]) -> None:
    use("plain")
    for shape, padding in SHAPES[:2]:
        images, kernel, bias = arrays(*shape)
        images[0, 7, 7] = np.nan
        assert np.isnan(convolve_and_pool(images, kernel, bias, padding)).any()


def test_kernels_of_other_sizes_are_refused(use: Callable[[str], None]) -> None:
    use("plain")
    assert SIZES == (3, 5)
    for size in (1, 4, 7):
        with pytest.raises(jax.errors.JaxRuntimeError, match="the arrays do not fit"):
            convolve_and_pool(*arrays(2, 8, 8, 2, 3, size), "VALID").block_until_ready()
