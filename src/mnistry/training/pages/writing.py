"""How one writer puts numbers, words, signs and marks on a page, along a line."""

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.training.pages.canvas import Canvas
from mnistry.training.pages.writers import Writer

Random = np.random.Generator
VARIABLES = "xxxxyyyyzzaabbccdnmkptuvwhr"
"""Letters that stand for numbers, as often as they do."""


def write_number(
    canvas: Canvas,
    writer: Writer,
    random: Random,
    left: float,
    base: float,
    count: int,
    *,
    gap: float,
    points: float = 0.0,
    noughts: int = 0,
) -> float:
    """Writes a number from `left` on along the line `base`; returns where it ends.

    Args:
        count: how many digits.
        gap: between two digits, in heights; below 0 they overlap.
        points: how often a point, comma or dash stands between two digits.
        noughts: how many of the digits, from the last, are noughts.
    """
    height = writer.height
    printed = writer.font is not None
    rise = random.normal(0, 0.02)
    # Some write digits of one size, some do not, and then the ones are longest.
    uneven = 0.0 if printed else float(random.choice([0.06, 0.14, 0.28], p=[0.5, 0.3, 0.2]))
    joins = writer.habits.joins and not printed
    x, before = left, None
    for place in range(count):
        # Numbers have many noughts, amounts most of all.
        nought = place >= count - noughts or random.random() < 0.08
        digit = 0 if nought else int(random.integers(10))
        size = float(np.exp(uneven * np.clip(random.normal(), -2.5, 2.5)))
        if digit == 1:
            size *= 1 + 2 * uneven * random.random()
        ink = writer.digit(digit, random, size=size)
        drop = 0 if printed else random.normal(0, 0.04 + uneven / 2) * height - rise * (x - left)
        top = base - ink.shape[0] + drop
        canvas.put(ink, x, top, digit=digit, printed=printed)
        if joins and digit == 0 and before is not None:
            _join(canvas, writer, random, before, (x + 0.4 * ink.shape[1], top + 0.12 * ink.shape[0]))
        before = (x + 0.6 * ink.shape[1], top + 0.12 * ink.shape[0]) if digit == 0 else None
        x += ink.shape[1] + gap * height + (0 if printed else random.normal(0, 0.05) * height)
        if random.random() < points and place < count - 1:
            x, before = _point(canvas, writer, random, x, base), None
    return float(x)


def _join(
    canvas: Canvas, writer: Writer, random: Random, start: tuple[float, float], end: tuple[float, float]
) -> None:
    """The pen's way from the top of a nought to the next, a little bent."""
    along = np.linspace(0, 1, 24)[:, None]
    sag = random.uniform(-0.12, 0.15) * writer.height
    way = start + along * np.subtract(end, start) + sag * np.sin(np.pi * along) * (0, 1)
    _draw(canvas, writer, way)


def _draw(canvas: Canvas, writer: Writer, way: NDArray[np.float64]) -> None:
    sixteenths = np.rint(16 * way).astype(np.int32)
    cv2.polylines(canvas.pen, [sixteenths], False, 1.0, max(1, round(writer.pen)), cv2.LINE_AA, shift=4)


def write_begin(canvas: Canvas, writer: Writer, random: Random, x: float, base: float) -> float:
    """What keeps others from writing more before an amount: a sign of money or of number; returns its end."""
    ink = writer.sign(random, "$#"[random.integers(2)])
    canvas.put(ink, x, base - ink.shape[0] + random.normal(0, 0.06) * writer.height)
    return float(x + ink.shape[1] + random.uniform(0, 0.4) * writer.height)


def write_end(canvas: Canvas, writer: Writer, random: Random, x: float, base: float) -> float:
    """What keeps others from writing more after an amount, none of it digits; returns where it ends."""
    height = writer.height
    x += random.uniform(-0.05, 0.3) * height
    if random.random() < 0.4:  # a point or a comma first
        x = _point(canvas, writer, random, x, base)
    kind = random.random()
    if kind < 0.3:  # dashes
        for _ in range(random.integers(1, 4)):
            x = _stroke(canvas, writer, random, x, base, random.uniform(0.25, 0.9), random.uniform(0.05, 0.6))
        return x
    if kind < 0.6:  # two or three strokes, one above the other
        rise, pitch, long = random.uniform(0, 0.4), random.uniform(0.12, 0.3), random.uniform(0.3, 1.4)
        ends = [
            _stroke(canvas, writer, random, x, base, long * random.uniform(0.8, 1.2), rise + line * pitch)
            for line in range(random.integers(2, 4))
        ]
        return max(ends)
    if kind < 0.7:  # a slash and a dash; a slash alone would be a one
        lean = random.uniform(0.2, 0.6) * height
        way = np.array([[x + lean, base - random.uniform(0.6, 1.2) * height], [x, base + 0.1 * height]])
        _draw(canvas, writer, way)
        x += random.uniform(0.2, 0.4) * height
        return _stroke(canvas, writer, random, x, base, random.uniform(0.4, 0.9), random.uniform(0.05, 0.6))
    if kind < 0.9:  # a wave up to the end of the field
        along = np.linspace(0, 1, 60)
        long = random.uniform(0.8, 4) * height
        waves = random.uniform(0.02, 0.25) * height * np.sin(along * random.uniform(3, 9) * long / height)
        _draw(canvas, writer, np.column_stack([x + along * long, base - 0.4 * height + waves]))
        return float(x + long)
    return write_begin(canvas, writer, random, x, base)


def _stroke(
    canvas: Canvas, writer: Writer, random: Random, x: float, base: float, long: float, rise: float
) -> float:
    """A dash so long and so high above the line, in heights of a digit, a little bent."""
    height = writer.height
    along = np.linspace(0, 1, 16)
    y = (
        base
        - (rise + random.normal(0, 0.08) * along + random.normal(0, 0.05) * np.sin(np.pi * along)) * height
    )
    way = np.column_stack([x + along * long * height, y])
    _draw(canvas, writer, way)
    return float(x + (long + random.uniform(0.1, 0.3)) * height)


def _point(canvas: Canvas, writer: Writer, random: Random, x: float, base: float) -> float:
    """A point, comma, dash or slash on the line; returns where it ends."""
    height, pen = writer.height, writer.pen
    kind = random.random()
    thick = max(1, round(pen))
    if kind < 0.6:
        radius = max(1, round(pen * random.uniform(0.5, 0.9)))
        place = (round(x + 0.08 * height), round(base - radius))
        cv2.circle(canvas.pen, place, radius, 1.0, -1, cv2.LINE_AA)
        if kind > 0.35:
            tail = (place[0] - round(0.06 * height), place[1] + round(0.2 * height))
            cv2.line(canvas.pen, place, tail, 1.0, thick, cv2.LINE_AA)
        return float(x + 0.25 * height)
    if kind < 0.85:
        y = base - random.uniform(0.35, 0.55) * height
        end = x + random.uniform(0.3, 0.7) * height
        cv2.line(
            canvas.pen,
            (round(x + 0.1 * height), round(y)),
            (round(end), round(y + random.normal(0, 0.04) * height)),
            1.0,
            thick,
            cv2.LINE_AA,
        )
        return float(end + 0.1 * height)
    top = (round(x + 0.5 * height), round(base - 1.05 * height))
    cv2.line(canvas.pen, (round(x), round(base + 0.1 * height)), top, 1.0, thick, cv2.LINE_AA)
    return float(x + 0.55 * height)


def write_other(canvas: Canvas, writer: Writer, random: Random, x: float, base: float) -> float:
    """A word, some letters or a sign on the line; returns where it ends."""
    printed = writer.font is not None
    kind = random.random()
    if kind < 0.35 or printed:
        ink = writer.word(random)
        canvas.put(ink, x, base - ink.shape[0] + 0.15 * writer.height, printed=printed)
        return float(x + ink.shape[1])
    if kind < 0.8:
        return _spell(canvas, writer, random, x, base)
    if kind < 0.88:
        for _ in range(random.integers(1, 3)):
            ink = writer.letter(random, size=random.uniform(0.55, 1.1))
            canvas.put(ink, x, base - ink.shape[0])
            x += ink.shape[1] + random.uniform(0, 0.25) * writer.height
        return float(x)
    ink = writer.sign(random)
    canvas.put(ink, x, base - writer.height * 0.45 - ink.shape[0] / 2)
    return float(x + ink.shape[1])


def _spell(canvas: Canvas, writer: Writer, random: Random, x: float, base: float) -> float:
    """A word letter by letter, apart or so close that they touch; returns where it ends."""
    gap = random.uniform(-0.06, 0.15)
    for ink, below in writer.spelled(random, int(random.integers(3, 11))):
        canvas.put(ink, x, base - ink.shape[0] + below + random.normal(0, 0.04) * writer.height)
        x += ink.shape[1] + (gap + random.normal(0, 0.03)) * writer.height
    return float(x)


def write_mark(canvas: Canvas, writer: Writer, random: Random, middle: float, base: float) -> None:
    """What else stands in a cell: a dash, a tick, a stroke, a letter, a word."""
    height, thick = writer.height, max(1, round(writer.pen))
    kind = random.random()
    y = base - height / 2
    if kind < 0.3:
        half = random.uniform(0.2, 0.5) * height
        ends = (
            (round(middle - half), round(y)),
            (round(middle + half), round(y + random.normal(0, 0.1) * height)),
        )
        cv2.line(canvas.pen, *ends, 1.0, thick, cv2.LINE_AA)
    elif kind < 0.45:
        tick = np.array([[-0.4, 0], [-0.1, 0.4], [0.5, -0.6]]) * height * random.uniform(0.7, 1.2) + (
            middle,
            y,
        )
        cv2.polylines(canvas.pen, [np.rint(tick).astype(np.int32)], False, 1.0, thick, cv2.LINE_AA)
    elif kind < 0.75 or writer.font is not None:
        ink = writer.letter(random, size=random.uniform(0.7, 1))
        canvas.put(ink, middle - ink.shape[1] / 2, base - ink.shape[0], printed=writer.font is not None)
    else:
        ink = writer.sign(random)
        canvas.put(ink, middle - ink.shape[1] / 2, y - ink.shape[0] / 2)


def write_scrawl(canvas: Canvas, writer: Writer, random: Random, middle: float, base: float) -> None:
    """A pen's way that means nothing, about as large as a digit: to and fro, in loops, or anywhere."""
    if random.random() < 0.5:  # it turns, too often for a digit, in one place or along a line, maybe growing
        turn = np.linspace(0, 2 * np.pi * random.uniform(2.5, 8), 200)
        path = np.column_stack(
            [random.uniform(0, 1.2) * np.sin(turn + random.uniform(0, np.pi)), np.cos(turn)]
        )
        if random.random() < 0.5:
            path *= 0.1 + turn[:, None] / turn[-1]
        path[:, random.integers(2)] += turn * random.choice([0, 0.12, 0.4])
    else:
        path = random.uniform(-1, 1, (random.integers(7, 18), 2))
        if random.random() < 0.6:
            path = cv2.resize(path[:, None], (1, 150), interpolation=cv2.INTER_CUBIC)[:, 0]
    middles = path.min(axis=0) + np.ptp(path, axis=0) / 2
    scale = writer.height * random.uniform(0.7, 1.3) / np.ptp(path, axis=0).max()
    _draw(canvas, writer, (path - middles) * scale + np.array([middle, base - writer.height / 2]))


def write_variable(canvas: Canvas, writer: Writer, random: Random, x: float, base: float) -> float:
    """A letter that stands for a number, sometimes with a small digit raised or lowered."""
    height = writer.height
    name = VARIABLES[random.integers(len(VARIABLES))]
    ink, below = writer.on_the_line(name, random, random.uniform(0.5, 0.8))
    canvas.put(ink, x, base - ink.shape[0] + below)
    x += ink.shape[1]
    if random.random() < 0.15:
        digit = int(random.integers(10))
        ink = writer.digit(digit, random, size=random.uniform(0.45, 0.7))
        rise = random.choice([0.9, 0.25]) * height
        canvas.put(ink, x, base - rise - ink.shape[0] / 2 + 0.1 * height, digit=digit)
        x += ink.shape[1]
    return float(x)
