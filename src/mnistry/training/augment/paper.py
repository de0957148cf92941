"""Digits as paper shows them, and what is no digit: a batch of MNIST made harder, on the device.

`on_paper` turns a batch into what the reader meets. Some rows stay digits, slanted, turned, stretched,
written with other pens. The others become examples of "no digit": pieces of digits, digits that lie on
their side, letters of many fonts, scribbles, dashes and blots; or of "several": two to four digits at
once. All are cropped and centred again as MNIST was made, because the reader does so with everything
that it finds.

Only MNIST and random numbers go in.

Sources: P. Simard et al., "Best practices for convolutional neural networks applied to visual document
analysis", 2003 (elastic distortion); C.-L. Liu et al., "Effects of classifier structures and training
regimes on integrated segmentation and recognition of handwritten numeral strings", 2004 (training on what
over-segmentation leaves over).
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.data.dataset import NO_DIGIT, SEVERAL
from mnistry.training.augment.curls import curl
from mnistry.training.augment.pairs import STRING, compose, string
from mnistry.training.augment.pen import wide
from mnistry.training.augment.scribbles import letter, scribble, styled_digit
from mnistry.training.augment.styles import restyle
from mnistry.training.augment.turned import turn
from mnistry.training.augment.writing import ink, soil, write

SHARES = {
    "composed": 0.17,
    "strung": 0.03,
    "scribbled": 0.15,
    "curled": 0.05,
    "lettered": 0.14,
    "turned": 0.04,
    "drawn": 0.08,
}
"""What becomes of how many rows of a batch, in this order; the rest stay whole digits."""


def on_paper(key: Array, images: Array, labels: Array) -> tuple[Array, Array]:
    """Augments a batch.

    Which rows become what depends on their place in the batch only, so the batch must be in random order.

    Args:
        key: random key.
        images: float32 `[batch, 28, 28]`, 0 (paper) to 1 (ink).
        labels: int32 `[batch]`, 0 to 9.

    Returns:
        Images of the same shape, and labels 0 to 11, where 10 is "no digit" and 11 is "several".
    """
    batch = len(images)
    composed, strung, scribbled, curled, lettered, turned, drawn = (
        round(batch * share) for share in SHARES.values()
    )
    none = scribbled + curled + lettered
    keys = jax.random.split(key, 11)
    others = jnp.roll(images, 1, axis=0)[:composed]
    pieces, piece_labels = _per_row(compose, keys[0], images[:composed], labels[:composed], others)
    neighbours = jnp.stack([images[composed + place :][:strung] for place in range(STRING)], axis=1)
    strings = _per_row(string, keys[10], neighbours)
    strokes = _drawn(scribble, keys[1], scribbled)
    curls = _drawn(curl, keys[8], curled)
    letters = _drawn(letter, keys[9], lettered)
    first = composed + strung + none
    middle, rest = slice(first, first + turned), first + turned + drawn
    lying, lying_labels = _per_row(turn, keys[2], images[middle], labels[middle])
    styled, styled_labels = _drawn(styled_digit, keys[7], drawn)
    whole = _per_row(restyle, keys[5], images[rest:], labels[rest:])
    alone = wide(jnp.concatenate([strokes, curls, letters, lying, styled, whole]))
    images = jnp.concatenate([pieces, strings, alone])
    labels = jnp.concatenate(
        [
            piece_labels,
            jnp.full(strung, SEVERAL),
            jnp.full(none, NO_DIGIT),
            lying_labels,
            styled_labels,
            labels[rest:],
        ]
    )
    written = _per_row(write, keys[3], _per_row(soil, keys[6], images))
    return _per_row(ink, keys[4], written), labels


def _per_row(function: Callable[..., Any], key: Array, *rows: Array) -> Any:
    """`function(key, *row)` for every row, each with a key of its own."""
    return jax.vmap(function)(jax.random.split(key, len(rows[0])), *rows)


def _drawn(function: Callable[..., Any], key: Array, count: int) -> Any:
    """`function(key)` so many times, each with a key of its own."""
    return jax.vmap(function)(jax.random.split(key, count))
