"""A writer: one hand, one pen, one size, or one font; writes digits, letters, words and signs as ink."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mnistry.data.strokes import Stroke
from mnistry.training.pages.habits import Habits, bar_through, with_bar
from mnistry.training.pages.sources import LOOK_LIKE_DIGITS, Ink, Sources, cut_to_ink

FINE = 3  # strokes are drawn so many times larger, then averaged, so that a pen's width need not be whole
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
PLAIN_LETTERS = [letter for letter in LETTERS if letter not in LOOK_LIKE_DIGITS]
TALL, DEEP = "bdfhklt", "gjpqy"
"""Small letters that are as high as capitals, and those that reach below the line."""
HOW_OFTEN = dict(zip("etaoinshrdlcumwfgypbvkjxqz", np.linspace(12, 0.5, 26), strict=True))
"""Letters as often as in English, about."""
BLURRED_ABOVE = 32  # pixels; larger copies of a scanned digit of 20 pixels would only be blurred


SIGN_HEIGHTS = dict.fromkeys(".,:;-_", (0.12, 0.45)) | dict.fromkeys("+*=", (0.25, 0.85))
"""In heights of a digit, from and to; others are about as high as digits."""


@dataclass(frozen=True, eq=False)
class Writer:
    """How one person, or one printer, writes on a page.

    Attributes:
        sources: what handwriting and fonts there are.
        height: of a digit, in pixels.
        pen: width of the pen, in pixels.
        slant: columns to the right for each row up.
        font: the font of print; None for handwriting.
        hand: the samples of one person for each digit; None takes everybody's.
        letters: the samples of one person for each letter.
        scanned: whether digits are scanned images, not strokes.
        habits: what this hand does always.
    """

    sources: Sources
    height: float
    pen: float
    slant: float
    font: Path | None
    hand: list[list[tuple[int, int]]] | None
    letters: dict[str, list[int]]
    scanned: bool
    habits: Habits

    @staticmethod
    def drawn(
        sources: Sources, random: np.random.Generator, height: float, *, printed: bool | None = None
    ) -> "Writer":
        """A random writer who writes digits of that height."""
        if printed is None:
            printed = random.random() < 0.15
        width = np.exp(random.uniform(np.log(0.045), np.log(0.22)))
        hand = None
        if random.random() < 0.5:
            hand = sources.hands[random.integers(len(sources.hands))]
        return Writer(
            sources,
            height=height,
            pen=max(0.9, height * width),
            slant=random.normal(0.05, 0.15) if random.random() < 0.7 else random.normal(0.25, 0.2),
            font=sources.fonts[random.integers(len(sources.fonts))] if printed else None,
            hand=hand,
            letters=sources.letter_hands[random.integers(len(sources.letter_hands))],
            scanned=height < BLURRED_ABOVE and random.random() < 0.45,
            habits=Habits.drawn(random),
        )

    def digit(self, digit: int, random: np.random.Generator, *, size: float = 1.0) -> Ink:
        """One digit; `size` is the share of the usual height."""
        return cut_to_ink(self._digit(digit, random, self.height * size))

    def _digit(self, digit: int, random: np.random.Generator, height: float) -> Ink:
        if self.font is not None:
            return print_text(self.font, str(digit), round(height))
        bent = _bend(random, self.slant)
        strokes = self.habits.digit(digit, random)
        barred = digit == 7 and self.habits.crosses
        if strokes is None and self.scanned:
            rows = self.sources.images_of[digit]
            image = self.sources.digit_images[0][rows[random.integers(len(rows))]]
            return _resized(with_bar(image, random) if barred else image, height, bent)
        if strokes is None:
            samples = (self.hand or self.sources.digit_samples)[digit]
            number, sample = samples[random.integers(len(samples))]
            strokes = self.sources.digit_strokes[number][sample]
        strokes = swayed(strokes, random)
        strokes = self._barred(strokes, random) if barred else strokes
        return draw_strokes(strokes, height, self.pen, bent, widest=1.3)

    @staticmethod
    def _barred(strokes: list[Stroke], random: np.random.Generator) -> list[Stroke]:
        bar = bar_through(strokes, random)
        return strokes if bar is None else [*strokes, bar]

    def letter(self, random: np.random.Generator, *, which: str | None = None, size: float = 1.0) -> Ink:
        """One letter; without a name one that looks like no digit, whatever stands beside it."""
        height = self.height * size
        letter = which or PLAIN_LETTERS[random.integers(len(PLAIN_LETTERS))]
        if self.font is not None:
            return print_text(self.font, letter, round(height))
        samples = self.letters.get(letter) or self.sources.samples_of_letter[letter]
        strokes = swayed(self.sources.letters[samples[random.integers(len(samples))]], random)
        if letter in "zZ" and self.habits.crosses:
            strokes = self._barred(strokes, random)
        return draw_strokes(strokes, height, self.pen, _bend(random, self.slant), widest=1.6)

    def on_the_line(self, letter: str, random: np.random.Generator, low: float) -> tuple[Ink, float]:
        """A letter as high as it is among others, and how far it reaches below the line, in pixels.

        Args:
            letter: which.
            random: draws how it is written.
            low: how high this hand's low letters are, in heights of a digit.
        """
        deep = random.uniform(0.3, 0.6) if letter in DEEP else 0.0
        high = letter.isupper() or letter in TALL
        size = (random.uniform(0.85, 1.15) if high else low + deep) * random.uniform(0.9, 1.1)
        return self.letter(random, which=letter, size=size), deep * self.height

    def spelled(self, random: np.random.Generator, count: int) -> list[tuple[Ink, float]]:
        """The letters of a word that is none, each with how far it reaches below the line, in pixels."""
        names, often = list(HOW_OFTEN), np.array(list(HOW_OFTEN.values()))
        word = "".join(names[i] for i in random.choice(len(names), count, p=often / often.sum()))
        kind = random.random()
        word = word.upper() if kind < 0.12 else word.capitalize() if kind < 0.3 else word
        low = random.uniform(0.45, 0.75)
        return [self.on_the_line(letter, random, low) for letter in word]

    def word(self, random: np.random.Generator) -> Ink:
        """A word; handwriting has no digits in it, print is random letters."""
        if self.font is not None:
            text = "".join(LETTERS[i] for i in random.integers(0, len(LETTERS), random.integers(2, 10)))
            text = text.lower() if random.random() < 0.6 else text.capitalize()
            return print_text(self.font, text + ("", ":", ".", ",")[random.integers(4)], round(self.height))
        samples = self.sources.word_samples
        strokes = swayed(self.sources.words[int(samples[random.integers(len(samples))])], random)
        height = self.height * random.uniform(0.9, 1.5)
        return draw_strokes(strokes, height, self.pen, _bend(random, 0), widest=10)

    def brace(self, random: np.random.Generator, height: float) -> Ink:
        """A brace or bracket so high, in pixels, that holds lines together."""
        samples = self.sources.samples_of_sign["{{{(["[random.integers(5)]]
        strokes = swayed(self.sources.signs[int(samples[random.integers(len(samples))])], random)
        return draw_strokes(strokes, height, self.pen, _bend(random, 0), widest=0.5)

    def sign(self, random: np.random.Generator, which: str | None = None) -> Ink:
        """A sign that is no digit; without a name any, or a foreign letter."""
        if which is None and random.random() < 0.2:
            shapes = self.sources.shapes
            return _resized(
                shapes[random.integers(len(shapes))], self.height * random.uniform(0.5, 1.1), _bend(random, 0)
            )
        samples = self.sources.sign_samples if which is None else self.sources.samples_of_sign[which]
        sample = int(samples[random.integers(len(samples))])
        low, high = SIGN_HEIGHTS.get(str(self.sources.signs.labels[sample]), (0.5, 1.1))
        height = self.height * random.uniform(low, high)
        strokes = swayed(self.sources.signs[sample], random)
        return draw_strokes(strokes, height, self.pen, _bend(random, 0), widest=2.5)


def _bend(random: np.random.Generator, slant: float) -> NDArray[np.float32]:
    """How one sign is turned, slanted and stretched: float32 `[2, 2]`."""
    turn = np.deg2rad(random.normal(0, 4))
    cos, sin = np.cos(turn), np.sin(turn)
    stretch = np.exp(random.normal(0, 0.12))
    turning = np.array([[cos, -sin], [sin, cos]])
    slanting = np.array([[stretch, -slant - random.normal(0, 0.05)], [0, 1]])
    return np.asarray(turning @ slanting, np.float32)


def swayed(strokes: list[Stroke], random: np.random.Generator) -> list[Stroke]:
    """A sign or a word as the same hand writes it at another time: bent by a slow wave."""
    points = np.concatenate(strokes)
    low, (width, height) = points.min(axis=0), np.ptp(points, axis=0)
    size = max(float(height), float(width) / 3, 1e-3)  # of its letters, where it is a word
    sway, turns = random.normal(0, 0.04, 2), random.uniform(2, 7, 2)
    begin = random.uniform(0, 2 * np.pi, 2)

    def bent(stroke: Stroke) -> Stroke:
        wave = np.sin((stroke - low)[:, ::-1] / size * turns + begin)
        return np.asarray(stroke + size * sway * wave, np.float32)

    return [bent(stroke) for stroke in strokes]


def draw_strokes(
    strokes: list[Stroke], height: float, pen: float, bend: NDArray[np.float32], *, widest: float
) -> Ink:
    """Draws strokes so high, or so wide if they are wider than `widest` heights, with a pen so wide."""
    bent = [stroke @ bend.T for stroke in strokes]
    points = np.concatenate(bent)
    low = points.min(axis=0)
    width, tall = points.max(axis=0) - low
    scale = height / max(tall, width / widest, 1e-3)
    columns, rows = int(width * scale + pen) + 3, int(tall * scale + pen) + 3
    ink = np.zeros((rows * FINE, columns * FINE), np.uint8)
    thick = max(1, round(pen * FINE))
    for stroke in bent:
        places = ((stroke - low) * scale + pen / 2 + 1) * FINE
        line = np.rint(places * 16).astype(np.int32).reshape(-1, 1, 2)
        if len(line) == 1:
            line = np.repeat(line, 2, axis=0)
        cv2.polylines(ink, [line], False, 255, thick, cv2.LINE_AA, shift=4)
    return np.asarray(cv2.resize(ink, (columns, rows), interpolation=cv2.INTER_AREA), np.uint8)


def _resized(image: Ink, height: float, bend: NDArray[np.float32]) -> Ink:
    """A scanned sign, so high, slanted."""
    rows, columns = image.shape
    scale = height / max(rows, columns / 1.3)
    matrix = bend * scale
    corners = np.array([[0, 0], [columns, 0], [0, rows], [columns, rows]]) @ matrix.T
    low = corners.min(axis=0)
    width, tall = np.ceil(corners.max(axis=0) - low).astype(int) + 1
    placed = np.column_stack([matrix, -low])
    return np.asarray(
        cv2.warpAffine(image, placed, (int(width), int(tall)), flags=cv2.INTER_LINEAR), np.uint8
    )


@lru_cache(maxsize=256)
def _font(path: Path, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(path), size)


def print_text(path: Path, text: str, height: int) -> Ink:
    """Text in a font whose capitals are so high, cut to its ink."""
    font = _font(path, max(6, round(height * 1.38)))
    left, top, right, bottom = (int(value) for value in font.getbbox(text))
    image = Image.new("L", (max(1, right - left) + 2, max(1, bottom - top) + 2))
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, font=font, fill=255)
    return np.asarray(image)
