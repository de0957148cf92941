"""What is answered, as types: what is sent is made of them, and so is its description in `openapi.py`."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from mnistry.service.problems import ProblemDetails

Probability = Annotated[float, Meta(ge=0, le=1)]
Value = Annotated[int, Meta(ge=0)]
TenProbabilities = Annotated[list[Probability], Meta(min_length=10)]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]


class Digit(Struct, forbid_unknown_fields=True):
    """One digit that was read."""

    digit: Annotated[Value | None, Meta(description="Null where the confidence is below the threshold.")]
    confidence: Annotated[Probability, Meta(description="The probability of the likeliest digit.")]
    box: Annotated[
        tuple[int, int, int, int], Meta(description="x, y, width, height in the picture's own pixels.")
    ]
    line: Annotated[int, Meta(ge=0, description="The line that it stands in, from 0.")]
    name: (
        Annotated[str, Meta(description="Of its class, where the model learnt classes that have names.")]
        | UnsetType
    ) = UNSET
    probabilities: (
        Annotated[TenProbabilities, Meta(description="Of 0 to 9; what is missing to 1 is “no digit”.")]
        | UnsetType
    ) = UNSET
    seen: (
        Annotated[
            str,
            Meta(
                description="784 bytes, row by row, ink bright.",
                extra_json_schema={"contentEncoding": "base64"},
            ),
        ]
        | UnsetType
    ) = UNSET


Lines = Annotated[list[str], Meta(description="Top to bottom; a space where a gap parts two groups.")]
Digits = Annotated[list[Digit], Meta(description="In the order of the lines.")]
Notes = Annotated[list[str], Meta(description="What was decided on the way, such as which frame was read.")]


class Reading(Struct, forbid_unknown_fields=True):
    """What was read in a picture."""

    lines: Lines
    digits: Digits
    notes: Notes | UnsetType = UNSET


class PageReading(Struct, forbid_unknown_fields=True):
    """… on a page of a document: lines and digits, or, where it cannot be read, the error."""

    page: Annotated[int, Meta(ge=1, description="Its number, from 1.")]
    file: Annotated[str, Meta(description="Its name in an archive.")] | UnsetType = UNSET
    dpi: Annotated[float, Meta(description="Dots an inch at which it was drawn.")] | UnsetType = UNSET
    lines: Lines | UnsetType = UNSET
    digits: Digits | UnsetType = UNSET
    notes: Notes | UnsetType = UNSET
    error: ProblemDetails | UnsetType = UNSET


Pages = Annotated[list[PageReading], Meta(description="All of them, in their order.")]


class DocumentReading(Struct, forbid_unknown_fields=True):
    """… in a document: a PDF, a TIFF of several pages, or a ZIP archive of pictures."""

    pages: Pages
    notes: Notes | UnsetType = UNSET


class FileReading(Struct, forbid_unknown_fields=True):
    """… in a file of a form: lines and digits, or pages, or, where it cannot be read, the error."""

    file: str
    pages: Pages | UnsetType = UNSET
    lines: Lines | UnsetType = UNSET
    digits: Digits | UnsetType = UNSET
    notes: Notes | UnsetType = UNSET
    error: ProblemDetails | UnsetType = UNSET


class Readings(Struct, forbid_unknown_fields=True):
    """What was read in the files of a form."""

    results: Annotated[list[FileReading], Meta(description="One for each file, in the order sent.")]


class Classified(Struct, forbid_unknown_fields=True):
    """The answers for 28×28 images, in the order sent."""

    digits: list[Value]
    confidences: list[Probability]
    probabilities: list[TenProbabilities]
    names: (
        Annotated[
            list[str], Meta(description="Of their classes, where the model learnt classes that have names.")
        ]
        | UnsetType
    ) = UNSET


class Model(Struct, forbid_unknown_fields=True):
    """A model that can be asked for."""

    name: str
    default: bool
    recipe: str | None
    sha256: Sha256
    bytes: int
    accuracy: Annotated[float | None, Meta(description="On the test part.")]
    class_names: (
        Annotated[list[str], Meta(description="Of 0 to 9, where it learnt classes that have names.")]
        | UnsetType
    ) = UNSET


class Models(Struct, forbid_unknown_fields=True):
    """All of them, the default first."""

    models: list[Model]


class Corrections(Struct, forbid_unknown_fields=True):
    """Whether the service keeps corrections, and how many there are."""

    kept: Annotated[bool, Meta(description="False where it was started without a folder for them.")]
    pictures: Annotated[int, Meta(ge=0)] = 0


class PictureToLabel(Struct, forbid_unknown_fields=True):
    """A picture of a folder, and what its table says is to be read in it."""

    file: str
    label: str | None


class PicturesToLabel(Struct, forbid_unknown_fields=True):
    """All of them."""

    pictures: list[PictureToLabel]


class Status(Struct, forbid_unknown_fields=True):
    """That the service runs."""

    status: Literal["ok"] = "ok"
