"""Labels of one's own, of any usual form, as the classes 0 to 9."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES
from mnistry.errors import DataError


def to_classes(labels: NDArray[Any]) -> tuple[NDArray[np.uint8], bool]:
    """Checks and converts labels.

    Args:
        labels: `[n]`, `[n, 1]` or `[1, n]`, whole numbers from 0 to 9 or from 1 to 10 of any type, or their
            texts; or one-hot, `[n, 10]`.

    Returns:
        uint8[n], 0 to 9; and whether there was a label 10, which was taken for 0.

    Raises:
        DataError: it is anything else; the message says how to make it so.
    """
    if labels.dtype.kind in "US":
        try:
            labels = labels.astype(np.float64)
        except ValueError as error:
            raise DataError(
                "labels must be whole numbers from 0 to 9, found text. Number the classes, such as by "
                "numpy.unique(labels, return_inverse=True)."
            ) from error
    if labels.dtype.kind not in "iufb":
        raise DataError(f"labels must be whole numbers from 0 to 9, found {labels.dtype}.")
    if labels.ndim == 2 and 1 in labels.shape:
        labels = labels.ravel()
    if labels.ndim == 2 and labels.shape[1] == CLASSES:
        return _from_one_hot(labels), False
    if labels.ndim != 1:
        raise DataError(f"labels must have shape (n,), or (n, 10) for one-hot ones, found {labels.shape}.")
    lowest, highest = (labels.min(), labels.max()) if labels.size else (0, 0)
    ten = bool(lowest >= 1 and highest == CLASSES)
    if not (lowest >= 0 and highest <= 9 + ten):
        raise DataError(f"labels must be from 0 to 9, found {lowest:.6g} to {highest:.6g}.")
    whole = labels.astype(np.uint8)
    if not (whole == labels).all():
        raise DataError(f"labels must be whole numbers from 0 to 9, found {labels[whole != labels][0]:.6g}.")
    return whole % CLASSES, ten


def _from_one_hot(labels: NDArray[Any]) -> NDArray[np.uint8]:
    if not (((labels == 0) | (labels == 1)).all() and (labels.sum(axis=1) == 1).all()):
        raise DataError(
            f"labels of shape {labels.shape} must be one-hot: a single 1 in each row, the rest 0. "
            "For probabilities, take labels.argmax(axis=1)."
        )
    classes: NDArray[np.uint8] = labels.argmax(axis=1).astype(np.uint8)
    return classes
