"""The recurrence with its hand-written gradient, against the textbook's equations and JAX's gradient."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from mnistry.models.lstm import last_hidden_state


def textbook(projected: jax.Array, recurrent: jax.Array) -> jax.Array:
    """The equations one row at a time, as TensorFlow's BasicLSTMCell documents them."""
    h = c = jnp.zeros((projected.shape[1], recurrent.shape[0]))
    for row in projected:
        i, j, f, o = jnp.split(row + h @ recurrent, 4, axis=-1)
        c = c * jax.nn.sigmoid(f + 1.0) + jax.nn.sigmoid(i) * jnp.tanh(j)
        h = jnp.tanh(c) * jax.nn.sigmoid(o)
    return h


def test_value_and_gradient_agree_with_the_textbook() -> None:
    keys = jax.random.split(jax.random.key(0), 3)
    projected = jax.random.normal(keys[0], (4, 3, 20))
    recurrent = jax.random.normal(keys[1], (5, 20)) * 0.5
    weights = jax.random.normal(keys[2], (3, 5))

    def scalar(f: object, projected: jax.Array, recurrent: jax.Array) -> jax.Array:
        return (f(projected, recurrent) * weights).sum()  # type: ignore[operator]

    (value, ours), (expected, theirs) = (
        jax.jit(jax.value_and_grad(partial(scalar, f), argnums=(0, 1)))(projected, recurrent)
        for f in (last_hidden_state, textbook)
    )
    np.testing.assert_allclose(value, expected, atol=1e-6)
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_the_forget_bias_is_one() -> None:
    """With all weights zero the cell keeps sigmoid(1) of its state; here it starts from 0 and stays 0."""
    projected = jnp.zeros((2, 1, 4)).at[0, 0].set(jnp.array([100.0, 100.0, 0.0, 100.0]))
    # Row one sets c = 1; row two, gates at zero input: c = sigmoid(1) · 1, h = sigmoid(0) · tanh(c).
    expected = 0.5 * np.tanh(1 / (1 + np.exp(-1)))
    np.testing.assert_allclose(last_hidden_state(projected, jnp.zeros((1, 4)))[0, 0], expected, rtol=1e-6)
