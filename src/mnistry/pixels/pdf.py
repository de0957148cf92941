"""The pages of a PDF, drawn by PDFium: all that is written and scanned on them, filled-in fields too."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

from mnistry.errors import PictureError, PictureSizeError
from mnistry.pixels.kinds import needs
from mnistry.pixels.unpacked import Unpacked, check_size

DPI = 200.0
"""Dots an inch at which pages are drawn: A4 has 1,654×2,339."""
_POINTS = 72  # an inch


def count_pages(file: IO[bytes]) -> int:
    """How many pages a PDF has. Raises `PictureError` where it is damaged or protected."""
    with _opened(file) as pdf:
        return len(pdf)


def draw_page(
    file: IO[bytes], index: int | None, dpi: float, longest_side: int | None, most_pixels: int
) -> Unpacked:
    """Draws a page on white.

    Args:
        file: the PDF.
        index: of the page, from 0; None for the first of a file that is taken for a picture.
        dpi: dots an inch.
        longest_side: a larger page is drawn smaller, so that its longest side has so many pixels.
        most_pixels: that the page may have at that resolution.

    Raises:
        PictureError: there is no such page, it is damaged, or too large.
    """
    with _opened(file) as pdf:
        if (index or 0) >= len(pdf):
            raise PictureError(f"the PDF has {len(pdf)} pages, and none of the number {(index or 0) + 1}.")
        page = pdf[index or 0]
        points = page.get_size()
        size = (math.ceil(points[0] * dpi / _POINTS), math.ceil(points[1] * dpi / _POINTS))
        if size[0] * size[1] > most_pixels:
            fitting = math.floor(dpi * math.sqrt(most_pixels / (size[0] * size[1])))
            raise PictureSizeError(
                f"at {dpi:g} dots an inch the page has {size[0]}×{size[1]} pixels; at most {most_pixels:,} "
                f"are read. Have it drawn at fewer: `dpi={fitting}`."
            )
        check_size(size, most_pixels)
        scale = min(1.0, (longest_side or max(size)) / max(size))
        image = page.render(scale=dpi / _POINTS * scale).to_pil()
        return Unpacked(image, size, len(pdf) if index is None else 1, pages=True)


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[Any]:
    try:
        from pypdfium2 import PdfDocument, PdfiumError
    except ImportError as error:
        raise needs("a PDF", "pypdfium2") from error
    try:
        file.seek(0)
        pdf = PdfDocument(file)
        try:
            pdf.init_forms()  # else what is typed into fields is not drawn
            yield pdf
        finally:
            pdf.close()
    except PdfiumError as error:
        if "password" in str(error).lower():
            raise PictureError("the PDF is protected by a password; save it without one.") from error
        raise PictureError(f"the PDF is damaged or cannot be read: {error}") from error
