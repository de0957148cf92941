"""The readers that are measured, each on a whole set of pictures in a process of its own."""

import hashlib
import json
import multiprocessing
import subprocess
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import mnistry
from mnistry.data import Examples
from mnistry.data.decode import Picture
from mnistry.reading.classifier import SHIPPED_MODEL
from mnistry.reading.detector import SHIPPED_DETECTOR
from mnistry.reading.labels import Labelled
from mnistry.reading.measure import Reader, measure
from mnistry.reading.onnx_files import path_of
from mnistry.reading.recognizer import Reading, Recognizer
from mnistry.reading.verifier import SHIPPED_VERIFIER
from peers import environments, tesseract
from peers.rapidocr_digits import most_megabytes

if TYPE_CHECKING:
    from peers.opencv_digits import OpenCvDigits

CODE = Path(mnistry.__file__).parent
DECODING = ("pixels/*.py", "data/decode.py")
"""Files of mnistry that decide what a picture is, for peers too."""
READING = ("reading/*.py", "data/normalize.py", *DECODING)
"""Files of mnistry that decide what is read."""
PEERS = Path(environments.__file__).parent

Value = TypeVar("Value")


class Read(NamedTuple):
    """What was read in one picture.

    Attributes:
        lines: see `Answer`.
        seconds: see `Answer`.
        confidence: the highest of a digit; 0 where there is none, None where the reader tells none.
        error: see `Answer`.
    """

    lines: tuple[str, ...]
    seconds: float
    confidence: float | None = None
    error: str | None = None


class SetRead(NamedTuple):
    """What was read in a set, and the most memory that the reader's process took; None if not known."""

    reads: tuple[Read, ...]
    megabytes: float | None


class SetReader(ABC):
    """A reader that is measured.

    Attributes:
        digest: SHA-256 of its model and its code; what was read with another one is out of date.
        most: pictures of a set that it reads; of larger sets a sample, always the same.
    """

    digest: str
    most: int | None = None

    @abstractmethod
    def read(self, pictures: Sequence[Labelled]) -> SetRead:
        """Reads a set."""


class Mnistry(SetReader):
    """The reader of mnistry."""

    def __init__(self, model: Path | None) -> None:
        """
        Args:
            model: a classifier or a detector, see `Recognizer.load`.

        Raises:
            RunError: it cannot be used.
        """
        Recognizer.load(model)  # what is wrong with it is said before anything is measured
        named = [path_of(model)] if model else []
        self.digest = digest_of(*named, SHIPPED_MODEL, SHIPPED_DETECTOR, SHIPPED_VERIFIER, code=READING)
        self._load = partial(Recognizer.load, model)

    def read(self, pictures: Sequence[Labelled]) -> SetRead:
        """Reads a set."""
        reads, megabytes = apart(_read, self._load, pictures)
        return SetRead(reads, megabytes)


class OpenCv(SetReader):
    """OpenCV's samples, which learn from MNIST's training digits first."""

    def __init__(self, train: Callable[[], Examples]) -> None:
        self.digest = digest_of(PEERS / "opencv_digits.py", code=DECODING)
        self._train = train

    @cached_property
    def _trained(self) -> "OpenCvDigits":
        # Here, as scikit-learn would count as memory of the others.
        from peers.opencv_digits import OpenCvDigits

        train = self._train()
        return OpenCvDigits(train.images, train.labels)

    def read(self, pictures: Sequence[Labelled]) -> SetRead:
        """Reads a set."""
        reads, megabytes = apart(_read, partial(_itself, self._trained), pictures)
        # It tells no confidence.
        return SetRead(tuple(read._replace(confidence=None) for read in reads), megabytes)


class Tesseract(SetReader):
    """Tesseract in digit mode; all pictures in one process, whose seconds are shared out evenly."""

    most = 500

    def __init__(self) -> None:
        self.digest = digest_of(PEERS / "tesseract.py", tesseract.version().encode(), code=DECODING)

    def read(self, pictures: Sequence[Labelled]) -> SetRead:
        """Reads a set."""
        lines, seconds = tesseract.read_all([one.picture for one in pictures])
        return SetRead(tuple(Read(read, seconds / len(pictures)) for read in lines), None)


class RapidOcr(SetReader):
    """RapidOCR, which runs PaddleOCR's models, given pictures as Tesseract is."""

    most = 200

    def __init__(self) -> None:
        self._program = PEERS / "rapidocr_digits.py"
        required = " ".join(environments.REQUIREMENTS["rapidocr"]).encode()
        self.digest = digest_of(self._program, PEERS / "tesseract.py", required, code=DECODING)

    def read(self, pictures: Sequence[Labelled]) -> SetRead:
        """Reads a set.

        Raises:
            SystemExit: its environment cannot be made, or it fails.
        """
        command = [str(environments.interpreter("rapidocr")), str(self._program)]
        with tempfile.TemporaryDirectory() as folder:
            paths = [Path(folder) / f"{number}.png" for number in range(len(pictures))]
            for path, one in zip(paths, pictures, strict=True):
                tesseract.prepared(one.picture).save(path)
            listed = "".join(f"{path}\n" for path in paths)
            done = subprocess.run(command, input=listed, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            raise SystemExit(f"{' '.join(command)} failed; --peers can name the others only")
        found = json.loads(done.stdout)
        pairs = zip(found["lines"], found["seconds"], strict=True)
        return SetRead(tuple(Read(tuple(lines), each) for lines, each in pairs), found["megabytes"])


def digest_of(*parts: Path | bytes, code: Sequence[str]) -> str:
    """SHA-256 of files or bytes, and of those files of mnistry."""
    files = [path for pattern in code for path in sorted(CODE.glob(pattern))]
    digest = hashlib.sha256()
    for part in (*parts, *files):
        digest.update(hashlib.sha256(part if isinstance(part, bytes) else part.read_bytes()).digest())
    return digest.hexdigest()


def apart(function: Callable[..., Value], *arguments: object) -> tuple[Value, float]:
    """Calls a function in a process of its own, and tells the most megabytes that it took."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        return executor.submit(_with_memory, function, *arguments).result()


def _with_memory(function: Callable[..., Value], *arguments: object) -> tuple[Value, float]:
    value = function(*arguments)
    return value, most_megabytes()


class _Remembering:
    """A reader that keeps how sure its readings were."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.confidence = 0.0

    def read(self, picture: Picture, *, min_confidence: float) -> Reading:
        self.confidence = 0.0
        reading = self._reader.read(picture, min_confidence=min_confidence)
        self.confidence = max((digit.confidence for digit in reading.digits), default=0.0)
        return reading


def _read(load: Callable[[], Reader], pictures: Sequence[Labelled]) -> tuple[Read, ...]:
    reader = _Remembering(load())
    measure(reader, pictures[:1])  # the first one takes longer
    reads = []
    for picture in pictures:
        (answer,) = measure(reader, [picture]).answers
        reads.append(Read(answer.lines, answer.seconds, reader.confidence, answer.error))
    return tuple(reads)


def _itself(reader: Reader) -> Reader:
    return reader
