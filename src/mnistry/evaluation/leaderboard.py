"""Many runs ranked on the same images: one HTML file, as a report is, of who is better than whom."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistry.atomic import write_bytes
from mnistry.errors import InvalidValueError
from mnistry.evaluation.compare import McNemar, mcnemar
from mnistry.evaluation.intervals import wilson_interval
from mnistry.evaluation.pairs import holm
from mnistry.evaluation.rendering import rendered, style_sheet

MOST_COMPARED = 60
"""The most accurate runs that are compared in pairs: more would neither be read nor be told apart."""
_SIGNIFICANT = 0.05


@dataclass(frozen=True, eq=False)
class Entry:
    """A run on the board.

    Attributes:
        name: what it is called.
        recipe: what it is a run of.
        seed: its seed.
        right: bool[n], whether it reads each image right.
        notes: what must be known to judge it, such as that it was trained with other data.
    """

    name: str
    recipe: str
    seed: int
    right: NDArray[np.bool_]
    notes: tuple[str, ...] = ()

    @property
    def correct(self) -> int:
        """How many images it reads right."""
        return int(self.right.sum())

    @property
    def accuracy(self) -> float:
        """The share that it reads right."""
        return self.correct / len(self.right)

    @property
    def interval(self) -> tuple[float, float]:
        """The accuracy's 95 % interval, by Wilson."""
        return wilson_interval(self.correct, len(self.right))


@dataclass(frozen=True, eq=False)
class Leaderboard:
    """Runs that were measured on the same images.

    Attributes:
        title: the heading.
        data: what the images are called.
        entries: at least one.
        left_out: the runs that cannot be ranked, and why.

    Raises:
        InvalidValueError: there are no runs or no images, or not of all runs the same.
    """

    title: str
    data: str
    entries: Sequence[Entry]
    left_out: Mapping[str, str]

    def __post_init__(self) -> None:
        counts = {len(entry.right) for entry in self.entries}
        if len(counts) != 1 or counts == {0}:
            raise InvalidValueError(
                "a leaderboard needs at least one run and one image, and the same images for all runs; "
                f"found {len(self.entries)} runs on {', '.join(map(str, sorted(counts))) or 'no'} images"
            )

    @property
    def n(self) -> int:
        """How many images there are."""
        return len(self.entries[0].right)

    @cached_property
    def ranked(self) -> list[Entry]:
        """The most accurate first; equal ones by name."""
        return sorted(self.entries, key=lambda entry: (-entry.correct, entry.name))

    @cached_property
    def compared(self) -> list[Entry]:
        """Those that are compared in pairs."""
        return self.ranked[:MOST_COMPARED]

    @cached_property
    def tests(self) -> dict[tuple[int, int], tuple[McNemar, float]]:
        """McNemar's test of each pair, by their places from 0, with its p-value adjusted by Holm's method."""
        places = list(combinations(range(len(self.compared)), 2))
        tests = [mcnemar(self.compared[i].right, self.compared[j].right) for i, j in places]
        return dict(zip(places, zip(tests, holm(tests), strict=True), strict=True))

    def differ(self, first: int, second: int) -> bool:
        """Whether two of the compared runs, by their places from 0, differ significantly, at 5 %."""
        return first != second and self.tests[min(first, second), max(first, second)][1] < _SIGNIFICANT

    def not_told_apart(self, place: int) -> str:
        """The places, from 1, of those that may well be as good as a run: `2–4, 7`; empty for none."""
        others = [other for other in range(len(self.compared)) if other != place]
        return _ranges([other + 1 for other in others if not self.differ(place, other)])


def write_leaderboard(path: Path | str, board: Leaderboard) -> None:
    """Writes the page to `path`, atomically; the same board gives the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    css = style_sheet("diagrams.css", "report.css", "leaderboard.css")
    lowest = min(entry.interval[0] for entry in board.entries)
    highest = max(entry.interval[1] for entry in board.entries)
    content = rendered(
        "leaderboard.html",
        board=board,
        lowest=lowest,
        width=max(highest - lowest, 1e-9),
        css=css,
        digest=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
    )
    write_bytes(path, content)


def _ranges(numbers: Sequence[int]) -> str:
    """Ascending numbers, those in a row as a range.

    >>> _ranges([1, 2, 3, 5, 7, 8])
    '1–3, 5, 7, 8'
    """
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    parts = (f"{run[0]}–{run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs)
    return ", ".join(parts)
