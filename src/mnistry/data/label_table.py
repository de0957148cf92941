"""A table of pictures and their labels, such as `labels.csv`: one column names files, one says the label."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mnistry.data.parts import Part, part_called
from mnistry.data.roles import LABEL_NAMES
from mnistry.errors import DataError
from mnistry.files import open_regular

TABLES = (".csv", ".tsv", ".txt")
"""What the names of such tables end in."""
MOST_ROWS = 700_000
MOST_COLUMNS = 32
"""A table with more is one of pixels."""
LONGEST_LINE = 4096
"""Characters; a longer line is that of no such table."""
_LABELS = LABEL_NAMES | {"digits"}
"""`digits` stands in the tables that `mnistry evaluate-pictures` reads."""
_PARTS = frozenset({"split", "part", "set", "subset", "usage", "partition"})
_LOOKED_AT = 5  # lines that tell whether it is such a table


@dataclass(frozen=True)
class Row:
    """A line of the table.

    Attributes:
        path: the picture.
        label: what its class is called.
        part: if the table has a column `split`, `part`, `set` or the like.
    """

    path: Path
    label: str
    part: Part | None


def may_be_label_table(path: Path) -> bool:
    """Whether a file has the form of a table of a few columns, at its beginning."""
    try:
        rows = [row for row, _ in zip(_rows(path), range(_LOOKED_AT), strict=False)]
    except DataError:
        return False
    return bool(rows) and min(map(len, rows)) >= 2 and max(map(len, rows)) <= MOST_COLUMNS


def is_label_table(path: Path, pictures: Sequence[Path]) -> bool:
    """Whether a file is a table that names pictures.

    Args:
        path: the file.
        pictures: those that are there, in its folder and below.
    """
    try:
        rows = [row for row, _ in zip(_rows(path), range(_LOOKED_AT), strict=False)]
    except DataError:
        return False
    return _column_of_files(rows, _Names(path, pictures)) is not None


def read_label_table(path: Path, pictures: Sequence[Path]) -> list[Row]:
    """Reads a table that names pictures.

    Its columns are parted by tabs, commas, semicolons or blanks. The label is in the column that is called
    `label`, `class`, `target` or the like, or in the only other one. A file may be named without the folder
    it lies in, and without its ending, as long as it is the only one of that name; or for a table that is
    called like a part, such as `train.csv`, the only one in the folder of that part.

    Args:
        path: the file.
        pictures: those that are there, in its folder and below; no others are read.

    Raises:
        DataError: it names a picture that is not there, has no label in a line, or does not say which column
            is the label.
    """
    rows = list(_rows(path))
    names = _Names(path, pictures)
    files = _column_of_files(rows[:_LOOKED_AT], names)
    if files is None:
        raise DataError(f"{path}: no column of it names pictures that are there.")
    header = [] if names.find(rows[0][files]) else [name.strip().lower() for name in rows[0]]
    labels = _label_column(path, header, rows[-1], files)
    parts = next((column for column, name in enumerate(header) if name in _PARTS), None)
    found = []
    for number, row in enumerate(rows[len(header) > 0 :], 1 + (len(header) > 0)):
        if len(row) <= max(files, labels, parts or 0) or not row[labels].strip():
            raise DataError(f"{path}: row {number} has no label: {row}.")
        picture = names.find(row[files])
        if picture is None:
            raise DataError(f"{path}: row {number} names {row[files]!r}: {names.why_not(row[files])}.")
        part = part_called(row[parts].strip() or "-") if parts is not None else None
        if parts is not None and part is None:
            raise DataError(f"{path}: row {number}: {row[parts]!r} is the name of no part.")
        found.append(Row(picture, _plain(row[labels]), part))
    times = Counter(row.path for row in found)
    if twice := [picture for picture, count in times.items() if count > 1]:
        raise DataError(f"{path}: it names {twice[0].name} more than once. Keep one line of each picture.")
    return found


class _Names:
    """The pictures by every name that may stand for them in a table."""

    def __init__(self, table: Path, pictures: Sequence[Path]) -> None:
        self._folder, self._part = table.parent, part_called(table.stem)
        self._found: dict[str, list[Path]] = {}
        for picture in pictures:
            parts = picture.relative_to(self._folder).parts
            for first in range(len(parts)):
                name = "/".join(parts[first:])
                for form in (name, name.removesuffix(picture.suffix)):
                    self._found.setdefault(form, []).append(picture)

    def find(self, name: str) -> Path | None:
        """The one picture that a name stands for; of several, the one in the folder of the table's part."""
        found = self._possible(name)
        if len(found) > 1 and self._part:
            found = [path for path in found if self._part in map(part_called, self._folders_of(path))]
        return found[0] if len(found) == 1 else None

    def why_not(self, name: str) -> str:
        """Why there is not one."""
        found = self._possible(name)
        if found:
            return f"there are {len(found)} of that name, such as {found[0]} and {found[1]}"
        return f"there is no such picture in {self._folder} or below"

    def _folders_of(self, path: Path) -> tuple[str, ...]:
        return path.relative_to(self._folder).parts[:-1]

    def _possible(self, name: str) -> list[Path]:
        parts = [part for part in name.strip().replace("\\", "/").split("/") if part not in ("", ".")]
        whole = self._found.get("/".join(parts), [])
        exact = [path for path in whole if "/".join(parts) == path.relative_to(self._folder).as_posix()]
        if whole:
            return exact or whole
        # A table may name files as seen from above its own folder.
        for count in range(1, len(parts)):
            if tuple(parts[:count]) == self._folder.parts[-count:]:
                return self._found.get("/".join(parts[count:]), [])
        return []


def _rows(path: Path) -> Iterator[list[str]]:
    """The fields of each line that is not blank."""
    try:
        with open_regular(path) as opened, io.TextIOWrapper(opened, encoding="utf-8-sig", newline="") as file:
            lines = _lines(file, path)
            first = next(lines, "")
            counts = {sign: first.count(sign) for sign in ("\t", ",", ";", " ")}
            delimiter = next((sign for sign, count in counts.items() if count), ",")
            reader = csv.reader(_after(first, lines), delimiter=delimiter, skipinitialspace=True)
            for number, row in enumerate(reader):
                if number > MOST_ROWS:
                    raise DataError(f"{path}: it has more than the {MOST_ROWS:,} rows that are accepted.")
                if row:
                    yield row
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a table in UTF-8: {error}.") from error


def _lines(file: io.TextIOWrapper, path: Path) -> Iterator[str]:
    while line := file.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and not line.endswith("\n"):
            raise DataError(f"{path}: a line has more than {LONGEST_LINE:,} characters.")
        if line.strip():
            yield line


def _after(first: str, lines: Iterator[str]) -> Iterator[str]:
    yield first
    yield from lines


def _column_of_files(rows: Sequence[Sequence[str]], names: _Names) -> int | None:
    """The column in which most of the first lines name pictures; the very first may be a header."""
    for column in range(min(map(len, rows), default=0)):
        if 2 * sum(names.find(row[column]) is not None for row in rows) >= len(rows):
            return column
    return None


def _label_column(path: Path, header: Sequence[str], row: Sequence[str], files: int) -> int:
    called = [column for column, name in enumerate(header) if name in _LABELS and column != files]
    others = [column for column in range(len(row)) if column != files]
    possible = called or others
    if len(possible) != 1:
        columns = f"the columns {', '.join(header)}" if header else f"{len(row)} columns without names"
        raise DataError(
            f"{path}: which column holds the labels? Found {columns}. Begin the file with a line of names in "
            "which it is called 'label'."
        )
    return possible[0]


def _plain(label: str) -> str:
    """A label as it is called; `7.0`, as programs write numbers that had gaps among them, is `7`."""
    label = label.strip()
    whole, point, zeros = label.partition(".")
    return whole if point and whole.isdecimal() and not zeros.strip("0") else label
