"""Which pages a document has, found without decoding them."""

from itertools import count
from typing import IO

from PIL import Image

from mnistry.errors import PictureError, PictureSizeError
from mnistry.pixels import archive, pdf
from mnistry.pixels.kinds import kind_of

Contents = list[tuple[int, str | None]]
"""Of each page the number by which it is asked for, from 0, and the name of its file if it has one."""

_REDUCED = 1  # a bit of the tag that tells what an image of a TIFF is for
_NEW_SUBFILE_TYPE = 254


def contents(file: IO[bytes], most_pages: int) -> Contents | None:
    """The pages of a document; of an archive, all files. None for what is a picture.

    Raises:
        PictureError: it is damaged, or has too many pages.
    """
    match kind_of(file):
        case "pdf":
            pages = pdf.count_pages(file)
            check_pages(pages, most_pages)
            return [(index, None) for index in range(pages)]
        case "tiff":
            return _of_tiff(file, most_pages)
        case "archive":
            return list(enumerate(archive.names(file)))
        case _:
            return None


def check_pages(pages: int, most_pages: int) -> None:
    """Raises `PictureError` for no pages at all or too many."""
    if not pages:
        raise PictureError("the document has no pages.")
    if pages > most_pages:
        raise _too_many(f"{pages:,}", most_pages)


def _too_many(pages: str, most_pages: int) -> PictureSizeError:
    return PictureSizeError(
        f"the document has {pages} pages; at most {most_pages:,} are read. Save those that you need as a "
        "document of their own."
    )


def _of_tiff(file: IO[bytes], most_pages: int) -> Contents | None:
    file.seek(0)
    try:
        image = Image.open(file, formats=("TIFF",))
    except Exception:  # what decodes it tells what is wrong
        return None
    found: Contents = []
    for index in count():
        try:
            image.seek(index)
            # A small version of a page is no page.
            reduced = image.tag_v2.get(_NEW_SUBFILE_TYPE, 0) & _REDUCED  # type: ignore[attr-defined]
        except EOFError:  # there is no further one
            break
        except Exception:  # as above; the ones after it cannot be found
            found.append((index, None))
            break
        if not reduced:
            found.append((index, None))
        if len(found) > most_pages or index > 2 * most_pages:
            raise _too_many(f"more than {most_pages:,}", most_pages)
    return found if len(found) > 1 else None
