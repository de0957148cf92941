"""Digits to lines and groups, in reading order."""

import random
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistry.reading.cutting import Cut
from mnistry.reading.detector import Detection
from mnistry.reading.grouping import group_breaks, rows_of
from mnistry.reading.judging import Found


def digit(value: int, x: float, y: float, *, width: float = 12, height: float = 20) -> Found:
    chances = np.eye(10)[value]
    place = Detection(x, y, width, height, chances, 1.0)
    return Found(place, Cut(np.zeros((44, 44), np.float32), 0, 0, 1.0, place.box), chances)


def read(*found: Found) -> list[str]:
    """The lines as text, whatever the order in which the digits were found."""
    shuffled = random.Random(0).sample(found, len(found))
    rows = rows_of(shuffled)
    breaks = group_breaks([[one.box for one in row.digits] for row in rows])
    return [
        "".join(
            " " * after_gap + str(one.place.digit) for one, after_gap in zip(row.digits, gaps, strict=True)
        )
        for row, gaps in zip(rows, breaks, strict=True)
    ]


def test_digits_of_one_height_are_one_line_from_left_to_right() -> None:
    assert read(digit(3, 40, 10), digit(1, 10, 11), digit(2, 25, 9)) == ["123"]


def test_lines_come_from_top_to_bottom() -> None:
    assert read(digit(2, 10, 60), digit(1, 10, 20), digit(3, 10, 100)) == ["1", "2", "3"]


def test_a_wide_gap_parts_two_groups() -> None:
    assert read(digit(1, 10, 10), digit(2, 25, 10), digit(3, 60, 10), digit(4, 75, 10)) == ["12 34"]


def test_a_line_that_rises_stays_one_line() -> None:
    rising = [digit(number % 10, 15 * number, 200 - 3 * number) for number in range(30)]
    below = [digit(7, 15 * number, 240 - 3 * number) for number in range(30)]
    assert read(*rising, *below) == ["012345678901234567890123456789", "7" * 30]


def test_a_table_is_read_row_by_row_with_its_cells_as_groups() -> None:
    cells = [
        digit(value, 10 + 90 * column + 15 * place, 30 * row)
        for row in range(3)
        for column in range(4)
        for place, value in enumerate((row, column))
    ]
    assert read(*cells) == ["00 01 02 03", "10 11 12 13", "20 21 22 23"]


def test_one_digit_a_cell_is_one_group() -> None:
    assert read(*[digit(value, 60 * value, 10) for value in range(6)]) == ["012345"]


def test_a_raised_digit_belongs_to_its_line() -> None:
    assert read(digit(5, 10, 100), digit(2, 23, 93, width=7, height=11)) == ["52"]


def test_columns_are_read_row_by_row() -> None:
    """Two columns of numbers; those of the right one are larger, and stand a little lower."""
    left = [digit(value, 10 + 15 * place, 40 * row) for row in range(4) for place, value in enumerate((1, 2))]
    right = [
        digit(value, 160 + 20 * place, 40 * row + 4, width=15, height=26)
        for row in range(4)
        for place, value in enumerate((3, 4, 5))
    ]
    assert read(*left, *right) == ["12 345"] * 4


def test_two_digits_above_each_other_are_two_lines() -> None:
    assert read(digit(1, 10, 10), digit(2, 11, 40)) == ["1", "2"]
    assert read(digit(3, 10, 10, height=40), digit(4, 40, 60, height=40)) == ["3", "4"]


def test_nothing_gives_nothing() -> None:
    assert read() == []


def test_scattered_digits_take_no_longer_than_a_page() -> None:
    places = np.random.default_rng(0).random((2000, 2)) * 20_000
    start = time.process_time()
    rows = rows_of([digit(1, x, y) for x, y in places.tolist()])
    assert time.process_time() - start < 5
    assert sum(len(row.digits) for row in rows) == 2000


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(1, 60), st.integers(1, 60)),
        max_size=25,
    )
)
def test_every_digit_is_in_one_line_and_lines_go_to_the_right_and_down(
    boxes: list[tuple[int, int, int, int]],
) -> None:
    found = [digit(0, x, y, width=width, height=height) for x, y, width, height in boxes]
    rows = rows_of(found)
    assert sorted(map(id, found)) == sorted(id(one) for row in rows for one in row.digits)
    levels = [row.level for row in rows]
    assert levels == sorted(levels)
    for row in rows:
        assert (np.diff([one.place.x for one in row.digits]) > 0).all()


def digits_at(*lefts: int) -> list[tuple[float, float, float, float]]:
    """Digits of 20×30 pixels."""
    return [(left, 0, left + 20, 30) for left in lefts]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([[]], [[]]),
        ([digits_at(0)], [""]),
        ([digits_at(0, 30, 60, 90)], ["..."]),
        # Gaps of 10, 10, 50, 10: a space where the gap is more than 0.9 · 30 and 2.5 · 10 + 0.5 · 30.
        ([digits_at(0, 30, 60, 130, 160)], [".. ."]),
        ([digits_at(0, 30, 60, 120, 150)], ["...."]),
        # Wide everywhere: no groups.
        ([digits_at(0, 70, 140, 210)], ["..."]),
        # What is usual is told by the whole page.
        ([digits_at(0, 30, 60), digits_at(0, 100)], ["..", " "]),
        # A line that is written wider than the others has wider gaps within its groups.
        ([digits_at(0, 30, 60, 90, 120, 150), digits_at(0, 60, 120, 180)], [".....", "..."]),
    ],
)
def test_groups_by_hand(lines: list[list[tuple[float, float, float, float]]], expected: list[str]) -> None:
    gaps = group_breaks(lines)
    assert [["." if not gap else " " for gap in line[1:]] for line in gaps] == [
        list(text) for text in expected
    ]
    assert not any(line[0] for line in gaps if line)
    assert [len(line) for line in gaps] == [len(line) for line in lines]
