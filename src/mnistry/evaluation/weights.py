"""A model's first layer as pictures: what it looks for in the pixels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import SIDE
from mnistry.language import gettext

_GATES = 4  # input, candidate, forget, output


@dataclass(frozen=True, eq=False)
class Weights:
    """Pictures of weights.

    Attributes:
        lead: what is to be seen.
        pictures: float[h, w] each, with its caption.
    """

    lead: str
    pictures: Sequence[tuple[str, NDArray[np.floating[Any]]]]

    @property
    def scale(self) -> float:
        """One for all; a few single weights beyond it are drawn at full strength."""
        every = np.concatenate([np.abs(weights).ravel() for _, weights in self.pictures])
        return float(np.quantile(every, 0.998)) or 1.0


def first_layer(arrays: Mapping[str, NDArray[Any]], class_names: Sequence[str]) -> Weights | None:
    """The weights that stand on the pixels, found by their shape; None where no array has such a shape.

    Args:
        arrays: the model's, by name: `[784, outputs]` of a dense layer, `[h, w, 1, features]` of a
            convolution, or `[28, 4 units]` of a recurrent layer that is given the rows of an image.
        class_names: one for each class.
    """
    by_name = [array for _, array in sorted(arrays.items())]
    for array in by_name:
        if array.ndim == 4 and array.shape[2] == 1:
            return _kernels(array)
    for array in by_name:
        if array.ndim == 2 and array.shape[0] == SIDE**2:
            return _dense(array, class_names, linear=sum(other.ndim > 1 for other in by_name) == 1)
    for array in by_name:
        if array.ndim == 2 and array.shape[0] == SIDE and array.shape[1] % _GATES == 0:
            return _gates(array)
    return None


def _kernels(kernels: NDArray[Any]) -> Weights:
    height, width, _, features = kernels.shape
    lead = gettext("The {n} kernels of {height}×{width} pixels: blue looks for ink, orange for paper.")
    lead = lead.format(n=features, height=height, width=width)
    return Weights(lead, [(str(i), kernels[:, :, 0, i]) for i in range(features)])


def _dense(weights: NDArray[Any], class_names: Sequence[str], *, linear: bool) -> Weights:
    pictures = weights.T.reshape(-1, SIDE, SIDE)
    if linear and len(pictures) == len(class_names):
        lead = gettext("Each pixel's weight: ink on blue speaks for the class, ink on orange against it.")
        return Weights(lead, list(zip(class_names, pictures, strict=True)))
    strongest = np.argsort(-np.linalg.norm(weights, axis=0), kind="stable")
    lead = gettext(
        "Units of the first layer, those with the largest weights first, each by its number: "
        "ink on blue excites the unit, ink on orange inhibits it."
    )
    return Weights(lead, [(str(i), pictures[i]) for i in strongest])


def _gates(weights: NDArray[Any]) -> Weights:
    units = weights.shape[1] // _GATES
    lead = gettext(
        "From the 28 pixels of a row (top to bottom) to the {units} units (left to right), a picture for "
        "each gate: ink on blue opens the gate, ink on orange shuts it."
    ).format(units=units)
    gates = (gettext("input"), gettext("candidate"), gettext("forget"), gettext("output"))
    return Weights(lead, list(zip(gates, np.split(weights, _GATES, axis=1), strict=True)))
