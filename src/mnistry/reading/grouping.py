"""Digits to lines and groups, in reading order."""

from dataclasses import dataclass

import numpy as np

from mnistry.reading.detector import Detection

LEVEL = 0.55
"""Heights by which two digits of one line may differ in place, up or down."""
GAP = 0.75
"""Heights between two boxes from which on a gap parts two groups."""


@dataclass(eq=False)
class Row:
    """Digits of one line, left to right."""

    digits: list[Detection]

    @property
    def height(self) -> float:
        """The usual height of its digits."""
        return float(np.median([digit.height for digit in self.digits]))

    def level_at(self, x: float) -> float:
        """Where the middle of the line lies at some place: that of its nearest digits there."""
        nearest = sorted(self.digits, key=lambda digit: abs(digit.x - x))[:3]
        return float(np.mean([digit.y for digit in nearest]))


def rows_of(found: list[Detection]) -> list[Row]:
    """Puts digits into lines, top to bottom, each left to right."""
    rows: list[Row] = []
    for digit in sorted(found, key=lambda digit: digit.x):
        fitting = [
            (abs(row.level_at(digit.x) - digit.y), number)
            for number, row in enumerate(rows)
            if abs(row.level_at(digit.x) - digit.y) < LEVEL * max(digit.height, row.digits[-1].height)
            and row.digits[-1].x < digit.x - 0.15 * min(digit.height, row.digits[-1].height)
        ]
        if fitting:
            rows[min(fitting)[1]].digits.append(digit)
        else:
            rows.append(Row([digit]))
    return sorted(rows, key=lambda row: float(np.mean([digit.y for digit in row.digits])))


def text_of(row: Row) -> str:
    """The line as text, with a space where a gap parts two groups."""
    text, end = "", None
    for digit in row.digits:
        if end is not None and digit.x - digit.width / 2 - end > GAP * row.height:
            text += " "
        text += str(digit.digit)
        end = digit.x + digit.width / 2
    return text
