"""Convolutions with pooling or normalisation, bias and ReLU in one kernel, and their gradients in another."""

from functools import partial
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
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


@partial(jax.custom_vjp, nondiff_argnums=(3, 4, 5))
def convolve_and_normalize(
    images: Array, kernel: Array, bias: Array, stride: int, floor: float, data: bool
) -> Array:
    """`relu(normalized(convolve(images, kernel, "VALID", stride)) + bias)`.

    Args:
        images: float32 `[batch, height, width, channels]`.
        kernel: float32 `[size, size, channels, features]`.
        bias: float32 `[features]`.
        stride: the step from one place of the kernel to the next.
        floor: what is added to the variances.
        data: whether the images are data and have no gradient.

    Returns:
        float32 `[batch, (height - size) // stride + 1, (width - size) // stride + 1, features]`.
    """
    return _normalized(images, kernel, bias, stride, floor, data)[0]


def _normalized(
    images: Array, kernel: Array, bias: Array, stride: int, floor: float, data: bool
) -> tuple[Array, tuple[Array, ...]]:
    batch, *sides, _ = images.shape
    places = [(side - len(kernel)) // stride + 1 for side in sides]
    padded = saved_length(len(bias))
    shapes = ((batch, *places, len(bias)), (batch, *places, padded), (padded,))
    out = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    call = jax.ffi.ffi_call("mnistry_convolve_and_normalize", out)
    found, normal, scales = call(images, kernel, bias, stride=np.int64(stride), floor=np.float32(floor))
    return found, (images, kernel, bias, normal, scales)


def _of_normalized(
    stride: int, floor: float, data: bool, kept: tuple[Array, ...], of_found: Array
) -> tuple[Array | None, Array, Array]:
    images, kernel, bias, *_ = kept
    shapes = [kernel.shape, bias.shape] if data else [kernel.shape, bias.shape, images.shape]
    out = [jax.ShapeDtypeStruct(shape, jnp.float32) for shape in shapes]
    call = jax.ffi.ffi_call("mnistry_convolve_and_normalize_backward", out)
    numbers = {"stride": np.int64(stride), "floor": np.float32(floor)}
    of_kernel, of_bias, *of_images = call(*kept, of_found, **numbers)
    return of_images[0] if of_images else None, of_kernel, of_bias


convolve_and_normalize.defvjp(_normalized, _of_normalized)
