"""A recurrent network that reads a digit row by row, top to bottom."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mnistry.errors import InvalidValueError
from mnistry.fields import check_fields
from mnistry.models.layers import SIDE, Linear, glorot_uniform, initial, linear
from mnistry.models.model import CLASSES, PlainModel

Residuals = tuple[tuple[Array, ...], Array]

# Rows handled by one turn of the compiled loop: 2 and 4 measured fastest, more only compile longer.
ROWS_PER_TURN = 2


@dataclass(frozen=True)
class RowLstmConfig:
    """28 rows of 28 pixels → LSTM → 10, from the last hidden state."""

    units: int = 150
    """Size of the hidden state and of the cell state."""

    def __post_init__(self) -> None:
        check_fields(self, within="model.")
        if self.units < 1:
            raise InvalidValueError(f"`model.units` must be at least 1, not {self.units}")

    def build(self, random: np.random.Generator, classes: int = CLASSES) -> "RowLstm":
        """Draws the weights: Glorot's uniform for the gates, normal with σ 1 for the output, zero biases."""
        # TensorFlow draws one matrix for inputs and hidden state together, so the bound is of their sum.
        gates = glorot_uniform(random, SIDE + self.units, 4 * self.units)
        return RowLstm(
            linear(gates[:SIDE]),
            initial(gates[SIDE:]),
            linear(random.normal(size=(self.units, classes))),
        )


class RowLstm(PlainModel):
    """LSTM over the 28 rows of an image; the last hidden state gives the logits.

    Gates stand in the order input i, candidate j, forget f, output o, as in TensorFlow's
    `BasicLSTMCell`, whose forget bias of 1 is added where the gate is computed.

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997; the TensorFlow 1 tutorials.
    """

    input: Linear  # [28, 4 units]
    recurrent: Array  # float32 [units, 4 units]
    output: Linear  # [units, 10]

    def __call__(self, images: Array, key: Array | None = None, present: Array | None = None) -> Array:
        """Returns the logits; see `Model`."""
        rows = jnp.swapaxes(images, 0, 1)
        return self.output(last_hidden_state(self.input(rows), self.recurrent))


@jax.custom_vjp
def last_hidden_state(projected: Array, recurrent: Array) -> Array:
    """Runs the recurrence and returns the last hidden state, float32 `[batch, units]`.

    The projection of all rows is one matrix product, made by the caller. The gradient is written by
    hand because the automatic one adds to the gradient of `recurrent` at every row; here it is one
    matrix product after the loop.

    Args:
        projected: float32 `[rows, batch, 4 units]`, input projection with bias.
        recurrent: float32 `[units, 4 units]`.
    """
    return _forward(projected, recurrent)[0]


def _forward(projected: Array, recurrent: Array) -> tuple[Array, Residuals]:
    def row(state: tuple[Array, Array], z: Array) -> tuple[tuple[Array, Array], tuple[Array, ...]]:
        h, c = state
        i, j, f, o = jnp.split(z + h @ recurrent, 4, axis=-1)
        i, j, f, o = jax.nn.sigmoid(i), jnp.tanh(j), jax.nn.sigmoid(f + 1), jax.nn.sigmoid(o)
        new_c = f * c + i * j
        tanh_c = jnp.tanh(new_c)
        new_h = o * tanh_c
        return (new_h, new_c), (h, c, i, j, f, o, tanh_c)

    zeros = jnp.zeros((projected.shape[1], recurrent.shape[0]))
    (h, _), saved = jax.lax.scan(row, (zeros, zeros), projected, unroll=ROWS_PER_TURN)
    return h, (saved, recurrent)


def _backward(residuals: Residuals, dh: Array) -> tuple[Array, Array]:
    saved, recurrent = residuals

    def row(carried: tuple[Array, Array], saved: tuple[Array, ...]) -> tuple[tuple[Array, Array], Array]:
        dh, dc = carried
        _, c, i, j, f, o, tanh_c = saved
        dc = dc + dh * o * (1 - tanh_c**2)
        gates = (dc * j * i * (1 - i), dc * i * (1 - j**2), dc * c * f * (1 - f), dh * tanh_c * o * (1 - o))
        dz = jnp.concatenate(gates, axis=-1)
        return (dz @ recurrent.T, dc * f), dz

    _, dz = jax.lax.scan(row, (dh, jnp.zeros_like(dh)), saved, reverse=True, unroll=ROWS_PER_TURN)
    return dz, jnp.einsum("tbh,tbg->hg", saved[0], dz)


last_hidden_state.defvjp(_forward, _backward)
