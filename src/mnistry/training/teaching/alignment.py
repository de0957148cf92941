"""Where in a picture the digits of its label stand: what may be digits there, put in the label's order.

A label says what is to be read, not where. Of all that the detector thinks may be digits, even faintly and
whichever, the likeliest sequence from left to right is taken that spells the label.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistry.reading.cutting import Cut
from mnistry.reading.detector import FAINT, Detection, peaks
from mnistry.reading.grouping import Row, rows_of
from mnistry.reading.judging import Found
from mnistry.reading.scales import SHARED, Look, each_once, shared

FAINTEST = 0.03
"""Peaks below it are no candidates."""
MISREAD = 0.1
"""How probable it is that the detector takes a digit for another one."""
LEAST_CHANCE = 0.012
"""What is less probably the label's digit than this is not taken for it: something stands there at least."""
PRESENT = 0.12
"""How probable it must be, in the geometric mean, that digits are there, whichever: all is not noise."""
MATCHING = 0.1
"""As above, that they are the label's, where it has several: not all of them are misread."""
MOST_LEFT_OUT = 1.2
"""Nats for each digit of the label that what is left out may cost; else the label is of something else."""
BESIDE, LEVEL, ALIKE = 0.15, 0.9, 0.3
"""The next digit lies at least so many heights to the right, at most so many higher or lower, and the smaller
one is at least so high as a share of the other."""
MOST_CANDIDATES = 150
"""In one line, the surest."""

_NOTHING = Cut(np.zeros((1, 1), np.float32), 0, 0, 1.0, (0, 0, 0, 0))


@dataclass(frozen=True)
class Spelled:
    """The likeliest way to spell a text with candidates.

    Attributes:
        chosen: the candidates, one for each character, left to right.
        matching: the log probability that they are these characters.
        left_out: the log probability that what was left out is none.
    """

    chosen: tuple[Detection, ...]
    matching: float
    left_out: float

    @property
    def score(self) -> float:
        """Of all together."""
        return self.matching + self.left_out


def candidates(looks: Sequence[Look]) -> list[Detection]:
    """All that may be digits, even faintly, in every copy that was looked at: a digit may be there often."""
    return [
        peak
        for seen in looks
        for (left, top, _, _), heat in zip(seen.regions, seen.heats, strict=True)
        for peak in peaks(heat, seen.scale, left, top, faint=FAINTEST)
    ]


def align(found: Sequence[Detection], lines: Sequence[str]) -> list[tuple[Detection, int]] | None:
    """The places of a label's digits.

    Args:
        found: see `candidates`.
        lines: the label, as of `mnistry.reading.labels.Labelled`; none for a picture without digits.

    Returns:
        For each digit of the label its place and itself, line by line; None where they are not all there, or
        the label is hardly of this picture.
    """
    texts = [line.replace(" ", "") for line in lines]
    if not texts:
        return []
    rows = [list(found)] if len(texts) == 1 else _rows(found)
    spelled = _line_by_line(rows, texts)
    if spelled is None:
        return None
    score, spelled_lines = spelled
    placed = [
        (place, int(character))
        for line, text in zip(spelled_lines, texts, strict=True)
        for place, character in zip(line.chosen, text, strict=True)
    ]
    count, matching = len(placed), sum(line.matching for line in spelled_lines)
    present = sum(np.log(place.confidence) for place, _ in placed)
    believed = (
        present >= count * np.log(PRESENT)
        and (count == 1 or matching >= count * np.log(MATCHING))
        and score - matching >= -count * MOST_LEFT_OUT
    )
    return placed if believed else None


def spell(found: Sequence[Detection], text: str) -> Spelled | None:
    """The likeliest way to spell a text, by dynamic programming over candidates from left to right.

    A candidate may be left out at the price of its own confidence, unless it is another view of a chosen one.

    Args:
        found: candidates of one line.
        text: digits, at least one.

    Returns:
        None where a character is missing.
    """
    found = sorted(found, key=lambda one: -one.confidence)[:MOST_CANDIDATES]
    found.sort(key=lambda one: one.x)
    if len(found) < len(text):
        return None
    chances = np.array([one.probabilities for one in found])
    sure = np.array([one.confidence for one in found])
    emission = (1 - MISREAD) * chances + MISREAD * sure[:, None]
    with np.errstate(divide="ignore"):
        matches = np.log(np.where(emission >= LEAST_CHANCE, emission, 0))
    distinct = each_once(found)
    same = _same(found, found)
    price = np.log1p(-np.minimum([one.confidence for one in distinct], 0.95))
    passed = _passed(found, distinct, price)
    step = np.where(_follows(found) & ~same, passed[1:-1, 1:-1], -np.inf)

    best = passed[0, 1:-1] + matches[:, int(text[0])]
    came_from = []
    for character in text[1:]:
        through = best[:, None] + step
        came_from.append(through.argmax(axis=0))
        best = through.max(axis=0) + matches[:, int(character)]
    best = best + passed[1:-1, -1]
    last = int(best.argmax())
    if not np.isfinite(best[last]):
        return None
    path = [last]
    for back in reversed(came_from):
        path.append(int(back[path[-1]]))
    path.reverse()
    matching = float(sum(matches[place, int(digit)] for place, digit in zip(path, text, strict=True)))
    return Spelled(tuple(found[place] for place in path), matching, float(best[last]) - matching)


def _follows(found: Sequence[Detection]) -> NDArray[np.bool_]:
    """Whether a candidate may be the digit after another one, bool `[before, after]`."""
    x, y, height = np.array([(one.x, one.y, one.height) for one in found]).T
    larger, smaller = np.maximum.outer(height, height), np.minimum.outer(height, height)
    to_the_right = x[None, :] - x[:, None]
    beside = to_the_right > BESIDE * smaller
    level = np.abs(np.subtract.outer(y, y)) < LEVEL * larger
    return np.asarray(beside & level & (smaller > ALIKE * larger))


def _same(found: Sequence[Detection], others: Sequence[Detection]) -> NDArray[np.bool_]:
    """Which candidates are views of one digit, bool `[found, others]`."""
    boxes = np.array([one.box for one in others])
    return np.stack([shared(np.array(one.box), boxes) >= SHARED for one in found])


def _passed(
    found: Sequence[Detection], distinct: Sequence[Detection], price: NDArray[np.float64]
) -> NDArray[np.float64]:
    """What it costs to leave out all between two candidates, float64 `[n + 2, n + 2]`.

    Row and column 0 are the picture's left edge, the last ones its right edge.
    """
    x = np.array([-np.inf, *(one.x for one in found), np.inf])
    own = np.pad(_same(found, distinct), ((1, 1), (0, 0)))
    there = np.array([one.x for one in distinct])
    right_of, left_of = there > x[:, None], there < x[:, None]
    # Between both, and another view of neither.
    after, before = (right_of & ~own).astype(np.float64), (left_of & ~own).astype(np.float64)
    return np.asarray((after * price) @ before.T)


def _rows(found: Sequence[Detection]) -> list[list[Detection]]:
    """Candidates by lines, top to bottom: the sure ones make the lines, the faint ones go where they fit."""
    sure = [one for one in each_once(list(found)) if one.confidence >= FAINT]
    rows = rows_of([Found(one, _NOTHING, one.probabilities) for one in sure])
    return [[one for one in found if _stands_in(row, one)] for row in rows]


def _stands_in(row: Row, one: Detection) -> bool:
    near = min((digit.place for digit in row.digits), key=lambda place: abs(place.x - one.x))
    return abs(near.y - one.y) < LEVEL / 2 * max(near.height, one.height)


def _line_by_line(
    rows: Sequence[Sequence[Detection]], texts: Sequence[str]
) -> tuple[float, list[Spelled]] | None:
    """Spells each text with a row of its own, in order; a row may be left out as candidates may.

    Returns:
        The log probability of all together, and each text.
    """
    # For each number of texts that are spelled.
    best: list[tuple[float, list[Spelled]] | None] = [(0.0, []), *[None] * len(texts)]
    for row in rows:
        distinct = each_once(list(row))
        passing = float(sum(np.log1p(-min(one.confidence, 0.95)) for one in distinct))
        after: list[tuple[float, list[Spelled]] | None] = []
        for count, so_far in enumerate(best):
            ways = [(so_far[0] + passing, so_far[1])] if so_far else []
            before = best[count - 1] if count else None
            if before and (line := spell(row, texts[count - 1])):
                ways.append((before[0] + line.score, [*before[1], line]))
            after.append(max(ways, key=lambda way: way[0], default=None))
        best = after
    return best[-1]
