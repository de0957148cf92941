"""The recognizer: pictures in, digits out, with their places, lines and probabilities."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.classes import NO_CLASS
from mnistry.data.dataset import CLASSES, DIGITS
from mnistry.data.decode import Picture, open_picture
from mnistry.errors import PictureSizeError
from mnistry.reading.classifier import VIEWS, Classifier
from mnistry.reading.ink import Grey
from mnistry.reading.layout import MOST_PIECES
from mnistry.reading.page import Page, TextLine, find_page, group_breaks, picture_box, text_lines
from mnistry.reading.segment import LONGEST, Candidate, read_line

LONGEST_SIDE = 2048  # pixels; larger pictures are made smaller first
MOST_LOOKS = MOST_PIECES * LONGEST  # as many digits as a page holds, each in every way it can be put together
MIN_CONFIDENCE = 0.25


@dataclass(frozen=True)
class Digit:
    """One digit that was read.

    Attributes:
        digit: 0 to 9, or None where the confidence is below the threshold; `?` in the line.
        confidence: the probability of the likeliest digit.
        box: x, y, width, height in the picture's own pixels.
        line: the line that it stands in, counted from 0.
        probabilities: of the ten digits; what is missing to 1 is the probability that it is none.
        name: of the class, where the model's classes are no digits but have names.
    """

    digit: int | None
    confidence: float
    box: tuple[int, int, int, int]
    line: int
    probabilities: tuple[float, ...]
    name: str | None = None


@dataclass(frozen=True)
class Reading:
    """What was read in a picture: the lines as text, and each digit with its place.

    Attributes:
        lines: top to bottom, with a space where a gap parts two groups; empty where there is no digit.
            Names of classes that are longer than a letter are parted by one space, their groups by two.
        digits: in the order of the lines.
        notes: what the reader decided that its user may want to know, such as which frame was read.
    """

    lines: tuple[str, ...]
    digits: tuple[Digit, ...]
    notes: tuple[str, ...] = ()

    @property
    def confidence(self) -> float:
        """That of the least certain digit; 1 where there is none."""
        return min((digit.confidence for digit in self.digits), default=1.0)

    def to_json(self, *, probabilities: bool = False) -> dict[str, Any]:
        """The reading as JSON values: `{"lines": ["7"], "digits": [{"digit": 7, …}]}`.

        Args:
            probabilities: give the ten probabilities of every digit too.
        """
        left_out = set() if probabilities else {"probabilities"}
        digits = [
            {
                key: list(value) if isinstance(value, tuple) else value
                for key, value in asdict(digit).items()
                if key not in left_out and not (key == "name" and value is None)
            }
            for digit in self.digits
        ]
        return {
            "lines": list(self.lines),
            "digits": digits,
            **({"notes": list(self.notes)} if self.notes else {}),
        }


class Recognizer:
    """Reads the digits in pictures by a classifier. It can be pickled.

    >>> recognizer = Recognizer.load()
    >>> seven = np.full((90, 60), 255, np.uint8)
    >>> seven[10:18, 10:50] = 0
    >>> for y in range(18, 80):
    ...     seven[y, 46 - y // 3 : 54 - y // 3] = 0
    >>> recognizer.read(seven).lines
    ('7',)
    """

    def __init__(self, classifier: Classifier) -> None:
        """
        Args:
            classifier: the model; the attribute `classifier` afterwards.
        """
        self.classifier = classifier

    @staticmethod
    def load(source: Path | str | None = None, *, threads: int = 0) -> "Recognizer":
        """Loads a model.

        Args:
            source: a run folder, an ONNX file that mnistry wrote, or nothing for the shipped model.
            threads: of computation for each call; 0 takes one for each core. One is best where several
                threads read pictures.

        Raises:
            RunError: there is no such file or folder, or it holds no usable model.
        """
        return Recognizer(Classifier.load(source, threads=threads))

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `Classifier.logits`: those of the ten digits, float32 `[n, 10]`, of uint8 `[n, 28, 28]`."""
        return self.classifier.logits(images)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """As `Classifier.probabilities`: float64 `[n, 12]`, of uint8 `[n, 28, 28]`."""
        return self.classifier.probabilities(images)

    def read(
        self, picture: Picture, *, min_confidence: float = MIN_CONFIDENCE, deadline: float | None = None
    ) -> Reading:
        """Reads the digits in a picture: one, a row, or many lines with groups.

        Pages that lie on their side or on their head are turned, tilted ones are levelled, where at least
        four digits tell. What is no digit is left out; a picture without digits gives no lines. Nor does a
        texture of more pieces than writing has; a note says so.

        Args:
            picture: see `mnistry.data.decode.open_picture`: the path of a picture file, a file opened for
                reading bytes, a PIL image, or an array.
            min_confidence: a digit below it is given as `?` and None.
            deadline: the value of `time.monotonic` at which reading is given up; it is bounded without one.

        Raises:
            PictureSizeError: it is too large, or takes too long.
            PictureError: it cannot be read.
        """
        return self.examine(picture, min_confidence=min_confidence, deadline=deadline).reading

    def examine(
        self, picture: Picture, *, min_confidence: float = MIN_CONFIDENCE, deadline: float | None = None
    ) -> "Examination":
        """As `read`, with all that was found on the way; see `mnistry.reading.explain`."""
        decoded = open_picture(picture, longest_side=LONGEST_SIDE, deadline=deadline)
        page = find_page(decoded.grey, self.classifier.at_first_sight)
        look, notes = _Looks(self.classifier, deadline), decoded.notes
        try:
            lines = [FoundLine(text, read_line(text.line, look)) for text in text_lines(page)]
            lines = [line for line in lines if line.digits]
        except _TooManyError:
            lines = []
            notes += (
                f"too many pieces to be writing: they make more than {MOST_LOOKS:,} possible digits; if "
                "it is, cut the picture into parts",
            )
        if many := page.pieces.too_many:
            notes += (
                f"too many pieces to be writing: {many:,} found, at most {MOST_PIECES:,} are read; if it is, "
                "cut the picture into parts",
            )
        breaks = group_breaks([[line.text.on_page(found.box) for found, _ in line.digits] for line in lines])
        names = self.classifier.class_names
        together = all(len(name) == 1 for name in names if name != NO_CLASS)
        texts, digits = [], []
        for number, line in enumerate(lines):
            text = ""
            for (found, chances), after_gap in zip(line.digits, breaks[number], strict=True):
                value, confidence = int(chances[:CLASSES].argmax()), float(chances[:CLASSES].max())
                known = confidence >= min_confidence
                box = picture_box(line.text.on_page(found.box), page.origin, decoded.scale, decoded.size)
                ten = tuple(chances[:CLASSES].tolist())
                name = names[value] if known and names != DIGITS else None
                digits.append(Digit(value if known else None, confidence, box, number, ten, name))
                gap = " " * (after_gap + (not together and text != ""))
                text += gap + (names[value] if known else "?")
            texts.append(text)
        reading = Reading(tuple(texts), tuple(digits), notes)
        return Examination(decoded.grey, page, tuple(lines), reading)


class _TooManyError(Exception):
    """What was taken for writing makes more possible digits than any page of writing does."""


class _Looks:
    """The classifier for one page, which is not asked without end."""

    def __init__(self, classifier: Classifier, deadline: float | None) -> None:
        self._classifier, self._deadline, self._taken = classifier, deadline, 0

    def __call__(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The probabilities of images; looked at again while that takes no longer than first looks may."""
        self._taken += len(images)
        if self._taken > MOST_LOOKS:
            raise _TooManyError
        if self._deadline is not None and time.monotonic() > self._deadline:
            raise PictureSizeError("the picture takes too long to read. Cut it to its writing.")
        again = self._taken <= MOST_LOOKS / (1 + len(VIEWS))
        return self._classifier.probabilities(images) if again else self._classifier.at_first_sight(images)


@dataclass(frozen=True, eq=False)
class FoundLine:
    """A line with its digits, left to right, each with its probabilities."""

    text: TextLine
    digits: list[tuple[Candidate, NDArray[np.float64]]]


@dataclass(frozen=True, eq=False)
class Examination:
    """A reading with all that was found on the way to it.

    Attributes:
        grey: float32 `[height, width]`, 0 black to 1 white.
        page: its ink, upright and level.
        lines: those that have digits.
        reading: the answer.
    """

    grey: Grey
    page: Page
    lines: tuple[FoundLine, ...]
    reading: Reading
