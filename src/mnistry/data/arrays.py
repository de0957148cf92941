"""Arrays of one's own, of any usual form, as examples."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import Examples
from mnistry.data.sizes import brought_to_size, size_notes
from mnistry.errors import DataError

MOST_IMAGES = 340_000
"""MNIST and all that was ever added to it have fewer; EMNIST's digits are 280,000."""
Taken = tuple[Examples, tuple[str, ...]]
"""Examples, and what their user should know, such as that their images had another size."""
_BLOCK = 1024  # images converted at a time, so that a large array needs little memory besides its own


def to_examples(
    images: NDArray[Any], labels: NDArray[Any], name: str, *, full_scale: float | None = None
) -> Taken:
    """Checks and converts images and labels.

    Args:
        images: `[n, 28, 28]`, `[n, 28, 28, 1]` or `[n, 784]`, or so of another size: `[n, height, width]`,
            or squares in a row, such as `[n, 64]`; see `brought_to_size`. Pixels are whole numbers from 0
            to 255, of any type, or, where none is above 1 (numbers, truth values), shares of the strongest
            ink.
        labels: `[n]` or `[n, 1]`, whole numbers from 0 to 9 of any type; or one-hot, `[n, 10]`.
        name: the file or folder, for error messages.
        full_scale: the pixel value that means the strongest ink, if it is neither 255 nor, where none is
            above it, 1.

    Returns:
        The examples and what is noted about them.

    Raises:
        DataError: it is anything else; the message says how to make it so.
    """
    try:
        pixels = _pixels(images, full_scale)
        return Examples(brought_to_size(pixels), _classes(labels)), size_notes(*pixels.shape[1:])
    except DataError as error:
        raise DataError(f"{name}: {error}") from error


def _pixels(images: NDArray[Any], full_scale: float | None) -> NDArray[np.uint8]:
    if len(images) > MOST_IMAGES:
        raise DataError(f"there are {len(images):,} images; at most {MOST_IMAGES:,} are accepted.")
    images = _in_rows_and_columns(images)
    if images.dtype.kind not in "iufb":
        raise DataError(f"pixels must be numbers, found {images.dtype}.")
    lowest, highest = (float(images.min()), float(images.max())) if images.size else (0.0, 0.0)
    found = f"found {images.dtype} from {lowest:.6g} to {highest:.6g}"
    scale = full_scale or (1 if highest <= 1 else 255)
    if not lowest >= 0:  # not `lowest < 0`, which is false for NaN
        raise DataError(
            f"pixels must be from 0 to 255, or from 0 to 1, {found}. If they were normalised, take that "
            "back, such as by pixels * 0.3081 + 0.1307, or save them before it."
        )
    if highest > scale:
        raise DataError(
            f"pixels must be from 0 to {scale:.6g}, {found}. Give the value of the strongest ink, such as "
            f"`full_scale={highest:.6g}`"
        )
    if scale == 255 and images.dtype == np.uint8:
        return np.ascontiguousarray(images)
    converted = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        rounded = block if scale == 255 else np.rint(block.astype(np.float32) * np.float32(255 / scale))
        taken = converted[start : start + _BLOCK]
        taken[:] = rounded
        if scale == 255 and block.dtype.kind == "f" and not (taken == block).all():
            raise DataError(
                f"pixels must be whole numbers from 0 to 255, or from 0 to 1; {found}. Give the value of the "
                f"strongest ink, such as `full_scale={highest:.6g}`"
            )
    return converted


def _in_rows_and_columns(images: NDArray[Any]) -> NDArray[Any]:
    """The images as `[n, height, width]`."""
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    if images.ndim == 2 and (side := math.isqrt(images.shape[1])) ** 2 == images.shape[1]:
        images = images.reshape(len(images), side, side)
    if images.ndim != 3:
        raise DataError(
            "images must have shape (n, height, width), (n, height, width, 1) or, squares in a row, such as "
            f"(n, 784), found {images.shape}."
        )
    return images


def _classes(labels: NDArray[Any]) -> NDArray[np.uint8]:
    if labels.dtype.kind in "US":
        try:
            labels = labels.astype(np.int64)
        except ValueError as error:
            raise DataError(
                "labels must be whole numbers from 0 to 9, found text. Number the classes, such as by "
                "numpy.unique(labels, return_inverse=True)."
            ) from error
    if labels.dtype.kind not in "iufb":
        raise DataError(f"labels must be whole numbers from 0 to 9, found {labels.dtype}.")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.shape[1] == 10:
        if not (((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()):
            raise DataError(
                f"labels of shape {labels.shape} must be one-hot: a single 1 in each row, the rest 0. "
                "For probabilities, take labels.argmax(axis=1)."
            )
        classes: NDArray[np.uint8] = labels.argmax(axis=1).astype(np.uint8)
        return classes
    if labels.ndim != 1:
        raise DataError(f"labels must have shape (n,), or (n, 10) for one-hot ones, found {labels.shape}.")
    lowest, highest = (labels.min(), labels.max()) if labels.size else (0, 0)
    if lowest == 1 and highest == 10:
        raise DataError(
            "labels must be from 0 to 9, found 1 to 10. Where 10 stands for the digit 0, take labels % 10; "
            "where classes are counted from 1, labels - 1."
        )
    if not (lowest >= 0 and highest <= 9):
        raise DataError(f"labels must be from 0 to 9, found {lowest:.6g} to {highest:.6g}.")
    whole = labels.astype(np.uint8)
    if not (whole == labels).all():
        raise DataError(f"labels must be whole numbers from 0 to 9, found {labels[whole != labels][0]:.6g}.")
    return whole
