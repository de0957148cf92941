"""Shifted, turned and stretched images."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.data.affine import deformed


def spot(row: int, column: int) -> jax.Array:
    return jnp.zeros((1, 28, 28)).at[0, row - 1 : row + 2, column - 1 : column + 2].set(1)


def centre(image: jax.Array) -> np.ndarray:
    weights = np.asarray(image, np.float64)
    return np.array([(grid * weights).sum() for grid in np.mgrid[:28, :28]]) / weights.sum()


def many(image: jax.Array, **amounts: float) -> jax.Array:
    return deformed(jax.random.key(0), jnp.repeat(image, 300, axis=0), **amounts)


def test_shifts_alone_move_by_whole_pixels_as_far_as_they_may_and_no_farther() -> None:
    image = jax.random.uniform(jax.random.key(1), (1, 28, 28))
    moved = np.asarray(many(image, shift=1, rotation=0, stretch=0))
    padded = np.pad(np.asarray(image[0]), 1)
    expected = {padded[y : y + 28, x : x + 28].tobytes() for y in range(3) for x in range(3)}
    assert {row.tobytes() for row in moved} == expected


def test_no_amounts_leave_the_images_as_they_are() -> None:
    image = jax.random.uniform(jax.random.key(1), (1, 28, 28))
    np.testing.assert_array_equal(many(image, shift=0, rotation=0, stretch=0), np.repeat(image, 300, axis=0))
    nearly = many(image, shift=0, rotation=1e-9, stretch=0)
    np.testing.assert_allclose(nearly, np.repeat(image, 300, axis=0), atol=1e-4)


def test_turns_go_both_ways_about_the_middle_up_to_the_largest() -> None:
    found = [centre(image) - 13.5 for image in many(spot(5, 14), shift=0, rotation=20, stretch=0)]
    start = centre(spot(5, 14)[0]) - 13.5
    angles = np.rad2deg([np.arctan2(*where) - np.arctan2(*start) for where in found])
    assert -20.5 < angles.min() < -15
    assert 15 < angles.max() < 20.5
    radii = [np.hypot(*where) for where in found]
    assert np.allclose(radii, np.hypot(*start), atol=0.2)


def test_stretches_move_what_is_off_the_middle_in_proportion() -> None:
    rows = np.array(
        [centre(image)[0] - 13.5 for image in many(spot(6, 13), shift=0, rotation=0, stretch=0.2)]
    )
    ratio = rows / (6 - 13.5)
    assert np.exp(-0.22) < ratio.min() < 0.9
    assert 1.1 < ratio.max() < np.exp(0.22)


@pytest.mark.parametrize("amounts", [(3.0, 0.0, 0.0), (2.0, 30.0, 0.3)])
def test_values_stay_in_range_and_what_comes_in_is_paper(amounts: tuple[float, float, float]) -> None:
    shift, rotation, stretch = amounts
    moved = np.asarray(many(jnp.ones((1, 28, 28)), shift=shift, rotation=rotation, stretch=stretch))
    assert moved.min() == 0
    assert moved.max() <= 1 + 1e-6
    np.testing.assert_allclose(moved[:, 10:18, 10:18], 1, atol=1e-6)
