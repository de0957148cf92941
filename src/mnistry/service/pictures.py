"""From the bytes of a picture to the answer; runs in a thread."""

import base64
import io

import msgspec
from PIL import Image

from mnistry.data.decode import FORMATS
from mnistry.errors import PictureError
from mnistry.reading.explain import draw_explanation
from mnistry.reading.recognizer import Recognizer
from mnistry.service.answers import Reading
from mnistry.service.problems import Problem
from mnistry.service.requests import ExplainParameters, ReadParameters


def read(recognizer: Recognizer, content: bytes, asked: ReadParameters, pixels: int) -> Reading:
    """What `mnistry read --json` tells of a picture, with the images that the model saw if asked for.

    Raises:
        Problem: it has more than `pixels` (413), is no picture (415), or cannot be read (422).
    """
    known = _check_head(content, pixels)
    try:
        examined = recognizer.examine(io.BytesIO(content), min_confidence=asked.min_confidence)
    except PictureError as error:
        raise _problem(error, known) from error
    answer = msgspec.convert(examined.reading.to_json(probabilities=asked.probabilities), Reading)
    if asked.seen:
        found = [candidate.image for line in examined.lines for candidate, _ in line.digits]
        for digit, image in zip(answer.digits, found, strict=True):
            digit.seen = base64.b64encode(image.tobytes()).decode()
    return answer


def explain(recognizer: Recognizer, content: bytes, asked: ExplainParameters, pixels: int) -> bytes:
    """A PNG that shows how a picture is read. Raises `Problem` as `read` does."""
    known = _check_head(content, pixels)
    try:
        sheet = draw_explanation(recognizer, io.BytesIO(content), min_confidence=asked.min_confidence)
    except PictureError as error:
        raise _problem(error, known) from error
    file = io.BytesIO()
    sheet.save(file, format="png")
    return file.getvalue()


def _check_head(content: bytes, pixels: int) -> bool:
    """Whether this is a picture of a known format; refuses one with too many pixels before it is decoded."""
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            width, height = image.size
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Problem(413, f"The picture has far more than {pixels:,} pixels. Make it smaller.") from error
    except Exception:  # on damaged files Pillow raises errors of a dozen classes
        return False
    if width * height > pixels:
        raise Problem(
            413, f"The picture has {width}×{height} pixels; at most {pixels:,} are read. Make it smaller."
        )
    return True


def _problem(error: PictureError, known: bool) -> Problem:
    text = str(error)
    return Problem(422 if known else 415, text[:1].upper() + text[1:])
