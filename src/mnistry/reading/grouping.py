"""Digits to lines and groups, in reading order."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mnistry.reading.detector import Box
from mnistry.reading.judging import Found

LEVEL = 0.55
"""Heights by which two digits of one line may differ in place, up or down."""
BESIDE = 0.15
"""Heights by which a digit of a line must lie to the right of the one before."""
NEAREST = 3
"""Digits before it whose places tell where the line goes on; lines need not be straight."""
GROUP_GAP, GROUP_GAIN = 0.9, 2.5
"""A gap parts two groups that is wider than so many heights, and than so many times the usual gap."""


@dataclass(eq=False)
class Row:
    """Digits of one line, left to right."""

    digits: list[Found]

    @property
    def level(self) -> float:
        """Where the middle of the line lies."""
        return float(np.mean([digit.place.y for digit in self.digits]))

    def off(self, digit: Found) -> float:
        """How far a digit to the right lies above or below the line, in pixels."""
        nearest = self.digits[-NEAREST:]
        return abs(sum(last.place.y for last in nearest) / len(nearest) - digit.place.y)

    def takes(self, digit: Found) -> bool:
        """Whether a digit to the right of all others belongs to the line."""
        here, last = digit.place, self.digits[-1].place
        beside = last.x < here.x - BESIDE * min(here.height, last.height)
        return beside and self.off(digit) < LEVEL * max(here.height, last.height)


def rows_of(found: list[Found]) -> list[Row]:
    """Puts digits into lines, top to bottom, each left to right."""
    rows: list[Row] = []
    for digit in sorted(found, key=lambda digit: digit.place.x):
        fitting = [row for row in rows if row.takes(digit)]
        if fitting:
            min(fitting, key=lambda row: row.off(digit)).digits.append(digit)
        else:
            rows.append(Row([digit]))
    return sorted(rows, key=lambda row: row.level)


def group_breaks(lines: list[list[Box]]) -> list[list[bool]]:
    """Before which digits a space stands: where the gap is wide, and much wider than usual there.

    Args:
        lines: for each line the boxes of its digits: left, top, right, bottom.

    Returns:
        For each line and digit, whether a space goes before it.
    """
    heights = [box[3] - box[1] for line in lines for box in line]
    gaps = [[after[0] - before[2] for before, after in pairwise(line)] for line in lines]
    every = [gap for line in gaps for gap in line]
    if not every:
        return [[False] * len(line) for line in lines]
    height, usual = float(np.median(heights)), max(0.0, float(np.median(every)))

    def limit(line: list[float]) -> float:
        # Some lines are written wider than the page's others; two gaps tell nothing of that.
        own = max(usual, float(np.median(line))) if len(line) > 2 else usual
        return max(GROUP_GAP * height, GROUP_GAIN * own + 0.5 * height)

    return [
        [False, *(gap > limit(line) for gap in line)] if row else []
        for row, line in zip(lines, gaps, strict=True)
    ]
