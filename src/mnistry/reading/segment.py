"""From the ink of a line to its digits: cut too often, then let the recognizer choose.

A cut is the cheapest path from the top of the line to its bottom: around strokes for nothing, through
ink at the price of its thickness. Between any two cuts lies a possible digit. Every such candidate is
recognized, and the sequence of candidates whose probabilities have the largest product is the answer;
what is taken for no digit costs the more, the more ink it has. Only what may be several digits is cut.

Source: C.-L. Liu, H. Sako, H. Fujisawa, "Effects of classifier structures and training regimes on
integrated segmentation and recognition of handwritten numeral strings", 2004.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES, NO_DIGIT, SEVERAL
from mnistry.data.normalize import as_mnist

Box = tuple[int, int, int, int]
Classify = Callable[[NDArray[np.uint8]], NDArray[np.float64]]

SIDEWAYS = 0.5  # price of a step of a path to the next column, in pixels of ink
FREE = 1.5  # a path of at most this price goes through a gap: what ink it meets is blur
DEAREST_CUT = 0.7  # of the line's height
CUT_SPACING = 0.12  # of the line's height
LONGEST = 12  # parts that one digit may be put together from
WIDEST = 1.5  # of a digit, in heights of the line
WIDEST_ALONE = 2.5  # of one that is all there is
MOST_GAPS = 3  # inside a digit whose strokes are broken
INKED = 0.3  # from which strength ink counts
SURELY_DIGIT = 0.95  # a part that is so surely a digit is not cut
LEAST_SEVERAL = 0.3  # nor is a part cut whose probability of being several digits is less
SURELY_NONE = 0.98  # nor a part wider than a digit that is so surely no digit
LONE = 0.3  # a line that may be one digit is taken for one from this probability on
CUT_TRUST = 0.5  # exponent of the probability that what was cut has a digit: long strings seem none
FOUND_SHIFT = 1.5  # nats: what was chosen is a digit more often than what lies between any two cuts
WIDE, LOW = 1.3, 0.5  # of the line's height: a part that is wider or lower is cut, however surely a digit
NO_DIGIT_PRICE = 2.5  # nats for leaving out ink as large as a digit
JOINT_PRICE = 0.5  # nats for each gap inside a digit
CUT_PRICE = 1.0  # nats for a cut through ink as thick as the line is high
NARROW = 0.15  # of the line's height: a gap that a broken stroke may leave
SIZE_SPREAD, PLACE_SPREAD = 0.8, 0.5  # how much digits of a line differ in size and in place
COMMA_SPREAD = 0.4  # how much ones differ in size: a small one is a comma


@dataclass(frozen=True, eq=False)
class Candidate:
    """A possible digit: what lies between two cuts.

    Attributes:
        first: number of the cut to its left.
        last: number of the cut to its right.
        box: left, top, right, bottom of its ink, in pixels of the line.
        image: uint8 `[28, 28]`, as MNIST was made.
    """

    first: int
    last: int
    box: Box
    image: NDArray[np.uint8]

    def is_inside(self, other: "Candidate") -> bool:
        """Whether this is a piece of another candidate, and not all of it."""
        length, others = self.last - self.first, other.last - other.first
        return other.first <= self.first and self.last <= other.last and length < others


def cut_paths(strokes: NDArray[np.float32], height: float) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where a line may be cut.

    Args:
        strokes: float32 `[h, w]`, 0 paper to 1 ink.
        height: of the digits, in pixels.

    Returns:
        Columns, int `[n, h]`: path n goes, in row r, between column `[n, r]` and the next; left to right,
        the first before all ink, the last after it. And their prices, float `[n]`, in pixels of ink.
    """
    rows, width = strokes.shape
    # Where the ink is: a row above or below small digits would let paths slip around them.
    middle = int(np.average(np.arange(rows), weights=strokes.sum(axis=1) + 1e-6) + 0.5)
    above, from_above = _cheapest(strokes[middle::-1])
    below, from_below = _cheapest(strokes[middle:])
    price = above + below - strokes[middle]
    chosen = _cheap_columns(price, height)
    paths = np.empty((len(chosen) + 2, rows), np.int64)
    paths[0], paths[-1] = -1, width - 1
    column = chosen.copy()
    for row, step in zip(range(middle, -1, -1), from_above, strict=True):
        paths[1:-1, row] = column
        column = column + step[column]
    column = chosen.copy()
    for row, step in zip(range(middle, rows), from_below, strict=True):
        paths[1:-1, row] = column
        column = column + step[column]
    return paths, np.concatenate([[0.0], price[chosen], [0.0]])


def _cheapest(strokes: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The prices of the cheapest paths from each column of the first row to the last row.

    Returns:
        float `[w]`, and for each row the step to the next: -1, 0 or 1, int `[h, w]`.
    """
    steps = np.zeros(strokes.shape, np.int64)
    price = strokes[-1].astype(np.float64)
    for row in range(len(strokes) - 2, -1, -1):
        padded = np.pad(price, 1, constant_values=np.inf)
        ways = np.stack([padded[1:-1], padded[:-2] + SIDEWAYS, padded[2:] + SIDEWAYS])
        best = ways.argmin(axis=0)
        steps[row] = np.array([0, -1, 1])[best]
        price = strokes[row] + ways.min(axis=0)
    return price, steps


def _cheap_columns(price: NDArray[np.float64], height: float) -> NDArray[np.int64]:
    """The columns where paths are cheapest: the middle of each gap, and, some way apart, between the gaps."""
    chosen = []
    free = np.pad(price < FREE, 1).astype(int)
    starts, ends = np.flatnonzero(np.diff(free) == 1), np.flatnonzero(np.diff(free) == -1)
    for start, end in zip(starts, ends, strict=True):
        lowest = start + np.flatnonzero(price[start:end] == price[start:end].min())
        chosen.append(int(lowest[len(lowest) // 2]))
    spacing = max(1, round(CUT_SPACING * height))
    open_ = (price >= FREE) & (price < DEAREST_CUT * height)
    for column in chosen:
        open_[max(0, column - spacing + 1) : column + spacing] = False
    inked = np.flatnonzero(open_)
    for column in inked[np.argsort(price[inked], kind="stable")]:
        if open_[column]:
            chosen.append(int(column))
            open_[max(0, column - spacing + 1) : column + spacing] = False
    return np.array(sorted(chosen), np.int64)


class Line:
    """The ink of a line with its cuts, from which candidates are made."""

    def __init__(self, strokes: NDArray[np.float32], height: float) -> None:
        """
        Args:
            strokes: float32 `[h, w]`, 0 paper to 1 ink; only what belongs to the line.
            height: of the digits, in pixels.
        """
        self.strokes, self.height = strokes, height

    @cached_property
    def _cuts(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        return cut_paths(self.strokes, self.height)

    @property
    def paths(self) -> NDArray[np.int64]:
        """Where the line may be cut, int `[n, h]`; see `cut_paths`."""
        return self._cuts[0]

    @property
    def prices(self) -> NDArray[np.float64]:
        """What each cut costs, float `[n]`."""
        return self._cuts[1]

    @cached_property
    def part_of(self) -> NDArray[np.int32]:
        """The number of the part that each pixel lies in, int32 `[h, w]`: how many paths run to its left."""
        rows, width = self.strokes.shape
        steps = np.zeros((rows, width + 1), np.int32)
        np.add.at(steps, (np.arange(rows)[None], self.paths[1:-1] + 1), 1)
        return steps[:, :-1].cumsum(axis=1, dtype=np.int32)

    @cached_property
    def boxes(self) -> list[Box | None]:
        """The box of each part's ink, or None where it has none."""
        inked = self.strokes > INKED
        boxes = []
        for part, (before, after) in enumerate(pairwise(self.paths)):
            first, last = int(before.min()) + 1, int(after.max()) + 1
            boxes.append(_box(inked[:, first:last] & (self.part_of[:, first:last] == part), first))
        return boxes

    def uncut(self) -> Candidate | None:
        """The whole line as one digit, or None where it is too wide for any."""
        box = _box(self.strokes > INKED, 0)
        if box is None or self.too_wide(box, WIDEST_ALONE):
            return None
        return Candidate(0, 1, box, as_mnist(self.strokes))

    def not_several(self, candidate: Candidate, chances: NDArray[np.float64]) -> bool:
        """Whether a candidate must not be cut: it may be a digit, a piece of one, or none, not several.

        What is wide may always be several, unless it is surely none, like a wave.
        """
        if self._wide(candidate.box):
            return bool(chances[NO_DIGIT] > SURELY_NONE)
        return bool(chances[SEVERAL] < LEAST_SEVERAL)

    def surely_digit(self, candidate: Candidate, chances: NDArray[np.float64]) -> bool:
        """Whether a candidate need not be cut: recognized, and neither wide nor low like a comma."""
        low = candidate.box[3] - candidate.box[1] < LOW * self.height
        return bool(chances[:CLASSES].max() > SURELY_DIGIT and not low and not self._wide(candidate.box))

    def _wide(self, box: Box) -> bool:
        return box[2] - box[0] > WIDE * self.height

    def candidate(self, first: int, last: int) -> Candidate | None:
        """What lies between two cuts, or None where there is no ink beside one of them."""
        boxes = [box for box in self.boxes[first:last] if box]
        # A candidate starts and ends with ink, so that each stretch of ink is tried once.
        if not boxes or self.boxes[first] is None or self.boxes[last - 1] is None:
            return None
        box = (
            min(box[0] for box in boxes),
            min(box[1] for box in boxes),
            max(box[2] for box in boxes),
            max(box[3] for box in boxes),
        )
        left, top, right, bottom = max(0, box[0] - 1), max(0, box[1] - 1), box[2] + 1, box[3] + 1
        parts = self.part_of[top:bottom, left:right]
        ink = np.where((parts >= first) & (parts < last), self.strokes[top:bottom, left:right], 0)
        return Candidate(first, last, box, as_mnist(ink))

    def whole_parts(self) -> list[Candidate]:
        """What lies between two free cuts with none between them."""
        free = np.flatnonzero(self.prices < FREE)
        found = (self._trimmed(int(first), int(last)) for first, last in pairwise(free))
        return [candidate for candidate in found if candidate]

    def well_apart(self, candidates: list[Candidate]) -> bool:
        """Whether there is no gap so narrow that it might be inside a digit."""
        gaps = (after.box[0] - before.box[2] for before, after in pairwise(candidates))
        return all(gap > NARROW * self.height for gap in gaps)

    def too_wide(self, box: Box, most: float = WIDEST) -> bool:
        """Whether a box is too wide for a digit: by default, for one that had to be put together."""
        return box[2] - box[0] > most * max(self.height, box[3] - box[1])

    def _trimmed(self, first: int, last: int) -> Candidate | None:
        while first < last and self.boxes[first] is None:
            first += 1
        while last > first and self.boxes[last - 1] is None:
            last -= 1
        return self.candidate(first, last) if first < last else None

    def candidates(self, certain: list[Candidate]) -> list[Candidate]:
        """All candidates that do not cut through a certain one."""
        inside = {cut for found in certain for cut in range(found.first + 1, found.last)}
        cuts = [cut for cut in range(len(self.paths)) if cut not in inside]
        found = []
        for position, first in enumerate(cuts):
            gaps = 0
            for last in cuts[position + 1 : position + 1 + LONGEST]:
                candidate = self.candidate(first, last)
                if candidate and last > cuts[position + 1] and self.too_wide(candidate.box):
                    break
                if candidate:
                    found.append(candidate)
                gaps += bool(self.prices[last] < FREE)
                if gaps > MOST_GAPS:
                    break
        return found


def _box(mask: NDArray[np.bool_], left: int) -> Box | None:
    """The box of a mask whose first column is that of number `left`."""
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return None
    return left + int(columns[0]), int(rows[0]), left + int(columns[-1]) + 1, int(rows[-1]) + 1


def best_sequence(line: Line, candidates: list[Candidate], probabilities: NDArray[np.float64]) -> list[int]:
    """The candidates that explain the line best, left to right.

    Args:
        line: the line.
        candidates: from `Line.candidates`.
        probabilities: float `[n, 12]`; the last classes are "no digit" and "several".

    Returns:
        Numbers of candidates that are digits.
    """
    logs = np.log(np.maximum(probabilities, 1e-6))
    count = len(line.paths)
    best = np.full(count, -np.inf)
    best[0] = 0
    via: list[tuple[int, int | None]] = [(0, None)] * count
    by_last: list[list[int]] = [[] for _ in range(count)]
    for number, candidate in enumerate(candidates):
        by_last[candidate.last].append(number)
    top, bottom = _span(line)
    for last in range(1, count):
        if line.boxes[last - 1] is None and best[last - 1] > -np.inf:
            best[last], via[last] = best[last - 1], (last - 1, None)
        for number in by_last[last]:
            candidate = candidates[number]
            joined = sum(bool(line.prices[cut] < FREE) for cut in range(candidate.first + 1, candidate.last))
            cut = (line.prices[candidate.first] + line.prices[candidate.last]) / line.height
            value = int(logs[number, :CLASSES].argmax())
            misplaced = misfit(candidate.box, top, bottom, COMMA_SPREAD if value == 1 else SIZE_SPREAD)
            digit = logs[number, value] - misplaced - JOINT_PRICE * joined - CUT_PRICE * cut
            width, height = candidate.box[2] - candidate.box[0], candidate.box[3] - candidate.box[1]
            size = max(width, height) / max(line.height, 1)
            nothing = logs[number, NO_DIGIT] - NO_DIGIT_PRICE * size * max(1.0, size)
            score = best[candidate.first] + max(digit, nothing)
            if score > best[last]:
                best[last], via[last] = score, (candidate.first, number if digit >= nothing else None)
    chosen: list[int] = []
    place = count - 1
    while place > 0:
        place, number_or_none = via[place]
        if number_or_none is not None:
            chosen.append(number_or_none)
    return chosen[::-1]


def _span(line: Line) -> tuple[float, float]:
    """The top and the bottom of the line's writing."""
    boxes = np.array([box for box in line.boxes if box])
    if not len(boxes):
        return 0.0, line.height
    tall = boxes[(boxes[:, 3] - boxes[:, 1]) >= 0.5 * line.height]
    boxes = tall if len(tall) else boxes
    return float(np.median(boxes[:, 1])), float(np.median(boxes[:, 3]))


def misfit(box: Box, top: float, bottom: float, spread: float) -> float:
    """How unlike the line's digits a box is in size and place, in nats; a comma is low and small."""
    height = max(bottom - top, 1.0)
    size = np.log(max(box[3] - box[1], 1) / height) / spread
    place = ((box[1] + box[3]) / 2 - (top + bottom) / 2) / (PLACE_SPREAD * height)
    return float(min(size, 0) ** 2 / 2 + place**2 / 2)


def read_line(line: Line, classify: Classify) -> list[tuple[Candidate, NDArray[np.float64]]]:
    """The digits of a line, left to right, each with its probabilities.

    What is surely one digit is not cut; if the line consists of nothing else, that is the answer.
    """
    whole = line.uncut()
    if whole:
        (chances,) = classify(whole.image[None])
        if chances[:CLASSES].max() > LONE:
            return [(whole, as_found(chances))]
    parts = line.whole_parts()
    if not parts:
        return []
    read = list(zip(parts, classify(np.stack([part.image for part in parts])), strict=True))
    certain = [line.surely_digit(part, chances) for part, chances in read]
    if all(certain) and line.well_apart(parts):
        return [(part, as_found(chances)) for part, chances in read]
    one = [sure or line.not_several(*found) for sure, found in zip(certain, read, strict=True)]
    candidates = line.candidates([part for part, is_one in zip(parts, one, strict=True) if is_one])
    candidates += [part for part in parts if line.too_wide(part.box)]
    all_chances = classify(np.stack([candidate.image for candidate in candidates]))
    found = []
    for number in best_sequence(line, candidates, all_chances):
        candidate = candidates[number]
        if all_chances[number, NO_DIGIT] > SURELY_NONE:  # too large to be left out for nothing, but none
            continue
        cut_from = [1 - chances[NO_DIGIT] for part, chances in read if candidate.is_inside(part)]
        found.append((candidate, as_found(all_chances[number], min(cut_from, default=1.0) ** CUT_TRUST)))
    return found


def as_found(chances: NDArray[np.float64], any_digit: float = 1.0) -> NDArray[np.float64]:
    """The probabilities of what was chosen for a digit, float `[12]`.

    Args:
        chances: those of what lies between two cuts, wherever they are.
        any_digit: how likely it is that there is any digit in what it was cut from.
    """
    found = chances * np.exp(-FOUND_SHIFT * (np.arange(len(chances)) >= CLASSES))
    found *= any_digit / found.sum()
    found[NO_DIGIT] += 1 - any_digit
    return np.asarray(found)
