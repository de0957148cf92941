"""The table of labels in a folder of pictures: what is to be read in each of them."""

import csv
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from mnistry.atomic import write_bytes
from mnistry.data.decode import Picture
from mnistry.data.skipped import SUFFIXES, describe_skipped, is_litter
from mnistry.errors import DataError
from mnistry.files import read_regular

LABELS = "labels.tsv"
PICTURES = "images"
"""The folder beside the table that may hold the pictures."""
LABEL = r"([0-9]+([ |][0-9]+)*)?"
"""What a label is, as a regular expression: digits, `|` between lines, a space between groups; or nothing."""
MOST_BYTES = 2**26  # of the table
_LOCK = ".labels.lock"
_LOCKED = 10  # seconds that one waits for another who writes
_NEW = "file\tlines\n"
_NO_NAME = re.compile("[\\t\\r\\n\\ud800-\\udfff]")  # of files on a disk, which may have any
_DIGITS = "digits, with `|` between lines and one space between groups, or empty where there are none"
_EXPECTED = (
    "Expected columns parted by tabs and a header line: 'file'; then 'digits' or 'lines' with what is to be "
    "read, `|` between lines and one space between groups; and, if you like, 'kind'"
)


@dataclass(frozen=True, eq=False)
class Labelled:
    """A picture and what is to be read in it.

    Attributes:
        name: for people, such as the name of its file.
        picture: see `Recognizer.read`.
        lines: digits with single spaces between groups; none for a picture of no digits.
        kind: results are given by it; may be empty.
    """

    name: str
    picture: Picture
    lines: tuple[str, ...]
    kind: str = ""


def read_labels(folder: Path) -> tuple[Labelled, ...]:
    """Reads which pictures a folder has, and what is to be read in each, from its `labels.tsv`.

    The table has the columns `file`, then `digits` or `lines`, maybe `kind`, and any others. An empty
    label says that there is no digit in the picture. The pictures lie beside the table or in `images`.

    Raises:
        DataError: the folder, the table or a picture is missing, or a line of the table is not as it
            should be.
    """
    path = folder / LABELS
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder")
    if not path.exists():
        raise DataError(f"{folder}: there is no {LABELS} in it. {_EXPECTED}")
    labelled = tuple(_labelled(folder, row, label, where) for row, label, where in _rows(path))
    if not labelled:
        raise DataError(f"{path}: there are no pictures in the table. {_EXPECTED}")
    return labelled


def find_unlabelled(folder: Path, labelled: Iterable[Labelled]) -> str:
    """Which files of a folder are not measured, and why; empty if there are none.

    Args:
        folder: the folder; files that are hidden count for nothing, as does its table.
        labelled: what `read_labels` gave of it.

    Raises:
        DataError: the folder cannot be listed.
    """
    named = {(place / one.name).resolve() for one in labelled for place in (folder, folder / PICTURES)}
    missing = [Path(path.name) for path in _files(folder) if path.resolve() not in named]
    return describe_skipped(missing, f"no line in {LABELS}")


def find_pictures(folder: Path) -> dict[str, Path]:
    """The pictures of a folder that have a label or may get one: their paths by their names in the table.

    Those are pictures, in the folder or in its `images`, whose names end as such do, and whatever the table
    names. `2.png` comes before `10.png`.

    Raises:
        DataError: the folder is missing or cannot be listed, or its table is not as it should be.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder")
    found = {}
    for name in label_of_each(folder):
        if path := _path_of(folder, name):
            found[name] = path
    named = {path.resolve() for path in found.values()}
    for path in _files(folder):
        if path.suffix.lower() in SUFFIXES and path.resolve() not in named:
            # As the table is read: beside it first, then in the folder of pictures.
            name = path.name if _path_of(folder, path.name) == path else f"{PICTURES}/{path.name}"
            found[name] = path
    return dict(sorted(found.items(), key=lambda one: _by_number(one[0])))


def label_of_each(folder: Path) -> dict[str, str]:
    """What the table of a folder says of each file that it names; nothing where there is no table.

    Raises:
        DataError: a line of the table is not as it should be.
    """
    path = folder / LABELS
    return {row["file"]: label for row, label, _ in _rows(path)} if path.exists() else {}


def write_label(folder: Path, name: str, label: str) -> None:
    """Writes what is to be read in one picture into the table of a folder, which is made if there is none.

    Whatever else is in the table stays as it is, to the byte. It is read anew and replaced as a whole: labels
    that others wrote meanwhile are kept, and it is never half of one.

    Args:
        folder: the folder.
        name: of the picture, as in the column `file`.
        label: as in the table: empty for a picture of no digits.

    Raises:
        DataError: the table is not as it should be, or neither may stand in it.
        OSError: the table cannot be written.
    """
    if not re.fullmatch(LABEL, label):
        raise DataError(f"expected a label of {_DIGITS}; found {label!r}")
    if not name or _NO_NAME.search(name):
        raise DataError(f"{name!r}: no table can hold this name. Rename the file")
    path = folder / LABELS
    with locked_labels(folder):
        content = _text(path) if path.exists() else _NEW
        lines = StringIO(content, newline="").readlines() or [""]
        heading, ending = _parted(lines[0])
        header = heading.removeprefix("\ufeff").split("\t")
        column, file = header.index(_column(header, path)), header.index("file")
        row = [""] * len(header)
        row[file], row[column] = name, label
        found = False
        for number, line in enumerate(lines[1:], 1):
            text, end = _parted(line)
            cells = text.split("\t")
            if len(cells) == len(header) and cells[file] == name:
                cells[column], found = label, True
                lines[number] = "\t".join(cells) + end
        if not found:
            text, end = _parted(lines[-1])
            lines[-1] = text + (end or ending or "\n")
            lines.append("\t".join(row) + (ending or "\n"))
        write_bytes(path, "".join(lines).encode())


@contextmanager
def locked_labels(folder: Path) -> Iterator[None]:
    """Keeps others that write labels in a folder waiting while the block runs.

    Raises:
        DataError: another process writes for too long.
        OSError: the folder may not be written to.
    """
    import filelock

    try:
        with filelock.FileLock(folder / _LOCK, timeout=_LOCKED, is_singleton=False):
            yield
    except filelock.Timeout as error:
        raise DataError(f"{folder / LABELS}: another process has been writing it for {_LOCKED} s") from error


def _rows(path: Path) -> Iterator[tuple[dict[Any, Any], str, str]]:
    """Each row of a table, its label, and where it stands for messages."""
    try:
        # Tables often begin with the mark of UTF-8.
        content = StringIO(_text(path).removeprefix("\ufeff"), newline="")
        table = csv.DictReader(content, delimiter="\t", quoting=csv.QUOTE_NONE)
        column = _column(list(table.fieldnames or []), path)
        for row in table:
            where = f"{path}: line {table.line_num}"
            # In a short line columns are None, in a long one None is a column.
            if not row["file"] or row[column] is None or None in row:
                raise DataError(
                    f"{where}: expected the columns of the header, parted by tabs; found {list(row.values())}"
                )
            if not re.fullmatch(LABEL, row[column]):
                raise DataError(f"{where}: {column} must be {_DIGITS}; found {row[column]!r}")
            yield row, row[column], where
    except csv.Error as error:
        raise DataError(f"{path}: not a table in UTF-8: {error}. {_EXPECTED}") from error


def _labelled(folder: Path, row: dict[Any, Any], label: str, where: str) -> Labelled:
    path = _path_of(folder, row["file"])
    if path is None:
        raise DataError(f"{where}: there is no picture {row['file']!r} in the folder")
    return Labelled(row["file"], path, tuple(label.split("|")) if label else (), row.get("kind") or "")


def _text(path: Path) -> str:
    try:
        return read_regular(path, most_bytes=MOST_BYTES).decode()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a table in UTF-8: {error}. {_EXPECTED}") from error


def _column(header: list[str], path: Path) -> str:
    """The column of a table that holds the labels."""
    columns = [name for name in ("digits", "lines") if name in header]
    if "file" not in header or len(columns) != 1:
        raise DataError(f"{path}: line 1: found the columns {header}. {_EXPECTED}")
    return columns[0]


def _parted(line: str) -> tuple[str, str]:
    """A line, and the characters that end it."""
    text = line.rstrip("\r\n")
    return text, line[len(text) :]


def _path_of(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / PICTURES / name) if path.is_file()), None)


def _files(folder: Path) -> list[Path]:
    """The files beside the table and in the folder of pictures, but for the table and what is hidden."""
    try:
        paths = [path for place in (folder, folder / PICTURES) if place.is_dir() for path in place.iterdir()]
        files = [path for path in paths if not is_litter(path.name) and not path.is_dir()]
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed: {error.strerror or error}") from error
    return [path for path in files if path != folder / LABELS]


def _by_number(name: str) -> list[tuple[int, str]]:
    """So that numbers in names are ordered as such."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"([0-9]+)", name)]
