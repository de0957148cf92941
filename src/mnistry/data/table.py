"""A text file of numbers, read a block of lines at a time: CSV, other separators, ARFF."""

import io
import re
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data import idx
from mnistry.errors import DataError
from mnistry.files import disguised, open_unpacked

LONGEST_LINE = 2**15
"""Characters; a label and 784 pixels of any usual form take less."""
MOST_COLUMNS = 2**12
_BLOCK_LINES = 4096
_ATTRIBUTE = re.compile(r"""@attribute\s+('[^']*'|"[^"]*"|\S+)\s""", re.IGNORECASE)


def read_table(path: Path) -> tuple[list[str], NDArray[Any]]:
    """Reads a table of numbers, packed or not: CSV, numbers between semicolons, tabs, blanks; dense ARFF.

    Returns:
        The header's names, none where the first line begins with a number, other than 0, 1, 2, … all along;
        and the numbers, uint8 `[rows, columns]` where all are whole and from 0 to 255, else float32.

    Raises:
        DataError: it cannot be read, is not a table of numbers, or has an endless line.
    """
    try:
        with open_unpacked(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig") as file:
            lines = _lines(file, path)
            first = next(lines, "")
            if first.lstrip().startswith("<"):
                raise DataError(f"{path}: not a table: it is {disguised(first.encode())}.")
            if first.lstrip().startswith(("%", "@")):
                names, first = _arff_header(first, lines, path)
                lines = (line.replace("'", '"') for line in chain([first], lines) if line)
                separator: str | None = ","
            else:
                separator = next((sign for sign in (",", ";", "\t") if sign in first), None)
                names = [name.strip().strip('"') for name in first.strip("\r\n").split(separator)]
                if not _is_header(names):
                    names, lines = [], chain([first], lines)
            blocks = _blocks(lines, separator, path)
            table = np.concatenate(list(blocks) or [np.zeros((0, len(names)), np.uint8)])
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file in UTF-8: {error}.") from error
    return names, table


def _arff_header(first: str, lines: Iterator[str], path: Path) -> tuple[list[str], str]:
    """The names of the attributes, and the first line of the data."""
    names: list[str] = []
    for line in chain([first], lines):
        if found := _ATTRIBUTE.match(line.lstrip()):
            names.append(found[1].strip("'\""))
        if len(names) > MOST_COLUMNS:
            break
        if line.strip().lower() == "@data":
            row = next((line for line in lines if not line.startswith("%")), "")
            if row.lstrip().startswith("{"):
                raise DataError(f"{path}: a sparse ARFF file; only dense ones are read. Save it as CSV.")
            return names, row
    raise DataError(f"{path}: expected an ARFF file, found no line @data after {len(names):,} attributes.")


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


def _blocks(lines: Iterator[str], separator: str | None, path: Path) -> Iterator[NDArray[Any]]:
    size = rows = 0
    columns = None
    while block := list(islice(lines, _BLOCK_LINES)):
        try:
            numbers = _numbers(block, separator)
        except ValueError as error:
            place = f"rows {rows + 1:,} to {rows + len(block):,}, counted from the first of them: "
            said = str(error).partition("; use ")[0]  # advice for those who call NumPy
            raise DataError(f"{path}: not a table of numbers: {place if rows else ''}{said}.") from error
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


def _numbers(lines: list[str], separator: str | None) -> NDArray[Any]:
    """The numbers of some lines, as uint8 where they can be."""

    def parsed(kind: type) -> NDArray[Any]:
        return np.loadtxt(lines, kind, delimiter=separator, ndmin=2, quotechar='"', comments=None)

    try:  # whole numbers are read eight times faster
        numbers = parsed(np.int32)
    except ValueError:
        numbers = parsed(np.float32)
    with np.errstate(invalid="ignore"):
        small = numbers.astype(np.uint8)
    return small if np.array_equal(small, numbers) else numbers.astype(np.float32)


def _is_header(names: list[str]) -> bool:
    """Whether they are names: words, or columns counted from 0, as pandas calls them."""
    numbers = [name for name in names if _is_number(name)]
    return not (names and _is_number(names[0])) or numbers == [str(number) for number in range(len(numbers))]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
