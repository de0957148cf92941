"""What some hands always do: it is on the page, where it should be, and digits stay what they are."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mnistry.data.strokes import Stroke
from mnistry.training.pages.canvas import ANY, HEIGHT, WIDTH, Canvas
from mnistry.training.pages.habits import (
    HOW_OFTEN,
    Habits,
    bar_through,
    hooked_seven,
    looped_two,
    mirrored_nine,
    one_with_upstroke,
    open_four,
    root_five,
    with_bar,
)
from mnistry.training.pages.sources import Sources
from mnistry.training.pages.writers import Writer
from mnistry.training.pages.writing import write_begin, write_end, write_number

SEVEN = [np.array([[0, 0], [0.6, 0], [0.3, 0.5], [0.2, 1]], np.float32)]


@pytest.fixture(scope="module")
def sources(handwriting_is_read_once: None, real_data: Path) -> Sources:
    return Sources.read(real_data / "handwriting", real_data, held_out=False)


def writer_with(sources: Sources, random: np.random.Generator, **habits: bool) -> Writer:
    writer = Writer.drawn(sources, random, 30, printed=False)
    return replace(writer, habits=Habits(**habits), pen=2.0, slant=0.0)


def test_hands_have_each_habit_as_often_as_it_is_said() -> None:
    random = np.random.default_rng(0)
    hands = [Habits.drawn(random) for _ in range(2000)]
    for name, share in HOW_OFTEN.items():
        assert np.mean([getattr(hand, name) for hand in hands]) == pytest.approx(share, abs=0.03)


def test_the_upstroke_of_a_one_begins_at_the_left_and_ends_at_the_top() -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        stem = one_with_upstroke(random)[0]
        start, top = stem[0], stem[stem[:, 1].argmin()]
        assert start[0] < top[0] - 0.1
        assert start[1] > top[1] + 0.15
        assert stem[-1, 1] == pytest.approx(1)


def test_a_four_is_open_at_the_top() -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        strokes = open_four(random)
        canvas = inked(strokes)
        # Nothing goes across above the bar.
        assert (
            max(np.ptp(np.flatnonzero(np.diff(row != 0))[:2]) if row.any() else 0 for row in canvas[:45]) < 30
        )
        assert np.ptp(np.concatenate(strokes)[:, 1]) == pytest.approx(1, abs=0.3)


def inked(strokes: list[Stroke]) -> np.ndarray[tuple[int, int], np.dtype[np.uint8]]:
    """Strokes on a sheet where 0 is at column 50, row 30, and 1 a hundred pixels on."""
    canvas = np.zeros((160, 200), np.uint8)
    for stroke in strokes:
        cv2.polylines(canvas, [np.rint(stroke * 100 + (50, 30)).astype(np.int32)], False, 255, 2)
    return canvas


def holes(strokes: list[Stroke]) -> list[float]:
    """The heights of the middles of what strokes enclose."""
    _, _, stats, middles = cv2.connectedComponentsWithStats(255 - inked(strokes), connectivity=4)
    return [float(y - 30) / 100 for (_, y), area in zip(middles[2:], stats[2:, 4], strict=True) if area > 20]


def test_a_looped_two_has_a_closed_head_and_a_foot_to_the_right() -> None:
    random = np.random.default_rng(0)
    closed = 0
    for _ in range(100):
        strokes = looped_two(random)
        (stroke,) = strokes
        assert stroke[-1, 0] > stroke[len(stroke) // 2 :, 0].min() + 0.2
        assert stroke[-1, 1] > 0.8
        closed += any(y < 0.6 for y in holes(strokes))
    assert closed > 60


def test_a_five_like_a_root_sign_has_a_bar_at_the_right_a_hook_at_the_left_and_no_loop() -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        strokes = root_five(random)
        points = np.concatenate(strokes)
        left, right = points[points[:, 0].argmin()], points[points[:, 0].argmax()]
        assert left[1] > 0.55
        assert right[1] < 0.2
        assert left[1] < points[:, 1].max()
        assert holes(strokes) == []


def test_the_bar_of_a_hooked_seven_reaches_further_than_its_top() -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        stem, bar = hooked_seven(random)
        assert np.ptp(bar[:, 0]) > 0.39
        assert bar[-1, 0] > stem[stem[:, 1].argmin(), 0]
        assert 0.2 < bar[:, 1].mean() < 0.75


def test_the_stem_of_a_mirrored_nine_is_not_at_the_right_of_its_closed_head() -> None:
    random = np.random.default_rng(0)
    closed = 0
    for _ in range(100):
        strokes = mirrored_nine(random)
        (stroke,) = strokes
        foot, (left, right) = stroke[0], (stroke[:, 0].min(), stroke[:, 0].max())
        assert foot[1] == stroke[:, 1].max() == 1
        assert foot[0] < (left + right) / 2 + 0.12
        closed += any(y < 0.5 for y in holes(strokes))
    assert closed > 90


def test_a_seven_gets_one_bar_through_its_stem() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        bar = bar_through(SEVEN, random)
        assert bar is not None
        assert 0.3 < bar[:, 1].mean() < 0.75
        assert bar[0, 0] < 0.35 < bar[:, 0].mean() + 0.2 < bar[-1, 0] + 0.2
        assert bar_through([*SEVEN, bar], random) is None


def test_a_scanned_seven_gets_a_bar_and_a_crossed_one_no_other() -> None:
    image = np.zeros((20, 14), np.uint8)
    cv2.polylines(image, [np.array([[1, 1], [12, 1], [7, 10], [5, 19]])], False, 255, 2)
    random = np.random.default_rng(0)
    for _ in range(20):
        barred = with_bar(image, random)
        widest = max(np.ptp(np.flatnonzero(row > 127)) if row.any() else 0 for row in barred[7:16])
        assert widest >= 5
        assert (barred > 127).sum() > (image > 127).sum() + 4
    crossed = image.copy()
    crossed[6:15, 1:13] = 255
    assert with_bar(crossed, random) is crossed


def test_noughts_hang_together_where_a_hand_joins_them(sources: Sources) -> None:
    def pieces_of(joins: bool) -> int:
        found = 0
        for seed in range(20):
            random, canvas = np.random.default_rng(seed), Canvas()
            writer = writer_with(sources, random, joins=joins)
            write_number(canvas, writer, random, 20, 90, 4, gap=0.15, noughts=4)
            assert {digit for *_, digit in canvas.digits} <= {0, ANY}
            found += cv2.connectedComponents((canvas.pen > 0.3).astype(np.uint8))[0] - 1
        return found

    assert pieces_of(joins=True) < 0.5 * pieces_of(joins=False)


def test_a_number_ends_in_as_many_noughts_as_are_asked_for(sources: Sources) -> None:
    random, canvas = np.random.default_rng(0), Canvas()
    write_number(canvas, writer_with(sources, random), random, 10, 90, 6, gap=0.1, noughts=3)
    assert [digit for *_, digit in canvas.digits][-3:] == [0, 0, 0]


@pytest.mark.parametrize("write", [write_begin, write_end])
def test_what_stands_before_and_after_an_amount_is_ink_and_no_digit(sources: Sources, write) -> None:  # type: ignore[no-untyped-def]
    for seed in range(60):
        random, canvas = np.random.default_rng(seed), Canvas()
        writer = writer_with(sources, random)
        end = write(canvas, writer, random, WIDTH / 4, HEIGHT / 2)
        assert canvas.pen.max() > 0.5
        assert canvas.digits == []
        assert end > WIDTH / 4 - writer.height * 0.1
