"""Cuts and what lies between them: prices by hand, laws of parts and candidates, the best sequence."""

from collections.abc import Callable
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from mnistry.data.dataset import NO_DIGIT, SEVERAL
from mnistry.reading.segment import (
    CUT_TRUST,
    FOUND_SHIFT,
    FREE,
    INKED,
    LEAST_SEVERAL,
    NO_DIGIT_PRICE,
    SIDEWAYS,
    SURELY_NONE,
    Candidate,
    Line,
    as_found,
    best_sequence,
    cut_paths,
    misfit,
    read_line,
)

LINES = npst.arrays(
    np.float32,
    st.tuples(st.integers(1, 40), st.integers(1, 90)),
    elements=st.sampled_from([np.float32(0), np.float32(0.2), np.float32(1)]),
    fill=st.just(np.float32(0)),
)


def bars(width: int, *columns: tuple[int, int], height: int = 20) -> np.ndarray:
    """Upright bars, each from one column to before another, float32 `[height, width]`."""
    strokes = np.zeros((height, width), np.float32)
    for first, last in columns:
        strokes[:, first:last] = 1
    return strokes


# ---------------------------------------------------------------- paths


def test_a_path_through_a_gap_costs_nothing() -> None:
    paths, prices = cut_paths(bars(20, (2, 6), (12, 16)), 20)
    assert prices[0] == prices[-1] == 0
    assert (paths[0] == -1).all()
    assert (paths[-1] == 19).all()
    free = [path for path, price in zip(paths[1:-1], prices[1:-1], strict=True) if price < FREE]
    between = [path for path in free if 6 <= path[0] < 12]
    assert len(between) == 1
    assert (between[0] == 9).all(), "the middle of the gap, from 6 to 11"


def test_a_path_goes_around_strokes() -> None:
    """Two bars that lean with no straight way between them: the path leans as they do and meets no ink."""
    strokes = np.zeros((20, 30), np.float32)
    for row in range(20):
        lean = row // 4
        strokes[row, 8 + lean : 11 + lean] = strokes[row, 15 + lean : 18 + lean] = 1
    assert strokes[:, 8:22].any(axis=0).all()
    paths, prices = cut_paths(strokes, 20)
    between = (paths[:, 0] >= 11) & (paths[:, 0] < 15)
    (path,) = paths[between & (prices < FREE)]
    assert strokes[np.arange(20), path].sum() == 0
    assert [candidate.box for candidate in Line(strokes, 20).whole_parts()] == [
        (8, 0, 15, 20),
        (15, 0, 22, 20),
    ]


def test_prices_by_hand() -> None:
    """Five columns of ink, one of them weak.

    Straight down the weak column a path costs 5 · 0.25. From the middle of a column beside it, a path
    crosses one full pixel and goes over to the weak column on both sides: 1 + 2 · (0.5 + 2 · 0.25).
    """
    strokes = np.ones((5, 5), np.float32)
    strokes[:, 3] = 0.25
    paths, prices = cut_paths(strokes, 5)
    assert prices.tolist() == [0, 3, 1.25, 3, 0]
    assert paths.tolist() == [[-1] * 5, [3, 3, 2, 3, 3], [3] * 5, [3, 3, 4, 3, 3], [4] * 5]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(strokes=LINES, height=st.floats(1, 48))
def test_paths_go_by_single_steps_and_cost_what_they_cross(strokes: np.ndarray, height: float) -> None:
    paths, prices = cut_paths(strokes, height)
    assert paths.shape == (len(prices), strokes.shape[0])
    assert (np.abs(np.diff(paths, axis=1)) <= 1).all()
    inner = paths[1:-1]
    assert ((inner >= 0) & (inner < strokes.shape[1])).all()
    crossed = strokes[np.arange(strokes.shape[0])[None], inner].sum(axis=1)
    steps = np.abs(np.diff(inner, axis=1)).sum(axis=1)
    np.testing.assert_allclose(prices[1:-1], crossed + SIDEWAYS * steps, atol=1e-4)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(strokes=LINES, height=st.floats(2, 48))
def test_parts_share_out_all_pixels(strokes: np.ndarray, height: float) -> None:
    line = Line(strokes, height)
    parts = len(line.paths) - 1
    assert line.part_of.shape == strokes.shape
    assert line.part_of.min() >= 0
    assert line.part_of.max() < parts
    assert (np.diff(line.part_of, axis=1) >= 0).all(), "left to right"
    inked = strokes > INKED
    for part, box in enumerate(line.boxes):
        rows, columns = np.nonzero(inked & (line.part_of == part))
        if box is None:
            assert not len(rows)
        else:
            assert box == (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)


# ---------------------------------------------------------------- candidates


@settings(max_examples=60, deadline=None, derandomize=True)
@given(strokes=LINES, height=st.floats(4, 48))
def test_the_ink_of_a_candidate_is_what_lies_in_its_box(strokes: np.ndarray, height: float) -> None:
    line = Line(strokes, height)
    inked = strokes > INKED
    found = line.candidates([])
    for candidate in [*found, *line.whole_parts()]:
        left, top, right, bottom = candidate.box
        mine = inked & (line.part_of >= candidate.first) & (line.part_of < candidate.last)
        outside = mine.copy()
        outside[top:bottom, left:right] = False
        assert mine.any()
        assert not outside.any()
        assert candidate.image.shape == (28, 28)
        assert candidate.image.max() == 255
        assert line.boxes[candidate.first] is not None
        assert line.boxes[candidate.last - 1] is not None
    places = [(candidate.first, candidate.last) for candidate in found]
    assert len(places) == len(set(places))
    for part, box in enumerate(line.boxes):
        assert box is None or (part, part + 1) in places, "every part with ink is a candidate by itself"


def test_whole_parts_are_what_gaps_part() -> None:
    line = Line(bars(60, (5, 9), (20, 24), (40, 44)), 20)
    assert [candidate.box for candidate in line.whole_parts()] == [
        (5, 0, 9, 20),
        (20, 0, 24, 20),
        (40, 0, 44, 20),
    ]


def test_nothing_cuts_through_what_is_certain() -> None:
    strokes = bars(60, (5, 9), (40, 44))
    strokes[8:12, 9:25] = 1
    line = Line(strokes, 20)
    first, second = line.whole_parts()
    assert any(first.first < candidate.first < first.last for candidate in line.candidates([]))
    for candidate in line.candidates([first, second]):
        assert not first.first < candidate.first < first.last
        assert not first.first < candidate.last < first.last


# ---------------------------------------------------------------- the sequence


SIGNS = {"none": NO_DIGIT, "several": SEVERAL}


def chances(**of: float) -> np.ndarray:
    """Twelve probabilities: `d7` is of the digit 7, `none` of no digit; what is not given shares the rest."""
    given = {SIGNS.get(name) or int(name[1:]): value for name, value in of.items()}
    row = np.full(12, (1 - sum(given.values())) / (12 - len(given)))
    for place, value in given.items():
        row[place] = value
    return row


def sequence(line: Line, rule: Callable[[Candidate], np.ndarray]) -> list[tuple[int, int, int, int]]:
    """The boxes of the best sequence when each candidate has the probabilities that a rule gives it."""
    found = line.candidates([])
    chosen = best_sequence(line, found, np.stack([rule(candidate) for candidate in found]))
    return [found[number].box for number in chosen]


TOUCHING = bars(40, (5, 9), (21, 25))
TOUCHING[9:12, 9:21] = 1  # an H, or two digits that touch


def test_two_that_touch_or_one_as_the_probabilities_say() -> None:
    line = Line(TOUCHING, 20)
    whole = (5, 0, 25, 20)

    def as_one(candidate: Candidate) -> np.ndarray:
        return chances(d4=0.9) if candidate.box == whole else chances(none=0.8)

    def as_two(candidate: Candidate) -> np.ndarray:
        left, _, right, _ = candidate.box
        halves = (left == 5 and 12 <= right <= 18) or (12 <= left <= 18 and right == 25)
        return chances(d7=0.95) if halves else chances(none=0.9)

    assert sequence(line, as_one) == [whole]
    first, second = sequence(line, as_two)
    assert (first[0], second[2]) == (5, 25)
    assert first[2] == second[0]


def test_what_is_no_digit_is_left_out() -> None:
    line = Line(bars(60, (5, 9), (25, 29), (45, 49)), 20)

    def middle_is_nothing(candidate: Candidate) -> np.ndarray:
        left, _, right, _ = candidate.box
        if right - left > 4:
            return chances(none=0.999)
        return chances(none=0.9999) if left == 25 else chances(d1=0.99)

    assert sequence(line, middle_is_nothing) == [(5, 0, 9, 20), (45, 0, 49, 20)]


def test_leaving_out_has_a_price_by_hand() -> None:
    """A bar as high as the line: left out at exactly `NO_DIGIT_PRICE` nats, or a digit."""
    line = Line(bars(30, (13, 17)), 20)
    (candidate,) = line.whole_parts()
    for margin, kept in ((0.1, True), (-0.1, False)):
        digit = np.exp(-NO_DIGIT_PRICE + margin) / (1 + np.exp(-NO_DIGIT_PRICE + margin))
        row = np.full(12, 1e-9)
        row[7], row[10] = digit, 1 - digit
        assert bool(best_sequence(line, [candidate], row[None])) == kept


def test_small_and_low_is_a_comma() -> None:
    assert misfit((0, 0, 5, 20), 0, 20, 0.8) == 0
    assert misfit((0, -10, 5, 30), 0, 20, 0.8) == 0
    # Half as high, log 2 / 0.8; its middle is 5 of 20 pixels too low, 0.25 / 0.5.
    assert misfit((0, 10, 5, 20), 0, 20, 0.8) == pytest.approx((np.log(2) / 0.8) ** 2 / 2 + 0.5**2 / 2)
    assert misfit((0, 15, 5, 20), 0, 20, 0.4) > 6


@settings(max_examples=60, deadline=None, derandomize=True)
@given(strokes=LINES, seed=st.integers(0, 100))
def test_the_digits_of_a_sequence_follow_each_other(strokes: np.ndarray, seed: int) -> None:
    line = Line(strokes, 20)
    found = line.candidates([])
    rows = np.random.default_rng(seed).dirichlet(np.ones(12), len(found))
    chosen = [found[number] for number in best_sequence(line, found, rows)]
    for before, after in pairwise(chosen):
        assert before.last <= after.first


def test_a_line_is_read_by_the_classifier_that_is_given() -> None:
    """A classifier that takes upright bars for ones: the images of a line, left to right."""
    strokes = cv2.GaussianBlur(bars(80, (10, 14), (30, 34), (60, 64), height=30), (3, 3), 0)

    def classify(images: np.ndarray) -> np.ndarray:
        assert images.dtype == np.uint8
        assert images.shape[1:] == (28, 28)
        narrow = [image.any(axis=0).sum() < 8 for image in images]
        return np.stack([chances(d1=0.99) if thin else chances(none=0.99) for thin in narrow])

    found = read_line(Line(strokes, 30), classify)
    assert [candidate.box[0] for candidate, _ in found] == pytest.approx([10, 30, 60], abs=1)
    assert [int(row.argmax()) for _, row in found] == [1, 1, 1]
    assert read_line(Line(np.zeros((10, 10), np.float32), 10), classify) == []


@pytest.mark.parametrize(("width", "whole"), [(49, True), (52, False)])
def test_a_lone_digit_may_be_two_and_a_half_times_as_wide_as_high(width: int, whole: bool) -> None:
    strokes = np.zeros((20, width + 10), np.float32)
    cv2.rectangle(strokes, (5, 0), (4 + width, 19), 1, 2)
    strokes[:, :5] = strokes[:, 5 + width :] = 0
    seen = []

    def classify(images: np.ndarray) -> np.ndarray:
        seen.append(len(images))
        return np.stack([chances(d0=0.98)] * len(images))

    found = read_line(Line(strokes, 20), classify)
    assert (seen == [1] and len(found) == 1) == whole, "looked at once, as it is"


@pytest.mark.parametrize("several", [0.9, 2 * LEAST_SEVERAL, LEAST_SEVERAL / 2])
def test_only_what_may_be_several_is_cut(several: float) -> None:
    """An H whose legs look like ones: two ones if it may be several digits, and else no digit."""
    strokes = cv2.GaussianBlur(TOUCHING, (3, 3), 0)

    def classify(images: np.ndarray) -> np.ndarray:
        legs = [image.any(axis=0).sum() < 14 for image in images]
        whole = chances(several=several, none=0.99 - several)
        return np.stack([chances(d1=0.99) if leg else whole for leg in legs])

    found = read_line(Line(strokes, 20), classify)
    assert [int(row.argmax()) for _, row in found] == ([1, 1] if several > LEAST_SEVERAL else [])


@pytest.mark.parametrize(("none", "cut"), [(SURELY_NONE - 0.1, True), ((1 + SURELY_NONE) / 2, False)])
def test_what_is_wide_is_cut_unless_it_is_surely_none(none: float, cut: bool) -> None:
    """A zigzag of three bars and what joins them: three ones, or nothing."""
    strokes = bars(70, (5, 9), (31, 35), (57, 61))
    strokes[9:12, 9:57] = 1
    strokes = cv2.GaussianBlur(strokes, (3, 3), 0)

    def classify(images: np.ndarray) -> np.ndarray:
        narrow = [image.any(axis=0).sum() < 14 for image in images]
        return np.stack([chances(d1=0.99) if bar else chances(none=none) for bar in narrow])

    assert len(read_line(Line(strokes, 20), classify)) == (3 if cut else 0)


def test_what_was_chosen_is_more_likely_a_digit_by_hand() -> None:
    """0.5 against 0.5 · e^-1.5 is 0.818; if what it was cut from has digits by 0.6, 0.6 of that is left."""
    row = np.zeros(12)
    row[[7, NO_DIGIT]] = 0.5
    found = as_found(row)
    assert found[7] == pytest.approx(1 / (1 + np.exp(-FOUND_SHIFT)))
    assert found.sum() == pytest.approx(1)
    cut = as_found(row, any_digit=0.6)
    assert cut[7] == pytest.approx(0.6 * found[7])
    assert cut.sum() == pytest.approx(1)


def test_cut_digits_are_less_likely_where_there_may_be_none() -> None:
    strokes = cv2.GaussianBlur(TOUCHING, (3, 3), 0)

    def classify(images: np.ndarray) -> np.ndarray:
        legs = [image.any(axis=0).sum() < 14 for image in images]
        return np.stack([chances(d1=0.999) if leg else chances(several=0.7, none=0.2) for leg in legs])

    found = read_line(Line(strokes, 20), classify)
    assert [row[1] for _, row in found] == pytest.approx([0.8**CUT_TRUST] * 2, abs=0.01)


def test_a_candidate_is_inside_what_it_was_cut_from() -> None:
    image, box = np.zeros((28, 28), np.uint8), (0, 0, 1, 1)
    part = Candidate(2, 5, box, image)
    assert Candidate(2, 4, box, image).is_inside(part)
    assert Candidate(3, 5, box, image).is_inside(part)
    for first, last in ((2, 5), (1, 4), (4, 6), (1, 6)):
        assert not Candidate(first, last, box, image).is_inside(part)
