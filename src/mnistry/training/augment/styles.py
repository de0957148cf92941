"""Ways of writing that MNIST hardly has: a stroke is added to a digit that was written without it."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.data.dataset import SIDE
from mnistry.training.augment.pen import ink_columns, line


class Digit(NamedTuple):
    """A digit, where its ink is, in pixels, and what was drawn at random for its stroke."""

    image: Array  # float32 [28, 28]
    top: Array  # the first row with ink, float32 []
    bottom: Array  # one past the last
    left: Array  # the first column with ink
    right: Array  # one past the last
    u: Array  # -1 to 1, as are the next two
    v: Array
    w: Array  # also the pen's width

    @property
    def height(self) -> Array:
        """Rows, float32 `[]`."""
        return self.bottom - self.top

    @property
    def width(self) -> Array:
        """Columns, float32 `[]`."""
        return self.right - self.left

    @property
    def centre(self) -> Array:
        """The middle of the ink's box, row and column, float32 `[2]`."""
        return jnp.stack([(self.top + self.bottom) / 2, (self.left + self.right) / 2])

    @property
    def end(self) -> Array:
        """The middle of the lowest ink, row and column, float32 `[2]`: where most strokes end."""
        return jnp.stack([self.bottom - 1, self._middle_of(self.bottom.astype(jnp.int32) - 2)])

    @property
    def start(self) -> Array:
        """The middle of the topmost ink, row and column, float32 `[2]`: where the stroke of a one begins."""
        return jnp.stack([self.top + 0.7, self._middle_of(self.top.astype(jnp.int32))])

    def _middle_of(self, row: Array) -> Array:
        """The mean column of the ink in a row and the one below it, float32 `[]`."""
        ink = jax.lax.dynamic_slice_in_dim(self.image, row, 2, axis=0).sum(axis=0)
        return (ink * jnp.arange(SIDE)).sum() / jnp.maximum(ink.sum(), 1e-3)


def as_it_is(digit: Digit) -> Array:
    """No stroke."""
    return jnp.zeros_like(digit.image)


def slash(digit: Digit) -> Array:
    """Through a zero, from the lower left to the upper right."""
    reach = jnp.stack([-digit.height, digit.width * (0.8 + 0.4 * digit.v)]) * 0.45
    return line(digit.centre, reach, digit.w)


def bar(digit: Digit) -> Array:
    """Across a seven."""
    reach = jnp.stack([1.5 * digit.v, (0.4 + 0.1 * digit.w) * digit.width + 1])
    return line(digit.centre + jnp.stack([2 * digit.u, 0 * digit.u]), reach, digit.w)


def flag(digit: Digit) -> Array:
    """Of a one: down to the left from where its stroke begins."""
    steepness = 0.95 + 0.3 * digit.u - 0.2 * (digit.v < -0.5)  # a long and flat one makes a seven
    reach = digit.height * (0.3 + 0.2 * digit.v) * jnp.stack([jnp.sin(steepness), -jnp.cos(steepness)])
    return line(digit.start + reach, reach, digit.w)


def flag_and_foot(digit: Digit) -> Array:
    """Of a one, which then stands on a level stroke."""
    foot = jnp.stack([0.5 * digit.u, 3.5 + 1.5 * digit.v])
    return jnp.maximum(flag(digit), line(digit.end, foot, digit.w))


def loop(digit: Digit) -> Array:
    """Where a two begins: at its leftmost ink in the upper part."""
    upper = digit.image * (jnp.arange(SIDE)[:, None] < digit.top + 0.45 * digit.height)
    begin = ink_columns(upper)[0]
    rim = upper[:, begin.astype(jnp.int32)]
    row = (rim * jnp.arange(SIDE)).sum() / jnp.maximum(rim.sum(), 1e-3) + digit.u
    middle = jnp.stack([row, begin + 1.5])
    distance = jnp.sqrt(((jnp.stack(jnp.mgrid[:SIDE, :SIDE], axis=-1) - middle) ** 2).sum(-1))
    return jnp.clip(1.4 + 0.4 * digit.w - jnp.abs(distance - 2.6 - 0.8 * digit.v), 0, 1)


def hook(digit: Digit) -> Array:
    """The tail of a nine, which runs out to the left."""
    return line(digit.end + _outward(digit), _outward(digit), digit.w)


def hook_and_turn(digit: Digit) -> Array:
    """The tail of a nine, which runs out to the left, and up again."""
    up = jnp.stack([-1.0 - 0.6 * digit.w, -0.5])
    return jnp.maximum(hook(digit), line(digit.end + 2 * _outward(digit) + up, up, digit.w))


def _outward(digit: Digit) -> Array:
    return jnp.stack([0.4 * digit.u, -2.6 - 0.9 * digit.v])


STROKES = (as_it_is, slash, bar, flag, flag_and_foot, loop, hook, hook_and_turn)
"""Each gives the ink that is added, float32 `[28, 28]`."""

CHANCES = {
    0: {slash: 0.08},
    1: {flag_and_foot: 0.1, flag: 0.4},
    2: {loop: 0.1},
    7: {bar: 0.3},
    9: {hook_and_turn: 0.15, hook: 0.15},
}
"""How likely a stroke is added to a digit; all others are left as they are."""


def restyle(key: Array, image: Array, label: Array) -> Array:
    """A digit to which a stroke was perhaps added, float32 `[28, 28]`: see `CHANCES`."""
    often_key, place_key = jax.random.split(key)
    left, right = ink_columns(image)
    top, bottom = ink_columns(image.T)
    digit = Digit(image, top, bottom, left, right, *jax.random.uniform(place_key, (3,), minval=-1.0))
    chance = jax.random.uniform(often_key)
    kinds, conditions = [], []
    for of, strokes in CHANCES.items():
        below = 0.0
        for stroke, share in strokes.items():
            below += share
            conditions.append((label == of) & (chance < below))
            kinds.append(STROKES.index(stroke))
    kind = jnp.select(conditions, kinds, STROKES.index(as_it_is))
    return jnp.maximum(image, jax.lax.switch(kind, STROKES, digit))
