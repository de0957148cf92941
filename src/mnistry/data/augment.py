"""Digits as paper shows them, and what is no digit: a batch of MNIST made harder, on the device.

`on_paper` turns a batch into what the reader meets. Some rows stay digits, slanted, turned, stretched,
written with other pens. The others become examples of "no digit": pieces of digits, digits that lie on
their side, letters of many fonts, scribbles, dashes and blots; or of "several": two to four digits at
once. All are cropped and centred again as MNIST was made, because the reader does so with everything
that it finds.

Everything here is a pure function of a random key and runs inside the compiled training loop. Only MNIST
and random numbers go in.

Sources: P. Simard et al., "Best practices for convolutional neural networks applied to visual document
analysis", 2003 (elastic distortion); C.-L. Liu et al., "Effects of classifier structures and training
regimes on integrated segmentation and recognition of handwritten numeral strings", 2004 (training on what
over-segmentation leaves over).
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from mnistry.data.affine import smooth_field
from mnistry.data.dataset import NO_DIGIT, SEVERAL, SIDE
from mnistry.data.normalize import CENTRE, INK_SIDE
from mnistry.data.signs import SIGNS, STROKES, STYLE_LABELS, STYLES, hershey_letters

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
STRING = 4  # digits, at most


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
    pieces, piece_labels = _per_row(_compose, keys[0], images[:composed], labels[:composed], others)
    neighbours = jnp.stack([images[composed + place :][:strung] for place in range(STRING)], axis=1)
    strings = _per_row(_string, keys[10], neighbours)
    strokes = _drawn(_scribble, keys[1], scribbled)
    curls = _drawn(_curl, keys[8], curled)
    letters = _drawn(_letter, keys[9], lettered)
    first = composed + strung + none
    middle, rest = slice(first, first + turned), first + turned + drawn
    lying, lying_labels = _per_row(_turn, keys[2], images[middle], labels[middle])
    styled, styled_labels = _drawn(_draw, keys[7], drawn)
    whole = _per_row(_restyle, keys[5], images[rest:], labels[rest:])
    alone = _wide(jnp.concatenate([strokes, curls, letters, lying, styled, whole]))
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
    written = _per_row(_write, keys[3], _per_row(_soil, keys[6], images))
    return _per_row(_ink, keys[4], written), labels


def _per_row(function: Callable[..., Any], key: Array, *rows: Array) -> Any:
    """`function(key, *row)` for every row, each with a key of its own."""
    return jax.vmap(function)(jax.random.split(key, len(rows[0])), *rows)


def _drawn(function: Callable[..., Any], key: Array, count: int) -> Any:
    """`function(key)` so many times, each with a key of its own."""
    return jax.vmap(function)(jax.random.split(key, count))


def _wide(images: Array) -> Array:
    """Images `[..., 28, 28]` on a canvas of twice the width, `[..., 28, 56]`."""
    return jnp.pad(images, [(0, 0)] * (images.ndim - 1) + [(0, SIDE)])


def _columns(image: Array) -> tuple[Array, Array]:
    """The first and one past the last column with ink."""
    inked = image.max(axis=0) > 0.3
    return inked.argmax().astype(jnp.float32), len(inked) - inked[::-1].argmax().astype(jnp.float32)


def _compose(key: Array, image: Array, label: Array, other: Array) -> tuple[Array, Array]:
    """Two digits side by side, of which a window is seen: a pair, a piece, or a digit with crumbs of another.

    Returns:
        float32 `[28, 56]` and the label: the digit's where it is seen whole with next to nothing else.
    """
    kind_key, gap_key, cut_key, crumb_key, slope_key, lift_key = jax.random.split(key, 6)
    left, right = _columns(image)
    other_left, other_right = _columns(other)
    shift = jnp.round(right - other_left + jax.random.randint(gap_key, (), -3, 2)).astype(jnp.int32)
    shift = jnp.clip(shift, 0, SIDE)
    lift = jax.random.randint(lift_key, (), -3, 4)
    moved = jnp.roll(jnp.roll(_wide(other), lift, axis=0), shift, axis=1)
    canvas = jnp.maximum(_wide(image), moved)
    end = shift + other_right
    width, other_width = right - left, end - right
    kind = jax.random.choice(kind_key, 6, p=jnp.array([0.2, 0.17, 0.17, 0.13, 0.13, 0.2]))
    # The right parts of most digits are digits themselves, as is any part of a one.
    kind = jnp.where((kind == 4) & ~jnp.isin(label, jnp.array([0, 2, 5])), 3, kind)
    kind = jnp.where((kind == 3) & (label == 1), 0, kind)
    cut = jax.random.uniform(cut_key)
    crumb = jax.random.uniform(crumb_key)
    first = jnp.stack(
        [
            left,  # the pair
            left,  # the whole with a part of its neighbour to the right
            left + (0.3 + 0.5 * cut) * width,  # ... to the left
            left,  # the left part
            left + (0.35 + 0.35 * cut) * width,  # the right part
            left + 0.08 * cut * width,  # nearly just the whole
        ]
    )[kind]
    last = jnp.stack(
        [
            end,
            right + jnp.maximum((0.25 + 0.5 * cut) * other_width, 4),
            end,
            left + (0.25 + 0.4 * cut) * width,
            right,
            right + 0.12 * crumb * other_width,
        ]
    )[kind]
    slope = jnp.where(kind == 5, 0.07, 0.25) * jax.random.normal(slope_key)
    rows, columns = jnp.mgrid[:SIDE, : 2 * SIDE]
    skewed = columns - slope * (rows - CENTRE)
    skewed = jnp.where(kind == 0, columns, skewed)
    window = jnp.clip(skewed - first + 1, 0, 1) * jnp.clip(last - skewed, 0, 1)
    return canvas * window, jnp.select([kind == 5, kind < 3], [label, SEVERAL], NO_DIGIT)


def _string(key: Array, images: Array) -> Array:
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
    line, end = jnp.zeros((SIDE, STRING * SIDE)), jnp.array(2.0)
    for image, gap in zip(images, gaps, strict=True):
        left, right = _columns(image)
        shift = jnp.round(end + gap - left).astype(jnp.int32)
        moved = jnp.roll(jnp.pad(image, [(0, 0), (0, (STRING - 1) * SIDE)]), shift, axis=1)
        line, end = jnp.maximum(line, moved), shift + right
    half = line.reshape(SIDE // 2, 2, STRING * SIDE // 2, 2).mean(axis=(1, 3))
    return jnp.pad(half, [(SIDE // 4, SIDE // 4), (0, 0)])


def _scribble(key: Array) -> Array:
    """Strokes that are no digit, float32 `[28, 28]`: scribbles, signs, polygons, a dash or a blot.

    Most of the signs are those of `SIGNS`, some with serifs, the others a few strokes between the nodes of a
    coarse grid.
    """
    kind_key, count_key, shape_key, width_key, straight_key, box_key, node_key, sign_key, jitter_key = (
        jax.random.split(key, 9)
    )
    kind = jax.random.choice(kind_key, 5, p=jnp.array([0.09, 0.1, 0.08, 0.07, 0.66]))
    free = jax.random.uniform(shape_key, (STROKES, 4, 2), minval=3.0, maxval=25.0)
    box = jax.random.uniform(box_key, (2,), minval=6.0, maxval=11.0)
    nodes = jax.random.randint(node_key, (STROKES, 4, 2), -1, 2) * box + CENTRE
    corners = jax.random.randint(count_key, (), 3, STROKES + 1)
    turn = 2 * jnp.pi * (jnp.arange(STROKES + 1) * jnp.where(corners == 5, 2, 1) / corners) + free[0, 0, 0]
    ring = jnp.stack([jnp.sin(turn), jnp.cos(turn)], axis=-1) * box + CENTRE
    sides = jnp.stack([ring[:-1], ring[:-1], ring[1:], ring[1:]], axis=1)
    dash = jnp.linspace(-1, 1, 4)[:, None] * (box - 6) * jnp.array([0.4, 1.8]) + CENTRE
    sign = jnp.asarray(SIGNS)[jax.random.randint(sign_key, (), 0, len(SIGNS))] * box + CENTRE
    sign = sign + 0.8 * jax.random.normal(jitter_key, sign.shape)
    points = jnp.stack([free, nodes, sides, jnp.broadcast_to(dash, (STROKES, 4, 2)), sign])[kind]
    along = jnp.linspace(0, 1, 4)[:, None]
    lines = points[:, :1] * (1 - along) + points[:, 3:] * along
    straight = jax.random.bernoulli(straight_key, jnp.array([0.5, 0.65, 1, 1, 0])[kind], (STROKES, 1, 1))
    points = jnp.where(straight, lines, points)
    strokes = jnp.stack([2 + corners % 3, 2 + corners % 3, corners, 1, STROKES])[kind]
    points = jnp.where(jnp.arange(STROKES)[:, None, None] < strokes, points, 4 * SIDE)
    ends = points[:, jnp.array([0, 3])].reshape(-1, 2)
    serifs = (ends[:, None] + jnp.linspace(-2, 2, 5)[:, None] * jnp.array([0.0, 1.0])).reshape(-1, 2)
    serifs = jnp.where((kind == 4) & (nodes[0, 0, 0] > CENTRE), serifs, 4 * SIDE)
    path = jnp.concatenate([_curves(points), serifs])
    return _pen(path, jax.random.uniform(width_key, minval=0.9, maxval=jnp.where(kind == 3, 4.0, 2.6)))


def _curl(key: Array) -> Array:
    """A spiral, a coil, a wave, a zigzag, a star, a flower or a tangle, float32 `[28, 28]`."""
    form_key, kind_key, width_key, tangle_key = jax.random.split(key, 4)
    u, v, w, x = jax.random.uniform(form_key, (4,))
    kind = jax.random.randint(kind_key, (), 0, 7)
    t = jnp.linspace(0, 1, 240)
    angle = 2 * jnp.pi * ((2.2 + 3.0 * u) * t + v)
    down, right = jnp.sin(angle), jnp.cos(angle)
    radius = 4 + 4 * w
    forward = (2 * t - 1) * (7 + 4 * x)
    around = 2 * jnp.pi * (t + v)
    ring = jnp.stack([jnp.sin(around), jnp.cos(around)])
    points = 3 + jnp.floor(5 * u)
    arms = jnp.arcsin(jnp.cos(2 * jnp.pi * points * t)) / jnp.pi + 0.5  # up and down so many times
    turns = jnp.arange(2, 6)[:, None]
    amplitudes, phases = jax.random.normal(tangle_key, (2, 2, 4))
    waves = jnp.sin(2 * jnp.pi * turns * t + 3 * phases[..., None])  # 2 to 5 to and fro: never a digit
    path = jnp.stack(
        [
            jnp.stack([down * t, right * t]) * (8 + 3 * x),
            jnp.stack([down * radius, right * radius + forward]),
            jnp.stack([down * radius, forward]),
            jnp.stack([jnp.arcsin(down) * radius / 1.6, forward]),
            ring * (11 - 7 * (0.6 + 0.4 * w) * arms),
            ring * (11 - (4 + 3 * w) * jnp.abs(jnp.cos(jnp.pi * points * t))),
            4 * (amplitudes[..., None] * waves).sum(axis=1),
        ]
    )[kind]
    return _pen(path.T + CENTRE, jax.random.uniform(width_key, minval=0.9, maxval=2.0))


def _letter(key: Array) -> Array:
    """A letter of `hershey_letters`, written with a pen or set in type, float32 `[28, 28]`."""
    letter_key, box_key, width_key, nib_key = jax.random.split(key, 4)
    letters = jnp.asarray(hershey_letters())
    letter = letters[jax.random.randint(letter_key, (), 0, len(letters))]
    box = jax.random.uniform(box_key, (2,), minval=9.0, maxval=11.0)
    width = jax.random.uniform(width_key, minval=0.6, maxval=2.2)
    nib = jnp.exp(jax.random.uniform(nib_key, minval=-0.3, maxval=0.6))  # upright strokes are mostly thicker
    return _pen(letter * box + CENTRE, width, nib)


def _draw(key: Array) -> tuple[Array, Array]:
    """A digit of `STYLES`, float32 `[28, 28]`, and its label."""
    style_key, box_key, jitter_key, width_key = jax.random.split(key, 4)
    style = jax.random.randint(style_key, (), 0, len(STYLES))
    box = jax.random.uniform(box_key, (2,), minval=jnp.array([8.0, 4.5]), maxval=11.0)
    points = jnp.asarray(STYLES)[style] * box + CENTRE
    points = points + 0.9 * jax.random.normal(jitter_key, points.shape)
    width = jax.random.uniform(width_key, minval=0.9, maxval=2.2)
    return _pen(_curves(points), width), jnp.asarray(STYLE_LABELS)[style]


def _curves(points: Array) -> Array:
    """Points `[n, 2]` along Bézier curves, whose control points are `[STROKES, 4, 2]`."""
    t = jnp.linspace(0, 1, 16)[:, None]
    bezier = jnp.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3], axis=1)
    return jnp.einsum("tk,skd->std", bezier, points).reshape(-1, 2)


def _pen(path: Array, width: Array, nib: Array | float = 1.0) -> Array:
    """A path, row and column `[n, 2]`, drawn as ink, float32 `[28, 28]`.

    The pen's tip is an ellipse, `2 width / nib` high and `2 width nib` wide.
    """
    pixels = jnp.arange(SIDE, dtype=jnp.float32)[:, None]
    down, right = ((pixels - path[:, 0]) * nib) ** 2, ((pixels - path[:, 1]) / nib) ** 2
    distance = jnp.sqrt((down[:, None] + right[None]).min(axis=-1))
    return jnp.clip(width + 0.5 - distance, 0, 1)


def _turn(key: Array, image: Array, label: Array) -> tuple[Array, Array]:
    """A digit on its side, on its head or in the mirror, where that makes it none."""
    way = jax.random.randint(key, (), 0, 4)
    turned = jnp.stack([jnp.rot90(image, 1), jnp.rot90(image, -1), image[::-1, ::-1], image[:, ::-1]])[way]
    none = jnp.array(
        [
            [0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            [0, 1, 1, 1, 1, 1, 1, 1, 1, 1],
            [0, 0, 0, 1, 1, 0, 0, 1, 0, 0],
            [0, 0, 0, 1, 1, 0, 1, 1, 0, 1],
        ],
        bool,
    )[way, label]
    return jnp.where(none, turned, image), jnp.where(none, NO_DIGIT, label)


def _restyle(key: Array, image: Array, label: Array) -> Array:
    """Ways of writing that MNIST hardly has.

    Flagged or footed ones, slashed zeros, crossed sevens, looped twos, hooked nines.
    """
    often_key, place_key = jax.random.split(key)
    left, right = _columns(image)
    top, bottom = _columns(image.T)
    width, height = right - left, bottom - top
    u, v, w = jax.random.uniform(place_key, (3,), minval=-1.0)
    centre = jnp.stack([(top + bottom) / 2, (left + right) / 2])

    slash = jnp.stack([-height, width * (0.8 + 0.4 * v)]) * 0.45
    bar = jnp.stack([1.5 * v, (0.4 + 0.1 * w) * width + 1])
    # The flag of a one goes down to the left from where the stroke begins.
    columns = jnp.arange(SIDE)
    head = jax.lax.dynamic_slice_in_dim(image, top.astype(jnp.int32), 2, axis=0).sum(axis=0)
    start = jnp.stack([top + 0.7, (head * columns).sum() / jnp.maximum(head.sum(), 1e-3)])
    steepness = 0.95 + 0.3 * u - 0.2 * (v < -0.5)  # a long and flat one makes a seven
    flag = height * (0.3 + 0.2 * v) * jnp.stack([jnp.sin(steepness), -jnp.cos(steepness)])
    tail = jax.lax.dynamic_slice_in_dim(image, bottom.astype(jnp.int32) - 2, 2, axis=0).sum(axis=0)
    end = jnp.stack([bottom - 1, (tail * columns).sum() / jnp.maximum(tail.sum(), 1e-3)])
    foot = jnp.stack([0.5 * u, 3.5 + 1.5 * v])
    # Where a two begins: its leftmost ink in the upper part.
    upper = image * (jnp.arange(SIDE)[:, None] < top + 0.45 * height)
    begin = _columns(upper)[0]
    rim = upper[:, begin.astype(jnp.int32)]
    loop_middle = jnp.stack([(rim * columns).sum() / jnp.maximum(rim.sum(), 1e-3) + u, begin + 1.5])
    from_middle = jnp.sqrt(((jnp.stack(jnp.mgrid[:SIDE, :SIDE], axis=-1) - loop_middle) ** 2).sum(-1))
    loop = jnp.clip(1.4 + 0.4 * w - jnp.abs(from_middle - 2.6 - 0.8 * v), 0, 1)

    # The tail of a nine runs out to the left, and perhaps up again.
    out = jnp.stack([0.4 * u, -2.6 - 0.9 * v])
    up = jnp.stack([-1.0 - 0.6 * w, -0.5])
    hook = _segment(end + out, out, w)

    strokes = jnp.stack(
        [
            _segment(centre, slash, w),
            _segment(centre + jnp.stack([2 * u, 0 * u]), bar, w),
            _segment(start + flag, flag, w),
            jnp.maximum(_segment(start + flag, flag, w), _segment(end, foot, w)),
            loop,
            hook,
            jnp.maximum(hook, _segment(end + 2 * out + up, up, w)),
        ]
    )
    chance = jax.random.uniform(often_key)
    kind = jnp.select(
        [
            (label == 0) & (chance < 0.08),
            (label == 7) & (chance < 0.3),
            (label == 1) & (chance < 0.5),
            (label == 2) & (chance < 0.1),
            (label == 9) & (chance < 0.3),
        ],
        [0, 1, jnp.where(chance < 0.1, 3, 2), 4, jnp.where(chance < 0.15, 6, 5)],
        -1,
    )
    return jnp.where(kind >= 0, jnp.maximum(image, strokes[kind]), image)


def _segment(middle: Array, reach: Array, width: Array) -> Array:
    """A straight stroke from `middle - reach` to `middle + reach` (row, column): float32 `[28, 28]`."""
    rows, columns = jnp.arange(SIDE)[:, None] - middle[0], jnp.arange(SIDE) - middle[1]
    along = jnp.clip((rows * reach[0] + columns * reach[1]) / jnp.maximum((reach**2).sum(), 1), -1, 1)
    distance = jnp.hypot(rows - along * reach[0], columns - along * reach[1])
    return jnp.clip(1.6 + 0.5 * width - distance, 0, 1)


def _soil(key: Array, canvas: Array) -> Array:
    """Some canvases get specks near the ink and lines through it, as are left over of patterned paper."""
    often_key, speck_key, line_key, place_key = jax.random.split(key, 4)
    near = canvas
    for window in ((5, 1), (1, 5)):
        near = jax.lax.reduce_window(near, 0.0, jax.lax.max, window, (1, 1), "SAME")
    specks = 0.8 * (jax.random.normal(speck_key, canvas.shape) > 2.2)
    rows = jnp.arange(SIDE)[:, None] - 0.2 * jax.random.normal(line_key) * (jnp.arange(2 * SIDE) - CENTRE)
    spacing, first = jax.random.uniform(place_key, (2,), minval=4.0, maxval=12.0)
    lines = 0.7 * (jnp.mod(rows - first, spacing) < 1)
    chance = jax.random.uniform(often_key)
    dirt = jnp.where(chance < 0.1, specks, jnp.where(chance < 0.15, lines, 0))
    return jnp.maximum(canvas, dirt * (near > 0.3))


def _smooth(key: Array) -> Array:
    """A smooth random field, float32 `[28, 28]`, about normal."""
    return smooth_field(key, 5, SIDE, SIDE)


def _write(key: Array, canvas: Array) -> Array:
    """Slants, turns, stretches and bends what is on a canvas, and puts it into the 20×20 box again.

    Args:
        key: random key.
        canvas: float32 `[28, 56]`.

    Returns:
        float32 `[28, 28]`, the centre of mass in the middle.
    """
    affine_key, strength_key, rows_key, columns_key, box_key, shift_key = jax.random.split(key, 6)
    strength = jax.random.uniform(strength_key, minval=0.0, maxval=1.0)
    most = jnp.stack([0.3 * strength, 0.5 * strength, 0.9 * jnp.sqrt(strength)])
    angle, shear, stretch = jax.random.uniform(affine_key, (3,), minval=-1.0) * most
    turn = jnp.array([[jnp.cos(angle), -jnp.sin(angle)], [jnp.sin(angle), jnp.cos(angle)]])
    matrix = (
        turn @ jnp.array([[1.0, 0.0], [shear, 1.0]]) @ jnp.diag(jnp.exp(jnp.stack([-stretch, stretch]) / 2))
    )

    moved = jnp.tensordot(matrix, jnp.stack(jnp.mgrid[:SIDE, : 2 * SIDE]).astype(jnp.float32), 1)
    low = jnp.where(canvas > 0.3, moved, 1e3).min(axis=(1, 2)) - 0.5
    high = jnp.where(canvas > 0.3, moved, -1e3).max(axis=(1, 2)) + 0.5
    size = INK_SIDE + strength * jax.random.uniform(box_key, minval=-2.0, maxval=1.5)
    scale = jnp.maximum(high - low, 1.0).max() / size
    mass = (moved * canvas).sum(axis=(1, 2)) / jnp.maximum(canvas.sum(), 1e-3)
    # The centre of mass to the middle, but nothing over the edge.
    half = SIDE / 2 - 0.5
    centre = jnp.clip(mass, high - half * scale, jnp.maximum(low + half * scale, high - half * scale))
    centre = centre + jax.random.uniform(shift_key, (2,), minval=-1.0) * strength

    grid = jnp.stack(jnp.mgrid[:SIDE, :SIDE], axis=-1).astype(jnp.float32)
    bend = jnp.stack([_smooth(rows_key), _smooth(columns_key)], axis=-1) * 1.3 * strength
    source = ((grid - CENTRE + bend) * scale + centre) @ jnp.linalg.inv(matrix).T
    sample = partial(jax.scipy.ndimage.map_coordinates, order=1, mode="constant")
    return jnp.asarray(sample(canvas, [source[..., 0], source[..., 1]]))


def _neighbours(image: Array) -> list[Array]:
    padded = jnp.pad(image, 1)
    return [padded[:-2, 1:-1], padded[2:, 1:-1], padded[1:-1, :-2], padded[1:-1, 2:]]


def _ink(key: Array, image: Array) -> Array:
    """Another pen: thicker or thinner, even or faint in places, sharp or blurred."""
    pen_key, strength_key, faint_key, field_key, blur_key, noise_key, grain_key, cut_key = jax.random.split(
        key, 8
    )
    pen = jax.random.uniform(pen_key, minval=-1.0) * jax.random.uniform(strength_key)
    neighbours = _neighbours(image)
    widest = jnp.maximum(image, jnp.stack(neighbours).max(axis=0))
    thinnest = jnp.minimum(image, jnp.stack(neighbours).min(axis=0))
    image = jnp.where(pen > 0, image + 1.2 * pen * (widest - image), image - 0.75 * -pen * (image - thinnest))
    blur = jax.random.uniform(blur_key, maxval=0.2) * jax.random.bernoulli(noise_key)
    image = (1 - 4 * blur) * image + blur * sum(_neighbours(image))
    # Ink that a threshold has evened out, as in bilevel scans, or that is as soft as it was.
    gain = jax.random.choice(cut_key, jnp.array([1.0, 1.0, 1.5, 3.0]))
    image = jnp.clip((image / jnp.maximum(image.max(), 0.1) - 0.5) * gain + 0.5, 0, 1) * (image > 0.02)
    faint = 0.5 * jax.random.uniform(faint_key) * (jax.random.uniform(grain_key) < 0.3)
    field = jax.nn.sigmoid(2 * _smooth(field_key))
    image = image * (1 - faint * field)
    grain = 0.15 * jax.random.uniform(noise_key) * (jax.random.uniform(faint_key) < 0.3)
    image = image * (1 + grain * jax.random.normal(grain_key, image.shape))
    return jnp.clip(image / jnp.maximum(image.max(), 0.1), 0, 1)
