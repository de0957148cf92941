"""How well pictures are read: labels from a table, every picture read, right and wrong counted."""

import csv
import re
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from io import StringIO
from pathlib import Path
from statistics import fmean
from typing import Any, Protocol

from mnistry.data.decode import Picture
from mnistry.data.skipped import describe_skipped, is_litter
from mnistry.errors import DataError, PictureError
from mnistry.evaluation.intervals import wilson_interval
from mnistry.evaluation.strings import Score, score_lines
from mnistry.files import read_regular
from mnistry.reading.recognizer import MIN_CONFIDENCE, Reading

LABELS = "labels.tsv"
PICTURES = "images"
"""The folder beside the table that may hold the pictures."""
MOST_BYTES = 2**26  # of the table
_LABEL = re.compile(r"|[0-9]+([ |][0-9]+)*")
_EXPECTED = (
    "Expected columns parted by tabs and a header line: 'file'; then 'digits' or 'lines' with what is to be "
    "read, `|` between lines and one space between groups; and, if you like, 'kind'"
)


class Reader(Protocol):
    """What can be measured: a `Recognizer`, or another program that reads digits."""

    def read(self, picture: Picture, *, min_confidence: float) -> Reading:
        """As `Recognizer.read`."""


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


@dataclass(frozen=True, eq=False)
class Answer:
    """What was read in one picture.

    Attributes:
        labelled: the picture, and what was to be read.
        lines: what was read; none where the picture could not be read.
        seconds: that reading it took.
        error: why it could not be read.
    """

    labelled: Labelled
    lines: tuple[str, ...]
    seconds: float
    error: str | None = None

    @cached_property
    def score(self) -> Score:
        """How much of it is right; a picture of no digits that cannot be read is not exact either."""
        return score_lines(self.labelled.lines, self.lines)

    @property
    def exact(self) -> bool:
        """Whether all lines were read as they are, spaces aside."""
        return self.error is None and self.score.exact

    def to_json(self) -> dict[str, Any]:
        """As JSON values: `{"file": "1.png", "wanted": ["12"], "read": ["17"], "exact": false, …}`."""
        return {
            "file": self.labelled.name,
            **({"kind": self.labelled.kind} if self.labelled.kind else {}),
            "wanted": list(self.labelled.lines),
            "read": list(self.lines),
            "exact": self.exact,
            "character_errors": self.score.character_errors,
            "seconds": self.seconds,
            **({"error": self.error} if self.error else {}),
        }


@dataclass(frozen=True)
class Figures:
    """The figures of a set of answers; see `Score` for what counts as right.

    Attributes:
        pictures: how many there are.
        exact: in how many all was read as it is.
        exact_rate: their share, and `exact_interval` its 95 % interval.
        character_error_rate: errors over the number of true characters; None where there are none.
        unknown: answers of `?`.
        nothing_found: pictures in which no digit was found, rightly or wrongly.
        unreadable: pictures that could not be read; they count as wrong.
        seconds_per_picture: the mean.
    """

    pictures: int
    exact: int
    exact_rate: float
    exact_interval: tuple[float, float]
    characters: int
    character_errors: int
    character_error_rate: float | None
    lines: int
    lines_right: int
    groups: int
    groups_right: int
    unknown: int
    nothing_found: int
    unreadable: int
    seconds_per_picture: float

    @staticmethod
    def of(answers: Iterable[Answer]) -> "Figures":
        """Counts. There must be at least one answer."""
        answers = list(answers)
        exact = sum(answer.exact for answer in answers)
        scores = [answer.score for answer in answers]
        characters = sum(score.characters for score in scores)
        character_errors = sum(score.character_errors for score in scores)
        return Figures(
            pictures=len(answers),
            exact=exact,
            exact_rate=exact / len(answers),
            exact_interval=wilson_interval(exact, len(answers)),
            characters=characters,
            character_errors=character_errors,
            character_error_rate=character_errors / characters if characters else None,
            lines=sum(score.lines for score in scores),
            lines_right=sum(score.lines_right for score in scores),
            groups=sum(score.groups for score in scores),
            groups_right=sum(score.groups_right for score in scores),
            unknown=sum("".join(answer.lines).count("?") for answer in answers),
            nothing_found=sum(not answer.lines and answer.error is None for answer in answers),
            unreadable=sum(answer.error is not None for answer in answers),
            seconds_per_picture=fmean(answer.seconds for answer in answers),
        )


@dataclass(frozen=True)
class Measured:
    """All answers, with their figures together and by kind of picture."""

    answers: tuple[Answer, ...]

    @cached_property
    def figures(self) -> Figures:
        """Of all answers."""
        return Figures.of(self.answers)

    @cached_property
    def by_kind(self) -> dict[str, Figures]:
        """Of each kind, in the order in which the kinds first come; empty where no picture has a kind."""
        kinds = dict.fromkeys(answer.labelled.kind for answer in self.answers)
        if not any(kinds):
            return {}
        return {
            kind: Figures.of(answer for answer in self.answers if answer.labelled.kind == kind)
            for kind in kinds
        }

    def to_json(self) -> dict[str, Any]:
        """As JSON values: the figures, `kinds` with the figures of each, `answers` with every picture."""
        return {
            **asdict(self.figures),
            "kinds": {kind: asdict(figures) for kind, figures in self.by_kind.items()},
            "answers": [answer.to_json() for answer in self.answers],
        }


def measure(
    reader: Reader, pictures: Iterable[Labelled], *, min_confidence: float = MIN_CONFIDENCE
) -> Measured:
    """Reads every picture, one after the other.

    Args:
        reader: what reads them.
        pictures: at least one.
        min_confidence: see `Recognizer.read`.
    """
    answers = []
    for labelled in pictures:
        lines: tuple[str, ...] = ()
        error = None
        started = time.perf_counter()
        try:
            lines = reader.read(labelled.picture, min_confidence=min_confidence).lines
        except PictureError as failure:
            error = str(failure)
        answers.append(Answer(labelled, lines, time.perf_counter() - started, error))
    return Measured(tuple(answers))


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
    try:
        # Tables often begin with the mark of UTF-8.
        text = read_regular(path, most_bytes=MOST_BYTES).decode("utf-8-sig")
        table = csv.DictReader(StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
        header = list(table.fieldnames or [])
        columns = [name for name in ("digits", "lines") if name in header]
        if "file" not in header or len(columns) != 1:
            raise DataError(f"{path}: line 1: found the columns {header}. {_EXPECTED}")
        labelled = tuple(
            _labelled(folder, row, columns[0], f"{path}: line {table.line_num}") for row in table
        )
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path}: not a table in UTF-8: {error}. {_EXPECTED}") from error
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
    named.add((folder / LABELS).resolve())
    try:
        paths = [path for place in (folder, folder / PICTURES) if place.is_dir() for path in place.iterdir()]
        files = [path for path in paths if not is_litter(path.name) and not path.is_dir()]
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed: {error.strerror or error}") from error
    missing = [Path(path.name) for path in files if path.resolve() not in named]
    return describe_skipped(missing, f"no line in {LABELS}")


def _labelled(folder: Path, row: dict[Any, Any], column: str, where: str) -> Labelled:
    """One line of the table; in a short line columns are None, in a long one None is a column."""
    name, label = row["file"], row[column]
    if not name or label is None or None in row:
        raise DataError(
            f"{where}: expected the columns of the header, parted by tabs; found {list(row.values())}"
        )
    if not _LABEL.fullmatch(label):
        raise DataError(
            f"{where}: {column} must be digits, with `|` between lines and one space between groups, or "
            f"empty where there are none; found {label!r}"
        )
    path = next((path for path in (folder / name, folder / PICTURES / name) if path.is_file()), None)
    if path is None:
        raise DataError(f"{where}: there is no picture {name!r} in the folder")
    return Labelled(name, path, tuple(label.split("|")) if label else (), row.get("kind") or "")
