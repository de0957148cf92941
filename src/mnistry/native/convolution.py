"""A convolution with max-pooling, bias and ReLU in one kernel, and its gradient in another."""

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.native.calls import saved_length

SIZES = (3, 5)
"""Heights, and widths, of the kernels that there are."""


@partial(jax.custom_vjp, nondiff_argnums=(3,))
def convolve_and_pool(images: Array, kernel: Array, bias: Array, padding: Literal["SAME", "VALID"]) -> Array:
    """`relu(max_pool(convolve(images, kernel, padding)) + bias)`.

    Args:
        images: float32 `[batch, height, width, channels]`; those of one channel have no gradient.
        kernel: float32 `[size, size, channels, features]`.
        bias: float32 `[features]`.
        padding: "SAME" or "VALID".

    Returns:
        float32 `[batch, ⌊height' / 2⌋, ⌊width' / 2⌋, features]`.
    """
    return _forward(images, kernel, bias, padding)[0]


def _forward(
    images: Array, kernel: Array, bias: Array, padding: Literal["SAME", "VALID"]
) -> tuple[Array, tuple[Array, ...]]:
    batch, height, width, channels = images.shape
    size, features = len(kernel), kernel.shape[-1]
    lost = 0 if padding == "SAME" else size - 1
    rows, cells = (height - lost) // 2, (width - lost) // 2
    # What the way back needs of each place; of pixels, feature by feature.
    won = (rows, features, saved_length(cells)) if channels == 1 else (rows, cells, features)
    out = [jax.ShapeDtypeStruct((batch, *shape), jnp.float32) for shape in ((rows, cells, features), won)]
    pooled, winners = jax.ffi.ffi_call("mnistry_convolve", out)(images, kernel, bias)
    return pooled, (images, kernel, winners)


def _backward(
    padding: Literal["SAME", "VALID"], kept: tuple[Array, ...], of_pooled: Array
) -> tuple[Array | None, Array, Array]:
    images, kernel, winners = kept
    shapes = [kernel.shape, kernel.shape[-1:], images.shape][: 2 if images.shape[-1] == 1 else 3]
    out = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    of_kernel, of_bias, *of_images = jax.ffi.ffi_call("mnistry_convolve_backward", out)(
        images, kernel, winners, of_pooled
    )
    return of_images[0] if of_images else None, of_kernel, of_bias


convolve_and_pool.defvjp(_forward, _backward)
