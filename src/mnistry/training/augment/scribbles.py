"""Strokes that are no digit: scribbles, polygons, dashes, signs; and digits drawn in styles of their own."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.data.dataset import SIDE
from mnistry.data.normalize import CENTRE
from mnistry.training.augment.pen import curves, pen
from mnistry.training.augment.signs import SIGNS, STROKES, STYLE_LABELS, STYLES, hershey_letters

NOWHERE = 4 * SIDE  # far off the image, where strokes are put that are not to be seen


class Draws(NamedTuple):
    """What was drawn at random for a scribble."""

    free: Array  # float32 [STROKES, 4, 2], points all over the image
    nodes: Array  # float32 [STROKES, 4, 2], nodes of a coarse grid
    box: Array  # float32 [2], half its height and width
    corners: Array  # int32 [], 3 to STROKES
    sign: Array  # float32 [STROKES, 4, 2], the strokes of one of SIGNS


Strokes = tuple[Array, Array | int]  # control points [STROKES, 4, 2], and how many of them are seen


def scrawl(draws: Draws) -> Strokes:
    """A few strokes anywhere."""
    return draws.free, 2 + draws.corners % 3


def grid_strokes(draws: Draws) -> Strokes:
    """A few strokes between the nodes of a coarse grid, as many signs are made of."""
    return draws.nodes, 2 + draws.corners % 3


def polygon(draws: Draws) -> Strokes:
    """A triangle, a quadrangle or a pentagram, turned at random."""
    corners = draws.corners
    around = jnp.arange(STROKES + 1) * jnp.where(corners == 5, 2, 1) / corners
    turn = 2 * jnp.pi * around + draws.free[0, 0, 0]
    ring = jnp.stack([jnp.sin(turn), jnp.cos(turn)], axis=-1) * draws.box + CENTRE
    return jnp.stack([ring[:-1], ring[:-1], ring[1:], ring[1:]], axis=1), corners


def dash(draws: Draws) -> Strokes:
    """A level stroke, or, with a wide pen, a blot."""
    points = jnp.linspace(-1, 1, 4)[:, None] * (draws.box - 6) * jnp.array([0.4, 1.8]) + CENTRE
    return jnp.broadcast_to(points, (STROKES, 4, 2)), 1


def sign(draws: Draws) -> Strokes:
    """One of `SIGNS`."""
    return draws.sign, STROKES


class Kind(NamedTuple):
    """A kind of scribble."""

    strokes: Callable[[Draws], Strokes]
    chance: float
    straight: float
    """How likely each stroke is to be a straight line between its ends."""
    widest: float
    """Half the width of the widest pen, in pixels."""


KINDS = (
    Kind(scrawl, 0.09, 0.5, 2.6),
    Kind(grid_strokes, 0.1, 0.65, 2.6),
    Kind(polygon, 0.08, 1.0, 2.6),
    Kind(dash, 0.07, 1.0, 4.0),
    Kind(sign, 0.66, 0.0, 2.6),
)


def scribble(key: Array) -> Array:
    """Strokes that are no digit, one of `KINDS`, signs at times with serifs; float32 `[28, 28]`."""
    kind_key, count_key, shape_key, width_key, straight_key, box_key, node_key, sign_key, jitter_key = (
        jax.random.split(key, 9)
    )
    kind = jax.random.choice(kind_key, len(KINDS), p=jnp.array([kind.chance for kind in KINDS]))
    straight_chance = jnp.array([kind.straight for kind in KINDS])[kind]
    widest = jnp.array([kind.widest for kind in KINDS])[kind]
    box = jax.random.uniform(box_key, (2,), minval=6.0, maxval=11.0)
    nodes = jax.random.randint(node_key, (STROKES, 4, 2), -1, 2) * box + CENTRE
    drawn_sign = jnp.asarray(SIGNS)[jax.random.randint(sign_key, (), 0, len(SIGNS))] * box + CENTRE
    draws = Draws(
        jax.random.uniform(shape_key, (STROKES, 4, 2), minval=3.0, maxval=25.0),
        nodes,
        box,
        jax.random.randint(count_key, (), 3, STROKES + 1),
        drawn_sign + 0.8 * jax.random.normal(jitter_key, drawn_sign.shape),
    )
    points, count = jax.lax.switch(kind, [kind.strokes for kind in KINDS], draws)
    along = jnp.linspace(0, 1, 4)[:, None]
    lines = points[:, :1] * (1 - along) + points[:, 3:] * along
    straight = jax.random.bernoulli(straight_key, straight_chance, (STROKES, 1, 1))
    points = jnp.where(straight, lines, points)
    points = jnp.where(jnp.arange(STROKES)[:, None, None] < count, points, NOWHERE)
    ends = points[:, jnp.array([0, 3])].reshape(-1, 2)
    serifs = (ends[:, None] + jnp.linspace(-2, 2, 5)[:, None] * jnp.array([0.0, 1.0])).reshape(-1, 2)
    is_sign = kind == [kind.strokes for kind in KINDS].index(sign)
    serifs = jnp.where(is_sign & (nodes[0, 0, 0] > CENTRE), serifs, NOWHERE)
    path = jnp.concatenate([curves(points), serifs])
    return pen(path, jax.random.uniform(width_key, minval=0.9, maxval=widest))


def letter(key: Array) -> Array:
    """A letter of `hershey_letters`, written with a pen or set in type, float32 `[28, 28]`."""
    letter_key, box_key, width_key, nib_key = jax.random.split(key, 4)
    letters = jnp.asarray(hershey_letters())
    points = letters[jax.random.randint(letter_key, (), 0, len(letters))]
    box = jax.random.uniform(box_key, (2,), minval=9.0, maxval=11.0)
    width = jax.random.uniform(width_key, minval=0.6, maxval=2.2)
    nib = jnp.exp(jax.random.uniform(nib_key, minval=-0.3, maxval=0.6))  # upright strokes are mostly thicker
    return pen(points * box + CENTRE, width, nib)


def styled_digit(key: Array) -> tuple[Array, Array]:
    """A digit of `STYLES`, float32 `[28, 28]`, and its class."""
    style_key, box_key, jitter_key, width_key = jax.random.split(key, 4)
    style = jax.random.randint(style_key, (), 0, len(STYLES))
    box = jax.random.uniform(box_key, (2,), minval=jnp.array([8.0, 4.5]), maxval=11.0)
    points = jnp.asarray(STYLES)[style] * box + CENTRE
    points = points + 0.9 * jax.random.normal(jitter_key, points.shape)
    width = jax.random.uniform(width_key, minval=0.9, maxval=2.2)
    return pen(curves(points), width), jnp.asarray(STYLE_LABELS)[style]
