"""Digits on their side, on their head or in the mirror, which makes most of them none."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.data.dataset import NO_DIGIT


def to_the_left(image: Array) -> Array:
    return jnp.rot90(image, 1)


def to_the_right(image: Array) -> Array:
    return jnp.rot90(image, -1)


def on_its_head(image: Array) -> Array:
    return image[::-1, ::-1]


def mirrored(image: Array) -> Array:
    return image[:, ::-1]


class Way(NamedTuple):
    """A way to turn a digit."""

    turn: Callable[[Array], Array]
    """Float32 `[28, 28]` to the same."""
    none: tuple[int, ...]
    """The digits that are none any more; the others are left as they are."""


WAYS = (
    Way(to_the_left, (1, 2, 3, 4, 5, 6, 7, 8, 9)),
    Way(to_the_right, (1, 2, 3, 4, 5, 6, 7, 8, 9)),
    Way(on_its_head, (3, 4, 7)),
    Way(mirrored, (3, 4, 6, 7, 9)),
)


def turn(key: Array, image: Array, label: Array) -> tuple[Array, Array]:
    """A digit turned in one of `WAYS`, float32 `[28, 28]`, and its class, where it still has one."""
    way = jax.random.randint(key, (), 0, len(WAYS))
    turned = jax.lax.switch(way, [way.turn for way in WAYS], image)
    none = jnp.array([[digit in way.none for digit in range(10)] for way in WAYS])[way, label]
    return jnp.where(none, turned, image), jnp.where(none, NO_DIGIT, label)
