"""The rows of metrics that a run logs: one JSON object a line, its `step` above that of the line before."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mnistry.atomic import write_text
from mnistry.errors import RunError
from mnistry.files import open_regular, read_regular

_MOST_BYTES = 2**28  # a hundred times those of the longest recipe
_TAIL = 4096  # bytes at the end of the file: some rows

Row = dict[str, float]


@dataclass(frozen=True)
class History:
    """A file of rows. A last line without its end was being written when a process died: it is no row."""

    path: Path

    def append(self, row: Mapping[str, float]) -> None:
        """Adds a row. Its `step` must be above the last row's."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def sync(self) -> None:
        """Makes the rows outlast a loss of power; once a checkpoint, because it takes milliseconds."""
        if self.path.exists():
            with self.path.open("rb+") as file:
                os.fsync(file.fileno())

    def read(self) -> tuple[list[Row], str | None]:
        """The rows, and what is wrong with the file, for people.

        What is no row, or whose step is not above that of the row before, is left out and told of.
        """
        lines = (
            read_regular(self.path, most_bytes=_MOST_BYTES).split(b"\n")[:-1] if self.path.exists() else []
        )
        rows: list[Row] = []
        problems: list[str] = []
        for number, line in enumerate(lines, 1):
            try:
                row = _row(line)
                if rows and row["step"] <= rows[-1]["step"]:
                    raise ValueError(f"step {row['step']} after step {rows[-1]['step']}")
                rows.append(row)
            except (ValueError, RecursionError) as error:
                problems.append(f"line {number}: {error}")
        if not problems:
            return rows, None
        return rows, (
            f"{self.path}: {len(problems)} of {len(lines)} lines cannot be used and are left out; "
            f"the first is {problems[0]}"
        )

    def last(self) -> Row:
        """The last row, from the end of the file alone; empty where there is none.

        Raises:
            RunError: it cannot be read.
        """
        if not self.path.exists():
            return {}
        with open_regular(self.path) as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            whole = file.read().split(b"\n")[:-1]
        try:
            return _row(whole[-1]) if whole else {}
        except (ValueError, RecursionError) as error:
            raise RunError(f"{self.path}: its last line is damaged: {error}") from error

    def forget_after(self, step: int) -> str | None:
        """Drops the rows after `step`, which a resumed run will log again, and what cannot be read.

        Returns:
            What is wrong with the file, as from `read`.
        """
        rows, damage = self.read()
        if self.path.exists():
            kept = [row for row in rows if row["step"] <= step]
            write_text(self.path, "".join(json.dumps(row) + "\n" for row in kept))
        return damage


def _row(line: bytes) -> Row:
    try:
        row = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise ValueError(f"no UTF-8: {error.reason}") from error
    numbers = isinstance(row, dict) and all(type(value) in (int, float) for value in row.values())
    if not numbers or type(row.get("step")) is not int:
        raise ValueError("expected numbers by name, among them a whole step")
    found: Row = row
    return found
