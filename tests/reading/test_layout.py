"""Pieces, the size and the slope of the writing, and lines, on boxes and masks that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistry.reading.layout import MOST_PIECES, Pieces, find_lines, find_pieces, slope_of, writing_height


def pieces_of(boxes: list[tuple[float, float, float, float]], height: float) -> Pieces:
    """Pieces with these boxes, of a page whose labels do not matter."""
    corners = np.rint(np.array(boxes, float).reshape(-1, 4)).astype(np.int64)
    areas = (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])
    return Pieces(np.zeros((1, 1), np.int32), corners, areas, height)


def mask_of(shape: tuple[int, int], *boxes: tuple[int, int, int, int]) -> np.ndarray:
    """Full boxes: left, top, right, bottom."""
    mask = np.zeros(shape, bool)
    for left, top, right, bottom in boxes:
        mask[top:bottom, left:right] = True
    return mask


DIGITS = [(20, 30, 40, 60), (60, 30, 80, 61), (100, 29, 105, 60)]


# ---------------------------------------------------------------- pieces


def test_pieces_are_numbered_as_their_boxes() -> None:
    pieces = find_pieces(mask_of((100, 150), *DIGITS))
    assert pieces.height == 31
    assert sorted(map(tuple, pieces.boxes.tolist())) == DIGITS
    for number, (left, top, right, bottom) in enumerate(pieces.boxes, 1):
        assert (pieces.labels[top:bottom, left:right] == number).all()
    assert pieces.areas.tolist() == [int((pieces.labels == number).sum()) for number in (1, 2, 3)]
    assert pieces.large.all()


def test_pixels_that_touch_at_a_corner_are_one_piece() -> None:
    assert len(find_pieces(np.eye(40, dtype=bool)[::-1]).boxes) == 1


def test_dust_and_the_remains_of_a_sheets_edge_are_no_pieces() -> None:
    dust = [(120, 80, 123, 83), (5, 5, 7, 7)]
    edges = [(0, 10, 3, 50), (20, 0, 140, 4), (30, 95, 120, 100)]
    pieces = find_pieces(mask_of((100, 150), *DIGITS, *dust, *edges))
    assert sorted(map(tuple, pieces.boxes.tolist())) == DIGITS


def test_a_short_thin_stroke_is_no_dust() -> None:
    cap = (68, 20, 77, 22)  # 18 pixels, where a piece of dust may have 19; 9 long, where a stroke has 7.75
    pieces = find_pieces(mask_of((100, 150), *DIGITS, cap))
    assert sorted(map(tuple, pieces.boxes.tolist())) == sorted([*DIGITS, cap])


def test_a_lone_one_cut_out_closely_is_a_piece() -> None:
    assert len(find_pieces(mask_of((100, 12), (0, 0, 12, 100))).boxes) == 1


@pytest.mark.parametrize(("side", "count"), [(3, 0), (4, 20)])
def test_writing_lower_than_can_be_read_is_noise(side: int, count: int) -> None:
    mask = np.zeros((100, 100), bool)
    for row in range(5, 85, 20):
        for column in range(5, 95, 18):
            mask[row : row + side, column : column + side] = True
    assert len(find_pieces(mask).boxes) == count


def test_of_dust_only_the_largest_pieces() -> None:
    digits = [(left, top, left + 30, top + 60) for top in (20, 90, 160, 230) for left in range(20, 1100, 45)]
    dust = [(left, top, left + 9, top + 9) for top in range(310, 790, 12) for left in range(5, 605, 12)]
    mask = mask_of((800, 1200), *digits, *dust)
    assert len(dust) > MOST_PIECES
    pieces = find_pieces(mask)
    assert (len(pieces.boxes), pieces.too_many) == (MOST_PIECES, 0)
    assert (pieces.areas == 30 * 60).sum() == len(digits)
    assert len(np.unique(pieces.labels)) == MOST_PIECES + 1


def test_a_texture_is_no_writing() -> None:
    """Bars that are all as large as each other: no limit by size parts them."""
    rows, columns = np.indices((840, 840))
    pieces = find_pieces((rows % 28 < 20) & (columns % 14 < 4))
    assert pieces.too_many > MOST_PIECES
    assert len(pieces.boxes) == 0
    assert not pieces.labels.any()


def test_no_pieces() -> None:
    pieces = find_pieces(np.zeros((50, 60), bool))
    assert pieces.boxes.shape == (0, 4)
    assert (pieces.height, slope_of(pieces), find_lines(pieces)) == (0, 0, [])


@pytest.mark.parametrize(
    ("heights", "areas", "expected"),
    [
        ([10], [5], 10),
        ([10, 20, 30], [1, 1, 1], 20),
        ([2, 2, 2, 2, 30, 31], [4, 4, 4, 4, 100, 100], 30),  # 108 of 216 votes: 16 for dots, then 30
        ([40, 10], [100, 99], 40),
        ([40, 10], [99, 100], 10),
    ],
)
def test_the_height_of_the_writing_by_hand(heights: list[int], areas: list[int], expected: float) -> None:
    boxes = np.array([[0, 5, 3, 5 + height] for height in heights])
    assert writing_height(boxes, np.array(areas)) == expected


# ---------------------------------------------------------------- slope


def page_of_lines(slope: float, seed: int, lines: int = 5, digits: int = 9) -> Pieces:
    """Lines of digits of about 30 pixels that fall by so many degrees."""
    random = np.random.default_rng(seed)
    turn = np.deg2rad(slope)
    boxes = []
    for line in range(lines):
        for place in range(digits):
            x, y = 300 + 42 * (place - digits / 2), 300 + 70 * (line - lines / 2)
            x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
            y += random.uniform(-2, 2)
            half_width, half_height = random.uniform(4, 12), random.uniform(13, 17)
            boxes.append((x - half_width, y - half_height, x + half_width, y + half_height))
    return pieces_of(boxes, 30)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    slope=st.floats(3, 12),
    falls=st.booleans(),
    seed=st.integers(0, 1000),
    lines=st.integers(1, 6),
    digits=st.integers(6, 12),
)
def test_the_slope_of_tilted_lines(slope: float, falls: bool, seed: int, lines: int, digits: int) -> None:
    slope = slope if falls else -slope
    assert slope_of(page_of_lines(slope, seed, lines, digits)) == pytest.approx(slope, abs=1)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(slope=st.floats(-2.5, 2.5), seed=st.integers(0, 1000))
def test_lines_that_are_nearly_level_are_hardly_turned(slope: float, seed: int) -> None:
    assert abs(slope_of(page_of_lines(slope, seed)) - slope) <= 3


def test_few_digits_tell_no_slope() -> None:
    assert slope_of(page_of_lines(10, 0, lines=1, digits=3)) == 0


# ---------------------------------------------------------------- lines


def test_lines_top_to_bottom_and_digits_left_to_right() -> None:
    boxes = [(60, 100, 80, 130), (20, 40, 40, 70), (20, 102, 40, 131), (60, 36, 80, 66), (100, 44, 120, 74)]
    assert [line.tolist() for line in find_lines(pieces_of(boxes, 30))] == [[1, 3, 4], [2, 0]]


def test_a_line_that_climbs_stays_one_line() -> None:
    """Each digit stands beside the last one, though the last lies above the first."""
    boxes = [(40 * place, 200 - 9 * place, 40 * place + 20, 230 - 9 * place) for place in range(12)]
    assert [line.tolist() for line in find_lines(pieces_of(boxes, 30))] == [list(range(12))]


def test_small_pieces_join_the_nearest_line_and_far_ones_none() -> None:
    boxes = [(20, 40, 40, 70), (20, 100, 40, 130), (42, 64, 46, 72), (24, 92, 36, 97), (300, 300, 310, 306)]
    assert [line.tolist() for line in find_lines(pieces_of(boxes, 30))] == [[0, 2], [1, 3]]


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.tuples(st.integers(0, 500), st.integers(0, 500), st.integers(1, 60), st.integers(1, 60)),
        max_size=25,
    )
)
def test_every_large_piece_is_in_one_line_and_none_is_in_two(
    corners: list[tuple[int, int, int, int]],
) -> None:
    pieces = pieces_of([(x, y, x + width, y + height) for x, y, width, height in corners], 40)
    members = [int(number) for line in find_lines(pieces) for number in line]
    assert len(members) == len(set(members))
    assert set(np.flatnonzero(pieces.large)) <= set(members)
    for line in find_lines(pieces):
        assert (np.diff(pieces.boxes[line, 0]) >= 0).all()


def test_a_tail_that_broke_off_stays_in_its_line_and_the_line_below_does_not() -> None:
    mask = np.zeros((200, 300), bool)
    for left in (20, 80, 140, 200):
        mask[20:80, left : left + 30] = True
    mask[83:123, 100:106] = True  # below the second, three pixels away
    mask[130:190, 20:50] = True  # the next line
    pieces = find_pieces(mask)
    lines = [[tuple(pieces.boxes[number, :2].tolist()) for number in line] for line in find_lines(pieces)]
    assert lines == [[(20, 20), (80, 20), (100, 83), (140, 20), (200, 20)], [(20, 130)]]


@pytest.mark.parametrize(("width", "joins"), [(45, True), (47, False)])
def test_a_cap_written_apart_joins_and_a_longer_line_does_not(width: int, joins: bool) -> None:
    cap = (15, 20, 15 + width, 24)  # a digit is 31 pixels high: 1.5 times that is 46.5
    (line,) = find_lines(pieces_of([*DIGITS, cap], 31))
    assert (3 in line) == joins
