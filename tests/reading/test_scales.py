"""Digits of every size, each once: what is too small is looked at in a larger copy, and only there."""

from itertools import pairwise

import numpy as np
import pytest

from mnistry.reading.detector import LARGEST, SMALLEST, Detection
from mnistry.reading.flatten import LEVEL, flattened
from mnistry.reading.scales import SURVEY_SIDE, each_once, find_digits, look, scales_for, upright


class Squares:
    """Stands in for the network: finds dark squares, as digits of seven where their size is right."""

    def __init__(self) -> None:
        self.places = 0

    def heat(self, page: np.ndarray) -> np.ndarray:
        import cv2

        self.places += page.size
        found = np.zeros((13, page.shape[0] // 4, page.shape[1] // 4), np.float32)
        dark = (page < LEVEL - 24).astype(np.uint8)
        count, _, boxes, middles = cv2.connectedComponentsWithStats(dark)
        for (_, _, width, height, _), (x, y) in zip(boxes[1:count], middles[1:count], strict=True):
            row, column = int(y // 4), int(x // 4)
            if SMALLEST <= max(width, height) <= LARGEST:
                found[7, row, column] = 0.9
                found[11:, row, column] = height, width
            elif max(width, height) < SMALLEST:
                found[10, row, column] = 0.9
        return found


def paper(height: int, width: int, *squares: tuple[int, int, int]) -> np.ndarray:
    grey = np.full((height, width), 0.9, np.float32)
    for x, y, side in squares:
        grey[y : y + side, x : x + side] = 0.1
    return grey


@pytest.mark.parametrize("side", [16, 40, 100, 300, 600])
def test_a_digit_is_found_once_whatever_its_size(side: int) -> None:
    found = find_digits(Squares(), paper(900, 900, (150, 200, side)), 0.4)  # type: ignore[arg-type]
    assert len(found) == 1
    assert (found[0].x, found[0].y) == pytest.approx((150 + side / 2, 200 + side / 2), abs=max(4, side / 5))
    assert found[0].height == pytest.approx(side, rel=0.3)


def test_only_where_digits_are_too_small_it_is_looked_closer() -> None:
    detector = Squares()
    looks = look(detector, paper(2000, 2000, (1000, 1000, 15)))  # type: ignore[arg-type]
    closest = looks[-1]
    (left, top, right, bottom) = closest.regions[0]
    assert len(closest.regions) == 1
    assert (right - left) * (bottom - top) < 300 * 300
    assert left / closest.scale < 1015
    assert right / closest.scale > 1000


def test_blank_paper_is_surveyed_and_no_more() -> None:
    detector = Squares()
    assert find_digits(detector, paper(3000, 3000), 0.4) == []  # type: ignore[arg-type]
    assert detector.places < 3 * (2 * SURVEY_SIDE) ** 2


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


def test_few_digits_do_not_turn_a_page() -> None:
    grey = paper(200, 400, (100, 100, 20))
    same, turns = upright(Squares(), grey)  # type: ignore[arg-type]
    assert turns == 0
    assert same is grey


def test_light_and_shade_are_flattened_and_polarity_is_kept() -> None:
    shade = np.linspace(0.4, 1, 300, dtype=np.float32)[None].repeat(200, axis=0)
    page = shade.copy()
    page[80:110, 40:44] *= 0.3
    page[80:110, 240:244] *= 0.3
    flat = flattened(page).astype(int)
    assert abs(flat[100, 150] - LEVEL) < 40
    assert flat[95, 42] < LEVEL - 60
    assert flat[95, 242] < LEVEL - 60
    assert flattened(np.full((50, 50), 0.3, np.float32)).tolist() == [[LEVEL] * 50] * 50
