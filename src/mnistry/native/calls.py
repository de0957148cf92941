"""The kernels as functions of JAX arrays, with their gradients. Whoever calls one asked `usable` before."""

import math
from functools import lru_cache
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.extend.random import define_prng_impl, threefry_prng_impl

from mnistry.native.library import library

_NAMES = (
    "mnistry_product",
    "mnistry_weight_gradient",
    "mnistry_descend",
    "mnistry_lstm_forward",
    "mnistry_lstm_backward",
    "mnistry_random_bits",
    "mnistry_convolve",
    "mnistry_convolve_backward",
    "mnistry_convolve_and_normalize",
    "mnistry_convolve_and_normalize_backward",
)
_SAVED = 6  # arrays of an LSTM's cells that the way back needs
_FEWEST_BITS = 2048  # words that are worth a call


def usable() -> bool:
    """Whether there is a library, JAX computes on the CPU, and takes the library's functions.

    Raises:
        UnknownNameError: see `library`.
    """
    return library().handlers is not None and jax.default_backend() == "cpu" and _registered()


@lru_cache
def _registered() -> bool:
    handlers = library().handlers
    assert handlers is not None
    try:
        for name in _NAMES:
            function = jax.ffi.pycapsule(getattr(handlers, name))
            jax.ffi.register_ffi_target(name, function, platform="cpu")
    except jax.errors.JaxRuntimeError:  # made for another version of XLA's interface
        return False
    return True


def saved_length(count: int) -> int:
    """How many floats are saved for the way back of so many units or places: see `kernels.h`."""
    return -(-count // 16) * 16


@jax.custom_vjp
def product(x: Array, weights: Array) -> Array:
    """`x @ weights`, with the zeros of `x` left out; `x` is data and has no gradient.

    Args:
        x: float32 `[batch, inputs]`.
        weights: float32 `[inputs, outputs]`.

    Returns:
        float32 `[batch, outputs]`.
    """
    out = jax.ShapeDtypeStruct((x.shape[0], weights.shape[1]), jnp.float32)
    return jax.ffi.ffi_call("mnistry_product", out)(x, weights)


def _weight_gradient(x: Array, gradient: Array) -> tuple[None, Array]:
    out = jax.ShapeDtypeStruct((x.shape[1], gradient.shape[1]), jnp.float32)
    return None, jax.ffi.ffi_call("mnistry_weight_gradient", out)(x, gradient)


product.defvjp(lambda x, weights: (product(x, weights), x), _weight_gradient)


class Factors(NamedTuple):
    """A gradient of weights that is not multiplied out: `x.T @ of_product`."""

    x: Array  # float32 [batch, inputs]
    of_product: Array  # float32 [batch, outputs]


@jax.custom_vjp
def factored_product(x: Array, weights: Array, factors: Factors) -> Array:
    """`product`, whose gradient with respect to the weights is found as that with respect to `factors`.

    Here `x` has a gradient, too.

    Args:
        x: float32 `[batch, inputs]`.
        weights: float32 `[inputs, outputs]`; for them themselves the gradient is zero.
        factors: what they are does not matter.

    Returns:
        float32 `[batch, outputs]`.
    """
    return product(x, weights)


factored_product.defvjp(
    lambda x, weights, factors: (product(x, weights), (x, weights)),
    lambda kept, gradient: (gradient @ kept[1].T, None, Factors(kept[0], gradient)),
)


class Amounts(NamedTuple):
    """The numbers of an update of weights; with those that it does not set it is gradient descent."""

    rate: Array | float
    l2: Array | float = 0.0
    average_decay: Array | float = 0.0
    first_decay: Array | float = 0.0
    first_share: Array | float = 1.0
    first_scale: Array | float = 1.0
    second_decay: Array | float = 0.0
    second_share: Array | float = 1.0
    second_scale: Array | float = 1.0
    floor_in_root: Array | float = 0.0
    floor: Array | float = 0.0


class Learnt(NamedTuple):
    """What an update changes, float32 `[inputs, outputs]` each, or None where it is not kept."""

    weights: Array
    average: Array | None = None
    first: Array | None = None
    second: Array | None = None


def descend(factors: Factors, learnt: Learnt, amounts: Amounts, last: Array) -> Learnt:
    """One update of the weights of a product, of their moments and of their average, in one pass.

    With `g = x.T @ of_product + l2 · weights`, which is never kept, and with the moments that are kept:
    `first ← first_decay · first + first_share · g`, `second ← second_decay · second + second_share · g²`,
    `weights ← weights - rate · first_scale · first / (√(second_scale · second + floor_in_root) + floor)` and
    `average ← average_decay · average + (1 - average_decay) · weights`. In place of a first moment that is
    not kept stands `g`, in place of what is divided by without a second one 1.

    Args:
        factors: of the gradient; the zeros of `x` are left out.
        learnt: what is changed.
        amounts: how.
        last: what else is computed from the weights, float32 `[]`; they are changed in place after that, and
            XLA need not copy them.
    """
    numbers = jnp.stack([jnp.asarray(one, jnp.float32) for one in (*amounts, last)])
    nothing = jnp.zeros((0, 0))
    changed = [nothing if one is None else one for one in learnt]
    out = tuple(jax.ShapeDtypeStruct(one.shape, jnp.float32) for one in changed)
    in_place = {3 + place: place for place in range(len(changed))}
    call = jax.ffi.ffi_call("mnistry_descend", out, input_output_aliases=in_place)
    weights, *kept = call(*factors, numbers, *changed)
    return Learnt(weights, *(None if old is None else new for old, new in zip(learnt[1:], kept, strict=True)))


@jax.custom_vjp
def last_hidden_state(rows: Array, weights: Array, bias: Array) -> Array:
    """Runs an LSTM over the rows of images; these are data and have no gradient.

    Args:
        rows: float32 `[batch, steps, inputs]`.
        weights: float32 `[inputs + units, 4 units]`, of input and hidden state; gates in the order input,
            candidate, forget, output.
        bias: float32 `[4 units]`; that of the forget gate is 1 larger.

    Returns:
        The last hidden state, float32 `[batch, units]`.
    """
    return _forward(rows, weights, bias)[0]


def _forward(rows: Array, weights: Array, bias: Array) -> tuple[Array, tuple[Array, ...]]:
    batch, steps, inputs = rows.shape
    units = len(bias) // 4
    out = [
        jax.ShapeDtypeStruct(shape, jnp.float32)
        for shape in (
            (batch, units),
            (steps, batch, inputs + units),
            (steps, batch, _SAVED, saved_length(units)),
        )
    ]
    hidden, states, saved = jax.ffi.ffi_call("mnistry_lstm_forward", out)(rows, weights, bias)
    return hidden, (states, saved, weights)


def _backward(kept: tuple[Array, ...], of_hidden: Array) -> tuple[None, Array, Array]:
    states, saved, weights = kept
    out = jax.ShapeDtypeStruct((*states.shape[:2], weights.shape[1]), jnp.float32)
    of_gates = jax.ffi.ffi_call("mnistry_lstm_backward", out)(saved, weights, of_hidden)
    across = of_gates.reshape(-1, weights.shape[1])
    return None, states.reshape(len(across), -1).T @ across, across.sum(axis=0)


last_hidden_state.defvjp(_forward, _backward)


def drawing(key: Array) -> Array:
    """The same random key, of which the kernel draws what is drawn from it or from those split off it."""
    same: Array = jax.random.wrap_key_data(jax.random.key_data(key), impl=_THREEFRY)
    return same


def _random_bits(key: Array, width: int, shape: tuple[int, ...]) -> Array:
    count = math.prod(shape)
    if width != 32 or not _FEWEST_BITS <= count < 2**32:
        drawn: Array = threefry_prng_impl.random_bits(key, width, shape)
        return drawn
    out = jax.ShapeDtypeStruct((count,), jnp.float32)
    call = jax.ffi.ffi_call("mnistry_random_bits", out, vmap_method="sequential")
    floats = call(jax.lax.bitcast_convert_type(key, jnp.float32))
    words: Array = jax.lax.bitcast_convert_type(floats, jnp.uint32).reshape(shape)
    return words


_THREEFRY = define_prng_impl(
    key_shape=threefry_prng_impl.key_shape,
    seed=threefry_prng_impl.seed,
    split=threefry_prng_impl.split,
    random_bits=_random_bits,
    fold_in=threefry_prng_impl.fold_in,
    name="threefry2x32 by a kernel",
    tag="fryk",
)
