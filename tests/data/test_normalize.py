import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnistry.data import Dataset
from mnistry.data.normalize import as_mnist
from mnistry.errors import PictureError

# No ink is so faint that it rounds to nothing when areas are averaged.
INK = hnp.arrays(
    np.uint8,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=60),
    elements=st.integers(64, 255) | st.just(0),
    fill=st.just(0),
).filter(np.any)


def centre_of_mass(image: np.ndarray) -> tuple[float, float]:
    rows, columns = np.indices(image.shape)
    return float(np.average(rows, weights=image)), float(np.average(columns, weights=image))


def test_a_full_square_by_hand() -> None:
    """A 40×40 square becomes 20×20; its centre, 9.5 from its edge, falls on 13.5, the lowest allowed."""
    expected = np.zeros((28, 28), np.uint8)
    expected[4:24, 4:24] = 255
    np.testing.assert_array_equal(as_mnist(np.full((40, 40), 7, np.uint8)), expected)


def test_aspect_is_kept() -> None:
    """A stroke of 100 by 10 becomes 20 by 2; its centre column, 0.5 from its edge, falls on 13.5."""
    expected = np.zeros((28, 28), np.uint8)
    expected[4:24, 13:15] = 255
    np.testing.assert_array_equal(as_mnist(np.ones((100, 10))), expected)


def test_areas_are_averaged_and_the_brightest_is_full() -> None:
    """Of 60×60 pixels, blocks of 3×3 become one: with one, four and nine inked pixels 1/9, 4/9 and all."""
    ink = np.zeros((60, 60))
    ink[0, 0] = 0.5
    ink[0:2, 3:5] = 0.5
    ink[57:, :] = 0.5
    image = as_mnist(ink)
    top, left = np.flatnonzero(image.any(axis=1))[0], np.flatnonzero(image.any(axis=0))[0]
    assert image[top, left : left + 3].tolist() == [28, 113, 0]
    assert (image[top + 19, left : left + 20] == 255).all()


@given(INK)
def test_always_a_centred_image_of_full_brightness(ink: np.ndarray) -> None:
    image = as_mnist(ink)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.max() == 255
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert rows[-1] - rows[0] < 20
    assert columns[-1] - columns[0] < 20
    for where, used in zip(centre_of_mass(image), (rows, columns), strict=True):
        # Ink so lopsided that its centre cannot reach the middle stays inside the picture.
        assert 13.45 <= where <= 14.55 or used[0] == 0 or used[-1] == 27


@given(INK, st.tuples(*[st.integers(0, 30)] * 4), st.sampled_from([0.5, 2.0, 1e-4]))
def test_neither_place_nor_strength_matters(
    ink: np.ndarray, margins: tuple[int, int, int, int], strength: float
) -> None:
    top, bottom, left, right = margins
    moved = np.pad(ink, ((top, bottom), (left, right))) * strength
    np.testing.assert_allclose(as_mnist(moved).astype(int), as_mnist(ink).astype(int), atol=1)


@given(INK, st.integers(2, 5))
def test_size_matters_little(ink: np.ndarray, factor: int) -> None:
    """Where both sizes are shrunk by whole numbers, areas average to the same image."""
    drawn = np.zeros((40, 40), np.uint8)
    drawn[: ink.shape[0], : ink.shape[1]] = ink[:40, :40]
    drawn[[0, -1]] = drawn[:, [0, -1]] = 255
    large = np.kron(drawn, np.ones((factor, factor), np.uint8))
    np.testing.assert_allclose(as_mnist(large).astype(int), as_mnist(drawn).astype(int), atol=1)


def test_no_ink() -> None:
    for ink in (np.zeros((5, 5), np.uint8), np.zeros((0, 0)), -np.ones((3, 3))):
        with pytest.raises(PictureError, match="no ink"):
            as_mnist(ink)


@pytest.mark.parametrize("ink", [np.ones(4), np.ones((2, 2, 3)), np.array([[np.nan, 1.0]])])
def test_not_a_picture(ink: np.ndarray) -> None:
    with pytest.raises(PictureError, match="finite array of shape"):
        as_mnist(ink)


def test_mnist_is_its_own_image(mnist: Dataset) -> None:
    """MNIST was made this way: 99.97 % of the test digits come back within 3 grey levels."""
    back = np.stack([as_mnist(image) for image in mnist.test.images])
    largest = np.abs(back.astype(int) - mnist.test.images).max(axis=(1, 2))
    assert np.mean(largest <= 3) > 0.999
    centres = np.array([centre_of_mass(image) for image in mnist.test.images[:1000]])
    assert centres.min() >= 13.49
    assert centres.max() < 14.5


@pytest.mark.parametrize(
    ("interpolation", "median"), [(cv2.INTER_NEAREST, 1), (cv2.INTER_CUBIC, 150)], ids=["nearest", "cubic"]
)
def test_mnist_drawn_large_comes_back(mnist: Dataset, interpolation: int, median: int) -> None:
    """Ten times as large, 300 digits come back with a median largest difference of 0 (blocks) or
    146 (smooth, at the edges of strokes, where half a pixel decides between paper and ink)."""
    images = mnist.test.images[:300]
    large = [cv2.resize(image, (280, 280), interpolation=interpolation) for image in images]
    differences = np.abs(np.stack([as_mnist(image) for image in large]).astype(int) - images)
    assert np.median(differences.max(axis=(1, 2))) <= median
    assert np.median(differences.mean(axis=(1, 2))) < 10
