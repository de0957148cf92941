"""Each kernel gives what the plain JAX gives that it stands for, with every instruction set that is here."""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.models.lstm import last_hidden_state as plain_lstm
from mnistry.native import calls
from mnistry.native.library import SETS, library

Use = Callable[[str], None]
# Whole blocks and strips, and what is left over on every side.
SHAPES = [(200, 784, 500), (3, 17, 10), (1, 1, 1), (33, 40, 64), (16, 32, 129)]


def images(batch: int, inputs: int) -> np.ndarray:
    """A fifth of them is not zero, as in MNIST; some rows and some columns are blank."""
    random = np.random.default_rng(batch + inputs)
    x = np.where(random.random((batch, inputs)) < 0.2, random.random((batch, inputs)), 0)
    x[::5] = 0
    x[:, ::7] = 0
    return x.astype(np.float32)


def weights(*shape: int) -> np.ndarray:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(("batch", "inputs", "outputs"), SHAPES)
def test_the_product_and_its_gradient(use: Use, name: str, batch: int, inputs: int, outputs: int) -> None:
    use(name)
    x, w, g = images(batch, inputs), weights(inputs, outputs), weights(batch, outputs)

    @jax.jit
    def both(w: jax.Array, g: jax.Array) -> tuple[jax.Array, jax.Array]:
        value, back = jax.vjp(lambda w: calls.product(x, w), w)
        return value, back(g)[0]

    value, of_weights = both(w, g)
    np.testing.assert_allclose(value, x.astype(float) @ w, atol=2e-5)
    np.testing.assert_allclose(of_weights, x.T.astype(float) @ g, atol=2e-5)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    "kept", [(), ("average",), ("average", "first"), ("second",), ("average", "first", "second")]
)
@pytest.mark.parametrize(("batch", "inputs", "outputs"), SHAPES)
def test_one_step_of_descent(
    use: Use, name: str, kept: tuple[str, ...], batch: int, inputs: int, outputs: int
) -> None:
    use(name)
    x, w, g = images(batch, inputs), weights(inputs, outputs), weights(batch, outputs)
    before = calls.Learnt(jnp.asarray(w), **{each: jnp.asarray(abs(w)) for each in kept})
    amounts = calls.Amounts(0.3, 0.01, 0.9, 0.8, 0.2, 1.7, 0.6, 0.4, 1.3, 1e-3, 1e-2)
    step = jax.jit(partial(calls.descend, amounts=amounts, last=jnp.zeros(())))
    found = step(calls.Factors(jnp.asarray(x), jnp.asarray(g)), before)

    gradient = x.T.astype(float) @ g + 0.01 * w
    first, second = 0.8 * abs(w) + 0.2 * gradient, 0.6 * abs(w) + 0.4 * gradient**2
    along = 1.7 * first if "first" in kept else gradient
    new = w - 0.3 * along / (np.sqrt(1.3 * second + 1e-3) + 1e-2 if "second" in kept else 1)
    average = abs(w) + 0.1 * (new - abs(w))
    expected = calls.Learnt(new, average, first, second)
    for each in ("weights", *kept):
        np.testing.assert_allclose(getattr(found, each), getattr(expected, each), rtol=2e-5, atol=2e-5)
    assert [each for each in found._fields[1:] if getattr(found, each) is not None] == list(kept)


def test_the_gradient_of_a_factored_product_is_the_product_of_its_factors(use: Use) -> None:
    use("auto" if library().said not in SETS else library().said)
    x, w, g = images(7, 30), weights(30, 20), weights(7, 20)
    nothing = calls.Factors(jnp.zeros((7, 30)), jnp.zeros((7, 20)))
    value, back = jax.vjp(calls.factored_product, x, w, nothing)
    of_x, of_w, factors = back(g)
    np.testing.assert_allclose(value, x @ w, atol=2e-5)
    np.testing.assert_allclose(of_x, g @ w.T, atol=2e-5)
    np.testing.assert_allclose(factors.x.T @ factors.of_product, x.T @ g, atol=2e-5)
    assert not of_w.any()


def test_what_is_not_finite_is_not_lost(use: Use) -> None:
    """A pixel that is no number counts as one that is not blank; weights that meet no ink do not matter."""
    use("auto" if library().said not in SETS else library().said)
    x, w = np.zeros((2, 3), np.float32), np.ones((3, 2), np.float32)
    x[0, 1] = np.nan
    found = np.asarray(jax.jit(calls.product)(x, w))
    assert np.isnan(found[0]).all()
    assert not found[1].any()


def test_matrices_that_do_not_fit_are_refused(use: Use) -> None:
    use("plain")
    with pytest.raises(jax.errors.JaxRuntimeError, match="the matrices do not fit"):
        calls.product(jnp.zeros((2, 3)), jnp.zeros((4, 2))).block_until_ready()
    with pytest.raises(jax.errors.JaxRuntimeError, match="two float32 matrices were expected"):
        calls.product(jnp.zeros((2, 3), jnp.int32), jnp.zeros((3, 2))).block_until_ready()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("shape", [(128, 512), (3, 5461), (7,)])
def test_what_is_drawn_is_what_jax_draws(use: Use, name: str, shape: tuple[int, ...]) -> None:
    use(name)
    for key in jax.random.split(jax.random.key(2**31 + 5), 3):
        found, expected = (jax.random.bits(each, shape) for each in (calls.drawing(key), key))
        np.testing.assert_array_equal(found, expected)
    kept = partial(jax.random.bernoulli, p=0.8, shape=shape)
    keys = jax.random.split(key, 2)
    np.testing.assert_array_equal(jax.vmap(kept)(calls.drawing(keys)), jax.vmap(kept)(keys))


def textbook(rows: jax.Array, weights: jax.Array, bias: jax.Array) -> jax.Array:
    """The last hidden state in plain JAX, as the model computes it."""
    inputs = rows.shape[-1]
    return plain_lstm(jnp.swapaxes(rows, 0, 1) @ weights[:inputs] + bias, weights[inputs:])


# A whole tile of the batch and of units, and what is left over; one row alone has no state before it.
@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(
    ("batch", "steps", "inputs", "units"), [(128, 28, 28, 150), (7, 5, 3, 16), (1, 1, 1, 1), (13, 3, 28, 100)]
)
def test_the_lstm_and_its_gradients(
    use: Use, name: str, batch: int, steps: int, inputs: int, units: int
) -> None:
    use(name)
    rows = images(batch * steps, inputs).reshape(batch, steps, inputs)
    w, bias = weights(inputs + units, 4 * units) / np.sqrt(inputs + units), weights(4 * units) * 3
    of_hidden = weights(batch, units)

    def both(function: Callable[..., jax.Array]) -> list[np.ndarray]:
        value, back = jax.vjp(partial(function, rows), w, bias)
        return [value, *back(of_hidden)]

    found, expected = (jax.jit(partial(both, function))() for function in (calls.last_hidden_state, textbook))
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=3e-6 * max(1, abs(theirs).max()))
