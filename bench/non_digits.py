"""Pictures of no digits: letters, scribbles, shapes, empty paper; letters and words of real writers.

    python bench/non_digits.py OUT [--seed 0] [--handwriting FOLDER --data-dir FOLDER]

Writes them into the new folder OUT with a `labels.tsv` whose labels are empty, for `mnistry
evaluate-pictures OUT`. The letters come from the fonts of this machine; the script prints which, and the
same seed gives the same pictures only with the same fonts. On Debian these packages give dozens, many of
them like handwriting: fonts-dejavu fonts-liberation fonts-freefont-ttf fonts-urw-base35 fonts-breip
fonts-ecolier-court fonts-jura fonts-dkg-handwriting fonts-kristi fonts-sjfonts fonts-bwht fonts-femkeklaver
fonts-humor-sans fonts-rufscript fonts-kaushanscript fonts-dancingscript.

What has the shape of a digit is left out, since no reader could tell it from one: the letters O o Q D d
(0), I i J j l (1), Z z (2), S s (5), G b (6), y (4), B (8), g q (9), and among the shapes single rings,
ovals and straight strokes. With `--handwriting`, the folder that pages for training are drawn with, come
letters and words of those of its writers who are kept out of training; words have all letters.
"""

import logging
import math
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import matplotlib
import numpy as np
import tyro
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from mnistry.atomic import write_text
from mnistry.errors import DataError, MnistryError
from mnistry.training.pages.sources import Sources
from mnistry.training.pages.writers import draw_strokes

LETTERS = "ACEFHKLMNPRTUVWXYacefhkmnprtuvwx"
FEWEST_FAMILIES = 5
COUNTS = {"letter": 450, "scribble": 200, "shape": 200, "paper": 150}
WRITTEN = {"written letter": 250, "written word": 250}
STROKE = (0.015, 0.07)  # a stroke's width, as a share of the picture's side
SMOOTH = 24  # points between two control points of a curve

Points = NDArray[np.floating[Any]]
Mask = NDArray[np.floating[Any]]
Fonts = dict[str, list[Path]]


@dataclass(frozen=True)
class Options:
    """Make pictures of no digits: 1,000, and 500 of real handwriting."""

    out: tyro.conf.Positional[Path]
    """A folder that is not there yet."""
    seed: int = 0
    """Other seeds give other pictures."""
    handwriting: Path | None = None
    """A folder of handwriting, for letters and words of real writers; none without it."""
    data_dir: Path | None = None
    """Folder with MNIST, which is read with the handwriting."""


def main() -> int:
    """Makes the pictures and prints the fonts."""
    options = tyro.cli(Options)
    try:
        writers = None
        if options.handwriting:
            writers = Sources.read(options.handwriting, options.data_dir, held_out=True)
        fonts = make(options.out, options.seed, writers)
    except (MnistryError, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 2
    count = sum(COUNTS.values()) + (sum(WRITTEN.values()) if writers else 0)
    print(f"{count:,} pictures in {options.out}")
    print(f"letters of {len(fonts)} fonts: {', '.join(fonts)}")
    return 0


def make(folder: Path, seed: int, writers: Sources | None = None) -> tuple[str, ...]:
    """Makes the pictures and their table.

    Args:
        folder: is made; it must not be there.
        seed: of all that is drawn at random.
        writers: of the letters and words of real handwriting; without them those are left out.

    Returns:
        The families of the fonts.

    Raises:
        DataError: there are too few fonts.
        FileExistsError: the folder is there.
    """
    fonts = find_fonts()
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    rows = ["file\tdigits\tkind\tnote"]
    for kind, count in COUNTS.items():
        for number in range(count):
            side = int(rng.integers(100, 601))
            if kind == "letter":
                ink, note = draw_letter(rng, side, fonts)
            else:
                drawings = DRAWINGS[kind]
                name = list(drawings)[number % len(drawings)]
                ink, note = drawings[name](rng, side), name
            file = f"{kind}-{number:03}.jpg"
            Image.fromarray(on_paper(rng, ink)).save(folder / file, quality=92)
            rows.append(f"{file}\t\t{kind}\t{note}")
    for kind, count in WRITTEN.items() if writers else ():
        for number in range(count):
            assert writers
            ink, note = written(rng, writers, kind)
            file = f"{kind.replace(' ', '-')}-{number:03}.jpg"
            Image.fromarray(on_paper(rng, ink)).save(folder / file, quality=92)
            rows.append(f"{file}\t\t{kind}\t{note}")
    write_text(folder / "labels.tsv", "\n".join(rows) + "\n")
    return tuple(fonts)


def find_fonts() -> Fonts:
    """The files of each family of fonts on this machine and in matplotlib that has all the letters.

    A font of symbols may have signs in the letters' places; it gives them other names than the letters'.

    Raises:
        DataError: there are too few.
    """
    logging.getLogger("fontTools").setLevel(logging.ERROR)  # it warns of bytes too many
    own = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    families: Fonts = defaultdict(list)
    for path in sorted({*font_manager.findSystemFonts(), *font_manager.findSystemFonts([str(own)])}):
        with TTFont(path, fontNumber=0, lazy=True) as font:
            names = font.getBestCmap() or {}
            if all(names.get(ord(letter)) == letter for letter in LETTERS):
                families[str(font["name"].getBestFamilyName())].append(Path(path))
    if len(families) < FEWEST_FAMILIES:
        raise DataError(
            f"found {len(families)} fonts with Latin letters ({', '.join(families) or 'none'}); expected at "
            f"least {FEWEST_FAMILIES}. Install some, such as fonts-liberation and fonts-breip on Debian"
        )
    return dict(sorted(families.items()))


def draw_letter(rng: np.random.Generator, side: int, fonts: Fonts) -> tuple[Mask, str]:
    """A letter of any family, a little turned, and a note that tells which."""
    family = list(fonts)[rng.integers(len(fonts))]
    path = fonts[family][rng.integers(len(fonts[family]))]
    letter = LETTERS[rng.integers(len(LETTERS))]
    font = ImageFont.truetype(path, 2 * side)  # drawn large, as a font's size says little of its letters'
    left, top, right, bottom = font.getbbox(letter)
    scale = rng.uniform(0.45, 0.85) * side / max(right - left, bottom - top)
    large = Image.new("L", (math.ceil(right - left), math.ceil(bottom - top)))
    ImageDraw.Draw(large).text((-left, -top), letter, 255, font)
    small = ImageOps.scale(large, scale, Image.Resampling.LANCZOS)
    picture = Image.new("L", (side, side))
    left, top = ((side - length) * rng.uniform(0.2, 0.8) for length in small.size)
    picture.paste(small, (round(left), round(top)))
    picture = picture.rotate(rng.normal(0, 5), Image.Resampling.BICUBIC)
    return np.asarray(picture, np.float32) / 255, f"{letter} {family}"


def written(rng: np.random.Generator, writers: Sources, kind: str) -> tuple[Mask, str]:
    """A letter or a word as someone wrote it, with a pen of another width, and who wrote what."""
    if kind == "written letter":
        sets = writers.letters
        samples = np.sort(np.concatenate([writers.samples_of_letter[letter] for letter in LETTERS]))
        height, widest_pen = rng.uniform(40, 260), 0.14
    else:
        sets, samples = writers.words, writers.word_samples
        height, widest_pen = rng.uniform(24, 90), 0.09
    sample = int(samples[rng.integers(len(samples))])
    upright = np.eye(2, dtype=np.float32)
    ink = draw_strokes(sets[sample], height, height * rng.uniform(0.04, widest_pen), upright, widest=30)
    margin = round(rng.uniform(0.2, 0.8) * height)
    # Tabs and line breaks would be columns and rows of the table.
    note = " ".join(f"{sets.labels[sample]} {sets.writers[sample]}".split())
    return np.pad(ink.astype(np.float32) / 255, margin), note


def strokes(
    rng: np.random.Generator, side: int, lines: Sequence[Points], *, turn: float = 10.0, fill: bool = False
) -> Mask:
    """Draws lines with a round pen: fitted into the picture, a little turned.

    Args:
        rng: decides about size, place, angle and the width of the pen.
        side: of the picture, in pixels.
        lines: the points, x and y, of each; in any unit.
        turn: standard deviation of the angle, in degrees.
        fill: fill the first line's inside instead.
    """
    angle = math.radians(rng.normal(0, turn))
    rotation = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    turned = [line @ rotation for line in lines]
    low, high = (
        np.min([line.min(axis=0) for line in turned], 0),
        np.max([line.max(axis=0) for line in turned], 0),
    )
    scale = rng.uniform(0.4, 0.8) * side / float((high - low).max())
    start = (side - (high - low) * scale) * rng.uniform(0.3, 0.7, 2)
    pixels = [np.rint(16 * ((line - low) * scale + start)).astype(np.int32) for line in turned]
    ink = np.zeros((side, side), np.uint8)
    if fill:
        cv2.fillPoly(ink, pixels[:1], 255, cv2.LINE_AA, shift=4)
    else:
        width = max(2, round(side * rng.uniform(*STROKE)))
        cv2.polylines(ink, pixels, False, 255, width, cv2.LINE_AA, shift=4)
    return ink.astype(np.float32) / 255


def smooth(points: Points) -> Points:
    """A curve through points (Catmull and Rom's)."""
    padded = np.concatenate([points[:1], points, points[-1:]])
    t = np.linspace(0, 1, SMOOTH, endpoint=False)[:, None]
    parts = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False)
    ]
    return np.concatenate([*parts, points[-1:]])


def arc(x: float, y: float, radius: float, start: float = 0, end: float = 360) -> Points:
    """A part of a circle, from one angle to another, in degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, 60))
    return np.stack([x + radius * np.cos(angles), y + radius * np.sin(angles)], axis=1)


def polygon(rng: np.random.Generator, corners: Sequence[tuple[float, float]]) -> Points:
    """A closed line through corners, none of them quite where it should be."""
    points = np.array(corners, float)
    points += rng.normal(0, 0.03, points.shape) * np.ptp(points, axis=0).max()
    return np.concatenate([points, points[:1]])


def tangle(rng: np.random.Generator, side: int) -> Mask:
    """A long curve through random places."""
    return strokes(rng, side, [smooth(rng.uniform(0, 1, (int(rng.integers(9, 18)), 2)))])


def spiral(rng: np.random.Generator, side: int) -> Mask:
    """A spiral of at least two and a half turns: with one it would be a 6 or a 9."""
    angle = np.linspace(0, 2 * math.pi * rng.uniform(2.5, 5), 300) * rng.choice([-1, 1])
    return strokes(rng, side, [np.abs(angle)[:, None] * np.stack([np.cos(angle), np.sin(angle)], axis=1)])


def coil(rng: np.random.Generator, side: int) -> Mask:
    """Loops in a row, like a joined-up eeee."""
    angle = np.linspace(0, 2 * math.pi * rng.integers(3, 7), 300)
    step = rng.uniform(0.1, 0.25)
    return strokes(rng, side, [np.stack([angle * step + np.cos(angle), 1.5 * np.sin(angle)], axis=1)])


def zigzag(rng: np.random.Generator, side: int) -> Mask:
    """A line up and down."""
    peaks = int(rng.integers(6, 14))
    heights = np.arange(peaks) % 2 * rng.uniform(2, 6) + rng.normal(0, 0.4, peaks)
    return strokes(rng, side, [np.stack([np.arange(peaks) + rng.normal(0, 0.2, peaks), heights], axis=1)])


def hatching(rng: np.random.Generator, side: int) -> Mask:
    """Level strokes below each other; upright ones would be a row of 1s."""
    rows = np.arange(rng.integers(4, 10))
    lines = [np.array([[0, y], [4, y + rng.normal(0.5, 0.2)]]) + rng.normal(0, 0.15, (2, 2)) for y in rows]
    return strokes(rng, side, lines)


def crossing_out(rng: np.random.Generator, side: int) -> Mask:
    """A pen driven to and fro over one place."""
    count = int(rng.integers(10, 24))
    x = np.arange(count) % 2 + rng.normal(0, 0.1, count)
    return strokes(
        rng, side, [smooth(np.stack([x, np.linspace(0, 0.6, count) + rng.normal(0, 0.05, count)], 1))]
    )


def triangle(rng: np.random.Generator, side: int) -> Mask:
    line = polygon(rng, [(0, 1), (0.5, rng.uniform(-0.2, 0.3)), (1, 1)])
    return strokes(rng, side, [line], fill=rng.random() < 0.3)


def star(rng: np.random.Generator, side: int) -> Mask:
    """In one go as by hand, or its outline, or filled."""
    outer = [(math.sin(2 * math.pi * i / 5), -math.cos(2 * math.pi * i / 5)) for i in range(5)]
    if rng.random() < 0.4:
        return strokes(rng, side, [polygon(rng, [outer[2 * i % 5] for i in range(5)])])
    inner = [
        (0.4 * math.sin(2 * math.pi * (i + 0.5) / 5), -0.4 * math.cos(2 * math.pi * (i + 0.5) / 5))
        for i in range(5)
    ]
    corners = [corner for pair in zip(outer, inner, strict=True) for corner in pair]
    return strokes(rng, side, [polygon(rng, corners)], fill=rng.random() < 0.5)


def cross(rng: np.random.Generator, side: int) -> Mask:
    """Upright or diagonal."""
    lines = np.array([[[0, 0.5], [1, 0.5]], [[0.5, 0], [0.5, 1]]])
    if rng.random() < 0.5:
        lines = np.array([[[0, 0], [1, 1]], [[0, 1], [1, 0]]], float)
    return strokes(rng, side, list(lines + rng.normal(0, 0.05, lines.shape)))


def arrow(rng: np.random.Generator, side: int) -> Mask:
    """To any side but up, where it would be a 1."""
    head = rng.uniform(0.2, 0.4)
    shaft, barbs = np.array([[-1.0, 0], [1, 0]]), np.array([[1 - head, -head], [1, 0], [1 - head, head]])
    quarter = np.array([[0, -1], [1, 0]])
    turned = np.linalg.matrix_power(quarter, int(rng.choice([0, 2, 3])))
    return strokes(rng, side, [shaft @ turned, barbs @ turned])


def heart(rng: np.random.Generator, side: int) -> Mask:
    t = np.linspace(0, 2 * math.pi, 100)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    return strokes(rng, side, [np.stack([x, y], axis=1)], fill=rng.random() < 0.4)


def smiley(rng: np.random.Generator, side: int) -> Mask:
    mouth = arc(0, 0, 0.6, 20, 160) if rng.random() < 0.7 else arc(0, 0.9, 0.6, 210, 330)
    return strokes(rng, side, [arc(0, 0, 1), mouth, arc(-0.35, -0.3, 0.08), arc(0.35, -0.3, 0.08)])


def check_mark(rng: np.random.Generator, side: int) -> Mask:
    points = np.array([[0, 0.55], [0.35, 1], [1, 0]]) + rng.normal(0, 0.06, (3, 2))
    return strokes(rng, side, [points])


def wave(rng: np.random.Generator, side: int) -> Mask:
    x = np.linspace(0, 2 * math.pi * rng.uniform(2, 5), 200)
    lines = [np.stack([x, rng.uniform(1, 3) * np.sin(x) + 5 * i], axis=1) for i in range(rng.integers(1, 4))]
    return strokes(rng, side, lines)


def grid(rng: np.random.Generator, side: int) -> Mask:
    """Two to five lines each way, such as a hash or a noughts-and-crosses board."""
    count = int(rng.integers(2, 6))
    across = [np.array([[-1.0, i], [count, i]]) + rng.normal(0, 0.08, (2, 2)) for i in range(count)]
    return strokes(rng, side, [*across, *(line[:, ::-1] for line in across)])


def blank(rng: np.random.Generator, side: int) -> Mask:
    return np.zeros((side, side), np.float32)


def ruled(rng: np.random.Generator, side: int) -> Mask:
    """Lines at even distances from one margin to the other, printed paler than a pen."""
    ink = np.zeros((side, side), np.float32)
    pitch = int(rng.integers(max(12, side // 14), max(24, side // 4)))
    for y in range(int(rng.integers(pitch)), side, pitch):
        ink[y : y + max(1, side // 250)] = rng.uniform(0.4, 0.6)
    return ink


def squared(rng: np.random.Generator, side: int) -> Mask:
    """Lines both ways."""
    lines = ruled(rng, side)
    return np.maximum(lines, lines.T)


Drawing = Callable[[np.random.Generator, int], Mask]
DRAWINGS: dict[str, dict[str, Drawing]] = {
    kind: {drawing.__name__.replace("_", " "): drawing for drawing in drawings}
    for kind, drawings in {
        "scribble": (tangle, spiral, coil, zigzag, hatching, crossing_out),
        "shape": (triangle, star, cross, arrow, heart, smiley, check_mark, wave, grid),
        "paper": (blank, ruled, squared),
    }.items()
}


def on_paper(rng: np.random.Generator, ink: Mask) -> NDArray[np.uint8]:
    """Lays ink on paper that is lit unevenly, and takes a slightly blurred, noisy picture of it.

    One in six is light on dark, one in four as clean as a drawing on a screen.

    Args:
        rng: decides about all levels.
        ink: `[height, width]`, 0 nothing to 1 the pen's full ink.
    """
    height, width = ink.shape
    side = min(height, width)
    paper_level, ink_level = rng.uniform(170, 250), rng.uniform(10, 90)
    if rng.random() < 1 / 6:
        paper_level, ink_level = ink_level, paper_level
    if rng.random() < 1 / 4:
        return np.asarray(np.rint(paper_level + (ink_level - paper_level) * ink), np.uint8)
    y, x = np.mgrid[0:height, 0:width] / np.array([height, width])[:, None, None] - 0.5
    angle = rng.uniform(0, 2 * math.pi)
    light = 1 + rng.uniform(0, 0.3) * (np.cos(angle) * x + np.sin(angle) * y)
    blurred = cv2.GaussianBlur(ink, (0, 0), rng.uniform(0.3, 0.004 * side + 0.4))
    levels = (paper_level + (ink_level - paper_level) * blurred) * light
    noisy = levels + rng.normal(0, rng.uniform(0.5, 6), ink.shape)
    return np.asarray(np.clip(np.rint(noisy), 0, 255), np.uint8)


if __name__ == "__main__":
    sys.exit(main())
