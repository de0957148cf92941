"""A convolution in one kernel gives what plain JAX gives, and so do its gradients, by every set."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.models.conv import Convolution
from mnistry.models.layers import VARIANCE_FLOOR, convolve, normalized
from mnistry.native.calls import usable
from mnistry.native.convolution import SIZES, convolve_and_normalize, convolve_and_pool
from mnistry.native.library import SETS

Padding = Literal["SAME", "VALID"]
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


def results_and_gradients(
    function: Callable[[jax.Array, jax.Array, jax.Array], jax.Array], given: list[np.ndarray]
) -> list[np.ndarray]:
    """What it returns, and the gradients of images, kernel and bias."""

    @jax.jit
    def all_of(*given: jax.Array) -> list[jax.Array]:
        value, back = jax.vjp(function, *given)
        gradient = jnp.cos(jnp.arange(value.size, dtype=jnp.float32)).reshape(value.shape)
        return [value, *back(gradient)]

    return [np.asarray(each) for each in all_of(*given)]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(("shape", "padding"), SHAPES)
def test_the_pooled_convolution_and_its_gradients(
    use: Callable[[str], None], name: str, shape: tuple[int, ...], padding: Padding
) -> None:
    use(name)
    given = arrays(*shape)

    def kernel(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
        return convolve_and_pool(images, kernel, bias, padding)

    def plain(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
        return Convolution(kernel, bias).pooled(images, padding)

    found, expected = results_and_gradients(kernel, given), results_and_gradients(plain, given)
    if given[0].shape[-1] == 1:  # pixels have no gradient
        del found[1], expected[1]
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


# Layers of dash and mile, and what nothing divides: batches that are no whole shares, wide images, rows and
# columns that the stride leaves out, features and floats under the kernel that are no whole vectors, a place;
# tiles that are no whole ones, and a tile an image.
NORMALIZED = [
    ((9, 28, 28, 1, 24, 6), 2),
    ((8, 13, 13, 32, 64, 3), 1),
    ((11, 11, 11, 64, 128, 3), 2),
    ((5, 9, 14, 3, 7, 3), 2),
    ((3, 8, 21, 5, 50, 4), 3),
    ((2, 6, 6, 1, 1, 1), 1),
    ((17, 5, 5, 20, 35, 5), 1),
    ((7, 9, 14, 20, 35, 3), 1),
    ((33, 5, 5, 17, 9, 3), 1),
]


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(("shape", "stride"), NORMALIZED)
def test_the_normalised_convolution_and_its_gradients(
    use: Callable[[str], None], name: str, shape: tuple[int, ...], stride: int
) -> None:
    use(name)
    given = arrays(*shape)

    def kernel(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
        return convolve_and_normalize(images, kernel, bias, stride, VARIANCE_FLOOR, False)

    def plain(images: jax.Array, kernel: jax.Array, bias: jax.Array) -> jax.Array:
        return jax.nn.relu(normalized(convolve(images, kernel, "VALID", stride))[0] + bias)

    found, expected = results_and_gradients(kernel, given), results_and_gradients(plain, given)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=5e-6 * max(1, abs(theirs).max()))


@pytest.mark.parametrize(("shape", "stride"), NORMALIZED[:2])
def test_data_have_no_gradient(use: Callable[[str], None], shape: tuple[int, ...], stride: int) -> None:
    use("plain")
    given = arrays(*shape)

    def kernel(images: jax.Array, kernel: jax.Array, bias: jax.Array, data: bool = True) -> jax.Array:
        return convolve_and_normalize(images, kernel, bias, stride, VARIANCE_FLOOR, data)

    value, of_images, *others = results_and_gradients(kernel, given)
    assert not of_images.any()
    expected, _, *same = results_and_gradients(partial(kernel, data=False), given)
    for ours, theirs in zip([value, *others], [expected, *same], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_what_does_not_fit_is_refused(use: Callable[[str], None]) -> None:
    use("plain")
    images, kernel, bias = arrays(2, 5, 5, 2, 3, 3)
    for given in ((images, kernel, bias[:2]), (images, kernel[:2], bias), (images[..., :1], kernel, bias)):
        with pytest.raises(jax.errors.JaxRuntimeError, match="the arrays do not fit"):
            convolve_and_normalize(*given, 1, VARIANCE_FLOOR, False).block_until_ready()


def test_any_number_of_threads_gives_the_same_bits(use: Callable[[str], None]) -> None:
    use(next(iter(SETS)))
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True)
    assert done.stdout == bits()


def bits() -> str:
    """A hash of what the layers of `NORMALIZED` give, and of their gradients."""
    found = hashlib.sha256()
    for shape, stride in NORMALIZED:

        def kernel(images: jax.Array, kernel: jax.Array, bias: jax.Array, stride: int = stride) -> jax.Array:
            return convolve_and_normalize(images, kernel, bias, stride, VARIANCE_FLOOR, False)

        for each in results_and_gradients(kernel, arrays(*shape)):
            found.update(each.tobytes())
    return found.hexdigest()


if __name__ == "__main__":
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    assert usable()
    print(bits(), end="")
