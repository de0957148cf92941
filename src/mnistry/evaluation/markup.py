"""HTML and SVG as a tree, so that every text and attribute is escaped by the library that writes it."""

import base64
import io
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, tostring

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

POSITIVE, NEGATIVE = (74, 108, 247), (232, 89, 12)
_LEVELS = 15  # of each colour: few make small files, and more would not be told apart


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
        pixels: uint8[h, w], grey.
        alt: what is to be seen, for those who cannot see it; also shown on hover.
    """
    from PIL.Image import fromarray

    return _embedded(fromarray(np.ascontiguousarray(pixels)), alt)


def signed_picture(values: NDArray[np.floating[Any]], scale: float, alt: str) -> Element:
    """An image element of values around 0: blue above, orange below, clear at 0.

    Args:
        values: float[h, w].
        scale: the absolute value from which on the colour is full.
        alt: as for `picture`.
    """
    from PIL.Image import fromarray

    levels = np.clip(np.round(values / scale * _LEVELS), -_LEVELS, _LEVELS).astype(np.int64) + _LEVELS
    image = fromarray(levels.astype(np.uint8)).convert("P")
    image.putpalette([part for level in range(-_LEVELS, _LEVELS + 1) for part in _colour(level)], "RGB")
    opacity = bytes(round(255 * abs(level) / _LEVELS) for level in range(-_LEVELS, _LEVELS + 1))
    return _embedded(image, alt, transparency=opacity)


def opener(panel: str, *children: Element | str, class_: str, label: str) -> Element:
    """A button that opens the panel of that identifier, by mouse, touch or keyboard and without a script."""
    return element("button", *children, type="button", popovertarget=panel, class_=class_, aria_label=label)


def panel(identifier: str, title: str, *content: Element) -> Element:
    """What an `opener` opens: above all else, closed by Escape, its button, or a click beside it."""
    close = element("button", "Close", type="button", popovertarget=identifier, popovertargetaction="hide")
    head = element("div", element("strong", title), close, class_="head")
    return element("div", head, *content, id=identifier, popover="auto", role="dialog", aria_label=title)


def section(title: str, lead: str, *content: Element, level: int = 2) -> Element:
    """A part of the page under its heading."""
    return element("section", element(f"h{level}", title), element("p", lead, class_="lead"), *content)


def page(root: Element) -> bytes:
    """The whole document, UTF-8."""
    return b"<!doctype html>\n" + bytes(tostring(root, encoding="utf-8", method="html")) + b"\n"


def _embedded(image: "Image", alt: str, **options: Any) -> Element:
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True, **options)
    source = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()
    return element("img", src=source, alt=alt, title=alt, width=str(image.width), height=str(image.height))


def _colour(level: int) -> tuple[int, int, int]:
    return POSITIVE if level >= 0 else NEGATIVE


def _attribute_name(name: str) -> str:
    return name.removesuffix("_").replace("_", "-")


def _attribute(value: Any) -> str:
    return value if isinstance(value, str) else f"{value:.2f}".rstrip("0").rstrip(".")
