"""Images with titles and captions, put together on white paper."""

import textwrap
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from PIL import Image, ImageDraw, ImageFont, ImageOps

WIDTH, BORDER, GAP = 1800, 28, 20  # pixels of a sheet, as are the following
INNER = WIDTH - 2 * BORDER
NARROWEST = 190  # room for a panel's caption

Colour = tuple[int, int, int]
PAPER, TEXT, MUTED, RULE = (255, 255, 255), (28, 28, 33), (100, 100, 110), (208, 208, 204)


class Panel(NamedTuple):
    """An image with a caption.

    Attributes:
        title: stands above it.
        caption: below its title.
        size: width and height, of which its scale is chosen.
        draw: the image, at so many pixels for one of the size.
    """

    title: str
    caption: str
    size: tuple[int, int]
    draw: Callable[[float], Image.Image]


@cache
def font(size: int) -> ImageFont.FreeTypeFont:
    """Pillow's own, at so many pixels."""
    found = ImageFont.load_default(size)
    assert isinstance(found, ImageFont.FreeTypeFont)  # Pillow's wheels have FreeType
    return found


def text(words: str, size: int, colour: Colour = TEXT, room: int = INNER) -> Image.Image:
    """A text as an image, in as many lines as it needs."""
    lines = textwrap.wrap(words, int(room / (0.55 * size)))
    pitch = round(1.3 * size)
    width = max(int(font(size).getlength(line)) + 2 for line in lines)
    image = Image.new("RGB", (width, pitch * len(lines)), PAPER)
    for number, line in enumerate(lines):
        ImageDraw.Draw(image).text((0, number * pitch), line, colour, font(size))
    return image


def scaled(image: Image.Image, zoom: float) -> Image.Image:
    """Larger with its pixels to be seen, or smaller and smooth."""
    size = (max(1, round(image.width * zoom)), max(1, round(image.height * zoom)))
    return image.resize(size, Image.Resampling.NEAREST if zoom >= 3 else Image.Resampling.LANCZOS)


def paled(image: Image.Image, share: float) -> Image.Image:
    """Nearer to white."""
    return Image.blend(image, Image.new("RGB", image.size, PAPER), share)


def framed(image: Image.Image) -> Image.Image:
    """With a thin rule around it."""
    return ImageOps.expand(image, 1, RULE)


def row(panels: Sequence[Panel], lowest: int, highest: int) -> Image.Image:
    """Panels of one height, in as many columns as keep them so high as `lowest`."""
    for columns in range(len(panels), 0, -1):
        space = INNER - (columns - 1) * GAP - 2 * columns  # a frame adds a pixel on each side
        wide = [
            sum(panel.size[0] / panel.size[1] for panel in panels[first : first + columns])
            for first in range(0, len(panels), columns)
        ]
        height = max(1, min(highest, int(space / max(wide))))
        if height >= lowest:
            break
    shown = []
    for panel in panels:
        image = framed(panel.draw(height / panel.size[1]))
        room = max(NARROWEST, image.width)
        titles = [text(panel.title, 18, room=room), text(panel.caption, 14, MUTED, room)]
        shown.append(stacked([*titles, image], 4))
    return flowed(shown)


def stacked(images: Sequence[Image.Image], gap: int) -> Image.Image:
    """Images one below the other."""
    size = (max(image.width for image in images), sum(image.height + gap for image in images) - gap)
    sheet = Image.new("RGB", size, PAPER)
    top = 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height + gap
    return sheet


def flowed(images: Sequence[Image.Image]) -> Image.Image:
    """Images side by side like words: in rows, as many in each as there is room for."""
    rows: list[list[Image.Image]] = []
    left = INNER
    for image in images:
        if left + GAP + image.width > INNER:
            rows.append([])
            left = -GAP
        rows[-1].append(image)
        left += GAP + image.width
    return stacked([_beside(images) for images in rows], GAP)


def _beside(images: Sequence[Image.Image]) -> Image.Image:
    size = (sum(image.width + GAP for image in images) - GAP, max(image.height for image in images))
    sheet = Image.new("RGB", size, PAPER)
    left = 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width + GAP
    return sheet
