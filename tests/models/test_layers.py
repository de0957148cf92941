"""Layers against their definitions."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.models.layers import convolve, convolve_as_product, convolve_natively, dropout, max_pool


@pytest.mark.parametrize("padding", ["SAME", "VALID"])
@pytest.mark.parametrize(("size", "channels", "features"), [(5, 1, 6), (3, 4, 2), (1, 2, 3)])
def test_both_lowerings_of_a_convolution_agree(padding: str, size: int, channels: int, features: int) -> None:
    keys = jax.random.split(jax.random.key(0))
    images = jax.random.normal(keys[0], (3, 9, 8, channels))
    kernel = jax.random.normal(keys[1], (size, size, channels, features))

    def squared(convolution: object, kernel: jax.Array) -> tuple[jax.Array, jax.Array]:
        output = convolution(images, kernel, padding)  # type: ignore[operator]
        return (output**2).sum(), output

    ((_, product), slope), ((_, native), native_slope) = (
        jax.jit(jax.value_and_grad(partial(squared, lowering), has_aux=True))(kernel)
        for lowering in (convolve_as_product, convolve_natively)
    )
    np.testing.assert_allclose(product, native, atol=1e-4)
    np.testing.assert_allclose(slope, native_slope, rtol=1e-4, atol=1e-3)


def test_a_convolution_worked_by_hand() -> None:
    image = jnp.arange(16.0).reshape(1, 4, 4, 1)
    kernel = jnp.zeros((3, 3, 1, 1)).at[0, 0].set(1).at[1, 1].set(10)
    # Output (0, 0) sees rows and columns 0 to 2: pixel (0, 0) is 0 and pixel (1, 1) is 5.
    assert convolve(image, kernel, "VALID")[0, ..., 0].tolist() == [[50, 61], [94, 105]]


def test_max_pooling_by_hand() -> None:
    image = jnp.array([[1, 5, 2, 0], [3, 4, 9, 8], [0, 0, -1, -2], [0, 7, -3, -4]], jnp.float32)
    assert max_pool(image[None, ..., None])[0, ..., 0].tolist() == [[5, 9], [7, -1]]


def test_dropout_keeps_the_mean_and_zeroes_its_share() -> None:
    dropped = dropout(jnp.ones(100_000), 0.2, jax.random.key(0))
    assert set(np.unique(dropped)) == {0.0, 1.25}
    assert float((dropped == 0).mean()) == pytest.approx(0.2, abs=0.005)
    assert float(dropped.mean()) == pytest.approx(1, abs=0.01)
