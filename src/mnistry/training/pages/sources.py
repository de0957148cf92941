"""What pages are written with: real handwriting of many people, and fonts."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data import load
from mnistry.data.strokes import StrokeSet
from mnistry.errors import DataError

Ink = NDArray[np.uint8]
"""How much ink lies where: uint8 `[height, width]`, 0 none, 255 the most."""

DIGIT_FILES = (
    Path("unipen/digits_strokes.npz"),
    Path("unipen/digits_from_words_strokes.npz"),
    Path("pendigits/digits_strokes.npz"),
)
LETTERS = Path("unipen/letters_strokes.npz")
SIGNS = Path("unipen/symbols_strokes.npz")
WORDS = Path("unipen/words_nodigits_strokes.npz")
SCANNED = Path("optdigits/digits.npz")
SHAPES = Path("hasy_subset/symbols.npz")
CAPITALS = Path("az_nist/letters.npz")
FOREIGN = Path("omniglot/images.npz")
PRINTS = Path("noisyoffice/images")
FILES = (*DIGIT_FILES, LETTERS, SIGNS, WORDS, SCANNED, SHAPES, CAPITALS, FOREIGN)
HELD_OUT = 10
"""One writer in ten writes no page for training; those pages are for validation."""
FONT_PACKAGES = (
    "font_roboto",
    "font_source_sans_pro",
    "font_source_serif_pro",
    "font_caladea",
    "font_hanken_grotesk",
    "font_manrope",
)
LOOK_LIKE_DIGITS = "OoDIlZzSsbGTBgqi|"
"""Letters that alone, without a word around them, may be read as digits."""
DIGIT_LIKE_SIGNS = "|\\"
NO_DIGIT_SIGNS = "+=-*/()[]{}<>%$&#@?!.,:;_"


@dataclass(frozen=True, eq=False)
class Sources:
    """All handwriting and all fonts that pages are written with.

    Attributes:
        digit_strokes: sets of digits as pen strokes.
        digit_images: scanned digits, white on black, cut to their ink; and their labels.
        letters: single letters as pen strokes.
        signs: signs as pen strokes.
        words: words and lines without digits as pen strokes.
        shapes: images of signs, capitals and foreign letters, white on black, cut to their ink.
        prints: pages of printed text, grey, uint8.
        fonts: paths of TrueType fonts.
        held_out: whether the writers are those of the validation pages.
    """

    digit_strokes: tuple[StrokeSet, ...]
    digit_images: tuple[list[Ink], NDArray[np.uint8]]
    letters: StrokeSet
    signs: StrokeSet
    words: StrokeSet
    shapes: list[Ink]
    prints: list[NDArray[np.uint8]]
    fonts: tuple[Path, ...]
    held_out: bool

    @staticmethod
    def read(folder: Path, data_dir: Path | str | None = None, *, held_out: bool = False) -> "Sources":
        """Reads the handwriting that lies in a folder, and MNIST's training images.

        Args:
            folder: with the sets of handwriting, see `mnistry.data.handwriting`.
            data_dir: where MNIST is looked for first.
            held_out: take the writers of the validation pages instead of those of the training pages.

        Raises:
            DataError: a set is missing.
        """
        mnist = load("mnist", data_dir).train
        scanned = np.load(folder / SCANNED)
        rows = slice(0, 5000) if held_out else slice(5000, None)
        own = np.arange(len(scanned["labels"])) % HELD_OUT == 0
        own = own if held_out else ~own
        images = [*mnist.images[rows], *scanned["images"][own]]
        labels = np.concatenate([mnist.labels[rows], scanned["labels"][own]])
        inked = [cut_to_ink(image) for image in images]
        return Sources(
            digit_strokes=tuple(StrokeSet.read(folder / file) for file in DIGIT_FILES),
            digit_images=(inked, labels),
            letters=StrokeSet.read(folder / LETTERS),
            signs=StrokeSet.read(folder / SIGNS),
            words=StrokeSet.read(folder / WORDS),
            shapes=_shapes(folder),
            prints=_prints(folder / PRINTS),
            fonts=fonts(),
            held_out=held_out,
        )

    def _own(self, strokes: StrokeSet) -> NDArray[np.bool_]:
        """Which samples are by writers of these pages: held out is one in ten, in alphabetical order."""
        names, numbers = np.unique(strokes.writers, return_inverse=True)
        chosen = np.arange(len(names)) % HELD_OUT == HELD_OUT // 2
        return np.asarray(chosen[numbers] == self.held_out)

    @cached_property
    def digit_samples(self) -> list[list[tuple[int, int]]]:
        """For each digit the samples of it: number of the set, number in the set."""
        found: list[list[tuple[int, int]]] = [[] for _ in range(10)]
        for number, strokes in enumerate(self.digit_strokes):
            for sample in np.flatnonzero(self._own(strokes)):
                if strokes.labels[sample] in "0123456789":
                    found[int(strokes.labels[sample])].append((number, int(sample)))
        return found

    @cached_property
    def hands(self) -> list[list[list[tuple[int, int]]]]:
        """As `digit_samples`, for each writer who wrote every digit."""
        by_writer: dict[tuple[int, str], list[list[tuple[int, int]]]] = {}
        for digit, samples in enumerate(self.digit_samples):
            for number, sample in samples:
                writer = (number, str(self.digit_strokes[number].writers[sample]))
                by_writer.setdefault(writer, [[] for _ in range(10)])[digit].append((number, sample))
        return [hand for hand in by_writer.values() if all(hand)]

    @cached_property
    def images_of(self) -> list[NDArray[np.int64]]:
        """For each digit the numbers of its scanned images."""
        return [np.flatnonzero(self.digit_images[1] == digit) for digit in range(10)]

    @cached_property
    def letter_hands(self) -> list[dict[str, list[int]]]:
        """For each writer the samples of each letter."""
        by_writer: dict[str, dict[str, list[int]]] = {}
        for sample in np.flatnonzero(self._own(self.letters)):
            hand = by_writer.setdefault(str(self.letters.writers[sample]), {})
            hand.setdefault(str(self.letters.labels[sample]), []).append(int(sample))
        return list(by_writer.values())

    @cached_property
    def samples_of_letter(self) -> dict[str, list[int]]:
        """For each letter the samples of it by everybody."""
        found: dict[str, list[int]] = {}
        for hand in self.letter_hands:
            for letter, samples in hand.items():
                found.setdefault(letter, []).extend(samples)
        return found

    @cached_property
    def sign_samples(self) -> NDArray[np.int64]:
        """Signs that are no digits."""
        known = np.isin(self.signs.labels, list(NO_DIGIT_SIGNS))
        return np.flatnonzero(self._own(self.signs) & known)

    @cached_property
    def samples_of_sign(self) -> dict[str, NDArray[np.int64]]:
        """For each sign that is no digit the samples of it."""
        samples = self.sign_samples
        return {sign: samples[self.signs.labels[samples] == sign] for sign in NO_DIGIT_SIGNS}

    @cached_property
    def word_samples(self) -> NDArray[np.int64]:
        """Words and lines."""
        return np.flatnonzero(self._own(self.words))


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file of handwriting, in hexadecimal."""
    try:
        return {str(file): hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in FILES}
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read: {error.strerror}") from error


def cut_to_ink(image: Ink) -> Ink:
    """The part of an image, white on black, that has ink in it."""
    rows, columns = np.flatnonzero(image.max(axis=1) > 40), np.flatnonzero(image.max(axis=0) > 40)
    if not len(rows):
        return image
    return np.ascontiguousarray(image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1])


def _shapes(folder: Path) -> list[Ink]:
    signs = np.load(folder / SHAPES)["images"]
    capitals = np.load(folder / CAPITALS)
    plain = ~np.isin(capitals["labels"], list(LOOK_LIKE_DIGITS))
    packed = np.load(folder / FOREIGN)["packed"]
    foreign = np.unpackbits(packed, axis=2)[:, :, :105] * np.uint8(255)
    small = [
        np.asarray(cv2.resize(image, (40, 40), interpolation=cv2.INTER_AREA), np.uint8) for image in foreign
    ]
    return [cut_to_ink(image) for image in [*(255 - signs), *capitals["images"][plain], *small]]


def _prints(folder: Path) -> list[NDArray[np.uint8]]:
    read = (cv2.imread(str(path), cv2.IMREAD_GRAYSCALE) for path in sorted(folder.iterdir()))
    return [np.asarray(image, np.uint8) for image in read if image is not None]


def fonts() -> tuple[Path, ...]:
    """The TrueType fonts that come with Python packages, the same on every machine."""
    found: list[Path] = []
    for package in FONT_PACKAGES:
        place = find_spec(package)
        if place is not None and place.origin is not None:
            found += Path(place.origin).parent.glob("files/*.ttf")
    return tuple(sorted(found))
