"""The recognizer: pictures in, digits out, with their places, lines and probabilities."""

import heapq
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.classes import NO_CLASS
from mnistry.data.dataset import CLASSES, DIGITS, SIDE
from mnistry.data.decode import Picture, open_picture
from mnistry.errors import RunError
from mnistry.reading.classifier import Classifier
from mnistry.reading.cutting import Cut, cut, pieces_of_ink
from mnistry.reading.detector import Box, Detection, Detector
from mnistry.reading.grouping import Row, group_breaks, rows_of
from mnistry.reading.judging import Found, certainty, judged
from mnistry.reading.left_out import pieces_left_out
from mnistry.reading.onnx_files import OtherModelError, path_of, read_model
from mnistry.reading.scales import LONGEST_SIDE, MOST_DIGITS, check_time, distinct
from mnistry.reading.upright import Page, find_page, picture_box
from mnistry.reading.verifier import TAUGHT, Verifier, patches_of

MIN_CONFIDENCE = 0.25
DRAWING, MEANT = 32, 10.0
"""Pixels of the longer side of pictures that are as small as MNIST's, and show what those show, one digit;
and by what factor that is likelier than the classifier has learnt."""
EVEN, CLEAR = 0.5, 0.98
"""Share of the pixels exactly as light as the corner from which on a picture was drawn on a screen, and how
surely the classifier must know what it shows to be asked alone."""
MOST_VERIFIED = 2 * MOST_DIGITS
"""Places that are looked at again, the surest: each digit is found about twice."""
LONE_AROUND = 0.4
"""Heights around a lone digit that are cut out with it: the detector may have seen the ring of a 6 alone."""
PRESENT = 0.4
"""What is less probably a digit is none. Half would be right if pictures had as many letters and specks as
the drawn pages that the probabilities were learnt on; they have fewer."""


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
        notes: what the reader decided that its user may want to know, such as how many letters and signs
            were left out.
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


Network = Classifier | Detector | Verifier
"""What a recognizer reads with."""


def network(content: bytes, *, threads: int = 0) -> Network:
    """The network that the bytes of an ONNX file hold.

    Args:
        content: the bytes.
        threads: of computation for each call; 0 takes one for each core.

    Raises:
        ValueError: none of the three kinds.
    """
    try:
        return Classifier(content, threads=threads)
    except OtherModelError as error:
        for kind in (Detector, Verifier):
            with suppress(OtherModelError):
                return kind(content, threads=threads)
        raise error from None


class Recognizer:
    """Reads the digits in pictures: a detector finds them, a verifier looks again. It can be pickled.

    >>> recognizer = Recognizer.load()
    >>> seven = np.full((90, 60), 255, np.uint8)
    >>> seven[10:18, 10:50] = 0
    >>> for y in range(18, 80):
    ...     seven[y, 46 - y // 3 : 54 - y // 3] = 0
    >>> recognizer.read(seven).lines
    ('7',)
    """

    def __init__(
        self, classifier: Classifier, detector: Detector, verifier: Verifier, *, trust: float | None = None
    ) -> None:
        """
        Args:
            classifier: tells 28×28 images; the attribute `classifier` afterwards.
            detector: finds digits on the page; the attribute `detector` afterwards.
            verifier: looks again at what the detector found; the attribute `verifier` afterwards.
            trust: weight of the classifier's opinion, see `mnistry.reading.judging.judged`; by default the
                detector's own.
        """
        self.classifier, self.detector, self.verifier = classifier, detector, verifier
        self.trust = detector.trust if trust is None else trust

    @staticmethod
    def load(source: Path | str | None = None, *, threads: int = 0) -> "Recognizer":
        """Loads a model.

        Args:
            source: a run folder, an ONNX file that mnistry wrote, or nothing for the shipped models. A model
                of 28×28 images says which digit each is that the shipped detector finds; a detector or a
                verifier takes the place of the shipped one.
            threads: of computation for each call; 0 takes one for each core. One is best where several
                threads read pictures.

        Raises:
            RunError: there is no such file or folder, or it holds no usable model.
        """
        classifier, detector = Classifier.load(threads=threads), Detector.load(threads=threads)
        shipped = Recognizer(classifier, detector, Verifier.load(threads=threads))
        if source is None:
            return shipped
        path = path_of(source)
        try:
            return shipped.having_file(path, read_model(source), threads=threads)
        except ValueError as error:
            raise RunError(f"{path}: {error}") from error

    def having_file(self, path: Path, content: bytes, *, threads: int = 0) -> "Recognizer":
        """A recognizer with the network of a file, and the verifier that was taught with a detector.

        Args:
            path: of the file; a taught verifier lies beside it.
            content: its bytes.
            threads: of computation for each call.

        Raises:
            ValueError: it is no network that reads pictures.
            RunError: the verifier beside it is none.
        """
        own = network(content, threads=threads)
        taught = path.with_name(TAUGHT)
        reader = self.having(own)
        if not isinstance(own, Detector) or not taught.exists():
            return reader
        return reader.having(Verifier.load(taught, threads=threads))

    def having(self, own: Network) -> "Recognizer":
        """A recognizer with another network in the place of the one of its kind.

        A classifier of one's own then says of everything that is found which digit it is.
        """
        if isinstance(own, Classifier):
            return Recognizer(own, self.detector, self.verifier, trust=np.inf)
        if isinstance(own, Detector):
            return Recognizer(self.classifier, own, self.verifier)
        return Recognizer(self.classifier, self.detector, own)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `Classifier.logits`: those of the ten digits, float32 `[n, 10]`, of uint8 `[n, 28, 28]`."""
        return self.classifier.logits(images)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """As `Classifier.probabilities`: float64 `[n, 12]`, of uint8 `[n, 28, 28]`."""
        return self.classifier.probabilities(images)

    def read(
        self, picture: Picture, *, min_confidence: float = MIN_CONFIDENCE, deadline: float | None = None
    ) -> Reading:
        """Reads the digits in a picture: one, a row, or many lines with groups, among whatever else there is.

        Pages that lie on their side or on their head are turned, tilted ones are levelled, where at least
        four digits tell. What is no digit is left out; a picture without digits gives no lines.

        Args:
            picture: see `mnistry.data.decode.open_picture`: the path of a picture file, a file opened for
                reading bytes, a PIL image, or an array.
            min_confidence: a digit below it is given as `?` and None.
            deadline: the value of `time.monotonic` at which reading is given up; it is bounded without one.

        Raises:
            PictureSizeError: it is too large, or takes too long.
            PictureError: it cannot be read.
        """
        return self.examine(picture, min_confidence=min_confidence, deadline=deadline, quick=True).reading

    def examine(
        self,
        picture: Picture,
        *,
        min_confidence: float = MIN_CONFIDENCE,
        deadline: float | None = None,
        quick: bool = False,
    ) -> "Examination":
        """As `read`, with all that was found on the way; see `mnistry.reading.explain`.

        With `quick`, the classifier alone may answer for a drawing that was made on a screen, as for `read`;
        then nothing is told of what the detector sees there.
        """
        decoded = open_picture(picture, longest_side=LONGEST_SIDE, deadline=deadline)
        page, found, notes = self._found(decoded.grey, deadline, quick)
        rows = rows_of([one for one in found if one.present >= PRESENT])
        breaks = group_breaks([[one.box for one in row.digits] for row in rows])
        names = self.classifier.class_names
        texts, digits = [], []
        for number, row in enumerate(rows):
            shown = []
            for one in row.digits:
                value, confidence = int(one.probabilities.argmax()), float(one.probabilities.max())
                known = confidence >= min_confidence
                box = picture_box(one.box, page.origin, decoded.scale, decoded.size)
                name = names[value] if known and names != DIGITS else None
                ten = tuple(one.probabilities.tolist())
                digits.append(Digit(value if known else None, confidence, box, number, ten, name))
                shown.append(names[value] if known else "?")
            texts.append(_joined(shown, breaks[number], names))
        reading = Reading(tuple(texts), tuple(digits), decoded.notes + notes)
        return Examination(decoded.grey, page, tuple(found), tuple(rows), reading)

    def _found(
        self, grey: NDArray[np.float32], deadline: float | None, quick: bool = False
    ) -> tuple[Page, list[Found], tuple[str, ...]]:
        """The page with all that may be digits on it, judged, and notes for the user."""
        if self.classifier.class_names != DIGITS:
            return self._signs(grey, deadline)
        taught = self.trust is not None and np.isfinite(self.trust)
        if not taught and (one := self._drawing(grey, on_screen=quick)):
            return Page(grey, np.eye(3)[:2], [], [one.place]), [one], ()
        page = find_page(self.detector, grey, deadline)
        lone = page.lone
        every = page.found if lone else (one for look in page.looks for one in look.found)
        places = heapq.nlargest(MOST_VERIFIED, every, key=lambda one: one.confidence)
        check_time(deadline)
        verified = self.verifier.probabilities(patches_of(page.looks, places))
        check_time(deadline)
        kept = distinct(places, certainty(places, verified))
        page, verified = replace(page, found=[places[number] for number in kept]), verified[kept]
        boxes = [one.box for one in page.found]
        if lone:  # nothing else is near that could be cut out with it, but maybe a shadow
            (box,) = boxes
            narrow, wide = cut(page.grey, box), cut(page.grey, _grown(box, LONE_AROUND * (box[3] - box[1])))
            both = self.classifier.probabilities(_images([narrow, wide]))
            better = int(both[:, :CLASSES].sum(axis=1).argmax())
            cuts, opinions = [(narrow, wide)[better]], both[better : better + 1]
        else:
            cuts = _cuts(page.grey, boxes, deadline)
            opinions = self.classifier.probabilities(_images(cuts))
        check_time(deadline)
        weights = self.detector.weights
        found = judged(page.found, cuts, verified, opinions, weights, trust=self.trust, lone=lone)
        if lone and _is_small(grey):
            found = [replace(one, probabilities=_meant(one.probabilities)) for one in found]
        check_time(deadline)
        notes = _left_out(page.grey, found)
        if len(page.found) < MOST_DIGITS:
            return page, found, notes
        note = (
            f"{MOST_DIGITS:,} places or more may be digits; the likeliest were looked at. If this is "
            "writing, cut the picture into parts"
        )
        return page, found, (note, *notes)

    def _drawing(self, grey: NDArray[np.float32], *, on_screen: bool) -> Found | None:
        """The one digit that a picture clearly shows: one as small as MNIST's, or drawn on a screen."""
        small = _is_small(grey)
        left, top, right, bottom = 0, 0, grey.shape[1], grey.shape[0]
        if not small:
            drawn = grey != grey[0, 0]
            if not on_screen or not 0 < np.count_nonzero(drawn) <= (1 - EVEN) * grey.size:
                return None
            rows, columns = np.flatnonzero(drawn.any(axis=1)), np.flatnonzero(drawn.any(axis=0))
            left, top, right, bottom = columns[0], rows[0], columns[-1] + 1, rows[-1] + 1
        one = cut(grey, (left, top, right, bottom))
        chances = self.classifier.probabilities(one.image[None])[0, :CLASSES]
        if small:
            chances = _meant(chances)
        if chances.sum() < (PRESENT if small else CLEAR):
            return None
        place = Detection((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, chances, 1.0)
        return Found(place, one, chances)

    def _signs(
        self, grey: NDArray[np.float32], deadline: float | None
    ) -> tuple[Page, list[Found], tuple[str, ...]]:
        """As `_found`, for classes that are no digits: each piece of ink is taken for one sign."""
        boxes = pieces_of_ink(grey)[:MOST_DIGITS]
        cuts = _cuts(grey, boxes, deadline)
        opinions = self.classifier.probabilities(_images(cuts))[:, : len(self.classifier.class_names)]
        check_time(deadline)
        found = [
            Found(
                Detection((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, chances, 1.0),
                one,
                chances,
            )
            for (left, top, right, bottom), one, chances in zip(boxes, cuts, opinions, strict=False)
        ]
        note = "the model's classes are no digits, so each piece of ink was taken for one sign"
        return Page(grey, np.eye(3)[:2], [], []), found, (note,)


def _left_out(grey: NDArray[np.float32], found: Sequence[Found]) -> tuple[str, ...]:
    """How much of what stands on a page was not read, in words; nothing where nothing may be a digit."""
    read = [one.box for one in found if one.present >= PRESENT]
    heights = [bottom - top for _, top, _, bottom in read or [one.box for one in found]]
    count = pieces_left_out(grey, read, max(1.0, float(np.median(heights)))) if heights else 0
    pieces = "1 piece of ink was" if count == 1 else f"{count:,} pieces of ink were"
    return (f"{pieces} left out, as letters or signs",) if count else ()


def _is_small(grey: NDArray[np.float32]) -> bool:
    """Whether a picture is as small as MNIST's."""
    return bool(max(grey.shape) <= DRAWING)


def _meant(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probabilities of the ten digits in a picture as small as MNIST's: most of those show one."""
    return np.asarray(chances * MEANT / (1 + (MEANT - 1) * chances.sum()))


def _grown(box: Box, margin: float) -> Box:
    left, top, right, bottom = box
    return left - margin, top - margin, right + margin, bottom + margin


def _cuts(grey: NDArray[np.float32], boxes: Sequence[Box], deadline: float | None) -> list[Cut]:
    """What stands in these boxes.

    Raises:
        PictureSizeError: it takes too long.
    """
    cuts = []
    for box in boxes:
        check_time(deadline)
        cuts.append(cut(grey, box))
    return cuts


def _images(cuts: Sequence[Cut]) -> NDArray[np.uint8]:
    """As the classifier takes them, uint8 `[n, 28, 28]`; one empty image where there are none."""
    return np.stack([one.image for one in cuts] or [np.zeros((SIDE, SIDE), np.uint8)])


def _joined(shown: Sequence[str], breaks: Sequence[bool], names: Sequence[str]) -> str:
    """A line as text: names longer than a letter are parted by a space, groups by one more."""
    together = all(len(name) == 1 for name in names if name != NO_CLASS)
    text = ""
    for one, after_gap in zip(shown, breaks, strict=True):
        text += " " * (after_gap + (not together and text != "")) + one
    return text


@dataclass(frozen=True, eq=False)
class Examination:
    """A reading with all that was found on the way to it.

    Attributes:
        grey: float32 `[height, width]`, 0 black to 1 white, as the picture lies.
        page: upright and level, with what the detector saw.
        found: all that may be digits, judged, the detector's surest first.
        rows: the lines of those that are digits.
        reading: the answer.
    """

    grey: NDArray[np.float32]
    page: Page
    found: tuple[Found, ...]
    rows: tuple[Row, ...]
    reading: Reading
