"""From grey to ink: shade, polarity and noise go, sheet edges and printed lines go, strokes stay."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.data.normalize import as_mnist
from mnistry.reading.ink import (
    faint_strokes,
    flat_ink,
    printed_lines,
    sheet_edge,
    stroke_mask,
    without_frame,
)
from mnistry.reading.layout import find_pieces
from mnistry.reading.page import Page, text_lines

HEIGHT, WIDTH = 300, 400


def strokes(thickness: int = 8) -> np.ndarray:
    """A seven and a one in the middle of a page, bool `[300, 400]`."""
    page = np.zeros((HEIGHT, WIDTH), np.uint8)
    seven = np.array([[130, 90], [190, 90], [150, 210]], np.int32)
    cv2.polylines(page, [seven], False, 1, thickness)
    cv2.line(page, (250, 90), (240, 210), 1, thickness)
    return page.astype(bool)


def drawn(written: np.ndarray, *, ink: float, paper: float, noise: float = 0.0) -> np.ndarray:
    """A page of that writing, float32 0 to 1."""
    page = np.where(written, ink, paper) + np.random.default_rng(0).normal(0, 1, written.shape) * noise
    return np.clip(page, 0, 1).astype(np.float32)


def shadow(kind: str) -> np.ndarray:
    """How much light falls on each pixel of a page."""
    rows, columns = np.indices((HEIGHT, WIDTH))
    if kind == "from the left":
        return np.linspace(0.45, 1, WIDTH)[None] * np.ones((HEIGHT, 1))
    if kind == "from a corner":
        return 0.4 + 0.6 * (rows / HEIGHT + columns / WIDTH) / 2
    return 1 - 0.35 / (1 + np.exp((columns + rows / 2 - 260) / 12))  # the soft edge of a hand's shadow


def agreement(found: np.ndarray, expected: np.ndarray) -> float:
    """What two masks share, of what either has."""
    return float((found & expected).sum() / (found | expected).sum())


@pytest.mark.parametrize("thickness", [2, 8, 24])
@pytest.mark.parametrize(("ink", "paper"), [(0, 1), (1, 0), (0.35, 0.8), (0.7, 0.2), (0.55, 0.7)])
def test_dark_on_light_and_light_on_dark(ink: float, paper: float, thickness: int) -> None:
    written = strokes(thickness)
    flat = flat_ink(drawn(written, ink=ink, paper=paper))
    assert flat.shape == written.shape
    assert flat.min() >= 0
    assert flat[~written].mean() < 0.02
    by_hand = 1 - ink / paper if ink < paper else ink - paper
    assert flat[written].mean() == pytest.approx(by_hand, rel=0.1)
    assert agreement(stroke_mask(flat), written) > 0.98


@pytest.mark.parametrize(("columns", "ink", "paper"), [(9, 0.0, 1.0), (9, 0.3, 0.6), (5, 1.0, 0.0)])
def test_a_small_drawing_without_a_margin(columns: int, ink: float, paper: float) -> None:
    """A thick digit that was cut out closely leaves less paper than ink; it is dark on light then."""
    drawing = np.full((16, 16), paper, np.float32)
    drawing[:, 3 : 3 + columns] = ink
    np.testing.assert_array_equal(flat_ink(drawing) > 0, drawing == np.float32(ink))


def test_even_paper_is_nothing_and_ink_the_share_of_light_it_takes() -> None:
    """Ink of 0.2 leaves a quarter of what paper of 0.8 does: it takes three quarters."""
    written = np.zeros((100, 100), bool)
    written[40:60, 48:52] = True
    flat = flat_ink(drawn(written, ink=0.2, paper=0.8))
    np.testing.assert_allclose(flat, np.where(written, 0.75, 0), atol=1e-6)


def test_small_drawings_have_the_paper_of_their_border() -> None:
    for ink, paper in ((0.1, 0.9), (0.9, 0.1)):
        written = np.zeros((20, 16), bool)
        written[3:17, 4:12] = True  # wider than any window of a large picture
        flat = flat_ink(drawn(written, ink=ink, paper=paper))
        np.testing.assert_allclose(flat, np.where(written, 0.8, 0), atol=1e-6)
        np.testing.assert_array_equal(stroke_mask(flat), written)


@pytest.mark.parametrize("kind", ["from the left", "from a corner", "of a hand"])
@pytest.mark.parametrize("thickness", [3, 8])
def test_shadows_are_taken_away(kind: str, thickness: int) -> None:
    written = strokes(thickness)
    light = shadow(kind)
    page = (drawn(written, ink=0.25, paper=0.9, noise=0.01) * light).astype(np.float32)
    assert agreement(stroke_mask(flat_ink(page)), written) > 0.9


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("noise", [0.0, 0.008])
@pytest.mark.parametrize("shape", [(300, 400), (20, 20), (1, 1), (1, 500)])
def test_an_empty_page_has_no_strokes(level: float, noise: float, shape: tuple[int, int]) -> None:
    page = drawn(np.zeros(shape, bool), ink=0, paper=level, noise=noise)
    assert not stroke_mask(flat_ink(page)).any()


def test_an_empty_page_in_the_shade_has_no_strokes() -> None:
    for kind in ("from the left", "from a corner", "of a hand"):
        page = 0.9 * shadow(kind) + np.random.default_rng(0).normal(0, 0.008, (HEIGHT, WIDTH))
        assert not stroke_mask(flat_ink(page.astype(np.float32))).any(), kind


# ---------------------------------------------------------------- what is not written


def border(side: int) -> Callable[[np.ndarray], np.ndarray]:
    """A page with the table that it lies on along one side."""

    def add(page: np.ndarray) -> np.ndarray:
        page = np.rot90(page, side).copy()
        page[-14:] = 0.15
        return np.rot90(page, -side)

    return add


@pytest.mark.parametrize("side", range(4))
def test_the_edge_of_the_sheet_is_no_stroke(side: int) -> None:
    written = strokes()
    mask = stroke_mask(flat_ink(border(side)(drawn(written, ink=0.2, paper=0.9))))
    assert agreement(mask, written) > 0.95


def test_pieces_along_the_border_by_hand() -> None:
    mask = np.zeros((10, 10), bool)
    mask[0, 2:7] = True  # half of the upper side
    mask[1, 6] = True  # hangs on it
    mask[9, 0:4] = True  # four tenths of the lower side: not more
    mask[4:6, 4:6] = True
    expected = np.zeros((10, 10), bool)
    expected[0, 2:7] = expected[1, 6] = True
    np.testing.assert_array_equal(sheet_edge(mask), expected)


def test_a_stroke_that_reaches_down_to_a_thin_line_along_the_border_stays() -> None:
    mask = np.zeros((60, 100), bool)
    mask[59] = True
    mask[20:59, 40:44] = True
    expected = np.zeros_like(mask)
    expected[59] = True
    expected[58, 40:44] = True
    for turns in range(4):
        np.testing.assert_array_equal(sheet_edge(np.rot90(mask, turns)), np.rot90(expected, turns))


def test_ruled_lines_go_and_what_crosses_them_stays() -> None:
    written = strokes()
    ruled = np.zeros_like(written)
    ruled[30::45] = ruled[31::45] = True
    lines = printed_lines(written | ruled)
    assert (lines & ~ruled).sum() == 0
    assert lines[ruled & ~written].mean() > 0.98
    assert (lines & written).sum() < 0.2 * (ruled & written).sum()
    page = drawn(written | ruled, ink=0.2, paper=0.95)
    mask = stroke_mask(flat_ink(page))
    assert agreement(mask, written) > 0.9
    assert mask[ruled & ~cv2.dilate(written.astype(np.uint8), np.ones((9, 9))).astype(bool)].sum() == 0


def test_squared_paper_goes_and_the_writing_stays() -> None:
    written = strokes()
    squares = np.zeros_like(written)
    squares[10::32] = squares[:, 10::32] = True
    page = np.where(squares, 0.6, 0.95)
    page[written] = 0.2
    mask = stroke_mask(flat_ink(page.astype(np.float32)))
    assert mask[written].mean() > 0.9
    assert (mask & ~written).sum() < 0.1 * written.sum()


@pytest.mark.parametrize("noise", [0, 0.01, 0.02])
def test_empty_squared_paper_has_neither_crossings_nor_ragged_edges(noise: float) -> None:
    rng = np.random.default_rng(0)
    page = np.full((300, 400), 0.95)
    page[12::25] = page[13::25] = page[:, 12::25] = page[:, 13::25] = 0.75
    page = cv2.GaussianBlur(page, (3, 3), 0) + noise * rng.normal(size=page.shape)
    mask = stroke_mask(flat_ink(page.astype(np.float32)))
    assert mask.sum() < 50


def test_a_printed_box_goes_and_the_writing_in_it_stays() -> None:
    written = strokes()
    box = np.zeros_like(written)
    box[12:289, 15:386] = True
    box[15:286, 18:383] = False
    lines = printed_lines(written | box)
    assert not (lines & ~box).any()
    assert (box & ~lines).sum() <= 4 * 9, "all but its corners, which are too small to be writing"


@pytest.mark.parametrize("bars", [(100,), (70, 130)], ids=["cross", "grid"])
def test_the_bars_of_a_drawing_are_no_ruled_lines(bars: tuple[int, ...]) -> None:
    mask = np.zeros((200, 200), bool)
    for bar in bars:
        mask[bar : bar + 4, 15:185] = mask[20:180, bar : bar + 4] = True
    assert not printed_lines(mask).any()
    on_a_line = np.zeros_like(mask)
    on_a_line[150:154, 15:185] = on_a_line[20:160, 98:102] = True  # writing stands on its line
    assert printed_lines(on_a_line)[150:154].mean() > 0.8
    up_to_the_border = mask.copy()
    up_to_the_border[bars[0] : bars[0] + 4] = True
    assert printed_lines(up_to_the_border)[bars[0] : bars[0] + 4].mean() > 0.8


def digit(strokes: list[tuple[float, float]], width: int, height: int, pen: int) -> np.ndarray:
    """A digit of one stroke, by points from 0 to 1, that fills its picture but for a few pixels."""
    mask = np.zeros((height, width), np.uint8)
    inside = np.array([width - 2 * MARGIN - pen, height - 2 * MARGIN - pen])
    points = np.rint(np.array(strokes) * inside + MARGIN + pen / 2).astype(np.int32)
    cv2.polylines(mask, [points], False, 1, pen)
    return mask.astype(bool)


MARGIN = 6
TWO = [(0.15, 0.25), (0.3, 0.07), (0.5, 0), (0.68, 0.1), (0.72, 0.3), (0.6, 0.5), (0.3, 0.75), (0, 1), (1, 1)]
SEVEN = [(0, 0), (1, 0), (0.4, 1)]
FIVE = [(1, 0), (0, 0), (0, 0.4), (0.4, 0.36), (0.7, 0.5), (0.75, 0.7), (0.55, 0.95), (0.2, 1)]
BARRED = {2: TWO, 7: SEVEN, 5: FIVE}


@pytest.mark.parametrize("value", BARRED)
@pytest.mark.parametrize(("width", "height"), [(80, 100), (120, 120), (300, 400), (400, 400)])
@pytest.mark.parametrize("thickness", [0.02, 0.04, 0.08])
def test_the_level_bar_of_a_digit_is_no_ruled_line_and_its_margin_no_frame(
    value: int, width: int, height: int, thickness: float
) -> None:
    pen = max(2, round(thickness * width))
    mask = digit(BARRED[value], width, height, pen)
    assert not printed_lines(mask).any()
    assert not printed_lines(mask[:, MARGIN:-MARGIN]).any(), (
        "cut out so closely that its bar meets the border"
    )
    page = drawn(mask, ink=0.1, paper=0.95)
    np.testing.assert_array_equal(without_frame(page), page)
    assert agreement(stroke_mask(flat_ink(page)), mask) > 0.9


@pytest.mark.parametrize("left", [20, 120, 250])
@pytest.mark.parametrize("value", BARRED)
def test_a_digit_that_stands_on_a_ruled_line_stays_and_the_line_goes(value: int, left: int) -> None:
    mask = np.zeros((200, 400), bool)
    mask[40:160, left : left + 100] = digit(BARRED[value], 100, 120, 6)
    ruled = np.zeros_like(mask)
    ruled[153:156] = True
    found = printed_lines(mask | ruled)
    assert found[ruled & ~cv2.dilate(mask.astype(np.uint8), np.ones((9, 9))).astype(bool)].all()
    assert (found & mask & ~ruled).sum() <= 2


def test_between_two_ruled_lines_an_upright_stroke_is_a_one() -> None:
    mask = np.zeros((100, 300), bool)
    mask[[10, 11, 90, 91]] = True
    ones = np.zeros_like(mask)
    ones[12:90, 140:144] = ones[12:90, 180:184] = True
    assert not (printed_lines(mask | ones) & ones).any()


# ---------------------------------------------------------------- frames


@pytest.mark.parametrize("tone", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("widths", [(30, 30, 30, 30), (60, 60, 0, 0), (0, 0, 0, 90), (20, 0, 70, 0)])
def test_a_page_goes_on_under_its_frame(widths: tuple[int, int, int, int], tone: float) -> None:
    page = drawn(strokes(), ink=0.2, paper=0.8, noise=0.02)
    framed = cv2.copyMakeBorder(page, *widths, cv2.BORDER_CONSTANT, value=tone)
    written = cv2.copyMakeBorder(strokes().astype(np.uint8), *widths, cv2.BORDER_CONSTANT, value=0) > 0
    found = without_frame(framed)
    assert np.abs(found[~written] - 0.8).max() < 0.12
    assert agreement(stroke_mask(flat_ink(framed)), written) > 0.95


def test_by_hand_a_frame_is_filled_from_the_page_beside_it() -> None:
    page = np.tile(np.linspace(0.3, 0.7, 40, dtype=np.float32)[:, None], (1, 50))
    found = without_frame(cv2.copyMakeBorder(page, 5, 0, 0, 8, cv2.BORDER_CONSTANT, value=1.0))
    # A pixel more goes, into which the tone of the frame may have passed.
    expected = np.vstack([np.tile(page[1], (6, 1)), page[1:]])
    np.testing.assert_array_equal(found, np.pad(expected, ((0, 0), (0, 8)), "edge"))


@pytest.mark.parametrize("thickness", [2, 24])
def test_a_margin_is_no_frame(thickness: int) -> None:
    page = drawn(strokes(thickness), ink=0.0, paper=1.0)
    np.testing.assert_array_equal(without_frame(page), page)
    bar = np.ones((100, 100), np.float32)
    bar[5:95, 35:65] = 0  # a one, cut out closely
    np.testing.assert_array_equal(without_frame(bar), bar)
    box = np.ones((100, 100), np.float32)
    box[5:95, 5:95] = 0
    box[7:93, 7:93] = 1
    np.testing.assert_array_equal(without_frame(box), box)


# ---------------------------------------------------------------- pens of different strengths


@pytest.mark.parametrize("faint", [0.15, 0.3])
def test_a_fainter_pen_is_found_beside_a_strong_one(faint: float) -> None:
    strong, pale = strokes(), np.roll(strokes(), (90, 100), axis=(0, 1))
    pale[:, :110] = False  # what has come in from the other side
    ink = np.maximum(strong, faint * pale) + np.random.default_rng(0).normal(0, 0.01, strong.shape)
    ink = np.clip(cv2.GaussianBlur(ink, (3, 3), 0), 0, 1).astype(np.float32)
    mask = stroke_mask(ink)
    assert agreement(mask, strong) > 0.9, "alone, the threshold leaves the pale strokes to the paper"
    away = ~cv2.dilate(strong.astype(np.uint8), np.ones((41, 41), np.uint8)).astype(bool)
    assert agreement(faint_strokes(ink, mask) & away, pale & away) > 0.8


def test_noise_and_the_rims_of_strokes_are_no_faint_pen() -> None:
    blurred = cv2.GaussianBlur(strokes().astype(np.float32), (0, 0), 3)
    for noise in (0.0, 0.02, 0.1):
        ink = np.clip(blurred + np.random.default_rng(0).normal(0, 1, blurred.shape) * noise, 0, 1)
        ink = ink.astype(np.float32)
        assert not faint_strokes(ink, stroke_mask(ink)).any(), noise


def test_one_upright_line_may_be_a_one() -> None:
    mask = np.zeros((200, 120), bool)
    mask[10:190, 58:62] = True
    assert not printed_lines(mask).any()
    assert printed_lines(mask.T).sum() == mask.sum()


def test_a_digit_as_large_as_its_picture_has_no_printed_lines() -> None:
    dash = np.zeros((40, 60), bool)
    dash[20:22] = True
    assert not printed_lines(dash).any()


# ---------------------------------------------------------------- real digits


def comes_back(images: np.ndarray) -> tuple[float, float]:
    """Draws MNIST digits eight times as large on a page and makes MNIST images of what is found there.

    Returns:
        The medians over the digits of the largest and of the mean difference of a pixel, of 255.
    """
    differences = []
    for image in images:
        page = np.full((280, 260), 0.9, np.float32)
        page[20:244, 30:254] -= (
            0.85 / 255 * cv2.resize(image, (224, 224), interpolation=cv2.INTER_CUBIC).astype(np.float32)
        )
        ink = flat_ink(page)
        pieces = find_pieces(stroke_mask(ink))
        lines = text_lines(Page(ink, pieces.labels > 0, pieces, np.eye(3)[:2]))
        found = max((as_mnist(text.line.strokes) for text in lines), key=np.sum)
        differences.append(np.abs(found.astype(int) - image))
    largest = np.array(differences)
    return float(np.median(largest.max(axis=(1, 2)))), float(np.median(largest.mean(axis=(1, 2))))


def assert_nearly_the_same(images: np.ndarray) -> None:
    """Making a smooth enlargement small again moves the edges of strokes by up to half a pixel, which
    alone gives medians of 146 and 8; finding the ink must add nothing to that."""
    largest, mean = comes_back(images)
    assert largest < 130
    assert mean < 7


def test_mnist_drawn_large_comes_back_through_the_page(mnist: Dataset) -> None:
    assert_nearly_the_same(mnist.test.images[:500])


@pytest.mark.slow
def test_all_of_mnist_drawn_large_comes_back_through_the_page(mnist: Dataset) -> None:
    assert_nearly_the_same(mnist.test.images)
