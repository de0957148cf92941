"""Contact sheets: many small images on one page, each with its caption."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mnistry.errors import InvalidValueError

_ZOOM = 2
_GAP = 6
_TEXT_SIZE = 12
_LINE = 15
_PAPER, _TEXT = 255, 40


def draw_sheet(images: NDArray[np.uint8], captions: Sequence[str] | None, columns: int) -> Image.Image:
    """Draws images in rows, left to right, each twice its size and above its caption.

    Args:
        images: uint8[n, height, width], such as [n, 28, 28].
        captions: one text for each image, cut off where the next begins; None for no captions.
        columns: how many images a row has.

    Returns:
        A grey picture.

    Raises:
        InvalidValueError: no images, fewer than one column, or another number of captions.
    """
    if not len(images) or columns < 1:
        raise InvalidValueError(f"a sheet needs images and columns, found {len(images)} and {columns}.")
    if captions is not None and len(captions) != len(images):
        raise InvalidValueError(f"there are {len(images)} images but {len(captions)} captions.")
    columns = min(columns, len(images))
    rows = -(-len(images) // columns)
    tall, wide = (side * _ZOOM for side in images.shape[1:])
    pitch = wide + _GAP
    height = tall + _GAP + (_LINE if captions else 0)
    sheet = Image.new("L", (columns * pitch + _GAP, rows * height + _GAP), _PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_TEXT_SIZE)
    for number, image in enumerate(images):
        row, column = divmod(number, columns)
        left, top = _GAP + column * pitch, _GAP + row * height
        sheet.paste(Image.fromarray(image).resize((wide, tall), Image.Resampling.NEAREST), (left, top))
        if captions:
            caption = captions[number]
            while draw.textlength(caption, font) > pitch:
                caption = caption[:-1]
            draw.text((left + wide / 2, top + tall + 1), caption, _TEXT, font, anchor="ma")
    return sheet
