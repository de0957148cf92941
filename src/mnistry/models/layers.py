"""What the models are made of: the linear layer, convolution, pooling, normalisation, dropout."""

import math
from typing import Literal, assert_never

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

SIDE = 28
PIXELS = SIDE * SIDE
VARIANCE_FLOOR = 1e-5
TILE_INPUTS = 128  # the widest tile that has no more is the fastest
FEW_FEATURES = 16  # up to so many, a banded product is faster than one of patches


class Linear(eqx.Module):
    """`x @ weight + bias`."""

    weight: Array  # float32 [inputs, outputs]
    bias: Array  # float32 [outputs]

    def __call__(self, x: Array) -> Array:
        """Maps float32 `[..., inputs]` to `[..., outputs]`."""
        return x @ self.weight + self.bias


def linear(weight: np.ndarray) -> Linear:
    """A linear layer with these weights, `[inputs, outputs]`, and zero biases."""
    return Linear(initial(weight), initial(np.zeros(weight.shape[1])))


def initial(values: np.ndarray) -> Array:
    """The initial values of some weights, as JAX wants them.

    Rounded by NumPy, because JAX would compile a program for every shape that it rounds or fills with zeros.
    """
    return jnp.asarray(values.astype(np.float32))


def glorot_uniform(random: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Weights `[inputs, outputs]`, uniform in ±√(6 / (inputs + outputs)).

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010.
    """
    bound = np.sqrt(6 / (inputs + outputs))
    return random.uniform(-bound, bound, (inputs, outputs))


def he_normal(random: np.random.Generator, *shape: int) -> np.ndarray:
    """Weights before a ReLU: normal with variance 2 / inputs, where only the last axis is the outputs.

    Source: He et al., "Delving deep into rectifiers", 2015.
    """
    return random.normal(0, np.sqrt(2 / np.prod(shape[:-1])), shape)


Moments = tuple[Array, Array]  # mean and mean square of each feature, two float32 [features]


def moments(x: Array, present: Array | None = None) -> Moments:
    """The mean and the mean square of each feature, over all axes but the last.

    Args:
        x: float32 `[batch, ..., features]`.
        present: bool `[batch]`, which rows count; by default all.
    """
    axes = range(x.ndim - 1)
    if present is None:
        return x.mean(axes), (x * x).mean(axes)
    weights = present / (jnp.maximum(present.sum(), 1) * math.prod(x.shape[1:-1]))
    return jnp.einsum("b,b...f->f", weights, x), jnp.einsum("b,b...f->f", weights, x * x)


def deviation(mean: Array, square: Array) -> Array:
    """The standard deviation that belongs to a mean and a mean square, never zero."""
    return jnp.sqrt(jnp.maximum(square - mean * mean, 0) + VARIANCE_FLOOR)


def normalized(x: Array, present: Array | None = None) -> tuple[Array, Moments]:
    """Each feature with mean 0 and deviation 1 over the batch, and the moments that it had before.

    Args and shapes: as for `moments`.
    """
    found = moments(x, present)
    return (x - found[0]) / deviation(*found), found


def means_and_deviations(layers: list[Moments]) -> list[tuple[Array, Array]]:
    """The mean and the standard deviation of each feature over all batches, for each normalised layer.

    Args:
        layers: for each layer its moments in every batch, two float32 `[batches, features]`. The batches
            are of one size, so the moments over all of them are the means of these.

    Returns:
        For each layer two float32 `[features]`.
    """
    over_batches = [(means.mean(axis=0), squares.mean(axis=0)) for means, squares in layers]
    return [(mean, deviation(mean, square)) for mean, square in over_batches]


def dropout(x: Array, rate: float, key: Array) -> Array:
    """Zeroes each element with probability `rate` and scales the others by 1 / (1 - rate).

    Source: Srivastava et al., "Dropout", 2014.
    """
    return jnp.where(jax.random.bernoulli(key, 1 - rate, x.shape), x / (1 - rate), 0)


def convolve(images: Array, kernel: Array, padding: Literal["SAME", "VALID"], stride: int = 1) -> Array:
    """A 2-D convolution (as networks mean it: the kernel is not flipped).

    One layer, three lowerings with the same numbers: on a CPU the convolution is one matrix product, of
    whole rows where there are few features and of patches where there are many, which inside a compiled
    loop is an order of magnitude faster there than the native operation; elsewhere the native one is used.

    Args:
        images: float32 `[batch, height, width, channels]`.
        kernel: float32 `[kernel height, kernel width, channels, features]`.
        padding: "SAME" pads half the kernel's size all around, which keeps height and width where that is
            odd and the stride is 1; "VALID" pads nothing.
        stride: the step from one place of the kernel to the next.

    Returns:
        float32 `[batch, height', width', features]`.
    """
    if jax.default_backend() != "cpu":
        return convolve_natively(images, kernel, padding, stride)
    few = kernel.shape[-1] <= FEW_FEATURES
    return (convolve_as_product if few else convolve_patches)(images, kernel, padding, stride)


def convolve_as_product(
    images: Array, kernel: Array, padding: Literal["SAME", "VALID"], stride: int = 1
) -> Array:
    """`convolve` as one matrix product of the rows of the images with a banded matrix.

    All features of a row of the output depend on as many rows of the input as the kernel is high. Laid
    side by side, these rows times a matrix that holds the kernel once for every column, each time one
    stride further, are that row of the output. Most of the matrix is zeros; with few channels the
    product is nevertheless four times as fast as one over 5×5 patches, because nearly nothing is copied.
    """
    rows, columns, _, features = kernel.shape
    images = padded(images, kernel, padding)
    batch, height, width, _ = images.shape
    new_height, new_width = (height - rows) // stride + 1, (width - columns) // stride + 1
    band = _banded(kernel, rows, width, [(0, x) for x in range(0, stride * new_width, stride)])
    last = stride * (new_height - 1) + 1
    neighbours = jnp.stack([images[:, y : y + last : stride] for y in range(rows)], axis=2)
    return (neighbours.reshape(-1, len(band)) @ band).reshape(batch, new_height, new_width, features)


def _banded(kernel: Array, height: int, width: int, places: list[tuple[int, int]]) -> Array:
    """From `height` rows of `width` columns to the sums under the kernel at these places (row, column)."""
    rows, columns, channels, features = kernel.shape
    shifted = [
        jnp.pad(kernel, ((y, height - rows - y), (x, width - columns - x), (0, 0), (0, 0))) for y, x in places
    ]
    return jnp.stack(shifted, axis=3).reshape(height * width * channels, len(places) * features)


def convolve_patches(
    images: Array, kernel: Array, padding: Literal["SAME", "VALID"], stride: int = 1
) -> Array:
    """`convolve` as one matrix product of the patches under the kernel with the kernel."""
    rows, columns, channels, features = kernel.shape
    images = padded(images, kernel, padding)
    batch, height, width, _ = images.shape
    new_height, new_width = (height - rows) // stride + 1, (width - columns) // stride + 1
    down, across = stride * (new_height - 1) + 1, stride * (new_width - 1) + 1
    # A stack of stacks: its gradient sums columns first, then rows, which is faster than all at once.
    patches = jnp.stack(
        [
            jnp.stack(
                [images[:, y : y + down : stride, x : x + across : stride] for x in range(columns)], axis=3
            )
            for y in range(rows)
        ],
        axis=3,
    )
    product = patches.reshape(-1, rows * columns * channels) @ kernel.reshape(-1, features)
    return product.reshape(batch, new_height, new_width, features)


def padded(images: Array, kernel: Array, padding: Literal["SAME", "VALID"]) -> Array:
    """Images with as much paper around them as `convolve` pads."""
    match padding:
        case "VALID":
            return images
        case "SAME":
            rows, columns = kernel.shape[0] // 2, kernel.shape[1] // 2
            return jnp.pad(images, ((0, 0), (rows, rows), (columns, columns), (0, 0)))
    assert_never(padding)


def convolve_natively(
    images: Array, kernel: Array, padding: Literal["SAME", "VALID"], stride: int = 1
) -> Array:
    """`convolve` as XLA's own convolution."""
    return jax.lax.conv_general_dilated(
        padded(images, kernel, padding),
        kernel,
        (stride, stride),
        "VALID",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def convolve_and_pool(images: Array, kernel: Array, padding: Literal["SAME", "VALID"]) -> Array:
    """`max_pool(convolve(images, kernel, padding))`, faster on a CPU where there are few features.

    There it is one product of tiles of the images with a banded matrix. Each tile is what two rows of the
    output depend on, over some columns of it. The product gives the upper row's even columns, then its odd
    ones, then the lower row's: so the four places of every block lie in four runs, and pooling them touches
    no memory out of order. Narrow tiles leave fewer zeros in the matrix; wide ones copy less.
    """
    if jax.default_backend() != "cpu" or kernel.shape[-1] > FEW_FEATURES:
        return max_pool(convolve(images, kernel, padding))
    rows, columns, channels, features = kernel.shape
    images = padded(images, kernel, padding)
    batch, height, width, _ = images.shape
    new_height, new_width = height - rows + 1, width - columns + 1
    if new_height % 2 or new_width % 2:  # tiles have whole blocks only
        return max_pool(convolve(images, kernel, "VALID"))
    widths = [
        across
        for across in range(2, new_width + 1, 2)
        if new_width % across == 0 and (rows + 1) * (columns - 1 + across) * channels <= TILE_INPUTS
    ]
    across = max(widths, default=2)
    seen = columns - 1 + across
    tiles = [
        jnp.stack(
            [images[:, y : y + new_height - 1 : 2, x : x + seen] for y in range(rows + 1)],
            axis=2,
        )
        for x in range(0, new_width, across)
    ]
    places = [(y, x) for y in (0, 1) for first in (0, 1) for x in range(first, across, 2)]
    band = _banded(kernel, rows + 1, seen, places)
    pooled = largest_of_four(jnp.stack(tiles, axis=2).reshape(-1, len(band)), band)
    return pooled.reshape(batch, new_height // 2, new_width // 2, features)


@jax.custom_vjp
def largest_of_four(x: Array, matrix: Array) -> Array:
    """The product, of whose columns the four quarters compete: the largest of each four.

    Its gradient is written by hand because XLA would find the largest anew for every use of it.
    """
    return _largest_of_four(x, matrix)[0]


def _largest_of_four(x: Array, matrix: Array) -> tuple[Array, tuple[Array, ...]]:
    product = x @ matrix
    first, second, third, fourth = jnp.split(product, 4, axis=-1)
    largest = jnp.maximum(jnp.maximum(first, second), jnp.maximum(third, fourth))
    return largest, (x, matrix, product, largest)


def _largest_of_four_gradient(saved: tuple[Array, ...], gradient: Array) -> tuple[Array, Array]:
    x, matrix, product, largest = saved
    won = [quarter == largest for quarter in jnp.split(product, 4, axis=-1)]
    share = gradient / sum(won)  # those that are equally large share it
    of_product = jnp.concatenate([jnp.where(wins, share, 0) for wins in won], axis=-1)
    return of_product @ matrix.T, x.T @ of_product


largest_of_four.defvjp(_largest_of_four, _largest_of_four_gradient)


def max_pool(images: Array) -> Array:
    """The largest value of each 2×2 block: float32 `[batch, h, w, c]` to `[batch, ⌊h/2⌋, ⌊w/2⌋, c]`.

    The last row or column of an odd number of them is left out. Written as a maximum of four slices: its
    gradient is elementwise, where that of a window reduction is a scatter.
    """
    height, width = images.shape[1] // 2 * 2, images.shape[2] // 2 * 2
    rows = jnp.maximum(images[:, 0:height:2], images[:, 1:height:2])
    return jnp.maximum(rows[:, :, 0:width:2], rows[:, :, 1:width:2])
