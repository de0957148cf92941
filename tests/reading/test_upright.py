"""How a page lies: turned by quarters, levelled, and every place back where it is in the picture."""

import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistry.errors import PictureSizeError
from mnistry.reading.detector import LARGEST, SMALLEST, Detection, Detector
from mnistry.reading.flatten import LEVEL
from mnistry.reading.upright import find_page, picture_box, slope_of

Box = tuple[int, int, int, int]


class Arrows(Detector):
    """Stands in for the network: finds dark pieces, as twos that are sure where more ink is above."""

    def __init__(self, lying: float = 0.2) -> None:
        self._lying = lying

    def heat(self, page: np.ndarray) -> np.ndarray:
        found = np.zeros((13, page.shape[0] // 4, page.shape[1] // 4), np.float32)
        dark = page < LEVEL - 24
        count, pieces, boxes, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8))
        for number, (x, y, width, height, _) in enumerate(boxes[1:count].tolist(), 1):
            row, column = (y + height // 2) // 4, (x + width // 2) // 4
            if max(width, height) < SMALLEST:
                found[10, row, column] = 0.9
            elif max(width, height) <= LARGEST:
                part = pieces[y : y + height, x : x + width] == number
                above = int(part[: height // 2].sum()) - int(part[height - height // 2 :].sum())
                across = int(part[:, : width // 2].sum()) - int(part[:, width - width // 2 :].sum())
                upright = above > abs(across) and height >= width
                _hill(found[2], x + width / 2, y + height / 2, 0.9 if upright else self._lying)
                found[11:, row - 1 : row + 2, column - 1 : column + 2] = [[[height]], [[width]]]
        return found


def _hill(heat: np.ndarray, x: float, y: float, high: float) -> None:
    """A maximum whose place between the places of the map is told by those beside it."""
    shares = []
    for middle in (y / 4 - 0.5, x / 4 - 0.5):
        off = middle - np.rint(middle)
        beside = abs(off) / (1 - abs(off))
        shares.append((int(np.rint(middle)), [beside * (off < 0), 1.0, beside * (off > 0)]))
    (row, down), (column, across) = shares
    heat[row - 1 : row + 2, column - 1 : column + 2] = high * np.outer(down, across)


@pytest.fixture
def arrows() -> Arrows:
    return Arrows()


def page_of_arrows(count: int) -> np.ndarray:
    """So many T-like signs in rows of five on white, float32 `[240, 300]`."""
    grey = np.ones((240, 300), np.float32)
    for number in range(count):
        top, left = 40 + 60 * (number // 5), 30 + 50 * (number % 5)
        grey[top : top + 10, left : left + 26] = 0
        grey[top : top + 34, left + 10 : left + 16] = 0
    return grey


def overlap(one: Box, other: Box) -> float:
    """What two boxes share, of what they cover together."""
    shared = [min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) for i in (0, 1)]
    both = max(0, shared[0]) * max(0, shared[1])
    return both / (one[2] * one[3] + other[2] * other[3] - both)


# ---------------------------------------------------------------- quarters


@pytest.mark.parametrize("quarters", range(4))
def test_a_page_is_turned_until_its_digits_stand(arrows: Arrows, quarters: int) -> None:
    written = page_of_arrows(8)
    grey = np.ascontiguousarray(np.rot90(written, quarters))
    page = find_page(arrows, grey)
    np.testing.assert_array_equal(page.grey, written)
    assert len(page.found) == 8
    # A pixel's middle comes back to a pixel's middle.
    ys, xs = np.nonzero(page.grey < 0.5)
    x, y = page.origin @ np.stack([xs + 0.5, ys + 0.5, np.ones(len(xs))])
    assert (grey[np.floor(y).astype(int), np.floor(x).astype(int)] < 0.5).all()
    assert ((x % 1 == 0.5) & (y % 1 == 0.5)).all()


@pytest.mark.parametrize("quarters", range(4))
def test_boxes_of_a_turned_page_lie_where_its_digits_are_in_the_picture(
    arrows: Arrows, quarters: int
) -> None:
    grey = np.ascontiguousarray(np.rot90(page_of_arrows(8), quarters))
    _, _, found, _ = cv2.connectedComponentsWithStats((grey < 0.5).astype(np.uint8))
    true = [tuple(box[:4]) for box in found[1:].tolist()]
    page = find_page(arrows, grey)
    size = (grey.shape[1], grey.shape[0])
    for digit in page.found:
        box = picture_box(digit.box, page.origin, 1, size)
        assert max(overlap(box, other) for other in true) > 0.5


def test_few_digits_turn_no_page(arrows: Arrows) -> None:
    grey = np.ascontiguousarray(np.rot90(page_of_arrows(3), 2))
    page = find_page(arrows, grey)
    np.testing.assert_array_equal(page.origin, np.eye(3)[:2])
    assert page.grey is grey


def test_digits_that_stand_beside_no_other_turn_no_page(arrows: Arrows) -> None:
    """As letters on their side do that look like digits; a line of digits does turn it."""
    apart = np.ones((1200, 1500), np.float32)
    for number in range(8):
        top, left = 100 + 300 * (number // 3), 100 + 450 * (number % 3)
        apart[top : top + 120, left : left + 120] = page_of_arrows(1)[20:140, 10:130]
    page = find_page(arrows, np.ascontiguousarray(np.rot90(apart)))
    np.testing.assert_array_equal(page.origin, np.eye(3)[:2])


def test_sure_digits_that_stand_beside_no_other_do_not_say_that_a_page_stands() -> None:
    """A page on its side, and three signs far from all others that are sure as the page lies."""
    lying = np.ones((500, 700), np.float32)
    lying[:300, :240] = np.rot90(page_of_arrows(4))
    for left, top in ((30, 400), (300, 60), (600, 300)):
        lying[top : top + 40, left : left + 40] = page_of_arrows(1)[38:78, 23:63]
    page = find_page(Arrows(lying=0.11), lying)
    np.testing.assert_array_equal(page.grey, np.rot90(lying, -1))


def test_a_picture_of_one_digit_that_only_one_copy_shows() -> None:
    grey = page_of_arrows(1)
    assert find_page(Arrows(), grey[20:100, 10:90]).lone
    assert not find_page(Arrows(), np.pad(grey, 400, constant_values=1)).lone  # it fills no such picture
    assert not find_page(Arrows(), page_of_arrows(2)).lone


@pytest.mark.parametrize(("letters", "turned"), [(0, True), (3, True), (12, False)])
def test_letters_of_which_some_are_digits_on_their_heads_turn_no_page(letters: int, turned: bool) -> None:
    """A line of writing: turned, it would have most digits, and yet most of it would be none."""
    grey = np.ones((300, 300), np.float32)
    grey[:240] = page_of_arrows(4)[::-1, ::-1]
    for number in range(letters):
        top, left = 40 + 50 * (number // 6), 10 + 48 * (number % 6)
        grey[top : top + 20, left : left + 20] = 0
    page = find_page(Arrows(lying=0.4), grey)
    np.testing.assert_array_equal(page.grey, grey[::-1, ::-1] if turned else grey)


class Fives(Arrows):
    """Digits that are digits on their heads, too, but less surely."""

    def heat(self, page: np.ndarray) -> np.ndarray:
        on_their_heads = super().heat(page[::-1, ::-1])[:, ::-1, ::-1]
        return np.maximum(super().heat(page), 0.7 * on_their_heads)


@pytest.mark.parametrize("quarters", [0, 1, 3])
def test_what_can_stand_on_its_head_is_turned_from_its_side(quarters: int) -> None:
    written = page_of_arrows(8)
    page = find_page(Fives(), np.ascontiguousarray(np.rot90(written, quarters)))
    np.testing.assert_array_equal(page.grey, written)


@pytest.mark.parametrize("lying", [0.05, 0.2, 0.8])
def test_what_is_as_sure_in_every_position_turns_no_page(lying: float) -> None:
    squares = np.ones((240, 300), np.float32)
    for number in range(12):
        top, left = 40 + 60 * (number // 4), 30 + 60 * (number % 4)
        squares[top : top + 30, left : left + 30] = 0
    np.testing.assert_array_equal(find_page(Arrows(lying), squares).origin, np.eye(3)[:2])


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("shape", [(1, 1), (300, 400), (1, 3000)])
def test_an_empty_page_stays_as_it_is(arrows: Arrows, level: float, shape: tuple[int, int]) -> None:
    page = find_page(arrows, np.full(shape, level, np.float32))
    assert page.found == []
    np.testing.assert_array_equal(page.origin, np.eye(3)[:2])


def test_a_deadline(arrows: Arrows) -> None:
    with pytest.raises(PictureSizeError, match="takes too long to read"):
        find_page(arrows, page_of_arrows(8), time.monotonic() - 1)
    assert len(find_page(arrows, page_of_arrows(8), time.monotonic() + 60).found) == 8


# ---------------------------------------------------------------- slopes


def digits_of_lines(slope: float, seed: int, lines: int = 5, digits: int = 9) -> list[Detection]:
    """Lines of digits of about 30 pixels that fall by so many degrees."""
    random = np.random.default_rng(seed)
    turn = np.deg2rad(slope)
    found = []
    for line in range(lines):
        for place in range(digits):
            x, y = 32 * (place - digits / 2), 70 * (line - lines / 2)
            x, y = x * np.cos(turn) - y * np.sin(turn), x * np.sin(turn) + y * np.cos(turn)
            height = random.uniform(26, 34)
            found.append(Detection(x, y + random.uniform(-2, 2), 20, height, 0.9 * np.eye(10)[5], 1.0))
    return found


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    slope=st.floats(3, 25),
    falls=st.booleans(),
    seed=st.integers(0, 1000),
    lines=st.integers(1, 6),
    digits=st.integers(8, 12),
)
def test_the_slope_of_tilted_lines(slope: float, falls: bool, seed: int, lines: int, digits: int) -> None:
    slope = slope if falls else -slope
    assert slope_of(digits_of_lines(slope, seed, lines, digits)) == pytest.approx(slope, abs=2.5)


@pytest.mark.parametrize("slope", [35, 60, -50])
def test_what_is_steeper_than_writing_is_no_slope(slope: float) -> None:
    assert abs(slope_of(digits_of_lines(slope, 0))) < 30


def test_few_or_unsure_digits_tell_no_slope() -> None:
    assert slope_of([]) == 0
    assert slope_of(digits_of_lines(10, 0, lines=1, digits=3)) == 0
    unsure = [
        Detection(one.x, one.y, one.width, one.height, one.probabilities / 3, 1.0)
        for one in digits_of_lines(10, 0)
    ]
    assert slope_of(unsure) == 0


@pytest.mark.parametrize("slope", [-12, -5, 5, 12])
def test_a_tilted_page_is_made_level_and_its_places_come_back(arrows: Arrows, slope: float) -> None:
    written = cv2.copyMakeBorder(page_of_arrows(15), 60, 60, 60, 60, cv2.BORDER_REPLICATE)
    height, width = written.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -slope, 1)
    grey = np.asarray(cv2.warpAffine(written, turn, (width, height), borderValue=1.0), np.float32)
    page = find_page(arrows, grey)
    ys, xs = np.nonzero(page.grey < 0.5)
    levelled = np.rad2deg(np.arctan2(page.origin[1, 0], page.origin[0, 0]))
    assert levelled == pytest.approx(slope, abs=1)
    assert np.ptp([digit.y for digit in sorted(page.found, key=lambda one: one.y)[:5]]) < 6
    x, y = page.origin @ np.stack([xs + 0.5, ys + 0.5, np.ones(len(xs))])
    assert grey[np.floor(y).astype(int), np.floor(x).astype(int)].mean() < 0.1
    # The whole picture is still there.
    corners = np.array([[0, width, 0, width], [0, 0, height, height]], float) - page.origin[:, 2:]
    inside = np.linalg.inv(page.origin[:, :2]) @ corners
    assert inside.min() >= -1e-6
    assert (inside.max(axis=1) <= np.array(page.grey.shape[::-1]) + 1e-6).all()


# ---------------------------------------------------------------- boxes


@pytest.mark.parametrize(
    ("box", "scale", "expected"),
    [
        ((10, 20, 30, 60), 1, (10, 20, 20, 40)),
        ((10.5, 20.5, 29.5, 59.5), 1, (10, 20, 20, 40)),
        ((10, 10, 30, 40), 0.5, (20, 20, 40, 60)),
        ((-5, -5, 30, 60), 1, (0, 0, 30, 60)),
        ((190, 90, 230, 130), 1, (190, 90, 10, 10)),
        ((300, 300, 310, 310), 1, (199, 99, 1, 1)),
        ((-30, -30, -10, -10), 1, (0, 0, 1, 1)),
    ],
)
def test_a_box_stays_inside_the_picture(
    box: tuple[float, float, float, float], scale: float, expected: Box
) -> None:
    assert picture_box(box, np.eye(3)[:2], scale, (200, 100)) == expected


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    box=st.tuples(*[st.floats(-300, 300)] * 4),
    turn=st.floats(-np.pi, np.pi),
    scale=st.floats(0.01, 4),
    size=st.tuples(st.integers(1, 300), st.integers(1, 300)),
)
def test_any_box_of_any_page_stays_inside(
    box: tuple[float, float, float, float], turn: float, scale: float, size: tuple[int, int]
) -> None:
    origin = np.array([[np.cos(turn), -np.sin(turn), 5], [np.sin(turn), np.cos(turn), -7]])
    x, y, width, height = picture_box(box, origin, scale, size)
    assert 0 <= x < x + width <= size[0]
    assert 0 <= y < y + height <= size[1]
