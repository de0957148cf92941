"""How well labelled pictures are read: every picture read, right and wrong counted."""

import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import fmean
from typing import Any, Protocol

from mnistry.data.decode import Picture
from mnistry.errors import PictureError
from mnistry.evaluation.intervals import wilson_interval
from mnistry.evaluation.strings import Score, score_lines
from mnistry.reading.labels import Labelled
from mnistry.reading.recognizer import MIN_CONFIDENCE, Reading


class Reader(Protocol):
    """What can be measured: a `Recognizer`, or another program that reads digits."""

    def read(self, picture: Picture, *, min_confidence: float) -> Reading:
        """As `Recognizer.read`."""


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
