"""The pages of a document: each is a picture to whatever reads pictures."""

import math
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from mnistry.data.opening import opened
from mnistry.data.skipped import SUFFIXES, describe_skipped, is_litter
from mnistry.errors import InvalidValueError, PictureError, PictureFormatError
from mnistry.pixels.contents import Contents, check_pages
from mnistry.pixels.kinds import DOCUMENTS, kind_of
from mnistry.pixels.pdf import DPI
from mnistry.pixels.workers import contents_apart

MOST_PAGES = 1000


@dataclass(frozen=True, eq=False, repr=False)
class Page:
    """A page of a document, or a picture that is all of its file. Decoded anew whenever it is read.

    Attributes:
        file: the path of the document, or its content.
        number: from 1.
        index: by which it is found in the document; None for a picture.
        name: of its file in an archive, else None.
        dpi: dots an inch at which it is drawn; None where it has pixels of its own.
    """

    file: Path | bytes
    number: int
    index: int | None = None
    name: str | None = None
    dpi: float | None = None

    def __repr__(self) -> str:
        """Such as `form.pdf, page 3`."""
        file = self.file if isinstance(self.file, Path) else "document"
        return f"{file}, {self.name}" if self.name else f"{file}, page {self.number}"


@dataclass(frozen=True, eq=False)
class Document:
    """What a file with pages holds.

    Attributes:
        pages: at least one.
        notes: what of it is left out.
    """

    pages: tuple[Page, ...]
    notes: tuple[str, ...] = ()


def pages(file: Path | str | IO[bytes], *, dpi: float = DPI) -> tuple[Page, ...]:
    """The pages of a document, in their order; a picture is its own only page.

    Args:
        file: a PDF, a TIFF or a ZIP archive of pictures; or a picture. A path, or a file opened for reading
            bytes.
        dpi: dots an inch at which the pages of a PDF are drawn.

    Raises:
        PictureError: it cannot be read, or has more than 1,000 pages.
        InvalidValueError: `dpi` is not positive.
    """
    if found := find_pages(file, dpi=dpi):
        return found.pages
    with opened(file) as source:
        return (Page(source.for_worker(), 1),)


def find_pages(
    file: Path | str | IO[bytes],
    *,
    dpi: float = DPI,
    most_pages: int = MOST_PAGES,
    deadline: float | None = None,
) -> Document | None:
    """The pages of a document; None for a picture, and for what cannot be opened as whoever reads it tells.

    Args:
        file: see `pages`.
        dpi: see `pages`.
        most_pages: that it may have.
        deadline: the value of `time.monotonic` at which it is given up; a few seconds by default.

    Raises:
        PictureError: the document is damaged, or has too many pages.
        InvalidValueError: `dpi` is not positive.
    """
    if not 0 < dpi < math.inf:
        raise InvalidValueError(f"`dpi` must be more than 0, not {dpi:g}")
    try:
        with opened(file) as source:
            kind = kind_of(source.file)
            if kind not in DOCUMENTS:
                return None
            content = source.for_worker()
    except PictureError:
        return None
    found = contents_apart(content, most_pages, deadline)
    if found is None:
        return None
    notes: tuple[str, ...] = ()
    if kind == "archive":
        found, notes = _pictures(found)
        check_pages(len(found), most_pages)
    drawn_at = dpi if kind == "pdf" else None
    numbered = enumerate(found, 1)
    return Document(
        tuple(Page(content, number, index, name, drawn_at) for number, (index, name) in numbered), notes
    )


def _pictures(files: Contents) -> tuple[Contents, tuple[str, ...]]:
    """Those files of an archive that end as pictures do, and a note of the others."""
    named = [
        (index, PurePosixPath(name))
        for index, name in files
        if name and not name.endswith("/") and not any(is_litter(part) for part in PurePosixPath(name).parts)
    ]
    found = [(index, str(path)) for index, path in named if path.suffix.lower() in SUFFIXES]
    others = describe_skipped(Path(path) for _, path in named if path.suffix.lower() not in SUFFIXES)
    if not found:
        raise PictureFormatError(
            f"no pictures in this archive: expected files that end in {' '.join(sorted(SUFFIXES))}"
            + (f"; {others}" if others else "")
        )
    return sorted(found, key=lambda one: str(one[1])), (others,) if others else ()
