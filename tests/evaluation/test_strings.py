from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnistry.evaluation.strings import common_in_order, edit_distance, score_lines

DIGITS = st.text("0123?", max_size=9)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [
        # R. A. Wagner and M. J. Fischer's and other textbooks' examples.
        ("kitten", "sitting", 3),
        ("saturday", "sunday", 3),
        ("intention", "execution", 5),
        ("rosettacode", "raisethysword", 8),
        ("levenshtein", "meilenstein", 4),
        ("", "123", 3),
        ("0123", "1230", 2),
    ],
)
def test_distances_of_textbooks(first: str, second: str, distance: int) -> None:
    assert edit_distance(first, second) == distance


@given(DIGITS, DIGITS, DIGITS)
def test_the_distance_is_a_metric(a: str, b: str, c: str) -> None:
    assert (edit_distance(a, b) == 0) == (a == b)
    assert edit_distance(a, b) == edit_distance(b, a)
    assert edit_distance(a, c) <= edit_distance(a, b) + edit_distance(b, c)
    assert abs(len(a) - len(b)) <= edit_distance(a, b) <= max(len(a), len(b))


@given(DIGITS, DIGITS, DIGITS, st.sampled_from("0123?"))
def test_one_edit_is_at_most_one_away(before: str, after: str, other: str, item: str) -> None:
    assert edit_distance(before + item + after, before + after) == 1
    assert abs(edit_distance(before + item + after, other) - edit_distance(before + after, other)) <= 1


@given(DIGITS, DIGITS)
def test_what_is_in_common_is_at_least_what_blocks_find(first: str, second: str) -> None:
    common = common_in_order(first, second)
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    assert sum(block.size for block in blocks) <= common <= min(len(first), len(second))
    assert common_in_order(first, first) == len(first)


def test_a_line_too_many_or_too_few_shifts_no_other() -> None:
    wanted = ["12", "34 56", "78"]
    assert score_lines(wanted, ["1", "12", "3456", "78"]).lines_right == 3
    assert score_lines(wanted, ["3456", "78"]).lines_right == 2
    assert score_lines(wanted, ["78", "12"]).lines_right == 1


def test_lines_read_right_are_exact_whatever_the_spaces() -> None:
    score = score_lines(["12 34", "56"], ["1 234", "5 6"])
    assert score.exact
    assert (score.characters, score.character_errors) == (6, 0)
    assert (score.lines, score.lines_right) == (2, 2)
    assert (score.groups, score.groups_right) == (3, 0)


def test_line_breaks_are_no_characters_but_make_lines() -> None:
    score = score_lines(["1234"], ["12", "34"])
    assert not score.exact
    assert (score.character_errors, score.lines_right) == (0, 0)


def test_unknown_digits_are_errors_where_digits_are() -> None:
    score = score_lines(["123"], ["1?3"])
    assert not score.exact
    assert score.character_errors == 1


def test_where_nothing_is_to_be_read() -> None:
    for silent in ([], ["?"], ["? ?", "?"]):
        score = score_lines([], silent)
        assert score.exact
        assert (score.characters, score.character_errors, score.lines) == (0, 0, 0)
    score = score_lines([], ["?7"])
    assert not score.exact
    assert score.character_errors == 1


def test_nothing_read_is_every_character_wrong() -> None:
    score = score_lines(["12", "3"], [])
    assert (score.exact, score.character_errors, score.lines_right) == (False, 3, 0)
