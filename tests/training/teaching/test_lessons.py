"""Pages that are cut out of labelled pictures: their digits lie where the page says."""

from pathlib import Path

import numpy as np
import pytest

from mnistry.errors import RunError
from mnistry.models.detector import STRIDE
from mnistry.reading.detector import Detection
from mnistry.reading.flatten import LEVEL
from mnistry.training.pages.canvas import ANY, HEIGHT, WIDTH
from mnistry.training.pages.page import NOTHING
from mnistry.training.teaching.lessons import (
    HIGHEST,
    KEPT,
    LOWEST,
    Lesson,
    draw_lesson_page,
    lesson_batch,
    load_lessons,
    save_lessons,
)


def blocks(width: int, height: int, *boxes: tuple[int, int, int, int]) -> Lesson:
    """Dark blocks on paper, each a digit of its number: left, top, width, height."""
    grey = np.full((height, width), 0.9, np.float32)
    placed = []
    for digit, (left, top, wide, high) in enumerate(boxes):
        grey[top : top + high, left : left + wide] = 0.1
        chances = np.eye(10)[digit]
        placed.append((Detection(left + wide / 2, top + high / 2, wide, high, chances, 1.0), digit))
    return Lesson.of("blocks.png", grey, placed)


CHEQUE = blocks(120, 45, (8, 8, 18, 26), (40, 10, 16, 25), (90, 8, 20, 27))
SHEET = blocks(900, 700, *[(80 + 150 * (n % 5), 100 + 300 * (n // 5), 40, 60) for n in range(10)])


@pytest.mark.parametrize("lesson", [CHEQUE, SHEET], ids=["small", "large"])
def test_ink_lies_where_the_page_says_that_digits_are(lesson: Lesson) -> None:
    certain = 0
    for seed in range(40):
        page = draw_lesson_page([lesson], np.random.default_rng(seed))
        digits = page.digits[page.digits[:, 4] != NOTHING]
        deviation = np.abs(page.image.astype(int) - LEVEL)
        for x, y, width, height, digit in digits:
            if digit == ANY:
                continue
            certain += 1
            assert 0.8 * LOWEST * 0.8 <= height <= 1.25 * HIGHEST
            core = deviation[
                int(max(0, y - 0.3 * height)) : int(y + 0.3 * height) + 1,
                int(max(0, x - 0.3 * width)) : int(x + 0.3 * width) + 1,
            ]
            assert (core > 12).mean() > 0.8
    assert certain > 60


def test_each_digit_keeps_its_class_and_its_shape() -> None:
    random = np.random.default_rng(3)
    shapes: dict[int, list[float]] = {}
    for _ in range(60):
        digits = draw_lesson_page([CHEQUE], random).digits
        for _, _, width, height, digit in digits[digits[:, 4] >= 0]:
            shapes.setdefault(int(digit), []).append(float(width / height))
    assert set(shapes) == {0, 1, 2}
    for digit, (_, _, width, height, _) in enumerate(CHEQUE.digits):
        assert np.mean(shapes[digit]) == pytest.approx(width / height, rel=0.05)


def test_all_sizes_come_that_are_to_be_found() -> None:
    random = np.random.default_rng(5)
    heights = []
    for _ in range(80):
        digits = draw_lesson_page([CHEQUE], random).digits
        heights += digits[digits[:, 4] >= 0][:, 3].tolist()
    assert min(heights) < 15
    assert max(heights) > 34
    assert max(heights) < 1.2 * HIGHEST


def test_beyond_a_picture_is_paper_and_no_digit() -> None:
    empty = Lesson.of("empty.png", np.full((40, 60), 0.8, np.float32), [])
    for seed in range(10):
        page = draw_lesson_page([empty], np.random.default_rng(seed))
        assert (page.digits[:, 4] == NOTHING).all()
    for seed in range(30):
        page = draw_lesson_page([CHEQUE], np.random.default_rng(seed))
        for x, y, *_ in page.digits[page.digits[:, 4] >= 0]:
            assert -2 < x < WIDTH + 2
            assert -2 < y < HEIGHT + 2


def test_a_batch_is_decided_by_seed_and_step() -> None:
    first, again = lesson_batch([CHEQUE, SHEET], 1, 5, 2), lesson_batch([CHEQUE, SHEET], 1, 5, 2)
    assert np.array_equal(first.images, again.images)
    assert np.array_equal(first.heat, again.heat)
    assert first.images.shape == (2, HEIGHT, WIDTH)
    assert first.heat.shape == (2, HEIGHT // STRIDE, WIDTH // STRIDE, 10)
    for other in (lesson_batch([CHEQUE, SHEET], 1, 6, 2), lesson_batch([CHEQUE, SHEET], 2, 5, 2)):
        assert not np.array_equal(first.images, other.images)


def test_pictures_are_kept_no_larger_than_is_needed() -> None:
    large = blocks(2000, 1500, (100, 100, 300, 500), (700, 100, 300, 400))
    assert large.digits[:, 3].min() == pytest.approx(KEPT)
    assert large.grey.shape[0] == pytest.approx(1500 * KEPT / 400, abs=1)
    assert large.digits[0, 0] == pytest.approx(250 * KEPT / 400)
    assert CHEQUE.grey.shape == (45, 120)


def test_lessons_are_read_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "lessons.npz"
    empty = Lesson.of("empty.png", np.full((40, 60), 0.8, np.float32), [])
    save_lessons(path, [CHEQUE, empty, SHEET], {"x.png": "why"})
    lessons, left_out = load_lessons(path)
    assert left_out == {"x.png": "why"}
    for read, written in zip(lessons, [CHEQUE, empty, SHEET], strict=True):
        assert read.name == written.name
        assert np.array_equal(read.grey, written.grey)
        assert np.array_equal(read.digits, written.digits)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(RunError, match=r"lessons\.npz: missing or damaged"):
        load_lessons(path)
