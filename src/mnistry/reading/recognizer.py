"""The recognizer: pictures in, digits out, by any model that was exported as ONNX."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mnistry.data.dataset import SIDE
from mnistry.data.decode import Picture, open_picture
from mnistry.errors import RunError
from mnistry.evaluation.metrics import probabilities
from mnistry.reading.ink import Grey
from mnistry.reading.page import Page, TextLine, find_page, group_breaks, picture_box, text_lines
from mnistry.reading.segment import DIGITS, Candidate, read_line

SHIPPED_MODEL = Path(__file__).parent / "model.onnx"
BATCH = 256  # images in one call: larger ones leave the cache
LONGEST_SIDE = 2048  # pixels; larger pictures are made smaller first
NONE_SHIFT = 1.0  # nats: training shows more of what is no digit than lines do
SURE = 0.99  # what is less probable is looked at again
GUESS = 0.02  # probability of "no digit", and of "several", for a model that does not know these classes
MIN_CONFIDENCE = 0.25


def _view(turn: float, width: float, height: float) -> NDArray[np.float64]:
    """An image turned (degrees) and stretched (factors): where each pixel comes from, float64 `[2, 3]`."""
    cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    matrix = np.array([[cos / width, sin / width], [-sin / height, cos / height]])
    middle = np.full(2, (SIDE - 1) / 2)
    return np.column_stack([matrix, middle - matrix @ middle])


VIEWS = (_view(8, 1, 1), _view(-8, 1, 1), _view(0, 0.85, 1), _view(0, 0.9, 0.9))
"""How an image is looked at again: turned either way, narrower, smaller."""


def _seen(image: NDArray[np.uint8], view: NDArray[np.float64]) -> NDArray[np.uint8]:
    seen = cv2.warpAffine(image, view, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(seen, np.uint8)


@dataclass(frozen=True)
class Digit:
    """One digit that was read.

    Attributes:
        digit: 0 to 9, or None where the confidence is below the threshold; `?` in the line.
        confidence: the probability of the likeliest digit.
        box: x, y, width, height in the picture's own pixels.
        line: the line that it stands in, counted from 0.
        probabilities: of the ten digits; what is missing to 1 is the probability that it is none.
    """

    digit: int | None
    confidence: float
    box: tuple[int, int, int, int]
    line: int
    probabilities: tuple[float, ...]


@dataclass(frozen=True)
class Reading:
    """What was read in a picture: the lines as text, and each digit with its place.

    Attributes:
        lines: top to bottom, with a space where a gap parts two groups; empty where there is no digit.
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
                name: list(value) if isinstance(value, tuple) else value
                for name, value in asdict(digit).items()
            }
            for digit in self.digits
        ]
        return {
            "lines": list(self.lines),
            "digits": [
                {name: value for name, value in digit.items() if name not in left_out} for digit in digits
            ],
            **({"notes": list(self.notes)} if self.notes else {}),
        }


class Recognizer:
    """A model that reads digits.

    >>> recognizer = Recognizer.load()
    >>> seven = np.full((90, 60), 255, np.uint8)
    >>> seven[10:18, 10:50] = 0
    >>> for y in range(18, 80):
    ...     seven[y, 46 - y // 3 : 54 - y // 3] = 0
    >>> recognizer.read(seven).lines
    ('7',)
    """

    def __init__(self, model: bytes, *, threads: int = 0) -> None:
        """
        Args:
            model: the bytes of an ONNX file with `images`, uint8 `[batch, 28, 28]`, in and `logits`,
                float32 `[batch, 10]` or `[batch, 12]`, out.
            threads: of computation for each call; 0 takes one for each core. The answers are the same.

        Raises:
            ValueError: it is no such file.
        """
        try:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = threads
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # ONNX Runtime raises classes of its own, with no common base
            raise ValueError(f"not an ONNX model: {error}") from error
        inputs = {item.name: item.type for item in self._session.get_inputs()}
        outputs = {item.name: item.type for item in self._session.get_outputs()}
        if inputs != {"images": "tensor(uint8)"} or outputs.get("logits") != "tensor(float)":
            raise ValueError(
                "expected the input images (uint8) and the output logits (float32), "
                f"found {inputs} and {outputs}"
            )

    @staticmethod
    def load(source: Path | str | None = None, *, threads: int = 0) -> "Recognizer":
        """Loads a model.

        Args:
            source: a run folder, an ONNX file that mnistry wrote, or nothing for the shipped model.
            threads: see `Recognizer`; one is best where several threads read pictures.

        Raises:
            RunError: there is no such file or folder, or it holds no usable model.
        """
        path = SHIPPED_MODEL if source is None else Path(source)
        if path.is_dir():
            path = path / "model.onnx"
            if not path.exists():
                raise RunError(
                    f"{path.parent}: there is no model.onnx in it. If this is the folder of a run that was "
                    f"stopped, finish it with `mnistry train --resume {path.parent}`"
                )
        try:
            return Recognizer(path.read_bytes(), threads=threads)
        except FileNotFoundError as error:
            raise RunError(f"{path}: there is no such model or run folder") from error
        except ValueError as error:
            raise RunError(f"{path}: {error}") from error

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The logits of the ten digits, float32 `[n, 10]`, of MNIST-like images, uint8 `[n, 28, 28]`."""
        return self.all_logits(images)[:, :DIGITS]

    def all_logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `logits`, float32 `[n, 12]` where the model knows "no digit" and "several", its last classes."""
        parts = [
            self._session.run(["logits"], {"images": np.ascontiguousarray(images[start : start + BATCH])})[0]
            for start in range(0, max(len(images), 1), BATCH)
        ]
        return np.concatenate(parts)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The probabilities of the ten digits, of "no digit" and of "several", float64 `[n, 12]`.

        Those of an image that is not sure are the means over the image as it is and a little turned, narrowed
        and shrunk. A model without the two last classes has a small constant probability for each.
        """
        found = self._at_first_sight(images)
        unsure = np.flatnonzero(found.max(axis=1) < SURE)
        if len(unsure):
            views = [_seen(image, view) for view in VIEWS for image in images[unsure]]
            again = self._at_first_sight(np.stack(views)).reshape(len(VIEWS), len(unsure), -1)
            found[unsure] = (found[unsure] + again.sum(axis=0)) / (1 + len(VIEWS))
        return found

    def _at_first_sight(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        logits = self.all_logits(images)
        if logits.shape[1] > DIGITS:
            return probabilities(logits - NONE_SHIFT * (np.arange(logits.shape[1]) >= DIGITS))
        return np.pad(probabilities(logits) * (1 - 2 * GUESS), ((0, 0), (0, 2)), constant_values=GUESS)

    def read(self, picture: Picture, *, min_confidence: float = MIN_CONFIDENCE) -> Reading:
        """Reads the digits in a picture: one, a row, or many lines with groups.

        Pages that lie on their side or on their head are turned, tilted ones are levelled, where at least
        four digits tell. What is no digit is left out; a picture without digits gives no lines.

        Args:
            picture: see `mnistry.data.decode.open_picture`: the path of a picture file, a file opened for
                reading bytes, a PIL image, or an array.
            min_confidence: a digit below it is given as `?` and None.

        Raises:
            PictureError: it cannot be read.
        """
        return self.examine(picture, min_confidence=min_confidence).reading

    def examine(self, picture: Picture, *, min_confidence: float = MIN_CONFIDENCE) -> "Examination":
        """As `read`, with all that was found on the way; see `mnistry.reading.explain`."""
        decoded = open_picture(picture, longest_side=LONGEST_SIDE)
        page = find_page(decoded.grey, self._at_first_sight)
        lines = [FoundLine(text, read_line(text.line, self.probabilities)) for text in text_lines(page)]
        lines = [line for line in lines if line.digits]
        breaks = group_breaks([[line.text.on_page(found.box) for found, _ in line.digits] for line in lines])
        texts, digits = [], []
        for number, line in enumerate(lines):
            text = ""
            for (found, chances), after_gap in zip(line.digits, breaks[number], strict=True):
                value, confidence = int(chances[:DIGITS].argmax()), float(chances[:DIGITS].max())
                known = confidence >= min_confidence
                box = picture_box(line.text.on_page(found.box), page.origin, decoded.scale, decoded.size)
                ten = tuple(chances[:DIGITS].tolist())
                digits.append(Digit(value if known else None, confidence, box, number, ten))
                text += " " * after_gap + (str(value) if known else "?")
            texts.append(text)
        reading = Reading(tuple(texts), tuple(digits), decoded.notes)
        return Examination(decoded.grey, page, tuple(lines), reading)


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
