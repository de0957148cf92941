"""Arrays of one's own, of any usual form, as examples."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES, SIDE, Doubt, Examples
from mnistry.data.labels import to_classes
from mnistry.data.sizes import brought_to_size, size_notes
from mnistry.errors import DataError

MOST_IMAGES = 340_000
"""MNIST and all that was ever added to it have fewer; EMNIST's digits are 280,000."""
OVERSHOOT = 0.2
"""How far below 0 and above 1 shares of ink may be: enlarging by cubic splines leaves so much."""
_BLOCK = 1024  # images converted at a time, so that a large array needs little memory besides its own
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


@dataclass(frozen=True, eq=False)
class Taken:
    """What was made of images and labels.

    Attributes:
        examples: as MNIST stores them.
        notes: what their user should know, such as that their images had another size.
        doubts: what their form leaves open.
    """

    examples: Examples
    notes: tuple[str, ...] = ()
    doubts: frozenset[Doubt] = frozenset()


def to_examples(
    images: NDArray[Any],
    labels: NDArray[Any],
    name: str,
    *,
    full_scale: float | None = None,
    by_columns: bool = False,
) -> Taken:
    """Checks and converts images and labels.

    Args:
        images: `[n, height, width]`, with or without a last or second axis of one grey or three colour
            channels, or squares in a row, such as `[n, 784]`; or n last. Images of other sizes than 28×28
            become MNIST's; see `brought_to_size`. Pixels are whole numbers from 0 to 255, of any type, or,
            where none is above 1 (numbers, truth values), shares of the strongest ink, or from -1 to 1.
        labels: see `mnistry.data.labels.to_classes`.
        name: the file or folder, for error messages.
        full_scale: the pixel value that means the strongest ink, if it is neither 255 nor, where none is
            above it, 1.
        by_columns: whether pixels in a row may be stored column by column.

    Raises:
        DataError: it is anything else; the message says how to make it so.
    """
    try:
        classes, ten = to_classes(labels)
        if len(images) > MOST_IMAGES:
            raise DataError(f"there are {len(images):,} images; at most {MOST_IMAGES:,} are accepted.")
        squares = _in_rows_and_columns(images, len(classes))
        pixels, notes = _pixels(squares, full_scale)
        examples = Examples(brought_to_size(pixels), classes)
    except DataError as error:
        raise DataError(f"{name}: {error}") from error
    highest = int(classes.max(initial=0))
    if highest >= CLASSES:
        notes += (f"labels are from {classes.min()} to {highest}: they number the classes",)
    doubts: dict[Doubt, bool] = {"label 10": ten, "columns first": by_columns and images.ndim == 2}
    return Taken(
        examples,
        (*notes, *size_notes(*pixels.shape[1:])),
        frozenset(doubt for doubt, open_ in doubts.items() if open_),
    )


def _pixels(images: NDArray[Any], full_scale: float | None) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """The pixels as uint8, and what was done that is not usual."""
    if images.dtype.kind not in "iufb":
        raise DataError(f"pixels must be numbers, found {images.dtype}.")
    lowest, highest = (float(images.min()), float(images.max())) if images.size else (0.0, 0.0)
    found = f"found {images.dtype} from {lowest:.6g} to {highest:.6g}"
    scale = full_scale or (1 if highest <= 1 else 255)
    if full_scale is None and images.shape[1:] != (SIDE, SIDE) and 1 < highest < 128:
        scale = highest  # the ink of each is scaled anyway
    paper = 0.0
    notes: tuple[str, ...] = ()
    if (lowest, scale) == (-1, 1):
        paper, scale = -1.0, 2.0
        notes = ("pixels are from -1 to 1: -1 was taken for 0",)
    elif -OVERSHOOT <= lowest < 0 and highest <= 1 + OVERSHOOT and full_scale is None:
        scale = 1
        notes = (f"pixels are from {lowest:.3g} to {highest:.3g}: what is beyond 0 and 1 was cut off",)
    elif not lowest >= 0:  # not `lowest < 0`, which is false for NaN
        raise DataError(
            f"pixels must be from 0 to 255, or from 0 to 1, {found}. If they were normalised, take that "
            "back, such as by pixels * 0.3081 + 0.1307, or save them before it."
        )
    elif highest > scale:
        raise DataError(
            f"pixels must be from 0 to {scale:.6g}, {found}. Give the value of the strongest ink, such as "
            f"`full_scale={highest:.6g}`"
        )
    if scale == 255 and images.dtype == np.uint8:
        return np.ascontiguousarray(images), notes
    converted = np.empty(images.shape, np.uint8)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK]
        taken = converted[start : start + _BLOCK]
        if scale == 255:
            taken[:] = block
        else:
            shares = (block.astype(np.float32) - np.float32(paper)) * np.float32(255 / scale)
            taken[:] = np.rint(shares).clip(0, 255)
        if scale == 255 and block.dtype.kind == "f" and not (taken == block).all():
            raise DataError(
                f"pixels must be whole numbers from 0 to 255, or from 0 to 1; {found}. Give the value of the "
                f"strongest ink, such as `full_scale={highest:.6g}`"
            )
    return converted, notes


def _in_rows_and_columns(images: NDArray[Any], count: int) -> NDArray[Any]:
    """The images as `[n, height, width]`."""
    shape = images.shape
    if images.ndim > 1 and len(images) != count == shape[-1]:
        images = np.moveaxis(images, -1, 0)
    if images.ndim == 4 and images.shape[1] in (1, 3) and images.shape[3] not in (1, 3):
        images = np.moveaxis(images, 1, -1)
    if images.ndim == 4 and images.shape[3] == 1:
        images = images[..., 0]
    elif images.ndim == 4 and images.shape[3] == 3 and images.dtype.kind in "iuf":
        images = _grey(images)
    if images.ndim == 2 and (side := math.isqrt(images.shape[1])) ** 2 == images.shape[1]:
        images = images.reshape(len(images), side, side)
    if images.ndim != 3:
        raise DataError(
            "images must have shape (n, height, width), (n, height, width, 1) or, squares in a row, such as "
            f"(n, 784), found {shape}."
        )
    return images


def _grey(images: NDArray[Any]) -> NDArray[Any]:
    """The luminance of colours, in the same type."""
    grey = np.empty(images.shape[:3], images.dtype)
    for start in range(0, len(images), _BLOCK):
        block = images[start : start + _BLOCK] @ _LUMINANCE
        grey[start : start + _BLOCK] = block if images.dtype.kind == "f" else np.rint(block)
    return grey
