"""A CSV file of numbers, read a block of lines at a time."""

import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data import idx
from mnistry.errors import DataError
from mnistry.files import disguised, open_regular

LONGEST_LINE = 2**15
"""Characters; a label and 784 pixels of any usual form take less."""
_BLOCK_LINES = 4096


def read_table(path: Path) -> tuple[list[str], NDArray[Any]]:
    """Reads a table.

    Returns:
        The header's names, none where the first line holds numbers other than 0, 1, 2, …; and the numbers,
        uint8 `[rows, columns]` where all are whole and from 0 to 255, else float32.

    Raises:
        DataError: it cannot be read, is not a table of numbers, or has an endless line.
    """
    try:
        with open_regular(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig") as file:
            lines = _lines(file, path)
            first = next(lines, "")
            if first.lstrip().startswith("<"):
                raise DataError(f"{path}: not a table: it is {disguised(first.encode())}.")
            _require_commas(first, path)
            names = [name.strip().strip('"') for name in first.split(",")]
            counted = names == [str(number) for number in range(len(names))]
            header = names if counted or not _is_number(names[0]) else []
            blocks = _blocks(lines if header else _after(first, lines), path)
            table = np.concatenate(list(blocks) or [np.zeros((0, len(names)), np.uint8)])
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8: {error}.") from error
    return header, table


def _require_commas(first: str, path: Path) -> None:
    """Raises DataError where something else than commas parts the values."""
    for separator, called in ((";", "semicolons"), ("\t", "tabs")):
        if "," not in first and separator in first:
            raise DataError(
                f"{path}: its first line has {called} and no comma. Replace them by commas; a decimal comma, "
                "if there is one, by a point before."
            )


def _lines(file: io.TextIOWrapper, path: Path) -> Iterator[str]:
    """The lines that are not blank."""
    number = 0
    while line := file.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise DataError(
                f"{path}: line {number:,} has more than {LONGEST_LINE:,} characters; "
                "a label and 784 pixels take less. This is no table of images."
            )
        if line.strip():
            yield line


def _after(first: str, lines: Iterator[str]) -> Iterator[str]:
    if first:
        yield first
    yield from lines


def _blocks(lines: Iterator[str], path: Path) -> Iterator[NDArray[Any]]:
    size = rows = 0
    columns = None
    while block := list(islice(lines, _BLOCK_LINES)):
        try:
            numbers = _numbers(block)
        except ValueError as error:
            place = f"rows {rows + 1:,} to {rows + len(block):,}, counted from the first of them: "
            raise DataError(f"{path}: not a table of numbers: {place if rows else ''}{error}.") from error
        columns = columns or numbers.shape[1]
        if numbers.shape[1] != columns:
            raise DataError(
                f"{path}: the first lines have {columns} columns, "
                f"those from row {rows + 1:,} on {numbers.shape[1]}."
            )
        rows += len(block)
        size += numbers.nbytes
        if size > idx.MOST_BYTES:
            raise DataError(f"{path}: its numbers take more than the {idx.MOST_BYTES:,} bytes accepted.")
        yield numbers


def _numbers(lines: list[str]) -> NDArray[Any]:
    """The numbers of some lines, as uint8 where they can be."""
    try:  # whole numbers are read eight times faster
        numbers = np.loadtxt(lines, np.int32, delimiter=",", ndmin=2, quotechar='"', comments=None)
    except ValueError:
        numbers = np.loadtxt(lines, np.float32, delimiter=",", ndmin=2, quotechar='"', comments=None)
    with np.errstate(invalid="ignore"):
        small = numbers.astype(np.uint8)
    return small if np.array_equal(small, numbers) else numbers.astype(np.float32)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
