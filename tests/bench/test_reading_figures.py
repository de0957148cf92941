"""Answers become figures by kind, figures are held against what is wanted."""

import numpy as np
import pytest

import reading_figures
import reading_report
from disturbances import CLEAN
from mnistry.reading.labels import Labelled
from mnistry.reading.measure import Answer
from reading_figures import EQUATIONS, by_row, losses, rejection, row_figures

PAPER = np.zeros((4, 4), np.uint8)


def answer(wanted: str, read: str, kind: str = "", name: str = "x.png", seconds: float = 0.1) -> Answer:
    """Lines parted by `|`."""
    lines = (tuple(text.split("|")) if text else () for text in (wanted, read))
    return Answer(Labelled(name, PAPER, next(lines), kind), next(lines), seconds)


def test_documents_are_counted_by_what_they_are() -> None:
    answers = [
        answer("1", "1", "boxes"),
        answer("2", "3", "boxes"),
        answer("4", "4", "single"),
        answer("5", "5", "printed"),
        answer("", "7", "letters"),
        answer("8", "8", "cheque stub"),
    ]
    rows = by_row("documents", answers)
    assert {title: len(found) for title, found in rows.items()} == {
        "form boxes, mark cells": 2,
        "single, drawn, strings, print": 2,
        "text without digits": 1,
        "cheque stub": 1,  # a kind that nobody knows is not left out
    }


def test_other_sets_are_one_row_whatever_their_kinds() -> None:
    answers = [answer("1", "1", "photo"), answer("2", "2", "drawing")]
    assert by_row("single", answers) == {"single": answers}
    assert list(by_row("forms", answers)) == ["whole forms"]


def test_of_equations_the_digits_count_in_order_whatever_the_lines() -> None:
    right, wrong = answer("12 1|3", "1 2|13", "equation"), answer("12 1|3", "3|12 1", "equation")
    (found,) = (by_row("documents", [right, wrong])[EQUATIONS],)
    assert [one.exact for one in found] == [True, False]
    assert [one.score.character_errors for one in found] == [0, 2]
    assert not right.exact  # as another kind it would be wrong
    assert by_row("documents", [answer("1", "", "equation")])[EQUATIONS][0].lines == ()


def test_digits_too_many_are_those_beyond_as_many_as_there_are() -> None:
    answers = [answer("", "12|3"), answer("", "?"), answer("12", "1234"), answer("123", "4", seconds=0.3)]
    figures = row_figures(answers)
    assert figures["too_many"] == (3 + 0 + 2 + 0) / 4
    assert (figures["pictures"], figures["exact"], figures["characters"]) == (4, 1, 5)
    assert figures["median_seconds"] == 0.1


def test_a_picture_of_no_digit_has_no_character_errors_as_a_share() -> None:
    assert row_figures([answer("", "1")])["character_error_rate"] is None


def test_what_a_disturbed_page_loses_is_what_the_clean_one_had() -> None:
    answers = [
        answer("1234", "1235", CLEAN, "a-b-00.png"),
        answer("1234", "1235", "noise", "a-b-10.png"),
        answer("1234", "12", "blur", "a-b-12.png"),
        answer("1234", "1234", "JPEG", "a-b-13.png"),
        answer("56", "56", CLEAN, "c-00.png"),
        answer("56", "5688", "noise", "c-10.png"),
        answer("56", "", "noise", "unknown-10.png"),
    ]
    found = losses(answers)
    assert found[CLEAN] == {"pages": 2, "kept": 2, "errors": 1, "lost": 0}
    assert found["noise"] == {"pages": 2, "kept": 1, "errors": 3, "lost": 2}
    assert found["blur"] == {"pages": 1, "kept": 0, "errors": 2, "lost": 1}
    assert found["JPEG"] == {"pages": 1, "kept": 1, "errors": 0, "lost": 0}
    table = reading_report.disturbed_table({"mnistry": found})
    assert "| as it is | 1 characters wrong | – |" in table
    assert "| all; wanted: nothing lost in ≥ 95 % | 2 of 4 (50.0%) | 3 |" in table


def test_non_digits_are_counted_at_the_threshold_that_keeps_the_digits() -> None:
    digits = [0.5] + [0.9] * 99  # one in a hundred may be lost
    found = rejection(digits, [0.95, 0.9, 0.6, 0.0], ["letter", "letter", "paper", "paper"])
    assert found["threshold"] == 0.5
    assert found["kept"] == 1
    assert found["called_digit"] == 3 / 4
    digits = [0.5, 0.6] + [0.9] * 198
    found = rejection([*digits[:2], *digits[2:100]], [0.95, 0.9, 0.6, 0.0], ["a", "a", "b", "b"])
    assert found["called_digit_by_kind"] == {"a": 1, "b": 1 / 2}


def test_where_many_digits_are_not_found_nothing_is_no_digit_still() -> None:
    assert rejection([0.0] * 10, [0.0, 0.3], ["a", "a"])["called_digit"] == 1 / 2


def row(
    title: str, reader: str, exact: float, wrong: float | None, too_many: float = 0.0
) -> dict[str, object]:
    return {
        "row": title,
        "reader": reader,
        "pictures": 10,
        "exact_rate": exact,
        "character_error_rate": wrong,
        "too_many": too_many,
        "median_seconds": 0.01,
        "megabytes": None,
    }


@pytest.mark.parametrize(
    ("found", "reached"),
    [
        (row("form boxes, mark cells", "mnistry", 0.85, 0.03), True),
        (row("form boxes, mark cells", "mnistry", 0.9, 0.04), False),
        (row("form boxes, mark cells", "mnistry", 0.8, 0.01), False),
        (row("text without digits", "mnistry", 0.7, None, 0.3), True),
        (row("text without digits", "mnistry", 0.9, None, 0.4), False),
        (row("pages", "mnistry", 0.1, 0.01), True),
    ],
)
def test_what_is_wanted_is_reached_or_not(found: dict[str, object], reached: bool) -> None:
    assert reading_report.reaches(found, reading_figures.GOALS[str(found["row"])]) is reached


def test_readers_are_compared_by_what_is_wanted_of_each_row() -> None:
    rows = [
        row("pages", "mnistry", 0.9, 0.05),
        row("pages", "rapidocr", 0.8, 0.01),
        row("cheques", "mnistry", 0.6, 0.1),
        row("cheques", "rapidocr", 0.5, 0.05),
        row("single", "mnistry", 1.0, 0.0),
        row("single", "rapidocr", 1.0, 0.0),
        row("semeion", "mnistry", 1.0, 0.0),
    ]
    said = reading_report.comparison(rows, "mnistry", "rapidocr")
    assert said == "RapidOCR against mnistry: better on pages; as good on single; worse on cheques."
    table = reading_report.set_table(rows).splitlines()
    assert len(table) == 2 + 4
    assert {line.count("|") for line in table} == {4 + 5 * 2}
