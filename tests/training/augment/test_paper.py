"""Digits as paper shows them: what keeps its label, what becomes "no digit" or "several", good form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.data.dataset import NO_DIGIT, SEVERAL
from mnistry.training.augment.paper import SHARES, on_paper
from mnistry.training.augment.signs import STYLE_LABELS

BATCH = 500
COMPOSED, STRUNG, SCRIBBLED, CURLED, LETTERED, TURNED, DRAWN = (
    round(BATCH * share) for share in SHARES.values()
)
STRINGS = COMPOSED + STRUNG
STROKES = STRINGS + SCRIBBLED + CURLED + LETTERED
ALTERED = STROKES + TURNED
WHOLE = slice(ALTERED + DRAWN, None)

augment = jax.jit(on_paper)


@pytest.fixture(scope="module")
def batch(optdigits: Dataset) -> tuple[jax.Array, jax.Array]:
    """Digits of all classes in random order, float32 0 to 1, as the training loop gives them."""
    order = np.random.default_rng(0).permutation(len(optdigits.train))[:BATCH]
    images = jnp.asarray(optdigits.train.images[order], jnp.float32) / 255
    return images, jnp.asarray(optdigits.train.labels[order], jnp.int32)


@pytest.fixture(scope="module")
def made(batch: tuple[jax.Array, jax.Array]) -> tuple[np.ndarray, np.ndarray]:
    images, labels = augment(jax.random.key(0), *batch)
    return np.asarray(images), np.asarray(labels)


def test_what_comes_out_is_images_and_labels_of_twelve_classes(made: tuple[np.ndarray, np.ndarray]) -> None:
    images, labels = made
    assert (images.shape, images.dtype) == ((BATCH, 28, 28), np.float32)
    assert (labels.shape, labels.dtype) == ((BATCH,), np.int32)
    assert np.isfinite(images).all()
    assert images.min() >= 0
    assert images.max() <= 1
    assert set(labels) == set(range(12))
    assert (images.max(axis=(1, 2)) > 0.3).mean() > 0.99, "hardly any is empty"


def test_the_key_decides(batch: tuple[jax.Array, jax.Array], made: tuple[np.ndarray, np.ndarray]) -> None:
    again, other = augment(jax.random.key(0), *batch), augment(jax.random.key(1), *batch)
    np.testing.assert_array_equal(again[0], made[0])
    np.testing.assert_array_equal(again[1], made[1])
    changed = (np.abs(np.asarray(other[0]) - made[0]).max(axis=(1, 2)) > 0.1).mean()
    assert changed > 0.99, "every row has randomness of its own"


@pytest.mark.slow
def test_compiled_or_not(batch: tuple[jax.Array, jax.Array]) -> None:
    few = batch[0][:25], batch[1][:25]
    images, labels = augment(jax.random.key(3), *few)
    plain_images, plain_labels = on_paper(jax.random.key(3), *few)
    np.testing.assert_array_equal(labels, plain_labels)
    # Where a pixel lies just at a threshold, another order of sums may decide otherwise.
    assert np.mean(np.abs(np.asarray(images) - plain_images) > 1e-3) < 0.01


def test_whole_digits_keep_their_labels(
    batch: tuple[jax.Array, jax.Array], made: tuple[np.ndarray, np.ndarray]
) -> None:
    np.testing.assert_array_equal(made[1][WHOLE], batch[1][WHOLE])


def test_the_others_are_their_digit_or_none(
    batch: tuple[jax.Array, jax.Array], made: tuple[np.ndarray, np.ndarray]
) -> None:
    _, labels = made
    given = np.asarray(batch[1])
    composed, strokes = labels[:COMPOSED], labels[STRINGS:STROKES]
    assert (composed == SEVERAL).mean() == pytest.approx(0.54, abs=0.15)
    assert (composed == NO_DIGIT).mean() == pytest.approx(0.26, abs=0.15)
    assert (labels[COMPOSED:STRINGS] == SEVERAL).all()
    assert set(labels[STRINGS:]) == set(range(11)), "only digits side by side are several"
    assert (strokes == NO_DIGIT).all()
    kept = (labels == given) | (labels >= NO_DIGIT)
    assert kept[:ALTERED].all()
    turned, lying = (part[STROKES:ALTERED] for part in (labels, given))
    assert (turned[lying == 0] == 0).all(), "a zero is a zero on its side"
    assert NO_DIGIT in turned[lying == 7]
    drawn = labels[ALTERED : ALTERED + DRAWN]
    assert {1, 4, 9} <= set(drawn) <= set(STYLE_LABELS), "in styles of their own, whatever stood there"


def test_centred_as_the_reader_centres(made: tuple[np.ndarray, np.ndarray]) -> None:
    """Of whole digits the centre of mass is at most some two pixels off the middle, and no ink is cut off."""
    images = made[0][WHOLE]
    mass = images.sum(axis=(1, 2))
    rows, columns = np.indices((28, 28))
    for places in (rows, columns):
        centre = (images * places).sum(axis=(1, 2)) / mass
        assert abs(np.median(centre) - 14) < 0.5
        assert (np.abs(centre - 14) < 2).mean() > 0.9
    border = np.ones((28, 28), bool)
    border[1:-1, 1:-1] = False
    assert (images[:, border].max(axis=1) > 0.5).mean() < 0.02
    heights = (images > 0.3).any(axis=2).sum(axis=1)
    widths = (images > 0.3).any(axis=1).sum(axis=1)
    assert np.median(np.maximum(heights, widths)) == pytest.approx(20, abs=1.5)


def test_digits_stay_like_themselves(
    batch: tuple[jax.Array, jax.Array], made: tuple[np.ndarray, np.ndarray]
) -> None:
    """Nearest class mean, a weak judge, still recognizes most of what was written anew."""
    given, labels = np.asarray(batch[0]), np.asarray(batch[1])
    means = np.stack([given[labels == digit].mean(axis=0).ravel() for digit in range(10)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    answers = (made[0][WHOLE].reshape(-1, 784) @ means.T).argmax(axis=1)
    assert (answers == labels[WHOLE]).mean() > 0.6


def test_rows_without_an_example_or_without_ink_do_no_harm(batch: tuple[jax.Array, jax.Array]) -> None:
    """Row -1 of the training part is its last one; an empty image gives finite numbers too."""
    images, labels = (jnp.where(jnp.arange(BATCH) % 2, 0, part.T).T for part in batch)
    found, kinds = augment(jax.random.key(0), images, labels)
    assert np.isfinite(np.asarray(found)).all()
    assert set(np.asarray(kinds).tolist()) <= set(range(12))
