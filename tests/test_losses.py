"""The losses, worked by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.errors import UnknownNameError
from mnistry.losses import cross_entropy, example_losses, one_hot, probability_cross_entropy, squared_error


@pytest.mark.parametrize(
    ("outputs", "squared", "entropy"),
    [([0.1, 0.3, 0.6], 0.26, 0.51), ([0.2, 0.2, 0.6], 0.24, 0.51), ([0.1, 0.0, 0.9], 0.02, 0.10 + 0.005)],
)
def test_the_tutorials_comparison_of_two_losses(outputs: list[float], squared: float, entropy: float) -> None:
    probabilities = jnp.array([outputs])
    for labels in (jnp.array([2]), jnp.array([[0.0, 0.0, 1.0]])):
        assert float(squared_error(probabilities, labels)[0]) == pytest.approx(squared, abs=1e-6)
        assert float(probability_cross_entropy(probabilities, labels)[0]) == pytest.approx(
            entropy, abs=0.0051
        )


def test_cross_entropy_by_hand() -> None:
    logits = jnp.log(jnp.array([[1.0, 1.0, 2.0], [8.0, 1.0, 1.0]]))
    np.testing.assert_allclose(cross_entropy(logits, jnp.array([2, 1])), np.log([2, 10]), rtol=1e-6)


def test_labels_and_one_hot_rows_are_the_same() -> None:
    labels = jnp.array([3, 0, 9])
    rows = one_hot(labels, 10)
    assert rows.shape == (3, 10)
    assert rows.argmax(axis=1).tolist() == [3, 0, 9]
    logits = jax.random.normal(jax.random.key(0), (3, 10))
    for name in ("cross-entropy", "probability-cross-entropy", "squared-error"):
        a, b = (np.asarray(example_losses(name, logits, y)) for y in (labels, rows))  # type: ignore[arg-type]
        np.testing.assert_array_equal(a, b)


def test_the_two_cross_entropies_agree_where_probabilities_are_not_tiny() -> None:
    logits, labels = jax.random.normal(jax.random.key(1), (5, 10)), jnp.arange(5)
    np.testing.assert_allclose(
        example_losses("cross-entropy", logits, labels),
        example_losses("probability-cross-entropy", logits, labels),
        rtol=1e-5,
    )


def test_a_probability_of_zero_gives_a_finite_loss() -> None:
    loss = probability_cross_entropy(jnp.array([[0.0, 1.0]]), jnp.array([0]))
    assert float(loss[0]) == pytest.approx(-np.log(1e-10), rel=1e-5)


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no loss 'crossentropy'\. Did you mean 'cross-entropy'"):
        example_losses("crossentropy", jnp.zeros((1, 10)), jnp.array([2]))  # type: ignore[arg-type]
