"""An SVG drawing as an image, by resvg."""

import io
from typing import IO
from xml.etree import ElementTree

from PIL import Image

from mnistry.errors import PictureError
from mnistry.pixels.kinds import needs

LONGEST_SIDE = 2048
"""Pixels of the longer side of a drawing, which has no resolution of its own."""
_LOADING = ("image", "feImage")  # elements whose file would be fetched from this machine's disk


def draw(file: IO[bytes], longest_side: int | None) -> Image.Image:
    """Draws an SVG, transparent where nothing is drawn, as large as fits into a square.

    Raises:
        PictureError: it is damaged, or shows other files.
    """
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise needs("an SVG drawing", "resvg-py") from error
    file.seek(0)
    content = file.read()
    try:
        elements = list(ElementTree.fromstring(content).iter())
        text = content.decode("utf-8-sig")
    except (ElementTree.ParseError, UnicodeDecodeError) as error:
        raise PictureError(f"the SVG drawing is damaged: {error}.") from error
    for element in elements:
        if _name(element.tag) in _LOADING:
            _require_within(element)
    side = min(longest_side or LONGEST_SIDE, LONGEST_SIDE)
    with_text = any(_name(element.tag) == "text" for element in elements)
    try:  # fonts take a while to find, and few drawings have text
        drawn = svg_to_bytes(svg_string=text, width=side, height=side, skip_system_fonts=not with_text)
    except ValueError as error:
        raise PictureError(f"the SVG drawing is damaged: {error}.") from error
    return Image.open(io.BytesIO(drawn), formats=("PNG",))


def _require_within(element: ElementTree.Element) -> None:
    for name, value in element.attrib.items():
        if _name(name) == "href" and not value.strip().startswith(("#", "data:")):
            raise PictureError(
                f"the SVG drawing shows another file, {value[:80]!r}, which is not looked for. Embed it."
            )


def _name(tag: object) -> str:
    """Of an element or attribute, without its namespace."""
    return str(tag).rpartition("}")[2]
