"""The recognizer: pictures in, digits out, by any model that was exported as ONNX."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from mnistry.errors import RunError
from mnistry.evaluation.metrics import probabilities
from mnistry.reading.picture import Picture, find_ink, open_picture

SHIPPED_MODEL = Path(__file__).parent / "model.onnx"
BATCH = 1000
MIN_CONFIDENCE = 0.5


@dataclass(frozen=True)
class Digit:
    """One digit that was read.

    Attributes:
        digit: 0 to 9, or None where the confidence is below the threshold; `?` in the line.
        confidence: the probability of the likeliest digit.
        box: x, y, width, height in the picture's own pixels.
        line: the line that it stands in, counted from 0.
        probabilities: of the ten digits; what is missing to 1 is the probability of "no digit".
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

    def __init__(self, model: bytes) -> None:
        """
        Args:
            model: the bytes of an ONNX file with `images`, uint8 `[batch, 28, 28]`, in and `logits`,
                float32 `[batch, 10]`, out.

        Raises:
            ValueError: it is no such file.
        """
        try:
            self._session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
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
    def load(source: Path | str | None = None) -> "Recognizer":
        """Loads a model.

        Args:
            source: a run folder, an ONNX file that mnistry wrote, or nothing for the shipped model.

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
            return Recognizer(path.read_bytes())
        except FileNotFoundError as error:
            raise RunError(f"{path}: there is no such model or run folder") from error
        except ValueError as error:
            raise RunError(f"{path}: {error}") from error

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The logits, float32 `[n, 10]`, of MNIST-like images, uint8 `[n, 28, 28]`."""
        parts = [
            self._session.run(["logits"], {"images": np.ascontiguousarray(images[start : start + BATCH])})[0]
            for start in range(0, len(images), BATCH)
        ]
        return np.concatenate([np.empty((0, 10), np.float32), *parts])

    def read(self, picture: Picture, *, min_confidence: float = MIN_CONFIDENCE) -> Reading:
        """Reads the digits in a picture.

        Args:
            picture: the path of a picture file, a file opened for reading bytes, a PIL image, or an
                array: `[height, width]` grey or `[height, width, 3 or 4]` colour, uint8.
            min_confidence: a digit below it is given as `?` and None.

        Raises:
            PictureError: it cannot be read, or there is no ink in it.
        """
        found = find_ink(open_picture(picture))
        (chances,) = probabilities(self.logits(found.image[None]))
        value, confidence = int(chances.argmax()), float(chances.max())
        known = confidence >= min_confidence
        digit = Digit(value if known else None, confidence, found.box, 0, tuple(chances.tolist()))
        return Reading((str(value) if known else "?",), (digit,))
