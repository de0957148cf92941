"""The input layer that sets digits upright, by hand and by its laws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.models.upright import NARROWEST, USUAL_WIDTH, set_upright


def moments(image: jax.Array) -> tuple[float, float, float]:
    """The middle column, the covariance of rows and columns, and the columns' deviation."""
    rows, columns = np.mgrid[:28, :28]
    weights = np.asarray(image, np.float64)
    weights /= weights.sum()
    middle_row, middle_column = (weights * rows).sum(), (weights * columns).sum()
    covariance = (weights * (rows - middle_row) * (columns - middle_column)).sum()
    return middle_column, covariance, float(np.sqrt((weights * (columns - middle_column) ** 2).sum()))


def leaning_bar(slant: float, width: int) -> jax.Array:
    """Twenty-one rows of a bar that lies further to the right the further down it is."""
    rows, columns = np.mgrid[:28, :28]
    inside = np.abs(columns - 14 - slant * (rows - 14)) <= width / 2
    return jnp.asarray((inside & (np.abs(rows - 14) <= 10)).astype(np.float32))[None]


@pytest.mark.parametrize("slant", [-0.6, -0.2, 0.0, 0.5])
def test_what_leans_stands_upright_and_has_the_usual_width(slant: float) -> None:
    bar = leaning_bar(slant, 10)
    before, after = moments(bar[0]), moments(set_upright(bar)[0])
    assert abs(before[1]) == pytest.approx(abs(slant) * 36.7, rel=0.05, abs=1e-3)  # 441 rows² / 12
    assert abs(after[1]) < 0.5
    assert after[0] == pytest.approx(before[0], abs=0.15)
    assert after[2] == pytest.approx(USUAL_WIDTH, rel=0.03)


def test_a_one_stays_narrow() -> None:
    one = leaning_bar(0.3, 2)
    before, after = (moments(image)[2] for image in (leaning_bar(0, 2)[0], set_upright(one)[0]))
    assert before < NARROWEST * USUAL_WIDTH
    assert after == pytest.approx(before / NARROWEST, rel=0.15)


def test_an_image_worked_by_hand() -> None:
    """Two columns of ink, 4.2 pixels left and right of column 14; worked by hand."""
    image = jnp.zeros((1, 28, 28)).at[:, 8, [9, 10, 18, 19]].set(jnp.array([0.2, 0.8, 0.8, 0.2]))
    spread = np.sqrt(0.8 * 4**2 + 0.2 * 5**2)  # 4.219
    assert moments(image[0])[2] == pytest.approx(spread, abs=1e-4)
    narrower = np.asarray(set_upright(image))[0, 8]
    # Column 18 comes from 14 + 4·4.219/4.2 = 18.018, of 98.2 % of 0.8 and 1.8 % of 0.2.
    share = 4 * spread / USUAL_WIDTH - 4
    assert narrower[18] == pytest.approx((1 - share) * 0.8 + share * 0.2, abs=1e-3)
    assert narrower[10] == pytest.approx(narrower[18], abs=1e-4)


def test_what_has_been_set_upright_hardly_changes_again() -> None:
    once = set_upright(leaning_bar(0.5, 10))
    assert float(jnp.abs(set_upright(once) - once).mean()) < 0.1 * float(once.mean())


def test_blank_and_full_images_stay_finite_and_between_paper_and_ink() -> None:
    for images in (
        jnp.zeros((2, 28, 28)),
        jnp.ones((2, 28, 28)),
        jax.random.uniform(jax.random.key(0), (9, 28, 28)),
    ):
        found = set_upright(images)
        assert found.shape == images.shape
        assert found.dtype == jnp.float32
        assert bool(((found >= 0) & (found <= 1)).all())
    assert not set_upright(jnp.zeros((1, 28, 28))).any()
