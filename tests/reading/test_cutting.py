"""What stands in a box, without paper and neighbours; and signs, one for each piece of ink."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistry.data import Dataset
from mnistry.reading.classifier import Classifier
from mnistry.reading.cutting import cut, pieces_of_ink
from mnistry.reading.detector import Box


def page(
    *strokes: Box, ink: float = 0.1, paper: float = 0.9, shape: tuple[int, int] = (100, 160)
) -> np.ndarray:
    """Full boxes of ink on paper, float32."""
    grey = np.full(shape, paper, np.float32)
    for left, top, right, bottom in strokes:
        grey[int(top) : int(bottom), int(left) : int(right)] = ink
    return grey


BAR: Box = (70, 30, 78, 70)


@pytest.mark.parametrize(("ink", "paper"), [(0.0, 1.0), (1.0, 0.0), (0.3, 0.6), (0.55, 0.5)])
def test_ink_is_dark_on_light_or_light_on_dark(ink: float, paper: float) -> None:
    found = cut(page(BAR, ink=ink, paper=paper), (68, 28, 80, 72)).ink
    assert found.max() == 1
    assert found.min() == 0
    assert max(found.shape) == 44
    assert 0.1 < (found > 0.5).mean() < 0.5
    np.testing.assert_allclose(found, cut(page(BAR), (68, 28, 80, 72)).ink, atol=0.02)


def test_neighbours_that_reach_into_the_box_are_left_out() -> None:
    alone, box = page(BAR), (64, 28, 84, 72)
    expected = cut(alone, box).image
    beside = page(BAR, (40, 30, 60, 70), (88, 20, 100, 90))
    np.testing.assert_allclose(cut(beside, box).image.astype(int), expected, atol=40)
    ruled = page(BAR, (0, 74, 160, 76))
    np.testing.assert_allclose(cut(ruled, box).image.astype(int), expected, atol=40)


def test_where_there_is_no_ink_there_is_none() -> None:
    for grey in (page(), page(paper=0.0), np.zeros((1, 1), np.float32)):
        assert not cut(grey, (20, 20, 40, 50)).image.any()
    far = (500.0, 500.0, 520.0, 540.0)
    assert not cut(page(BAR), far).image.any()
    assert not cut(page(BAR), (-50, -50, -20, -10)).image.any()


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 50),
    corner=st.tuples(st.floats(-30, 90), st.floats(-30, 70)),
    size=st.tuples(st.floats(0.1, 200), st.floats(0.1, 200)),
)
def test_any_box_on_any_page(seed: int, corner: tuple[float, float], size: tuple[float, float]) -> None:
    grey = np.random.default_rng(seed).random((60, 80), np.float32)
    box = (*corner, corner[0] + size[0], corner[1] + size[1])
    ink = cut(grey, box).ink
    assert ink.dtype == np.float32
    assert 0 <= ink.min() <= ink.max() <= 1
    assert max(ink.shape) == 44
    image = cut(grey, box).image
    assert (image.shape, image.dtype) == ((28, 28), np.uint8)
    assert image.any() == ink.any()


def test_mnist_drawn_large_is_told_as_well_as_mnist(mnist: Dataset) -> None:
    """300 test digits, eight times larger, dark on a light page: cut out again, no more are told wrong."""
    images, labels = mnist.test.images[:300], mnist.test.labels[:300]
    back = []
    for image in images:
        drawn = np.full((280, 260), 0.9, np.float32)
        large = cv2.resize(image, (224, 224), interpolation=cv2.INTER_CUBIC)
        drawn[20:244, 30:254] -= 0.85 / 255 * large.astype(np.float32)
        rows, columns = (np.flatnonzero((large > 64).any(axis=axis)) for axis in (1, 0))
        back.append(cut(drawn, (30 + columns[0], 20 + rows[0], 31 + columns[-1], 21 + rows[-1])).image)
    classifier = Classifier.load(threads=1)
    plain, again = (
        (classifier.logits(seen).argmax(axis=1) != labels).sum() for seen in (images, np.stack(back))
    )
    assert again <= plain + 2


# ---------------------------------------------------------------- signs


SIGNS = [(20, 30, 30, 70), (50, 32, 80, 68), (110, 30, 118, 70)]


@pytest.mark.parametrize("scale", [1, 3, 10])
@pytest.mark.parametrize(("ink", "paper"), [(0.1, 0.9), (0.9, 0.1)])
def test_each_piece_of_ink_is_a_sign(ink: float, paper: float, scale: int) -> None:
    grey = np.kron(page(*SIGNS, ink=ink, paper=paper), np.ones((scale, scale), np.float32))
    found = sorted(pieces_of_ink(grey))
    assert len(found) == 3
    np.testing.assert_allclose(np.array(found) / scale, SIGNS, atol=2)


def test_signs_in_a_shadow_are_signs() -> None:
    shade = np.linspace(0.5, 1, 160, dtype=np.float32)
    found = pieces_of_ink(page(*SIGNS) * shade)
    np.testing.assert_allclose(np.array(sorted(found)), SIGNS, atol=2)


def test_a_dot_above_a_sign_belongs_to_it_and_specks_to_none() -> None:
    found = pieces_of_ink(page(*SIGNS, (20, 12, 29, 22), (140, 90, 142, 92)))
    assert sorted(found) == [(20, 12, 30, 70), *SIGNS[1:]]


@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (300, 200), (1, 500)])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_an_empty_page_has_no_signs(shape: tuple[int, int], level: float) -> None:
    assert pieces_of_ink(page(paper=level, shape=shape)) == []
    noise = np.random.default_rng(0).normal(level, 0.008, shape).astype(np.float32)
    assert pieces_of_ink(np.clip(noise, 0, 1)) == []


def test_the_box_of_what_was_cut_out_is_the_inks_own() -> None:
    wide = (BAR[0] - 20, BAR[1] - 3, BAR[2] + 20, BAR[3] + 3)
    assert cut(page(BAR), wide).box == pytest.approx(BAR, abs=1)
    nothing = cut(page(), (20, 20, 40, 50))
    assert nothing.box == (20, 20, 40, 50)
