"""From the bytes of a picture to the answer; runs in a thread."""

import base64
import io
import time
from dataclasses import dataclass

import msgspec

from mnistry.data.decode import Decoded, open_picture
from mnistry.data.pages import Document, Page, find_pages
from mnistry.errors import BusyError, PictureError, PictureFormatError, PictureSizeError
from mnistry.pixels.kinds import DOCUMENTS, kind_of
from mnistry.reading.explain import draw_explanation
from mnistry.reading.recognizer import Recognizer
from mnistry.reading.scales import LONGEST_SIDE
from mnistry.service.answers import Reading
from mnistry.service.problems import Problem, busy
from mnistry.service.requests import ExplainParameters, ReadParameters


@dataclass(frozen=True)
class Bounds:
    """What one picture may take.

    Attributes:
        pixels: how many it may have.
        pages: how many a document may have.
        deadline: the value of `time.monotonic` at which it is given up.
    """

    pixels: int
    pages: int
    deadline: float


def may_have_pages(content: bytes) -> bool:
    """Whether this is a document, by its first bytes alone; else it is a picture, or is read as one."""
    try:
        return kind_of(io.BytesIO(content)) in DOCUMENTS
    except PictureError:
        return False


def pages(content: bytes, asked: ReadParameters, bounds: Bounds) -> Document | None:
    """The pages of a document; None for what turns out to be a picture. Raises `Problem` as `read` does."""
    try:
        return find_pages(
            io.BytesIO(content), dpi=asked.dpi, most_pages=bounds.pages, deadline=bounds.deadline
        )
    except PictureError as error:
        raise _problem(error) from error


def read(recognizer: Recognizer, content: bytes | Page, asked: ReadParameters, bounds: Bounds) -> Reading:
    """What `mnistry read --json` tells of a picture or page, with what the classifier saw if asked for.

    Raises:
        Problem: it takes too many pixels, or too long (413), is no picture (415), cannot be read (422), or
            its turn did not come in time (503).
    """
    try:
        examined = recognizer.examine(
            _decoded(content, bounds),
            min_confidence=asked.min_confidence,
            deadline=bounds.deadline,
            quick=True,
        )
    except PictureError as error:
        raise _problem(error) from error
    answer = msgspec.convert(examined.reading.to_json(probabilities=asked.probabilities), Reading)
    if asked.seen:
        found = [one for row in examined.rows for one in row.digits]
        for digit, one in zip(answer.digits, found, strict=True):
            digit.seen = base64.b64encode(one.image.tobytes()).decode()
    return answer


def explain(recognizer: Recognizer, content: bytes, asked: ExplainParameters, bounds: Bounds) -> bytes:
    """A PNG that shows how a picture is read. Raises `Problem` as `read` does."""
    try:
        sheet = draw_explanation(
            recognizer,
            _decoded(content, bounds),
            min_confidence=asked.min_confidence,
            deadline=bounds.deadline,
        )
    except PictureError as error:
        raise _problem(error) from error
    file = io.BytesIO()
    sheet.save(file, format="png")
    return file.getvalue()


def decoded(content: bytes, bounds: Bounds) -> Decoded:
    """The grey levels of a picture, no larger than the reader looks at. Raises `Problem` as `read` does."""
    try:
        return _decoded(content, bounds)
    except PictureError as error:
        raise _problem(error) from error


def _decoded(content: bytes | Page, bounds: Bounds) -> Decoded:
    if time.monotonic() >= bounds.deadline:
        raise busy("Other pictures took all the time there was.")
    return open_picture(
        io.BytesIO(content) if isinstance(content, bytes) else content,
        longest_side=LONGEST_SIDE,
        most_pixels=bounds.pixels,
        deadline=bounds.deadline,
    )


def _problem(error: PictureError) -> Problem:
    text = str(error)
    text = text[:1].upper() + text[1:]
    match error:
        case BusyError():
            return busy(text)
        case PictureFormatError():
            status = 415
        case PictureSizeError():
            status = 413
        case _:
            status = 422
    return Problem(status, text)
