"""Shifted, turned, stretched and bent images."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.training.augment.affine import deformed, smooth_field


def spot(row: int, column: int) -> jax.Array:
    return jnp.zeros((1, 28, 28)).at[0, row - 1 : row + 2, column - 1 : column + 2].set(1)


def centre(image: jax.Array) -> np.ndarray:
    weights = np.asarray(image, np.float64)
    return np.array([(grid * weights).sum() for grid in np.mgrid[:28, :28]]) / weights.sum()


def many(image: jax.Array, **amounts: float) -> jax.Array:
    none = dict.fromkeys(("shift", "rotation", "stretch", "bend"), 0.0)
    return deformed(jax.random.key(0), jnp.repeat(image, 300, axis=0), **none | amounts)


def test_shifts_alone_move_by_whole_pixels_as_far_as_they_may_and_no_farther() -> None:
    image = jax.random.uniform(jax.random.key(1), (1, 28, 28))
    moved = np.asarray(many(image, shift=1))
    padded = np.pad(np.asarray(image[0]), 1)
    expected = {padded[y : y + 28, x : x + 28].tobytes() for y in range(3) for x in range(3)}
    assert {row.tobytes() for row in moved} == expected


def test_no_amounts_leave_the_images_as_they_are() -> None:
    image = jax.random.uniform(jax.random.key(1), (1, 28, 28))
    np.testing.assert_array_equal(many(image), np.repeat(image, 300, axis=0))
    nearly = many(image, rotation=1e-9)
    np.testing.assert_allclose(nearly, np.repeat(image, 300, axis=0), atol=1e-4)


def test_turns_go_both_ways_about_the_middle_up_to_the_largest() -> None:
    found = [centre(image) - 13.5 for image in many(spot(5, 14), rotation=20)]
    start = centre(spot(5, 14)[0]) - 13.5
    angles = np.rad2deg([np.arctan2(*where) - np.arctan2(*start) for where in found])
    assert -20.5 < angles.min() < -15
    assert 15 < angles.max() < 20.5
    radii = [np.hypot(*where) for where in found]
    assert np.allclose(radii, np.hypot(*start), atol=0.2)


def test_stretches_move_what_is_off_the_middle_in_proportion() -> None:
    rows = np.array([centre(image)[0] - 13.5 for image in many(spot(6, 13), stretch=0.2)])
    ratio = rows / (6 - 13.5)
    assert np.exp(-0.22) < ratio.min() < 0.9
    assert 1.1 < ratio.max() < np.exp(0.22)


def test_bends_move_places_apart_as_far_as_told() -> None:
    """Between knots the field is a mean of normal numbers, so it varies a little less than at them."""
    twice = jnp.maximum(spot(6, 6), spot(21, 21))
    bent = np.asarray(many(twice, bend=1.0))
    upper = np.array([centre(image) for image in bent * (np.arange(28) < 14)[:, None]])
    lower = np.array([centre(image) for image in bent * (np.arange(28) >= 14)[:, None]])
    for places in (upper - 6, lower - 21):
        assert abs(places.mean()) < 0.15
        assert 0.5 < places.std() < 1
    assert abs(np.corrcoef(upper[:, 0], lower[:, 0])[0, 1]) < 0.2
    assert abs(np.corrcoef(upper[:, 0], upper[:, 1])[0, 1]) < 0.2


def test_a_smooth_field_is_normal_at_its_knots_and_straight_between() -> None:
    """Ten pixels from one of three knots to the next."""
    field = np.asarray(smooth_field(jax.random.key(0), 3, 21, 11))
    knots = np.asarray(jax.random.normal(jax.random.key(0), (3, 3)))
    np.testing.assert_allclose(field[::10, ::5], knots, rtol=1e-5)
    np.testing.assert_allclose(np.diff(field[:11], n=2, axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(np.diff(field[:, 5:], n=2, axis=1), 0, atol=1e-5)


@pytest.mark.parametrize("amounts", [{"shift": 3.0}, {"shift": 2.0, "rotation": 30.0, "stretch": 0.3}])
def test_values_stay_in_range_and_what_comes_in_is_paper(amounts: dict[str, float]) -> None:
    moved = np.asarray(many(jnp.ones((1, 28, 28)), **amounts))
    assert moved.min() == 0
    assert moved.max() <= 1 + 1e-6
    np.testing.assert_allclose(moved[:, 10:18, 10:18], 1, atol=1e-6)
