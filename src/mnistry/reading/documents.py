"""Documents read page by page."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, TypeVar

from mnistry.data.pages import Document, Page, find_pages
from mnistry.errors import PictureError
from mnistry.pixels.pdf import DPI
from mnistry.reading.batch import in_order
from mnistry.reading.recognizer import MIN_CONFIDENCE, Reading, Recognizer

AnyFile = TypeVar("AnyFile", bound=Path | str | IO[bytes])


@dataclass(frozen=True, eq=False)
class PageReading:
    """What was read on a page, or why it cannot be read."""

    page: Page
    result: Reading | PictureError

    def to_json(self, *, probabilities: bool = False) -> dict[str, Any]:
        """The reading's values after `page`, from 1; `file`, in an archive; and `dpi`, of a PDF."""
        values: dict[str, Any] = {"page": self.page.number}
        if self.page.name is not None:
            values["file"] = self.page.name
        if self.page.dpi is not None:
            values["dpi"] = self.page.dpi
        if isinstance(self.result, PictureError):
            return {**values, "error": str(self.result)}
        return {**values, **self.result.to_json(probabilities=probabilities)}


@dataclass(frozen=True, eq=False)
class DocumentReading:
    """What was read in a document.

    Attributes:
        pages: all of them, in their order.
        notes: what of the document was left out.
    """

    pages: tuple[PageReading, ...]
    notes: tuple[str, ...] = ()

    @property
    def failed(self) -> bool:
        """Whether a page could not be read."""
        return any(isinstance(page.result, PictureError) for page in self.pages)

    def to_json(self, *, probabilities: bool = False) -> dict[str, Any]:
        """The reading as JSON values: `{"pages": [{"page": 1, "lines": ["7"], "digits": […]}]}`.

        Args:
            probabilities: give the ten probabilities of every digit too.
        """
        pages = [page.to_json(probabilities=probabilities) for page in self.pages]
        return {"pages": pages, **({"notes": list(self.notes)} if self.notes else {})}


@dataclass(frozen=True, eq=False)
class _Part:
    """A picture, a page, or what cannot be opened."""

    file: Any
    picture: Any
    document: Document | None = None

    def __str__(self) -> str:
        return str(self.picture)


def read_files(
    recognizer: Recognizer,
    files: Iterable[AnyFile],
    *,
    workers: int | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    dpi: float = DPI,
) -> Generator[tuple[AnyFile, Reading | DocumentReading | PictureError], None, None]:
    """Reads pictures and documents as `read_all` reads pictures, pages in parallel too.

    Args:
        recognizer: the model.
        files: pictures; PDFs, TIFFs of several pages, and ZIP archives of pictures.
        workers: how many threads read; by default one for each core.
        min_confidence: a digit below it is given as `?` and None.
        dpi: dots an inch at which the pages of PDFs are drawn.

    Returns:
        Each file with what was read in it, or with the error where it cannot be read.

    Raises:
        ValueError: `workers` is less than one.
        InvalidValueError: `dpi` is not positive.
    """

    def read(part: _Part) -> Reading | PictureError:
        if isinstance(part.picture, PictureError):
            return part.picture
        try:
            return recognizer.read(part.picture, min_confidence=min_confidence)
        except PictureError as error:
            return error

    pages: list[PageReading] = []
    for part, result in in_order(read, _parts(files, dpi), workers=workers):
        if part.document is None:
            yield part.file, result
            continue
        pages.append(PageReading(part.picture, result))
        if len(pages) == len(part.document.pages):
            yield part.file, DocumentReading(tuple(pages), part.document.notes)
            pages = []


def _parts(files: Iterable[AnyFile], dpi: float) -> Iterator[_Part]:
    for file in files:
        try:
            document = find_pages(file, dpi=dpi)
        except PictureError as error:
            yield _Part(file, error)
            continue
        if document is None:
            yield _Part(file, file)
        else:
            yield from (_Part(file, page, document) for page in document.pages)
