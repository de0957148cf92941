"""Each kind of what augmentation makes, by itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.training.augment import curls, pairs, scribbles, styles, turned


@pytest.mark.parametrize(
    ("window", "first", "last"),
    [
        (pairs.both, 2, 25),
        (pairs.whole_and_beginning, 2, 12 + 0.5 * 12),
        (pairs.ending_and_whole, 2 + 0.55 * 10, 25),
        (pairs.left_part, 2, 2 + 0.45 * 10),
        (pairs.right_part, 2 + 0.525 * 10, 12),
        (pairs.nearly_whole, 2 + 0.04 * 10, 12 + 0.06 * 12),
    ],
)
def test_the_windows_of_a_pair(window: object, first: float, last: float) -> None:
    assert window in [kind.window for kind in pairs.KINDS]
    numbers = (2, 12, 25, 10, 12, 0.5, 0.5)
    found = window(pairs.Pair(*map(jnp.float32, numbers)))  # type: ignore[operator]
    assert [float(column) for column in found] == pytest.approx([first, last])


@pytest.mark.parametrize("kind", curls.KINDS)
def test_a_curl_stays_in_the_image_and_goes_somewhere(kind: object) -> None:
    """A tangle may leave it: its waves have no largest height."""
    for seed in range(20):
        draws = np.random.default_rng(seed)
        form = curls.Form(*draws.uniform(size=4), *draws.normal(size=(2, 2, 4)))  # type: ignore[arg-type]
        path = np.asarray(kind(form))  # type: ignore[operator]
        assert path.shape == (2, curls.POINTS)
        assert np.isfinite(path).all()
        assert np.ptp(path, axis=1).min() > 3
        assert kind is curls.tangle or np.abs(path).max() < 19.1


def test_the_kinds_of_scribbles_have_all_their_chances() -> None:
    for kinds in (scribbles.KINDS, pairs.KINDS):
        assert sum(kind.chance for kind in kinds) == pytest.approx(1)


def test_a_polygon_has_as_many_sides_as_corners_and_is_closed() -> None:
    draws = scribbles.Draws(
        jnp.zeros((5, 4, 2)), jnp.zeros((5, 4, 2)), jnp.full(2, 8.0), jnp.int32(3), jnp.zeros((5, 4, 2))
    )
    points, count = scribbles.polygon(draws)
    assert int(count) == 3
    np.testing.assert_allclose(points[2, 3], points[0, 0], atol=1e-5)
    np.testing.assert_allclose(points[:2, 3], points[1:3, 0], atol=1e-5)


@pytest.mark.parametrize("way", turned.WAYS)
def test_a_digit_is_turned_where_that_makes_it_none(way: turned.Way) -> None:
    image = jnp.zeros((28, 28)).at[5, 9].set(1)
    assert way.turn(image)[5, 9] == 0
    assert way.turn(image).sum() == 1
    assert 0 not in way.none


def test_a_zero_that_is_turned_stays_one_and_a_four_is_none() -> None:
    image = jnp.zeros((28, 28)).at[5, 9].set(1)
    keys = jax.random.split(jax.random.key(0), 50)
    turn = jax.jit(jax.vmap(turned.turn, in_axes=(0, None, None)))
    for label in (0, 4):
        images, labels = turn(keys, image, jnp.int32(label))
        assert set(np.asarray(labels).tolist()) == ({0} if label == 0 else {10})
        assert (np.asarray(images[:, 5, 9]) == (label == 0)).all()


@pytest.mark.parametrize("stroke", styles.STROKES)
def test_a_stroke_is_added_where_it_belongs(stroke: object) -> None:
    upright = jnp.zeros((28, 28)).at[4:24, 13:15].set(1)
    numbers = (4, 24, 13, 15, 0.0, 0.0, 0.0)
    digit = styles.Digit(upright, *map(jnp.float32, numbers))
    ink = np.asarray(stroke(digit))  # type: ignore[operator]
    assert ink.shape == (28, 28)
    if stroke is styles.as_it_is:
        assert ink.max() == 0
        return
    assert ink.max() == pytest.approx(1)
    rows = (ink > 0.5).any(axis=1).nonzero()[0].mean()
    middle = {styles.slash: 14, styles.bar: 14, styles.loop: 7, styles.hook: 23, styles.hook_and_turn: 23}
    if stroke in middle:
        assert rows == pytest.approx(middle[stroke], abs=2)


def test_how_often_each_digit_gets_a_stroke() -> None:
    upright = jnp.zeros((28, 28)).at[4:24, 13:15].set(1)
    keys = jax.random.split(jax.random.key(1), 400)
    restyled = jax.jit(jax.vmap(styles.restyle, in_axes=(0, None, None)))
    for label in range(10):
        made = restyled(keys, upright, jnp.int32(label))
        changed = float((np.asarray(made) != upright).any(axis=(1, 2)).mean())
        assert changed == pytest.approx(sum(styles.CHANCES.get(label, {}).values()), abs=0.08)
