"""HTML and SVG as a tree, so that every text and attribute is escaped by the library that writes it."""

import base64
import io
from typing import Any
from xml.etree.ElementTree import Element, tostring

import numpy as np
from numpy.typing import NDArray


def element(tag: str, *children: Element | str, **attributes: str | float) -> Element:
    """One element; in attribute names, a last `_` is dropped (`class_`) and others become `-`.

    Examples:
        >>> tostring(element("p", "a < b", element("b", "!"), "c", class_="x"), "unicode", "html")
        '<p class="x">a &lt; b<b>!</b>c</p>'
    """
    parent = Element(tag, {_attribute_name(name): _attribute(value) for name, value in attributes.items()})
    for child in children:
        if isinstance(child, Element):
            parent.append(child)
        elif len(parent):
            parent[-1].tail = (parent[-1].tail or "") + child
        else:
            parent.text = (parent.text or "") + child
    return parent


def picture(pixels: NDArray[np.uint8], alt: str) -> Element:
    """An image element that carries its picture with it.

    Args:
        pixels: uint8[h, w] grey, or uint8[h, w, 4] red, green, blue and opacity.
        alt: what is to be seen, for those who cannot see it; also shown on hover.
    """
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", optimize=True)
    source = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    height, width = pixels.shape[:2]
    return element("img", src=source, alt=alt, title=alt, width=str(width), height=str(height))


def page(root: Element) -> bytes:
    """The whole document, UTF-8."""
    return b"<!doctype html>\n" + bytes(tostring(root, encoding="utf-8", method="html")) + b"\n"


def _attribute_name(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")


def _attribute(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
