"""Digits side by side, of which a window is seen: pairs, pieces, and digits with crumbs of a neighbour."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.data.dataset import NO_DIGIT, SEVERAL, SIDE
from mnistry.data.normalize import CENTRE
from mnistry.training.augment.pen import ink_columns, wide

STRING = 4  # digits, at most


class Pair(NamedTuple):
    """Where two digits lie on their canvas, in columns, and by how much they are cut; each float32 `[]`."""

    left: Array  # where the first digit begins
    right: Array  # where it ends
    end: Array  # where the second one ends
    width: Array  # of the first digit
    other_width: Array
    cut: Array  # 0 to 1
    crumb: Array  # 0 to 1


Window = tuple[Array, Array]  # its first column and one past its last


def both(pair: Pair) -> Window:
    """The two digits."""
    return pair.left, pair.end


def whole_and_beginning(pair: Pair) -> Window:
    """The first digit with the left part of the second."""
    return pair.left, pair.right + jnp.maximum((0.25 + 0.5 * pair.cut) * pair.other_width, 4)


def ending_and_whole(pair: Pair) -> Window:
    """The right part of the first digit with the second."""
    return pair.left + (0.3 + 0.5 * pair.cut) * pair.width, pair.end


def left_part(pair: Pair) -> Window:
    """A piece of the first digit."""
    return pair.left, pair.left + (0.25 + 0.4 * pair.cut) * pair.width


def right_part(pair: Pair) -> Window:
    """A piece of the first digit."""
    return pair.left + (0.35 + 0.35 * pair.cut) * pair.width, pair.right


def nearly_whole(pair: Pair) -> Window:
    """The first digit with next to nothing else."""
    return pair.left + 0.08 * pair.cut * pair.width, pair.right + 0.12 * pair.crumb * pair.other_width


class Kind(NamedTuple):
    """A way to cut a window out of a pair."""

    window: Callable[[Pair], Window]
    chance: float
    label: int | None
    """The class of what is seen; None: that of the first digit."""
    slope: float
    """How far the sides of the window lean, at one standard deviation: columns for each row."""


KINDS = (
    Kind(both, 0.2, SEVERAL, 0.0),
    Kind(whole_and_beginning, 0.17, SEVERAL, 0.25),
    Kind(ending_and_whole, 0.17, SEVERAL, 0.25),
    Kind(left_part, 0.13, NO_DIGIT, 0.25),
    Kind(right_part, 0.13, NO_DIGIT, 0.25),
    Kind(nearly_whole, 0.2, None, 0.07),
)
BOTH, LEFT_PART, RIGHT_PART = (
    [kind.window for kind in KINDS].index(window) for window in (both, left_part, right_part)
)


def compose(key: Array, image: Array, label: Array, other: Array) -> tuple[Array, Array]:
    """Two digits side by side, of which a window is seen.

    Args:
        key: random key.
        image: the first digit, float32 `[28, 28]`.
        label: its class, int32 `[]`.
        other: the second digit, float32 `[28, 28]`.

    Returns:
        float32 `[28, 56]`, and the class of what is seen, int32 `[]`.
    """
    kind_key, gap_key, cut_key, crumb_key, slope_key, lift_key = jax.random.split(key, 6)
    left, right = ink_columns(image)
    other_left, other_right = ink_columns(other)
    shift = jnp.round(right - other_left + jax.random.randint(gap_key, (), -3, 2)).astype(jnp.int32)
    shift = jnp.clip(shift, 0, SIDE)
    lift = jax.random.randint(lift_key, (), -3, 4)
    moved = jnp.roll(jnp.roll(wide(other), lift, axis=0), shift, axis=1)
    canvas = jnp.maximum(wide(image), moved)
    end = shift + other_right
    kind = jax.random.choice(kind_key, len(KINDS), p=jnp.array([kind.chance for kind in KINDS]))
    # The right parts of most digits are digits themselves, as is any part of a one.
    kind = jnp.where((kind == RIGHT_PART) & ~jnp.isin(label, jnp.array([0, 2, 5])), LEFT_PART, kind)
    kind = jnp.where((kind == LEFT_PART) & (label == 1), BOTH, kind)
    cut, crumb = jax.random.uniform(cut_key), jax.random.uniform(crumb_key)
    pair = Pair(left, right, end, right - left, end - right, cut, crumb)
    first, last = jax.lax.switch(kind, [kind.window for kind in KINDS], pair)
    slope = jnp.array([kind.slope for kind in KINDS])[kind] * jax.random.normal(slope_key)
    rows, columns = jnp.mgrid[:SIDE, : 2 * SIDE]
    skewed = columns - slope * (rows - CENTRE)
    window = jnp.clip(skewed - first + 1, 0, 1) * jnp.clip(last - skewed, 0, 1)
    labels = jnp.stack([label if kind.label is None else jnp.full_like(label, kind.label) for kind in KINDS])
    return canvas * window, labels[kind]


def string(key: Array, images: Array) -> Array:
    """Three or four digits in a row, at half their size.

    Args:
        key: random key.
        images: float32 `[STRING, 28, 28]`.

    Returns:
        float32 `[28, 56]`.
    """
    count_key, gap_key = jax.random.split(key)
    images = images.at[-1].multiply(jax.random.bernoulli(count_key))
    gaps = jax.random.randint(gap_key, (STRING,), -2, 3)
    row, end = jnp.zeros((SIDE, STRING * SIDE)), jnp.array(2.0)
    for image, gap in zip(images, gaps, strict=True):
        left, right = ink_columns(image)
        shift = jnp.round(end + gap - left).astype(jnp.int32)
        moved = jnp.roll(jnp.pad(image, [(0, 0), (0, (STRING - 1) * SIDE)]), shift, axis=1)
        row, end = jnp.maximum(row, moved), shift + right
    half = row.reshape(SIDE // 2, 2, STRING * SIDE // 2, 2).mean(axis=(1, 3))
    return jnp.pad(half, [(SIDE // 4, SIDE // 4), (0, 0)])
