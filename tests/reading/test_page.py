"""The page: turned upright, levelled, put into groups, and every box where it is in the picture."""

import cv2
import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.reading.layout import find_pieces
from mnistry.reading.page import (
    LINE_HEIGHT,
    Page,
    find_page,
    group_breaks,
    picture_box,
    quarter_turns,
    text_lines,
)
from mnistry.reading.recognizer import Recognizer

Box = tuple[int, int, int, int]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


@pytest.fixture(scope="module")
def written(mnist: Dataset) -> tuple[np.ndarray, list[str], list[Box]]:
    """Three lines of MNIST test digits on a page: its grey levels, the lines, each digit's true box."""
    page = np.full((420, 620), 235, np.uint8)
    lines, boxes = [], []
    numbers = iter(range(10, 60))
    for row in range(3):
        text = ""
        for column in range(8):
            number = next(numbers)
            digit = cv2.resize(mnist.test.images[number], (60, 60), interpolation=cv2.INTER_CUBIC)
            top, left = 80 + 95 * row, 55 + 64 * column
            area = page[top : top + 60, left : left + 60]
            np.minimum(area, 235 - (digit * (200 / 255)).astype(np.uint8), out=area)
            rows, columns = (np.flatnonzero((digit > 127).any(axis=axis)) for axis in (1, 0))
            boxes.append((left + columns[0], top + rows[0], np.ptp(columns) + 1, np.ptp(rows) + 1))
            text += str(mnist.test.labels[number])
        lines.append(text)
    return page, lines, boxes


def tilted(page: np.ndarray, boxes: list[Box], degrees: float) -> tuple[np.ndarray, list[Box]]:
    """A page turned about its middle, and where its boxes come to lie."""
    height, width = page.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    turned = cv2.warpAffine(page, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=235)
    moved = []
    for x, y, w, h in boxes:
        corners = matrix @ np.array([[x, x + w, x, x + w], [y, y, y + h, y + h], [1, 1, 1, 1]])
        left, top = corners.min(axis=1)
        moved.append((left, top, *np.ptp(corners, axis=1)))
    return turned, moved


def turned(page: np.ndarray, boxes: list[Box], quarters: int) -> tuple[np.ndarray, list[Box]]:
    """A page turned by quarters, counterclockwise, and where its boxes come to lie."""
    for _ in range(quarters):
        width = page.shape[1]
        page = np.rot90(page)
        boxes = [(y, width - x - w, h, w) for x, y, w, h in boxes]
    return np.ascontiguousarray(page), boxes


def overlap(one: Box, other: Box) -> float:
    """What two boxes share, of what they cover together."""
    shared = [min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) for i in (0, 1)]
    both = max(0, shared[0]) * max(0, shared[1])
    return both / (one[2] * one[3] + other[2] * other[3] - both)


@pytest.mark.parametrize("degrees", [0, 12, -12])
@pytest.mark.parametrize("quarters", range(4))
def test_the_same_digits_at_their_places_however_the_page_lies(
    recognizer: Recognizer, written: tuple[np.ndarray, list[str], list[Box]], quarters: int, degrees: float
) -> None:
    page, lines, boxes = written
    page, boxes = turned(*tilted(page, boxes, degrees), quarters)
    reading = recognizer.read(page)
    assert len(reading.lines) == len(lines)
    wrong = sum(
        a != b
        for found, line in zip(reading.lines, lines, strict=True)
        for a, b in zip(found.replace(" ", ""), line, strict=True)
    )
    assert wrong <= 1
    overlaps = [overlap(digit.box, box) for digit, box in zip(reading.digits, boxes, strict=True)]
    assert min(overlaps) > (0.55 if degrees else 0.7)


def test_a_box_of_a_larger_picture_is_in_its_own_pixels(
    recognizer: Recognizer, written: tuple[np.ndarray, list[str], list[Box]]
) -> None:
    page, lines, boxes = written
    large = cv2.resize(page, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    assert max(large.shape) > 3000
    large, boxes = turned(large, [(5 * x, 5 * y, 5 * w, 5 * h) for x, y, w, h in boxes], 1)
    reading = recognizer.read(large)
    assert [len(line.replace(" ", "")) for line in reading.lines] == [len(line) for line in lines]
    assert min(overlap(digit.box, box) for digit, box in zip(reading.digits, boxes, strict=True)) > 0.7


# ---------------------------------------------------------------- turns and slopes, by a known classifier


def arrows(images: np.ndarray) -> np.ndarray:
    """A classifier that knows one digit, of which the upper half has more ink than the lower."""
    images = images.astype(float)
    up = images[:, :14].sum(axis=(1, 2)) - images[:, 14:].sum(axis=(1, 2))
    left = images[:, :, :14].sum(axis=(1, 2)) - images[:, :, 14:].sum(axis=(1, 2))
    sure = 0.02 + 0.97 * (up > 0) * (np.abs(up) > np.abs(left))
    return np.column_stack([sure, *[np.zeros(len(images))] * 9, 1 - sure])


def page_of_arrows(count: int) -> np.ndarray:
    """So many T-like signs in rows of five on white, float32."""
    grey = np.ones((240, 300), np.float32)
    for number in range(count):
        top, left = 40 + 60 * (number // 5), 30 + 50 * (number % 5)
        grey[top : top + 10, left : left + 26] = 0
        grey[top : top + 34, left + 10 : left + 16] = 0
    return grey


@pytest.mark.parametrize("quarters", range(4))
def test_quarter_turns(quarters: int) -> None:
    grey = np.ascontiguousarray(np.rot90(page_of_arrows(8), quarters))
    ink = 1 - grey
    pieces = find_pieces(ink > 0.5)
    page = Page(ink, pieces.labels > 0, pieces, np.eye(3)[:2])
    assert quarter_turns(page, arrows) == (-quarters) % 4
    upright = find_page(grey, arrows)
    np.testing.assert_allclose(upright.ink, 1 - page_of_arrows(8), atol=0.02)
    # A pixel's middle comes back to a pixel's middle.
    ys, xs = np.nonzero(upright.mask)
    x, y = upright.origin @ np.stack([xs + 0.5, ys + 0.5, np.ones(len(xs))])
    assert (grey[np.floor(y).astype(int), np.floor(x).astype(int)] < 0.5).all()


def test_few_digits_turn_no_page() -> None:
    grey = np.ascontiguousarray(np.rot90(page_of_arrows(3), 2))
    np.testing.assert_array_equal(find_page(grey, arrows).origin, np.eye(3)[:2])


def test_what_is_no_digit_in_any_position_turns_no_page() -> None:
    def nothing(images: np.ndarray) -> np.ndarray:
        return np.column_stack([np.zeros((len(images), 10)), np.ones(len(images))])

    np.testing.assert_array_equal(find_page(page_of_arrows(8), nothing).origin, np.eye(3)[:2])


# ---------------------------------------------------------------- lines and groups


def test_the_ink_of_a_line_is_even_and_no_higher_than_needed() -> None:
    grey = np.ones((400, 900), np.float32)
    for number in range(5):
        grey[100:220, 100 + 150 * number : 120 + 150 * number] = 0.08 * number
    (text,) = text_lines(find_page(grey, arrows))
    assert text.line.height == pytest.approx(LINE_HEIGHT, abs=1)
    strokes = text.line.strokes
    darkest = [strokes[:, round(x * text.scale)].max() for x in range(11, 700, 150)]
    # The median of the ink is 0.84; more is as much.
    np.testing.assert_allclose(darkest, [1, 1, 1, 0.76 / 0.84, 0.68 / 0.84], atol=0.02)
    assert text.on_page((0, 0, *strokes.shape[::-1])) == pytest.approx((99, 99, 721, 221), abs=2)


def digits_at(*lefts: int) -> list[tuple[float, float, float, float]]:
    """Digits of 20×30 pixels."""
    return [(left, 0, left + 20, 30) for left in lefts]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], []),
        ([[]], [[]]),
        ([digits_at(0)], [""]),
        ([digits_at(0, 30, 60, 90)], ["..."]),
        # Gaps of 10, 10, 50, 10: a space where the gap is more than 0.9 · 30 and 2.5 · 10 + 0.5 · 30.
        ([digits_at(0, 30, 60, 130, 160)], [".. ."]),
        ([digits_at(0, 30, 60, 120, 150)], ["...."]),
        # Wide everywhere: no groups.
        ([digits_at(0, 70, 140, 210)], ["..."]),
        # What is usual is told by the whole page.
        ([digits_at(0, 30, 60), digits_at(0, 100)], ["..", " "]),
    ],
)
def test_groups_by_hand(lines: list[list[tuple[float, float, float, float]]], expected: list[str]) -> None:
    gaps = group_breaks(lines)
    assert [["." if not gap else " " for gap in line[1:]] for line in gaps] == [
        list(text) for text in expected
    ]
    assert not any(line[0] for line in gaps if line)
    assert [len(line) for line in gaps] == [len(line) for line in lines]


@pytest.mark.parametrize(
    ("box", "scale", "expected"),
    [
        ((10, 20, 30, 60), 1, (10, 20, 20, 40)),
        ((10.5, 20.5, 29.5, 59.5), 1, (10, 20, 20, 40)),
        ((10, 10, 30, 40), 0.5, (20, 20, 40, 60)),
        ((-5, -5, 30, 60), 1, (0, 0, 30, 60)),
        ((190, 90, 230, 130), 1, (190, 90, 10, 10)),
        ((300, 300, 310, 310), 1, (199, 99, 1, 1)),
    ],
)
def test_a_box_stays_inside_the_picture(
    box: tuple[float, float, float, float], scale: float, expected: Box
) -> None:
    assert picture_box(box, np.eye(3)[:2], scale, (200, 100)) == expected
