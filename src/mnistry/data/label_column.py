"""Which columns of a table hold the labels, and which the pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES, SIDE
from mnistry.data.roles import LABEL_NAMES
from mnistry.data.sizes import SMALLEST_SIDE
from mnistry.errors import DataError

_NUMBERING = frozenset({"", "index", "id", "unnamed: 0", "imageid", "image_id", "row", "no", "number"})
"""What a column is called that numbers the lines, in small letters."""
_EXPECTED = f"expected a label and the pixels of a square, such as {SIDE * SIDE}, a line"
_CURE = "Begin the file with a line of names, such as label,pixel0,…,pixel783 or pixel0,…,pixel783,label."


@dataclass(frozen=True, eq=False)
class Columns:
    """What the columns of a table hold.

    Attributes:
        pixels: `[rows, height × width]`, of squares.
        labels: `[rows]`, or one-hot `[rows, 10]`; None of a table without labels, as competitions give out
            for their tests.
        notes: what was left out.
    """

    pixels: NDArray[Any]
    labels: NDArray[Any] | None
    notes: tuple[str, ...] = ()


def columns_of(names: Sequence[str], table: NDArray[Any]) -> Columns:
    """Tells labels from pixels.

    The label is the column that the header calls so, or else the first or the last one; of these it is the
    one that can be: of whole numbers from 0 to 10, and not all the same, as those of a picture's blank
    corner are. Ten columns of ones and zeros at the end or the beginning are one-hot labels. A column that
    numbers the lines is left out.

    Args:
        names: those of the header, or none.
        table: numbers `[rows, columns]`.

    Raises:
        DataError: no such table, or one of which several columns may be the label.
    """
    rows, columns = table.shape
    if not rows or len(names) not in (0, columns):
        raise DataError(f"{_EXPECTED}, found {_described(names, rows, columns)}.")
    called = [name.strip().lower() for name in names]
    named = [column for column, name in enumerate(called) if name in LABEL_NAMES]
    if len(named) > 1:
        raise DataError(f"several columns are called as labels are: {[names[i] for i in named]}.")
    numbering = _numbering(called, table, named)
    if numbering is not None and (_is_square(columns - 2) or (not named and _is_square(columns - 1))):
        rest = columns_of([*names[:numbering], *names[numbering + 1 :]], np.delete(table, numbering, axis=1))
        return Columns(rest.pixels, rest.labels, ("a column that numbers the lines is left out",))
    if _is_square(columns) and not named:
        return Columns(table, None)
    if _is_square(columns - CLASSES):
        for labels, pixels in ((table[:, -CLASSES:], table[:, :-CLASSES]), np.split(table, [CLASSES], 1)):
            if (np.sort(labels, axis=1) == np.eye(CLASSES)[-1]).all():
                return Columns(pixels, labels)
    if not _is_square(columns - 1):
        raise DataError(f"{_EXPECTED}, found {_described(names, rows, columns)}.")
    column = named[0] if named else _label_column(table)
    return Columns(np.delete(table, column, axis=1), table[:, column])


def _label_column(table: NDArray[Any]) -> int:
    """The first column or the last."""
    ends = (0, table.shape[1] - 1)
    possible = [column for column in ends if _may_be_labels(table[:, column])]
    if not possible:
        found = [f"{table[:, column].min():g} to {table[:, column].max():g}" for column in ends]
        raise DataError(
            f"neither the first column nor the last one holds labels from 0 to 9: found {found[0]}, and "
            f"{found[1]}. {_CURE}"
        )
    for tells in (_varies, np.any):
        if telling := [column for column in possible if tells(table[:, column])]:
            possible = telling
    if len(possible) > 1:
        raise DataError(f"the labels may be the first column or the last one. {_CURE}")
    return possible[0]


def _numbering(called: Sequence[str], table: NDArray[Any], named: Sequence[int]) -> int | None:
    """The column that numbers the lines: by its name, or the first if it counts and is not the label."""
    by_name = [column for column, name in enumerate(called) if name in _NUMBERING]
    if len(by_name) == 1:
        return by_name[0]
    rows, columns = table.shape
    first = table[:, 0]
    counts = first[0] in (0, 1) and np.array_equal(first, first[0] + np.arange(rows))
    is_label = 0 in named or (first[-1] <= CLASSES and _is_square(columns - 1))
    return 0 if counts and rows > 1 and not is_label else None


def _is_square(pixels: int) -> bool:
    return pixels >= SMALLEST_SIDE**2 and math.isqrt(pixels) ** 2 == pixels


def _described(names: Sequence[str], rows: int, columns: int) -> str:
    named = f" and the names of {len(names)}, from {names[0]!r} to {names[-1]!r}" if names else ""
    return f"{rows} lines of {columns} columns{named}"


def _may_be_labels(column: NDArray[Any]) -> bool:
    return bool(((column >= 0) & (column <= CLASSES) & (column == np.floor(column))).all())


def _varies(column: NDArray[Any]) -> bool:
    return bool(column.min() < column.max())
