"""Setting examples aside for validation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import Dataset, Examples
from mnistry.errors import DataError, InvalidValueError, UnknownNameError


@dataclass(frozen=True, eq=False)
class Split:
    """Examples to train on, to choose by, and to report once.

    Attributes:
        also: SHA-256 of the digits of others that the training part ends with, by the names of their sets;
            see `mnistry.data.also`.
    """

    train: Examples
    validation: Examples
    test: Examples
    also: Mapping[str, str] = field(default_factory=dict)


def split(
    dataset: Dataset,
    *,
    validation: int | float,
    how: Literal["first", "random", "writer"],
    seed: int,
    writers: NDArray[Any] | None,
) -> Split:
    """Divides the training part of a data set in two; the test part stays as it is.

    A data set that has a part for validation is taken as it is divided. Training examples that stand in the
    order of their classes, as folders hold them, are shuffled first: their first rows would be of one class,
    and who learns in the order of the file would learn one class after the other.

    Args:
        dataset: the data set.
        validation: how many examples to set aside: a number, or a share from 0 up to but not including 1.
            `1/12` of MNIST is 5,000.
        how: `"first"` takes the first rows, as the classic tutorials do; `"random"` draws rows;
            `"writer"` draws writers until they have written at least so many, so that nobody's hand is
            on both sides.
        seed: what is drawn depends on nothing else.
        writers: int[n], the writer of each training example, for `"writer"`; see `read_writers`.

    Returns:
        The parts; within each, the rows keep their order, unless it is that of their classes.

    Raises:
        UnknownNameError: there is no such way to split.
        InvalidValueError: a size that leaves nothing to train on, or writers missing or of another length.
    """
    if dataset.validation is not None:
        return Split(_mixed(dataset.train, seed), dataset.validation, dataset.test)
    total = len(dataset.train)
    wanted = _count(validation, total)
    if how == "first":  # slices, which copy nothing
        train = _mixed(dataset.train, seed)
        return Split(train[wanted:], train[:wanted], dataset.test)
    random = np.random.default_rng(seed)
    if how == "random":
        aside = np.zeros(total, bool)
        aside[random.permutation(total)[:wanted]] = True
    elif how == "writer":
        aside = _whole_writers(_check_writers(writers, total), wanted, random)
    else:
        raise UnknownNameError("split", how, ("first", "random", "writer"))
    return Split(_mixed(dataset.train[~aside], seed), dataset.train[aside], dataset.test)


def _mixed(examples: Examples, seed: int) -> Examples:
    """The examples, shuffled where they stand in the order of their classes."""
    labels = examples.labels
    if len(labels) < 2 or labels[0] == labels[-1] or (labels[1:] < labels[:-1]).any():
        return examples
    return examples[np.random.default_rng(seed).permutation(len(labels))]


def check_trainable(parts: Split, name: str) -> None:
    """Refuses data that nothing can be learnt from or measured on; mostly they were read in a wrong way.

    Measuring a model on images of one class is possible; training on them is not.

    Args:
        parts: the parts.
        name: of the data set, for the error message.

    Raises:
        DataError: no training images, all of one class, or images that are one grey level all over.
    """
    classes = np.unique(parts.train.labels)
    if len(classes) < 2:
        found = f"all {len(parts.train):,} have the label {classes[0]}" if len(classes) else "there are none"
        raise DataError(
            f"{name}: expected training images of two classes or more, found that {found}. Are the labels "
            "the right column, array or folders?"
        )
    for what, part in (("training", parts.train), ("validation", parts.validation), ("test", parts.test)):
        blank = np.flatnonzero(part.images.max(axis=(1, 2)) == part.images.min(axis=(1, 2)))
        if len(blank):
            row = blank[0]
            raise DataError(
                f"{name}: {len(blank):,} of {len(part):,} {what} images are blank, of one grey level; "
                f"the first in row {row:,} (label {part.labels[row]}, pixels {part.images[row, 0, 0]}). "
                "Leave them out."
            )


def _count(validation: int | float, total: int) -> int:
    if isinstance(validation, float):
        if not 0 <= validation < 1:
            raise InvalidValueError(
                f"a share for validation must be from 0 up to but not including 1, found {validation}; "
                "write a whole number for a number of examples."
            )
        validation = round(validation * total)
    if not 0 <= validation < max(total, 1):
        raise InvalidValueError(
            f"cannot set {validation:,} of {total:,} training examples aside for validation."
        )
    return validation


def _check_writers(writers: NDArray[Any] | None, total: int) -> NDArray[Any]:
    if writers is None:
        raise InvalidValueError(
            "a split by writer needs the table of writers: qmnist-train-labels-idx2-int.gz from "
            "https://github.com/facebookresearch/qmnist in the folder qmnist of the data folder."
        )
    if writers.shape != (total,):
        raise InvalidValueError(f"expected the writer of each of {total:,} examples, found {writers.shape}.")
    return writers


def _whole_writers(writers: NDArray[Any], wanted: int, random: np.random.Generator) -> NDArray[np.bool_]:
    """Marks all rows of as many writers, drawn at random, as it takes to reach `wanted` rows."""
    names, owner, sizes = np.unique(writers, return_inverse=True, return_counts=True)
    order = random.permutation(len(names))
    before = np.cumsum(sizes[order]) - sizes[order]
    aside: NDArray[np.bool_] = np.isin(owner, order[before < wanted])
    if wanted and aside.all():
        raise InvalidValueError(
            f"setting {wanted:,} examples aside by writer would leave none of the {len(names)} writers to "
            "train on; ask for fewer."
        )
    return aside
