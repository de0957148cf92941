"""Which column of a table of pixels holds the labels."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import SIDE
from mnistry.errors import DataError

PIXELS = SIDE * SIDE
LABEL_NAMES = frozenset({"label", "labels", "class", "target", "digit", "y", "category"})
_EXPECTED = f"expected a label and {PIXELS} pixels a line"
_CURE = "Begin the file with a line of names, such as label,pixel0,…,pixel783 or pixel0,…,pixel783,label."


def label_column(names: Sequence[str], table: NDArray[Any]) -> int | None:
    """Which column is the label: the one that the header calls so, or else the first or the last one.

    Of these it is the one that can be: of numbers from 0 to 9, and not all the same, as those of a
    picture's blank corner are.

    Args:
        names: those of the header, or none.
        table: numbers `[n, columns]`.

    Returns:
        The column; None of a table of 784 pixels without labels, as competitions give out for their tests.

    Raises:
        DataError: no such table, or one of which several columns may be the label.
    """
    rows, columns = table.shape
    named = [column for column, name in enumerate(names) if name.strip().lower() in LABEL_NAMES]
    if columns == PIXELS and not named:
        return None
    if columns != PIXELS + 1 or not rows or len(names) not in (0, columns):
        raise DataError(f"{_EXPECTED}, found {_described(names, rows, columns)}.")
    if len(named) > 1:
        raise DataError(f"several columns are called as labels are: {[names[i] for i in named]}.")
    possible = named or [column for column in (0, PIXELS) if _may_be_labels(table[:, column])]
    if not possible:
        found = [f"{table[:, column].min():g} to {table[:, column].max():g}" for column in (0, PIXELS)]
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


def _described(names: Sequence[str], rows: int, columns: int) -> str:
    named = f" and the names of {len(names)}, from {names[0]!r} to {names[-1]!r}" if names else ""
    counted = ". If one column numbers the lines, write the table without it" * (columns == PIXELS + 2)
    return f"{rows} lines of {columns} columns{named}{counted}"


def _may_be_labels(column: NDArray[Any]) -> bool:
    return bool(((column >= 0) & (column <= 9) & (column == np.floor(column))).all())


def _varies(column: NDArray[Any]) -> bool:
    return bool(column.min() < column.max())
