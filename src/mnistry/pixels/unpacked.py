"""What decoding gives, and how large it may be."""

from dataclasses import dataclass

from PIL import Image

from mnistry.errors import PictureError, PictureSizeError

MOST_PIXELS = 50_000_000


@dataclass(frozen=True, eq=False)
class Unpacked:
    """The pixels of a picture, upright.

    Attributes:
        image: of the mode L, RGB, RGBA or, from 0 to 1, F.
        size: width and height of the picture itself, upright.
        frames: how many the file has, or None where it has several that were not counted.
        pages: whether these are the pages of a document.
    """

    image: Image.Image
    size: tuple[int, int]
    frames: int | None
    pages: bool = False


def check_size(size: tuple[int, int], most_pixels: int) -> None:
    """Raises `PictureError` for no pixels at all or too many."""
    width, height = size
    if not width * height:
        raise PictureError(f"the picture is empty: it has {width}×{height} pixels.")
    if width * height > most_pixels:
        raise PictureSizeError(
            f"the picture has {width}×{height} pixels; at most {most_pixels:,} are read. Make it smaller."
        )
