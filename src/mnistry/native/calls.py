"""The kernels as functions of JAX arrays, with their gradients. Whoever calls one asked `usable` before."""

from functools import lru_cache

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.native.library import library

_NAMES = (
    "mnistry_product",
    "mnistry_weight_gradient",
    "mnistry_descend",
    "mnistry_lstm_forward",
    "mnistry_lstm_backward",
)
_SAVED = 6  # arrays of an LSTM's cells that the way back needs
_WHOLE = 16  # to a multiple of which its units are rounded up in them


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


def descend(
    x: Array,
    gradient: Array,
    weights: Array,
    average: Array | None,
    *,
    rate: Array,
    l2: float,
    kept: Array,
    last: Array,
) -> tuple[Array, Array | None]:
    """One step of gradient descent for `weights`, of a `product`, and of their moving average.

    With `g = x.T @ gradient + l2 · weights`, which is never kept: `weights - rate · g`, and
    `average + (1 - kept) · (new weights - average)`.

    Args:
        x: float32 `[batch, inputs]`, the zeros of which are left out.
        gradient: float32 `[batch, outputs]`, of the product.
        weights: float32 `[inputs, outputs]`.
        average: the same, or None.
        rate: the learning rate, float32 `[]`.
        l2: factor of the penalty.
        kept: share of the average that is kept, float32 `[]`.
        last: what else is computed from the weights, float32 `[]`; they are changed in place after that, and
            XLA need not copy them.

    Returns:
        The new weights and the new average.
    """
    amounts = jnp.stack([jnp.asarray(one, jnp.float32) for one in (rate, l2, kept, last)])
    changed = [weights] if average is None else [weights, average]
    out = tuple(jax.ShapeDtypeStruct(weights.shape, jnp.float32) for _ in changed)
    in_place = {3 + place: place for place in range(len(changed))}
    call = jax.ffi.ffi_call("mnistry_descend", out, input_output_aliases=in_place)
    new_weights, *new_average = call(x, gradient, amounts, *changed)
    return new_weights, new_average[0] if new_average else None


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
            (steps, batch, _SAVED, -(-units // _WHOLE) * _WHOLE),
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
