"""From logits to probabilities, for whoever has a model's answers: the classifier and what measures it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.errors import InvalidValueError


def softmax(logits: NDArray[Any]) -> NDArray[np.float64]:
    """The probabilities of logits of any size: softmax over the last axis, in float64.

    Args:
        logits: float[n, C].

    Returns:
        float64[n, C]; each row sums to 1.

    Raises:
        InvalidValueError: not two axes, or a logit that is not finite.
    """
    return np.exp(log_softmax(checked_logits(logits)))


def checked_logits(logits: NDArray[Any], shape: tuple[int, int] | None = None) -> NDArray[np.float64]:
    """`logits` as float64 in rows: one layout, so that a row's sums do not depend on its batch.

    Args:
        logits: float[n, C].
        shape: that they must have; by default any of two axes.

    Raises:
        InvalidValueError: another shape, or a logit that is not finite.
    """
    logits = np.array(logits, np.float64, order="C")
    expected = list(shape) if shape else "[n, classes]"
    if logits.ndim != 2 or (shape and logits.shape != shape):
        raise InvalidValueError(f"logits: expected the shape {expected}, found {list(logits.shape)}.")
    finite = np.isfinite(logits).all(axis=1)
    if not finite.all():
        raise InvalidValueError(
            f"logits: {(~finite).sum()} of {len(logits)} rows hold a value that is not finite, "
            f"the first in row {finite.argmin()}; the model's weights have probably diverged: "
            "train again with a smaller learning rate."
        )
    return logits


def log_softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """The logarithms of `softmax`, float64[n, C], of logits that were checked."""
    shifted = logits - logits.max(axis=1, keepdims=True)  # the largest exponent is 0: nothing overflows
    return np.asarray(shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))
