"""How writing is arranged on a page: lines, tables, boxes, forms, equations, amounts, or nothing to read."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np

from mnistry.training.pages.canvas import HEIGHT, WIDTH, Canvas
from mnistry.training.pages.sources import Sources
from mnistry.training.pages.writers import Writer
from mnistry.training.pages.writing import (
    write_begin,
    write_end,
    write_mark,
    write_number,
    write_other,
    write_scrawl,
    write_variable,
)

Random = np.random.Generator
Layout = Callable[[Canvas, Sources, Random], None]


def _height(random: Random) -> float:
    """A digit's height, mostly one that must be found."""
    if random.random() < 0.2:
        return float(np.exp(random.uniform(np.log(3), np.log(100))))
    return float(np.exp(random.uniform(np.log(12), np.log(40))))


def _gap(random: Random) -> float:
    """The gap between a writer's digits, in heights: some touch, most stand apart."""
    low, high = ((-0.15, 0.03), (0.02, 0.3), (0.3, 1.2))[random.choice(3, p=[0.4, 0.45, 0.15])]
    return float(random.uniform(low, high))


def lines(canvas: Canvas, sources: Sources, random: Random) -> None:
    """Lines of numbers, of words, or of both, on ruled paper or not."""
    writer = Writer.drawn(sources, random, _height(random))
    height = writer.height
    share = float(random.choice([1.0, 0.5, 0.0], p=[0.32, 0.33, 0.35]))  # of numbers among words
    pitch, gap = height * random.uniform(1.3, 2.8), _gap(random)
    ruled = random.random() < 0.4
    dark, thick = random.uniform(0.3, 1), random.uniform(0.6, 2)
    if ruled and random.random() < 0.3:  # squared paper
        square = height * random.uniform(0.6, 1.6)
        for x in np.arange(random.uniform(0, square), WIDTH, square):
            canvas.line((x, 0), (x, HEIGHT), thick, dark)
        pitch = square * max(1, round(pitch / square))
    base = random.uniform(0.4, 1.3) * height
    while base < HEIGHT + 0.6 * height:
        if ruled:
            y = base + random.normal(0, 0.12) * height
            canvas.line((0, y), (WIDTH, y + random.normal(0, 0.7)), thick, dark)
        x = random.uniform(-0.6, 2) * height
        while x < WIDTH:
            if random.random() < share:
                x = write_number(
                    canvas, writer, random, x, base, int(random.integers(1, 10)), gap=gap, points=0.05
                )
            else:
                x = write_other(canvas, writer, random, x, base)
            x += height * random.uniform(0.3, 1.8)
            if random.random() < 0.1:
                break
        base += pitch


def table(canvas: Canvas, sources: Sources, random: Random) -> None:
    """A table or a sudoku: cells of one to three digits, written or printed or both, some empty or struck."""
    height = _height(random)
    writer = Writer.drawn(sources, random, height)
    second = Writer.drawn(sources, random, height * random.uniform(0.8, 1.2), printed=True)
    mixed = random.random() < 0.4
    longest = int(random.choice([1, 2, 3, 4], p=[0.45, 0.3, 0.15, 0.1]))
    cell = height * (0.62 * longest + random.uniform(0.35, 1.6))
    row = height * random.uniform(1.08, 2.2)
    left, top = random.uniform(-cell, 0.7 * cell), random.uniform(-row, 0.7 * row)
    thick, dark = random.uniform(0.6, 3), random.uniform(0.25, 1)
    strong = int(random.choice([0, 3])) if longest == 1 else 0
    columns, rows = np.arange(left, WIDTH + cell, cell), np.arange(top, HEIGHT + row, row)
    upright, level = random.random() < 0.85, random.random() < 0.9
    for number, x in enumerate(columns):
        bold = strong and number % strong == 0
        if upright:
            canvas.line((x, max(0.0, top)), (x, HEIGHT), thick * (1 + bool(bold)), dark)
    for number, y in enumerate(rows):
        bold = strong and number % strong == 0
        if level:
            canvas.line((max(0.0, left), y), (WIDTH, y), thick * (1 + bool(bold)), dark)
    full, wild = random.uniform(0.35, 1), random.uniform(0, 0.25)
    for x in columns:
        for y in rows:
            if random.random() > full:
                continue
            by = second if mixed and random.random() < 0.5 else writer
            middle, base = x + cell / 2, y + row / 2 + by.height / 2 + random.normal(0, 0.07) * height
            if random.random() < wild:
                write_mark(canvas, by, random, middle, base)
                continue
            count = int(random.integers(1, longest + 1))
            start = middle - count * 0.33 * by.height + random.normal(0, 0.1) * height
            write_number(canvas, by, random, start, base, count, gap=random.uniform(-0.02, 0.15))


def boxes(canvas: Canvas, sources: Sources, random: Random) -> None:
    """Form fields with a box for each digit, closed or only parted by short strokes."""
    height = _height(random)
    writer = Writer.drawn(sources, random, height)
    box, tall = height * random.uniform(0.95, 1.9), height * random.uniform(1.1, 1.9)
    thick, dark = random.uniform(0.6, 2.6), random.uniform(0.25, 1)
    comb = random.random() < 0.35  # strokes between the digits, from below
    apart = random.random() < 0.2  # each box by itself
    y = random.uniform(-0.5, 0.6) * tall
    while y < HEIGHT:
        x = random.uniform(-1, 1.5) * box
        while x < WIDTH:
            count = int(random.integers(1, 12))
            right = x + count * box
            short = tall * random.uniform(0.25, 0.6)
            if not apart:
                canvas.line((x, y + tall), (right, y + tall), thick, dark)
                if not comb:
                    canvas.line((x, y), (right, y), thick, dark)
                for number in range(count + 1):
                    edge = x + number * box
                    high = short if comb and 0 < number < count else tall
                    canvas.line((edge, y + tall - high), (edge, y + tall), thick, dark)
            for number in range(count):
                edge = x + number * box
                if apart:
                    canvas.frame(edge, y, edge + 0.85 * box, y + tall, thick, dark)
                kind = random.random()
                middle = edge + box * (0.425 if apart else 0.5) + random.normal(0, 0.08) * box
                base = y + tall / 2 + height / 2 + random.normal(0, 0.1) * height
                if kind < 0.8:
                    digit = int(random.integers(10))
                    ink = writer.digit(digit, random, size=random.uniform(0.75, 1.1))
                    canvas.put(
                        ink, middle - ink.shape[1] / 2, base - ink.shape[0], digit=digit,
                        printed=writer.font is not None,
                    )  # fmt: skip
                elif kind < 0.88:
                    write_mark(canvas, writer, random, middle, base)
            x = right + box * random.uniform(0.2, 3)
        y += tall + height * random.uniform(0.2, 2)


def single(canvas: Canvas, sources: Sources, random: Random) -> None:
    """One digit alone, a short number, or none; sometimes with a frame or a line around it."""
    writer = Writer.drawn(sources, random, float(np.exp(random.uniform(np.log(12), np.log(50)))))
    height = writer.height
    instead = random.random()
    if instead < 0.35:
        place = random.uniform((height / 2, height), (WIDTH / 2, HEIGHT))
        if instead < 0.2:
            write_other(canvas, writer, random, *place)
        elif instead < 0.28:
            write_mark(canvas, writer, random, *place)
        else:
            write_scrawl(canvas, writer, random, *place)
        return
    count = 1 if random.random() < 0.6 else int(random.integers(2, 7))
    x = random.uniform(0.1 * height, max(0.2 * height, WIDTH - 0.9 * height * count))
    base = random.uniform(1.05 * height, HEIGHT - 0.1 * height)
    end = write_number(canvas, writer, random, x, base, count, gap=_gap(random), points=0.03)
    if random.random() < 0.2:
        space = height * random.uniform(0.1, 0.9)
        canvas.frame(
            x - space,
            base - height - space,
            end + space,
            base + space,
            random.uniform(0.7, 4),
            random.uniform(0.3, 1),
        )


def form(canvas: Canvas, sources: Sources, random: Random) -> None:
    """Printed words, beside or below them a number or words by hand, on a line or in a frame."""
    height = _height(random)
    hand = Writer.drawn(sources, random, height, printed=False)
    label = Writer.drawn(sources, random, height * random.uniform(0.45, 0.9), printed=True)
    dark, thick = random.uniform(0.3, 1), random.uniform(0.6, 2)
    framed, gap = random.random() < 0.4, _gap(random)
    base = random.uniform(0.8, 1.6) * height
    while base < HEIGHT + height:
        x = random.uniform(-0.5, 1.5) * height
        for _ in range(random.integers(1, 4)):
            ink = label.word(random)
            canvas.put(ink, x, base - ink.shape[0], printed=True)
            x += ink.shape[1] + 0.3 * height
        start = x + 0.3 * height
        if random.random() < 0.75:
            x = write_number(
                canvas, hand, random, start, base, int(random.integers(1, 9)), gap=gap, points=0.06
            )
        else:
            x = write_other(canvas, hand, random, start, base)
        end = max(x, start + random.uniform(1, 6) * height) + 0.3 * height
        if framed:
            canvas.frame(start - 0.3 * height, base - 1.25 * height, end, base + 0.25 * height, thick, dark)
        elif random.random() < 0.8:
            canvas.line((start - 0.2 * height, base + 0.1 * height), (end, base + 0.1 * height), thick, dark)
        base += height * random.uniform(1.6, 3)


OPERATORS = "++++---*/"
"""What stands between terms, as often as it does."""


def equation(canvas: Canvas, sources: Sources, random: Random) -> None:
    """Lines of terms and of what they are equal to, with braces and other signs."""
    writer = Writer.drawn(sources, random, _height(random), printed=False)
    height = writer.height
    base = random.uniform(0.9, 1.5) * height
    pitch, gap = random.uniform(1.3, 2.6) * height, random.uniform(0, 0.15)
    letters, wild = random.choice([0.3, 0.75, 1.0]), random.choice([0.05, 0.3])
    space = random.uniform(0.02, 0.3) * height
    if random.random() < 0.4:
        held = random.integers(1, 5) * pitch
        ink = writer.brace(random, held)
        top = base + random.integers(0, 2) * pitch - height
        canvas.put(ink, random.uniform(-0.2, 1) * height, top + random.uniform(-0.3, 0.3) * height)
    if random.random() < 0.3:
        canvas.line((0, base), (WIDTH, base), random.uniform(0.6, 2), random.uniform(0.3, 1))

    def sign(x: float, which: str | None) -> float:
        ink = writer.sign(random, which)
        x += random.uniform(0.03, 0.25) * height
        canvas.put(ink, x, base - random.uniform(0.35, 0.55) * height - ink.shape[0] / 2)
        return float(x + ink.shape[1] + random.uniform(0.03, 0.25) * height)

    while base < HEIGHT + 0.5 * height:
        x = random.uniform(0.2, 3) * height
        while x < WIDTH:
            with_letter = random.random() < letters
            if not with_letter or random.random() < 0.55:
                count = int(random.choice([1, 1, 1, 2, 2, 3]))
                x = write_number(canvas, writer, random, x, base, count, gap=gap, points=0.02) + space / 3
            if with_letter:
                x = write_variable(canvas, writer, random, x, base) + space
            if random.random() < wild:
                x = sign(x, None)
            elif random.random() < 0.3:
                x = sign(x, "=")
            else:
                x = sign(x, OPERATORS[random.integers(len(OPERATORS))])
            x += space
            if random.random() < 0.08:
                break
        base += pitch


def amount(canvas: Canvas, sources: Sources, random: Random) -> None:
    """Numbers written close together and fast, with points, on patterned paper."""
    writer = Writer.drawn(sources, random, _height(random), printed=False)
    if random.random() < 0.4:
        writer = replace(writer, slant=random.uniform(0.2, 0.8))
    height = writer.height
    count = int(random.integers(3, 9))
    gap = float(random.uniform(-0.12, 0.15))
    ruled, thick, dark = random.random() < 0.5, random.uniform(1, 4), random.uniform(0.4, 1)
    begun, ended = random.choice([0.0, 0.7], p=[0.8, 0.2]), random.choice([0.1, 0.7])
    base = random.uniform(0.8, 1.6) * height
    while base < HEIGHT + 0.5 * height:
        x = random.uniform(-0.2, 1) * height
        while x < WIDTH:
            if random.random() < begun:
                x = write_begin(canvas, writer, random, x, base)
            noughts = int(random.integers(1, count)) if random.random() < 0.25 else 0
            x = write_number(canvas, writer, random, x, base, count, gap=gap, points=0.2, noughts=noughts)
            if random.random() < ended:
                x = write_end(canvas, writer, random, x, base)
            x += random.uniform(0.6, 3) * height
        if ruled:
            y = base + random.uniform(0, 0.3) * height
            canvas.line((0, y), (WIDTH, y), thick, dark)
        base += random.uniform(1.3, 2.5) * height
    if random.random() < 0.7:
        for _ in range(random.integers(1, 3)):
            patterned(canvas, random)


def patterned(canvas: Canvas, random: Random) -> None:
    """Fine waves side by side, as cheques and certificates have them."""
    pitch, turn = random.uniform(2.5, 9), random.uniform(0, np.pi)
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    along = x * np.cos(turn) + y * np.sin(turn)
    across = y * np.cos(turn) - x * np.sin(turn)
    bent = across + random.uniform(0, 4) * np.sin(along / random.uniform(6, 40))
    waves = np.clip(1 - np.abs((bent / pitch) % 1 - 0.5) * pitch * random.uniform(0.8, 1.6), 0, 1)
    np.maximum(canvas.rules, (waves * random.uniform(0.15, 0.6)).astype(np.float32), out=canvas.rules)


def printed_page(canvas: Canvas, sources: Sources, random: Random) -> None:
    """A piece of a real printed page, stained; sometimes a number is written across it."""
    page = sources.prints[random.integers(len(sources.prints))]
    scale = random.uniform(0.5, 2.2)
    height, width = min(page.shape[0], round(HEIGHT / scale)), min(page.shape[1], round(WIDTH / scale))
    top, left = random.integers(page.shape[0] - height + 1), random.integers(page.shape[1] - width + 1)
    part = page[top : top + height, left : left + width]
    averaging = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    grey = np.asarray(cv2.resize(part, (WIDTH, HEIGHT), interpolation=averaging), np.float32)
    canvas.print[:] = 1 - grey / 255
    if random.random() < 0.3:
        writer = Writer.drawn(sources, random, _height(random), printed=False)
        write_number(
            canvas,
            writer,
            random,
            random.uniform(0, WIDTH / 2),
            random.uniform(0.3, 1) * HEIGHT,
            5,
            gap=_gap(random),
        )


def scribbles(canvas: Canvas, sources: Sources, random: Random) -> None:
    """Strokes, curves, shapes and specks that mean nothing; or nothing at all."""
    if random.random() < 0.4:
        writer = Writer.drawn(sources, random, _height(random), printed=False)
        for _ in range(random.integers(1, 12)):
            write_scrawl(canvas, writer, random, *random.uniform((0, 0), (WIDTH, HEIGHT)))
        return
    for _ in range(random.integers(0, 14)):
        thick = int(random.integers(1, 6))
        points = random.uniform(0, (WIDTH, HEIGHT), (random.integers(2, 7), 2))
        if random.random() < 0.5:
            points = points.mean(axis=0) + (points - points.mean(axis=0)) * random.uniform(0.05, 0.4)
        if random.random() < 0.4:
            middle, axes = points[0].astype(int), np.maximum(2, np.abs(points[1] - points[0]) / 2).astype(int)
            place, size = (int(middle[0]), int(middle[1])), (int(axes[0]), int(axes[1]))
            if max(size) > 1.8 * min(size) or min(size) > 30:  # a small round ring would be a nought
                cv2.ellipse(canvas.pen, place, size, random.uniform(0, 180), 0, 360, 1.0, thick, cv2.LINE_AA)
        else:
            path = np.rint(points).astype(np.int32)
            closed = bool(random.integers(2))
            if len(path) > 2 or random.random() < 0.3:
                cv2.polylines(canvas.pen, [path], closed, 1.0, thick, cv2.LINE_AA)
    if random.random() < 0.3:
        patterned(canvas, random)


LAYOUTS: dict[Layout, float] = {
    lines: 0.3,
    table: 0.15,
    boxes: 0.09,
    single: 0.1,
    form: 0.09,
    equation: 0.12,
    amount: 0.09,
    printed_page: 0.05,
    scribbles: 0.05,
}
"""How often each is drawn; what is most often photographed is drawn most."""
