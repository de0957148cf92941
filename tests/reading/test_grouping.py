"""Digits to lines and groups, in reading order."""

import numpy as np

from mnistry.reading.detector import Detection
from mnistry.reading.grouping import rows_of, text_of


def digit(value: int, x: float, y: float, *, width: float = 12, height: float = 20) -> Detection:
    return Detection(x, y, width, height, np.eye(10)[value], 1.0)


def read(*found: Detection) -> list[str]:
    return [text_of(row) for row in rows_of(list(found))]


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
        digit(10 * row % 10 + column, 10 + 60 * column, 30 * row) for row in range(3) for column in range(4)
    ]
    assert read(*cells) == ["0 1 2 3"] * 3


def test_a_raised_digit_belongs_to_its_line() -> None:
    assert read(digit(5, 10, 100), digit(2, 23, 93, width=7, height=11)) == ["52"]


def test_nothing_gives_nothing() -> None:
    assert read() == []
