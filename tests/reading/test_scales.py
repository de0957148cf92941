"""Digits of every size, each once: what is too small is looked at in a larger copy, and only there."""

import time
from itertools import pairwise

import cv2
import numpy as np
import pytest

from mnistry.data.dataset import CLASSES
from mnistry.errors import PictureSizeError
from mnistry.reading import scales
from mnistry.reading.detector import LARGEST, SIDE_UNIT, SMALLEST, Detection, Detector, copy_at
from mnistry.reading.flatten import LEVEL
from mnistry.reading.scales import (
    MOST_DIGITS,
    SURVEY_SIDE,
    Look,
    each_once,
    found_in,
    is_lone_digit,
    look,
    scales_for,
)


class Squares(Detector):
    """Stands in for the network: finds dark squares, as sevens where their size is right.

    Those that are too small it may overlook in the upper part of a page, up to so many pixels.
    """

    def __init__(self, overlooked: int = 0) -> None:
        self.places, self.overlooked = 0, overlooked

    def heat(self, page: np.ndarray) -> np.ndarray:
        self.places += page.size
        found = np.zeros((13, page.shape[0] // 4, page.shape[1] // 4), np.float32)
        dark = (page < LEVEL - 24).astype(np.uint8)
        count, _, boxes, middles = cv2.connectedComponentsWithStats(dark)
        for (_, _, width, height, _), (x, y) in zip(boxes[1:count], middles[1:count], strict=True):
            row, column = int(y // 4), int(x // 4)
            if SMALLEST <= max(width, height) <= LARGEST:
                found[7, row, column] = 0.9
                found[11:, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2] = [
                    [[height]],
                    [[width]],
                ]
            elif max(width, height) < SMALLEST and (
                max(width, height) > self.overlooked or y > 0.45 * page.shape[0]
            ):
                found[10, row, column] = 0.9
        return found


def paper(height: int, width: int, *squares: tuple[int, int, int]) -> np.ndarray:
    grey = np.full((height, width), 0.9, np.float32)
    for x, y, side in squares:
        grey[y : y + side, x : x + side] = 0.1
    return grey


@pytest.mark.parametrize("side", [12, 16, 40, 100, 300, 600])
def test_a_digit_is_found_once_whatever_its_size(side: int) -> None:
    (digit,) = found_in(look(Squares(), paper(900, 900, (50, 40, side))))
    assert (digit.x, digit.y) == pytest.approx((50 + side / 2, 40 + side / 2), abs=max(4, side / 5))
    assert digit.height == pytest.approx(side, rel=0.3)


def test_digits_of_all_sizes_on_one_page_are_found_once_each() -> None:
    squares = [(100, 100, 700), (900, 100, 200), (900, 400, 80), (1200, 500, 30), (1300, 600, 14)]
    found = found_in(look(Squares(), paper(1000, 1500, *squares)))
    heights = sorted(digit.height for digit in found)
    assert heights == pytest.approx(sorted(side for _, _, side in squares), rel=0.3)


def test_a_lone_digit_is_believed_when_two_copies_show_it() -> None:
    looks = look(Squares(), paper(900, 900, (200, 200, 600)))
    assert len(looks) == 2
    assert is_lone_digit(looks, (900, 900))
    assert not is_lone_digit(looks[:1], (900, 900))
    assert not is_lone_digit(looks, (9000, 9000))  # it fills no such picture
    with_small_one = paper(900, 900, (200, 200, 600), (800, 20, 90))
    assert len(found_in(look(Squares(), with_small_one))) == 2


def test_only_where_digits_are_too_small_it_is_looked_closer() -> None:
    looks = look(Squares(), paper(2000, 2000, (1000, 1000, 15)))
    closest = looks[-1]
    ((left, top, right, bottom),) = closest.regions
    assert (right - left) * (bottom - top) < 300 * 300
    assert left / closest.scale < 1015
    assert right / closest.scale > 1000


def test_what_is_less_surely_too_small_is_looked_at_with_what_surely_is() -> None:
    def looked_at(*chances: float) -> int:
        """How many squares of the next copy are looked at for places with such chances, 40 pixels apart."""
        heat = np.zeros((CLASSES + 3, 60, 60), np.float32)
        for number, chance in enumerate(chances):
            heat[CLASSES, 30, 10 + 10 * number] = chance
        last = Look(1.0, np.zeros((240, 240), np.uint8), [(0, 0, 240, 240)], [heat], [])
        return int(scales._closer(last, (480, 480)).sum())

    assert looked_at(0.06) == looked_at(0.06, 0.06, 0.06) == 0
    assert looked_at(0.2) == looked_at(0.2, 0.04, 0.04) > 0
    assert looked_at(0.2, 0.06, 0.06) == looked_at(0.2, 0.2, 0.2) > looked_at(0.2)
    assert looked_at(0.2, 0, 0, 0, 0.06) == looked_at(0.2)  # it is not near


def test_what_is_looked_at_lies_in_the_copy_and_nothing_twice() -> None:
    squares = [(x, y, 14) for x in range(30, 1970, 390) for y in range(20, 1950, 330)]
    detector = Squares()
    for seen in look(detector, paper(2000, 2000, *squares)):
        covered = np.zeros((2100, 2100), int)
        for left, top, right, bottom in seen.regions:
            assert 0 <= left < right
            assert 0 <= top < bottom
            assert {left % SIDE_UNIT, top % SIDE_UNIT, right % SIDE_UNIT, bottom % SIDE_UNIT} == {0}
            covered[top:bottom, left:right] += 1
        assert covered.max() == 1
    assert detector.places < 2 * 2048**2


def test_writing_is_followed_to_where_nothing_was_seen_of_it() -> None:
    tops = range(130, 1900, 34)
    page = paper(2000, 2000, *((900, top, 15) for top in tops))
    closest = look(Squares(overlooked=4), page)[-1]
    assert sorted(digit.y for digit in closest.found) == pytest.approx([top + 7.5 for top in tops], abs=3)


def test_nothing_is_followed_that_the_copy_before_showed() -> None:
    """Lines of digits of which one is smaller, and so looked at closer: not the whole page again."""
    grid = range(892 - 15 * 56, 1900, 56)
    lines = [(x, y, 40) for x in grid for y in grid if (x, y) != (892, 892)]
    closest = look(Squares(), paper(2000, 2000, *lines, (905, 905, 15)))[-1]
    assert sum((right - left) * (bottom - top) for left, top, right, bottom in closest.regions) < 300 * 300


def test_blank_paper_is_surveyed_and_no_more() -> None:
    detector = Squares()
    assert found_in(look(detector, paper(3000, 3000))) == []
    assert detector.places < 3 * (2 * SURVEY_SIDE) ** 2


def test_no_copy_is_made_that_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    made = list[float]()

    def counted(grey: np.ndarray, scale: float) -> np.ndarray:
        made.append(scale)
        return copy_at(grey, scale)

    monkeypatch.setattr(scales, "copy_at", counted)
    for squares in ([], [(50, 40, 100)], [(50, 40, 15)]):
        made.clear()
        looks = look(Squares(), paper(2000, 1500, *squares))
        assert made == [one.scale for one in looks]
        assert len(made) > 1


def test_a_deadline() -> None:
    grey = paper(900, 900, (200, 200, 20))
    with pytest.raises(PictureSizeError, match="takes too long to read"):
        look(Squares(), grey, deadline=time.monotonic() - 1)
    assert look(Squares(), grey, deadline=time.monotonic() + 60)


@pytest.mark.parametrize(
    ("height", "width"), [(28, 28), (9, 300), (5000, 40), (3000, 4000), (1, 1), (1, 50_000_000)]
)
def test_scales_grow_twofold_and_stay_bounded(height: int, width: int) -> None:
    scales = scales_for(height, width)
    assert all(after == 2 * before for before, after in pairwise(scales))
    assert scales[-1] * max(height, width) <= 2048 * 1.01


def test_the_surer_of_two_that_share_a_place_stays() -> None:
    def found(x: float, confidence: float, scale: float = 1.0) -> Detection:
        return Detection(x, 0, 12, 20, confidence * np.eye(10)[3], scale)

    kept = each_once([found(0, 0.6), found(2, 0.9, 2.0), found(30, 0.5)])
    assert [(digit.x, digit.confidence) for digit in kept] == [(2, 0.9), (30, 0.5)]


def test_of_too_many_the_surest_are_kept() -> None:
    random = np.random.default_rng(0)
    found = [
        Detection(x, y, 12, 20, chance * np.eye(10)[3], 1.0)
        for x, y, chance in random.random((10_000, 3)) * (50_000, 50_000, 1)
    ]
    start = time.process_time()
    kept = each_once(found)
    assert time.process_time() - start < 2
    assert len(kept) <= MOST_DIGITS
    assert [digit.confidence for digit in kept] == sorted((digit.confidence for digit in kept), reverse=True)
    assert min(digit.confidence for digit in kept) > 0.79


def test_nothing_gives_nothing() -> None:
    assert each_once([]) == []
