"""Single results in a JSON file, so that what was measured once is not measured again."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnistry.atomic import write_text
from mnistry.errors import DataError
from mnistry.reading.labels import Labelled
from mnistry.reading.measure import Answer
from readers import Read, SetRead

FORM = "single results of bench/reading.py, 1"


@dataclass(frozen=True)
class Key:
    """What was measured.

    Attributes:
        reader: its name.
        set: the name of the set.
        limit: see `Arguments.limit`.
    """

    reader: str
    set: str
    limit: int | None

    def __str__(self) -> str:
        return f"{self.reader}, {self.set}" + (f", {self.limit} of each kind" if self.limit else "")


@dataclass
class Results:
    """What was read in each set, with the digest of the reader and of the pictures.

    Attributes:
        path: of the file; nothing is kept without one.
        speed: what was measured of it last, if ever.
        sets: by key, JSON values: `reader`, `pictures` (digests), `megabytes` and `answers`.
    """

    path: Path | None
    speed: dict[str, Any] | None = None
    sets: dict[str, dict[str, Any]] = field(default_factory=dict)

    @staticmethod
    def load(path: Path | None) -> "Results":
        """What the file holds; nothing where there is none, or one of an earlier form.

        Raises:
            DataError: it is no JSON file, or cannot be read.
        """
        if path is None or not path.exists():
            return Results(path)
        try:
            found = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: expected a JSON file of this script: {error}. Name another") from error
        if not isinstance(found, dict) or found.get("form") != FORM:
            return Results(path)
        return Results(path, found.get("speed"), found["sets"])

    def find(self, key: Key, reader: str, pictures: str) -> SetRead | None:
        """What was read, if the reader and the pictures had these digests."""
        found = self.sets.get(str(key))
        if found is None or (found["reader"], found["pictures"]) != (reader, pictures):
            return None
        reads = (
            Read(tuple(one["read"]), one["seconds"], one["confidence"], one.get("error"))
            for one in found["answers"]
        )
        return SetRead(tuple(reads), found["megabytes"])

    def keep(self, key: Key, reader: str, pictures: str, answers: Sequence[Answer], read: SetRead) -> None:
        """Adds what was read; `save` writes it."""
        rows = [
            {**answer.to_json(), "confidence": one.confidence}
            for answer, one in zip(answers, read.reads, strict=True)
        ]
        self.sets[str(key)] = {
            "reader": reader,
            "pictures": pictures,
            "megabytes": read.megabytes,
            "answers": rows,
        }

    def save(self, figures: dict[str, Any]) -> None:
        """Writes the file, a set a line; `figures` stand before the single results.

        Raises:
            DataError: it cannot be written.
        """
        if self.path is None:
            return
        lines = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in self.sets.items())
        speed = {"speed": self.speed} if self.speed else {}
        text = json.dumps({"form": FORM, **figures, **speed}, indent=1).removesuffix("\n}")
        try:
            write_text(self.path, f'{text},\n "sets": {{\n{lines}\n }}\n}}\n')
        except OSError as error:
            raise DataError(f"{self.path}: cannot be written: {error.strerror or error}") from error


def answers_of(pictures: Sequence[Labelled], read: SetRead) -> tuple[Answer, ...]:
    """What was read beside what is to be read."""
    return tuple(
        Answer(labelled, one.lines, one.seconds, one.error)
        for labelled, one in zip(pictures, read.reads, strict=True)
    )
