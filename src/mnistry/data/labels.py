"""Labels of one's own, of any usual form, as the numbers of classes, such as 0 to 9."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES, MOST_CLASSES
from mnistry.errors import DataError


def to_classes(labels: NDArray[Any]) -> tuple[NDArray[np.uint8], bool]:
    """Checks and converts labels.

    Args:
        labels: `[n]`, `[n, 1]` or `[1, n]`, whole numbers from 0 on of any type, below `MOST_CLASSES`, or
            their texts; or one-hot, `[n, classes]`.

    Returns:
        uint8[n]; and whether they were from 1 to 10, of which 10 was taken for 0.

    Raises:
        DataError: it is anything else; the message says how to make it so.
    """
    if labels.dtype.kind in "US":
        try:
            labels = labels.astype(np.float64)
        except ValueError as error:
            raise DataError(
                "labels must be whole numbers, such as 0 to 9, found text. Number the classes, such as by "
                "numpy.unique(labels, return_inverse=True)."
            ) from error
    if labels.dtype.kind not in "iufb":
        raise DataError(f"labels must be whole numbers, such as 0 to 9, found {labels.dtype}.")
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.ravel()
    if labels.ndim == 2 and 2 <= labels.shape[1] <= MOST_CLASSES:
        return _from_one_hot(labels), False
    if labels.ndim != 1:
        raise DataError(
            f"labels must have shape (n,), or such as (n, 10) for one-hot ones, found {labels.shape}."
        )
    lowest, highest = (labels.min(), labels.max()) if labels.size else (0, 0)
    ten = bool(lowest >= 1 and highest == CLASSES)
    if not (lowest >= 0 and highest < MOST_CLASSES):
        raise DataError(
            f"labels must be from 0 to 9, or to {MOST_CLASSES - 1} where there are more classes, found "
            f"{lowest:.6g} to {highest:.6g}."
        )
    whole = labels.astype(np.uint8)
    if not (whole == labels).all():
        raise DataError(f"labels must be whole numbers, found {labels[whole != labels][0]:.6g}.")
    return whole % np.uint8(CLASSES) if ten else whole, ten


def _from_one_hot(labels: NDArray[Any]) -> NDArray[np.uint8]:
    if not (((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()):
        raise DataError(
            f"labels of shape {labels.shape} must be one-hot: a single 1 in each row, the rest 0. "
            "For probabilities, take labels.argmax(axis=1)."
        )
    classes: NDArray[np.uint8] = labels.argmax(axis=1).astype(np.uint8)
    return classes
