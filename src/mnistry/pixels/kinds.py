"""What a file is by its first bytes, as far as that decides which library decodes it."""

from typing import IO, Literal

from mnistry.errors import PictureFormatError

Kind = Literal["picture", "heic", "tiff", "svg", "pdf", "archive"]
DOCUMENTS: frozenset[Kind] = frozenset(("tiff", "pdf", "archive"))
"""Of these a file may hold several pages."""

_START = 4096  # bytes; an SVG drawing may begin with comments and declarations
_MARKS: dict[bytes, Kind] = {
    b"%PDF-": "pdf",
    b"ftyphei": "heic",
    b"ftyphev": "heic",
    b"ftypmif1": "heic",
    b"ftypmsf1": "heic",
}
_TIFFS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ARCHIVES = (b"PK\3\4", b"PK\5\6")  # the second begins one that is empty


def kind_of(file: IO[bytes]) -> Kind:
    """What is in a file that can seek; where it stands afterwards is not defined.

    Raises:
        PictureFormatError: nothing is in it, or a page of the web.
    """
    file.seek(0)
    start = file.read(_START)
    if not start:
        raise PictureFormatError("the file is empty.")
    for mark, kind in _MARKS.items():
        if mark in start[:32]:
            return kind
    if start.startswith(_TIFFS):
        return "tiff"
    if start.startswith(_ARCHIVES):
        return "archive"
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<!doctype html", b"<html")):
        raise PictureFormatError("this is an HTML page; save the picture itself, not the page that shows it.")
    if text.startswith(b"<"):
        if b"<svg" in text or b"<!doctype svg" in text:
            return "svg"
        raise PictureFormatError("this is an XML file, but no SVG drawing; save what it shows as PNG.")
    return "picture"


def needs(what: str, library: str) -> PictureFormatError:
    """The error that something is read only with a library that is not installed."""
    return PictureFormatError(
        f"this is {what}; to read it needs {library}, which is not installed: "
        "pip install 'mnistry[documents]'."
    )
