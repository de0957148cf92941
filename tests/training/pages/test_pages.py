"""Pages that are drawn: the same for the same number, with digits where the page says so."""

from pathlib import Path

import numpy as np
import pytest

from mnistry.models.detector import STRIDE
from mnistry.training.pages.canvas import ANY, HEIGHT, LARGEST, SMALLEST, WIDTH, Canvas
from mnistry.training.pages.layouts import LAYOUTS
from mnistry.training.pages.page import MOST_DIGITS, NOTHING, Page, draw_page
from mnistry.training.pages.sources import Sources
from mnistry.training.pages.targets import batch_of
from mnistry.training.pages.writers import Writer
from mnistry.training.pages.writing import write_scrawl


@pytest.fixture(scope="module")
def sources(handwriting_is_read_once: None, real_data: Path) -> Sources:
    return Sources.read(real_data / "handwriting", real_data, held_out=False)


def test_a_page_is_decided_by_its_seed_and_number(sources: Sources) -> None:
    first, again = draw_page(sources, 1, 7), draw_page(sources, 1, 7)
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.digits, again.digits)
    assert not np.array_equal(first.image, draw_page(sources, 1, 8).image)
    assert not np.array_equal(first.image, draw_page(sources, 2, 7).image)


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_every_layout_notes_its_digits_within_the_page(sources: Sources, layout) -> None:  # type: ignore[no-untyped-def]
    for seed in range(12):
        canvas = Canvas()
        layout(canvas, sources, np.random.default_rng(seed))
        for x, y, width, height, digit in canvas.digits:
            assert digit in (*range(10), ANY)
            if digit != ANY:
                assert 0 <= x <= WIDTH
                assert 0 <= y <= HEIGHT
                assert SMALLEST <= max(height, width / 1.3) <= LARGEST


def test_ink_lies_in_the_box_of_every_digit(sources: Sources) -> None:
    random = np.random.default_rng(0)
    for _ in range(200):
        writer = Writer.drawn(sources, random, float(random.uniform(12, 38)))
        ink = writer.digit(int(random.integers(10)), random)
        assert ink.max() > 100
        assert (ink.max(axis=0) > 0).mean() > 0.5


def test_a_scrawl_is_about_as_large_as_a_digit_and_none(sources: Sources) -> None:
    random = np.random.default_rng(0)
    for _ in range(100):
        canvas, writer = Canvas(), Writer.drawn(sources, random, float(random.uniform(12, 38)), printed=False)
        write_scrawl(canvas, writer, random, WIDTH / 2, HEIGHT / 2 + writer.height / 2)
        rows, columns = np.nonzero(canvas.pen > 0.5)
        size = max(np.ptp(rows), np.ptp(columns)) + 1
        assert 0.6 * writer.height < size < 1.3 * writer.height + writer.pen + 3
        assert abs((rows.min() + rows.max()) / 2 - HEIGHT / 2) < 2
        assert canvas.digits == []
        assert not canvas.small.any()


def test_writers_of_validation_write_no_page_for_training(sources: Sources, real_data: Path) -> None:
    others = Sources.read(real_data / "handwriting", real_data, held_out=True)
    for digit in range(10):
        assert not set(sources.digit_samples[digit]) & set(others.digit_samples[digit])
        names, other_names = (
            {
                (number, own.digit_strokes[number].writers[sample])
                for number, sample in own.digit_samples[digit]
            }
            for own in (sources, others)
        )
        assert not names & other_names
    letters, other_letters = (own.samples_of_letter for own in (sources, others))
    assert set(letters) == set(other_letters)
    assert not any(set(letters[one]) & set(other_letters[one]) for one in letters)
    assert not set(sources.word_samples) & set(others.word_samples)


def page_with(*digits: tuple[float, float, float, float, int]) -> Page:
    rows = np.full((MOST_DIGITS, 5), NOTHING, np.float32)
    rows[: len(digits)] = digits
    small = np.zeros((HEIGHT // STRIDE, WIDTH // STRIDE), np.bool_)
    return Page(np.zeros((HEIGHT, WIDTH), np.uint8), small, rows)


def test_a_digit_is_a_peak_of_its_own_map_and_its_size_is_told_there() -> None:
    batch = batch_of([page_with((42, 26, 12, 20, 7))])
    rows, columns, digits = np.nonzero(batch.heat[0] == 255)
    assert list(zip(rows, columns, digits, strict=True)) == [(6, 10, 7)]
    assert (columns[0] + 0.5) * STRIDE == 42
    assert np.exp(batch.sizes[0, 6, 10]) * 20 == pytest.approx([20, 12])
    assert batch.sized[0].sum() == 9
    assert batch.counts.all()


def test_where_it_does_not_matter_nothing_counts_but_other_digits() -> None:
    batch = batch_of([page_with((40, 40, 20, 20, ANY), (50, 40, 10, 20, 3))])
    assert not batch.counts[0, 9, 9]
    assert batch.counts[0, 10, 12]
    assert batch.counts[0, 0, 0]
