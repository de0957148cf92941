"""The two values that everything else works on: examples, and a data set made of two parts of them."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np
from numpy.typing import NDArray

from mnistry.errors import DataError

DIGITS = tuple("0123456789")
SIDE = 28
CLASSES = 10
"""How many classes a data set has at least: the digits, or others, of which some may be unused."""
MOST_CLASSES = 250
"""Labels are bytes, and a few numbers are kept for what is no class."""
NO_DIGIT = 10
"""A further class that some models have: no digit, or only a piece of one."""
SEVERAL = 11
"""A further class that some models have: more than one digit, or one with a part of its neighbour."""


Doubt = Literal["label 10", "columns first"]
"""What the form of a file may leave open, so that only the images can tell: whether a label 10 stands for the
digit 0, as it is taken, or the labels are counted from 1; whether pixels in a row are stored row by row, as
they are taken, or column by column."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Images with their labels.

    Attributes:
        images: uint8[n, 28, 28], 0 is paper and 255 the strongest ink.
        labels: uint8[n], 0 to 9, or higher where there are more classes.

    Raises:
        DataError: wrong element types, shapes or lengths.

    >>> examples = Examples(np.zeros((3, 28, 28), np.uint8), np.array([7, 2, 1], np.uint8))
    >>> len(examples), examples[1:].labels.tolist(), examples[np.array([0])].labels.tolist()
    (3, [2, 1], [7])
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.shape[1:] != (SIDE, SIDE):
            raise DataError(
                f"images must be uint8 of shape (n, {SIDE}, {SIDE}), "
                f"found {self.images.dtype} of shape {self.images.shape}."
            )
        if self.labels.dtype != np.uint8 or self.labels.ndim != 1:
            raise DataError(
                f"labels must be uint8 of shape (n,), found {self.labels.dtype} of shape {self.labels.shape}."
            )
        if len(self.images) != len(self.labels):
            raise DataError(f"there are {len(self.images)} images but {len(self.labels)} labels.")

    def __len__(self) -> int:
        return len(self.labels)

    @overload
    def __getitem__(self, rows: slice) -> "Examples": ...
    @overload
    def __getitem__(self, rows: NDArray[Any]) -> "Examples": ...
    def __getitem__(self, rows: slice | NDArray[Any]) -> "Examples":
        """The examples of a slice, of an array of row numbers, or of a boolean mask."""
        return Examples(self.images[rows], self.labels[rows])


def content_hashes(train: Examples, validation: Examples | None, test: Examples) -> dict[str, str]:
    """SHA-256 of each part's images and labels, in hexadecimal."""
    parts = {"train": train, "validation": validation, "test": test}
    found = {}
    for name, part in parts.items():
        if part is not None:
            digest = hashlib.sha256(np.ascontiguousarray(part.images).data)
            digest.update(np.ascontiguousarray(part.labels).data)
            found[name] = digest.hexdigest()
    return found


@dataclass(frozen=True, eq=False)
class Dataset:
    """A named data set as its publishers divide it.

    Attributes:
        name: the catalogue's name, or the name of the folder or file that it was read from.
        train: the training part.
        test: the test part.
        class_names: names for people, such as `"Sneaker"`; the index is the label. Ten or more.
        source: where it was read from, how far it could be verified, and how it was divided; for people.
        sha256: SHA-256 of the content read, for each file or part, in hexadecimal.
        validation: the part that its makers set aside for validation, or None if they did not.
        notes: what its user should know, such as files that were left out.
        doubts: what its form leaves open; `mnistry.load` settles it.
    """

    name: str
    train: Examples
    test: Examples
    class_names: tuple[str, ...]
    source: str
    sha256: dict[str, str]
    validation: Examples | None = None
    notes: tuple[str, ...] = ()
    doubts: frozenset[Doubt] = frozenset()

    def __post_init__(self) -> None:
        for part in (self.train, self.validation, self.test):
            if part is not None and len(part) and part.labels.max() >= len(self.class_names):
                row = int(np.argmax(part.labels >= len(self.class_names)))
                raise DataError(
                    f"{self.name}: labels must be 0 to {len(self.class_names) - 1}, found {part.labels[row]} "
                    f"in row {row}."
                )
