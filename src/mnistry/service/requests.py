"""What a request says: its parameters, its pictures, its images. What is wrong with it is a `Problem`."""

import asyncio
import re
from typing import Annotated, TypeVar
from urllib.parse import parse_qsl

import msgspec
import numpy as np
from numpy.typing import NDArray
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from mnistry.pixels.pdf import DPI
from mnistry.reading.labels import LABEL
from mnistry.reading.recognizer import MIN_CONFIDENCE
from mnistry.service.limits import Limits
from mnistry.service.problems import Problem

SIDE = 28
OCTETS = "application/octet-stream"
UNNAMED = "application/x-www-form-urlencoded"  # what `curl --data-binary` says of whatever it sends
FORM = "multipart/form-data"
JSON = "application/json"
DOCUMENTS = ("application/pdf", "application/zip")

MOST_LABEL = 1000  # characters: more than there are on a page, and they fit into the head of a request

CHARSETS = ("utf-8", "us-ascii")  # of the names in a form; many more that Python knows fail, or take long

Pixel = Annotated[int, msgspec.Meta(ge=0, le=255)]
Row = Annotated[list[Pixel], msgspec.Meta(min_length=SIDE, max_length=SIDE)]
OneImage = Annotated[list[Row], msgspec.Meta(min_length=SIDE, max_length=SIDE)]


class ModelParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What follows `?` in the address of a request to classify."""

    model: Annotated[
        str,
        msgspec.Meta(
            max_length=200, description="The name of a model of `/v1/models`; empty: the default one."
        ),
    ] = ""


class ExplainParameters(ModelParameters, frozen=True, forbid_unknown_fields=True):
    """… to explain."""

    min_confidence: Annotated[
        float,
        msgspec.Meta(ge=0, le=1, description="A digit of less confidence is `?` in its line and null."),
    ] = MIN_CONFIDENCE


class ReadParameters(ExplainParameters, frozen=True, forbid_unknown_fields=True):
    """… to read."""

    probabilities: Annotated[bool, msgspec.Meta(description="Give the ten probabilities of each digit.")] = (
        False
    )
    seen: Annotated[
        bool, msgspec.Meta(description="Give the 28×28 image of each digit that the model was given.")
    ] = False
    dpi: Annotated[
        float,
        msgspec.Meta(
            ge=1,
            le=2400,
            description="Dots an inch at which the pages of a PDF are drawn; boxes are counted in them.",
        ),
    ] = DPI


class CorrectionParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """… to keep a correction."""

    lines: Annotated[
        str,
        msgspec.Meta(
            max_length=MOST_LABEL,
            extra_json_schema={"pattern": f"^(?:{LABEL})$"},
            description="What is to be read in the picture: digits, `|` between lines, one space between "
            "groups; empty where there are none.",
        ),
    ]


class PictureParameters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """… of a picture that is labelled."""

    file: str


class LabelParameters(CorrectionParameters, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """… to label it."""

    file: str


class Images(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON body of a request to classify."""

    images: Annotated[list[OneImage], msgspec.Meta(min_length=1)]


class Image(msgspec.Struct, forbid_unknown_fields=True):
    """… a single image."""

    images: OneImage


_ONE_IMAGE = re.compile(rb'\s*{\s*"images"\s*:\s*\[\s*\[\s*[^\s[]')


class _Form(MultiPartParser):
    """Keeps all files in memory, where their bytes are counted: a disk may be full, file descriptors few."""

    spool_max_size = 1 << 62


Parameters = TypeVar("Parameters", bound=msgspec.Struct)


def parameters(request: Request, kind: type[Parameters]) -> Parameters:
    """The parameters in the address.

    Raises:
        Problem: 422: one is unknown, given twice, or out of its range.
    """
    query: bytes = request.scope["query_string"]
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else []
    given = dict(pairs)
    if len(given) < len(pairs):
        raise Problem(422, "A parameter in the address is given twice; give each one once.")
    try:
        found = msgspec.convert(given, kind, strict=False)
    except msgspec.ValidationError as error:
        known = ", ".join(kind.__struct_fields__)
        raise Problem(422, f"The parameters in the address: {error}. Known: {known}.") from error
    return found


def label(asked: CorrectionParameters) -> str:
    """What is to be read in a picture.

    Raises:
        Problem: it is no label (422).
    """
    if not re.fullmatch(LABEL, asked.lines):
        raise Problem(
            422,
            "Expected digits in `lines`, with `|` between lines and one space between groups, or nothing; "
            f"found {asked.lines!r}.",
        )
    return asked.lines


def media_type(request: Request) -> str:
    """The type of the body without its parameters, in lower case; bytes where none is named."""
    kind = request.headers.get("content-type", OCTETS).partition(";")[0].strip().lower()
    return OCTETS if kind == UNNAMED else kind


def is_picture(kind: str) -> bool:
    """Whether a body of this media type may be a picture or a document."""
    return kind == OCTETS or kind.startswith("image/") or kind in DOCUMENTS


async def picture(request: Request) -> bytes:
    """The body as one picture.

    Raises:
        Problem: it is said to be something else (415), or is empty (422).
    """
    kind = media_type(request)
    if not is_picture(kind):
        raise Problem(
            415,
            f"Expected a picture as image/…, {', '.join(DOCUMENTS)} or {OCTETS}, found {kind or 'no type'}.",
        )
    content = await request.body()
    if not content:
        raise Problem(422, "The body is empty; send the bytes of a picture.")
    return content


async def pictures(request: Request, limits: Limits) -> list[tuple[str, bytes]]:
    """The files of a form, each with its name, in the order sent.

    Raises:
        Problem: the form is damaged (400), has too many files (413), is of another character set (415), or
            has no file, or other fields (422).
    """
    charset = (
        parse_options_header(request.headers["content-type"])[1].get(b"charset", b"utf-8").decode("latin-1")
    )
    if charset.lower() not in CHARSETS:
        raise Problem(415, f"Expected a form whose names are in utf-8, found charset={charset!r}.")
    try:
        parser = _Form(request.headers, request.stream(), max_files=limits.files, max_fields=limits.files)
        form = await parser.parse()
    except MultiPartException as error:
        if "Too many" in error.message:
            raise Problem(413, f"At most {limits.files} pictures are read in one request.") from error
        raise Problem(400, f"The form is damaged: {error.message}") from error
    items = [
        (item.filename or "", await item.read()) if isinstance(item, UploadFile) else name
        for name, item in form.multi_items()
    ]
    await form.close()
    files = [item for item in items if not isinstance(item, str)]
    if len(files) < len(items):
        name = next(item for item in items if isinstance(item, str))
        raise Problem(422, f"The field {name!r} is no file; parameters are given in the address.")
    if not files:
        raise Problem(422, "The form has no file; send at least one picture.")
    return files


async def images(request: Request, limits: Limits) -> NDArray[np.uint8]:
    """The 28×28 images of a body, uint8 `[n, 28, 28]`, ink bright.

    Raises:
        Problem: of another media type (415), no JSON (400), too many (413), of another shape (422).
    """
    kind = media_type(request)
    if kind not in (OCTETS, JSON):
        raise Problem(415, f"Expected {JSON} or {OCTETS}, found {kind or 'no type'}.")
    body = await request.body()
    if kind == JSON:
        found = await asyncio.to_thread(_from_json, body, limits)
    elif body and len(body) % SIDE**2 == 0:
        found = np.frombuffer(body, np.uint8).reshape(-1, SIDE, SIDE)
    else:
        raise Problem(422, f"Expected {SIDE**2} bytes for each image, found {len(body):,} bytes in all.")
    if len(found) > limits.images:
        raise Problem(413, f"At most {limits.images:,} images in one request, found {len(found):,}.")
    return found


def _from_json(body: bytes, limits: Limits) -> NDArray[np.uint8]:
    # A list's length is looked at when it is complete; what lists take in memory is bounded by their marks.
    most = limits.images
    if body.count(b"[") > 1 + (1 + SIDE) * most or body.count(b",") >= SIDE**2 * most:
        raise Problem(
            413, f"At most {most:,} images of {SIDE}×{SIDE} values in one request; this has more values."
        )
    try:
        if _ONE_IMAGE.match(body):
            images = [msgspec.json.decode(body, type=Image).images]
        else:
            images = msgspec.json.decode(body, type=Images).images
    except msgspec.ValidationError as error:
        raise Problem(422, f"{error}.") from error
    except msgspec.DecodeError as error:
        raise Problem(400, f"The body is no JSON: {error}.") from error
    rows = b"".join(bytes(row) for image in images for row in image)
    return np.frombuffer(rows, np.uint8).reshape(-1, SIDE, SIDE)
