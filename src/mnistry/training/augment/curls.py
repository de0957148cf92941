"""Curls, which are no digits: spirals, coils, waves, zigzags, stars, flowers and tangles."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.data.normalize import CENTRE
from mnistry.training.augment.pen import pen

POINTS = 240  # of one curl


class Form(NamedTuple):
    """What was drawn at random for a curl."""

    u: Array  # float32 [], 0 to 1, as are the next three
    v: Array
    w: Array
    x: Array
    amplitudes: Array  # float32 [2, 4], normal
    phases: Array  # float32 [2, 4], normal

    @property
    def t(self) -> Array:
        """How far along the curl each point is, float32 `[POINTS]`, 0 to 1."""
        return jnp.linspace(0, 1, POINTS)

    @property
    def wheel(self) -> Array:
        """Points that go several times around, float32 `[2, POINTS]`, down and right."""
        angle = 2 * jnp.pi * ((2.2 + 3.0 * self.u) * self.t + self.v)
        return jnp.stack([jnp.sin(angle), jnp.cos(angle)])

    @property
    def ring(self) -> Array:
        """Points that go once around, float32 `[2, POINTS]`, down and right."""
        around = 2 * jnp.pi * (self.t + self.v)
        return jnp.stack([jnp.sin(around), jnp.cos(around)])

    @property
    def radius(self) -> Array:
        """Half a height, float32 `[]`."""
        return 4 + 4 * self.w

    @property
    def forward(self) -> Array:
        """Places from the left to the right, float32 `[POINTS]`."""
        return (2 * self.t - 1) * (7 + 4 * self.x)

    @property
    def tips(self) -> Array:
        """How many tips a star or a flower has, float32 `[]`."""
        return 3 + jnp.floor(5 * self.u)


def spiral(form: Form) -> Array:
    return form.wheel * form.t * (8 + 3 * form.x)


def coil(form: Form) -> Array:
    down, right = form.wheel
    return jnp.stack([down * form.radius, right * form.radius + form.forward])


def wave(form: Form) -> Array:
    return jnp.stack([form.wheel[0] * form.radius, form.forward])


def zigzag(form: Form) -> Array:
    return jnp.stack([jnp.arcsin(form.wheel[0]) * form.radius / 1.6, form.forward])


def star(form: Form) -> Array:
    up_and_down = jnp.arcsin(jnp.cos(2 * jnp.pi * form.tips * form.t)) / jnp.pi + 0.5
    return form.ring * (11 - 7 * (0.6 + 0.4 * form.w) * up_and_down)


def flower(form: Form) -> Array:
    return form.ring * (11 - (4 + 3 * form.w) * jnp.abs(jnp.cos(jnp.pi * form.tips * form.t)))


def tangle(form: Form) -> Array:
    turns = jnp.arange(2, 6)[:, None]  # 2 to 5 to and fro: never a digit
    waves = jnp.sin(2 * jnp.pi * turns * form.t + 3 * form.phases[..., None])
    return 4 * (form.amplitudes[..., None] * waves).sum(axis=1)


KINDS = (spiral, coil, wave, zigzag, star, flower, tangle)
"""All equally likely; each gives the path of a pen from the middle, float32 `[2, POINTS]`, down and right."""


def curl(key: Array) -> Array:
    """One of `KINDS`, float32 `[28, 28]`."""
    form_key, kind_key, width_key, tangle_key = jax.random.split(key, 4)
    form = Form(*jax.random.uniform(form_key, (4,)), *jax.random.normal(tangle_key, (2, 2, 4)))
    path = jax.lax.switch(jax.random.randint(kind_key, (), 0, len(KINDS)), KINDS, form)
    return pen(path.T + CENTRE, jax.random.uniform(width_key, minval=0.9, maxval=2.0))
