"""From answers to figures: by kinds of pictures, against what is asked for; what disturbances cost."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, median
from typing import Any

import numpy as np

import disturbances
from mnistry.reading.measure import Answer, Figures
from picture_sets import SetName

KEPT = 0.99
"""Share of MNIST's test digits that is kept by the threshold at which non-digits are counted."""

EQUATIONS = "equations"
KINDS = {
    "boxes": "form boxes, mark cells",
    "table": "tables",
    "sudoku": "sudokus",
    "lined": "ruled fields",
    "equation": EQUATIONS,
    "letters": "text without digits",
    "text": "text without digits",
    "form": "whole forms",
    "forms": "whole forms",
    **dict.fromkeys(("single", "single-art", "drawn", "string", "printed"), "single, drawn, strings, print"),
}
"""The row that each kind of document counts in; another kind is a row of its own."""


@dataclass(frozen=True)
class Goal:
    """What a reader should reach on a row; None where nothing is asked.

    Attributes:
        exact: at least this share of the pictures.
        wrong: at most so many wrong characters for each true one.
        too_many: at most so many digits too many in a picture.
    """

    exact: float | None = None
    wrong: float | None = None
    too_many: float | None = None


GOALS = {
    "single": Goal(exact=1),
    "semeion": Goal(exact=0.97),
    "mnist": Goal(exact=0.994),
    "pages": Goal(wrong=0.01),
    "form boxes, mark cells": Goal(exact=0.85, wrong=0.03),
    "tables": Goal(wrong=0.04),
    "sudokus": Goal(wrong=0.02),
    "ruled fields": Goal(exact=0.9),
    EQUATIONS: Goal(wrong=0.12),
    "text without digits": Goal(too_many=0.3),
    "whole forms": Goal(wrong=0.15),
    "single, drawn, strings, print": Goal(exact=1),
    "photo-strings": Goal(exact=0.95),
    "cheques": Goal(exact=0.8),
}
"""What is asked for, by row."""


def by_row(name: SetName, answers: Sequence[Answer]) -> dict[str, list[Answer]]:
    """The answers of a set by the rows of the table: documents by what they are, others together."""
    if name != "documents":
        return {"whole forms" if name == "forms" else name: list(answers)}
    rows: dict[str, list[Answer]] = {title: [] for title in KINDS.values()}
    for answer in answers:
        title = KINDS.get(answer.labelled.kind, answer.labelled.kind or name)
        rows.setdefault(title, []).append(in_order(answer) if title == EQUATIONS else answer)
    return {title: found for title, found in rows.items() if found}


def in_order(answer: Answer) -> Answer:
    """The same with all digits in one line: what is asked of equations, whose parts stand anywhere."""
    labelled = replace(answer.labelled, lines=_joined(answer.labelled.lines))
    return replace(answer, labelled=labelled, lines=_joined(answer.lines))


def _joined(lines: Sequence[str]) -> tuple[str, ...]:
    digits = "".join(lines).replace(" ", "")
    return (digits,) if digits else ()


def row_figures(answers: Sequence[Answer]) -> dict[str, Any]:
    """The figures of a row, as JSON values.

    `too_many` is the mean of the digits that were read beyond as many as there are: where there is none,
    each is one too many.
    """
    figures = Figures.of(answers)
    return {
        "pictures": figures.pictures,
        "exact": figures.exact,
        "exact_rate": figures.exact_rate,
        "exact_interval": figures.exact_interval,
        "characters": figures.characters,
        "character_errors": figures.character_errors,
        "character_error_rate": figures.character_error_rate,
        "too_many": fmean(max(0, _digits(a.lines) - _digits(a.labelled.lines)) for a in answers),
        "nothing_found": figures.nothing_found,
        "unknown": figures.unknown,
        "unreadable": figures.unreadable,
        "median_seconds": median(answer.seconds for answer in answers),
    }


def _digits(lines: Iterable[str]) -> int:
    return sum(character.isdigit() for line in lines for character in line)


def losses(answers: Sequence[Answer]) -> dict[str, dict[str, int]]:
    """For each way to disturb pages: pages, those without loss, character errors, and those that are a loss.

    What is lost are the character errors that are more than those of the page as it is, whose row is `CLEAN`.
    """
    pages = [answer.labelled.name.rpartition("-")[0] for answer in answers]
    clean = {
        page: answer.score.character_errors
        for page, answer in zip(pages, answers, strict=True)
        if answer.labelled.kind == disturbances.CLEAN
    }
    rows: dict[str, dict[str, int]] = {}
    for page, answer in zip(pages, answers, strict=True):
        if page not in clean:  # left out of a sample
            continue
        row = rows.setdefault(answer.labelled.kind, {"pages": 0, "kept": 0, "errors": 0, "lost": 0})
        lost = max(0, answer.score.character_errors - clean[page])
        row["pages"] += 1
        row["kept"] += lost == 0
        row["errors"] += answer.score.character_errors
        row["lost"] += lost
    return rows


def rejection(digits: Sequence[float], others: Sequence[float], kinds: Sequence[str]) -> dict[str, Any]:
    """How often a digit is read where there is none, at the threshold that keeps 99 % of true digits.

    Args:
        digits: the highest confidence in each of MNIST's test digits, 0 where none is found.
        others: the same of each picture of no digit.
        kinds: of those.
    """
    threshold = float(np.quantile(digits, 1 - KEPT, method="lower"))
    # A confidence of 0 says that nothing was found, however low the threshold.
    called = [confidence >= threshold and confidence > 0 for confidence in others]
    by_kind = {
        kind: fmean(was for was, of in zip(called, kinds, strict=True) if of == kind)
        for kind in dict.fromkeys(kinds)
    }
    return {
        "threshold": threshold,
        "kept": fmean(confidence >= threshold for confidence in digits),
        "called_digit": fmean(called),
        "called_digit_by_kind": by_kind,
    }
