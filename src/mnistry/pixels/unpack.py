"""From a file or an image of Pillow to the upright image in one of four modes; nothing here knows of digits.

Only Pillow is loaded, and NumPy where samples have more than eight bits: a worker starts in a moment.
"""

from dataclasses import dataclass
from typing import IO

from PIL import ExifTags, Image, UnidentifiedImageError

from mnistry.errors import PictureError, PictureFormatError, PictureSizeError

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
"""What is decoded. Pillow knows many more, whose decoders are seldom used and seldom tested."""
MOST_PIXELS = 50_000_000
MOST_SCANS = 64
"""Of a JPEG: the usual script of a progressive one has ten; each is a walk over all its pixels."""
_OTHER_FILES = {
    b"%PDF": "a PDF; save the page as PNG or JPEG",
    b"ftyphei": "a HEIC photo; save it as PNG or JPEG",
    b"ftypmif1": "a HEIC photo; save it as PNG or JPEG",
    b"ftypavif": "an AVIF picture; save it as PNG or JPEG",
    b"<!doctype html": "an HTML page; save the picture itself, not the page that shows it",
    b"<html": "an HTML page; save the picture itself, not the page that shows it",
    b"<svg": "an SVG drawing; save it as PNG",
    b"<?xml": "an XML file, perhaps an SVG drawing; save that as PNG",
    b"PK\x03\x04": "a ZIP archive; unpack it and name the pictures in it",
}
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How an image of each EXIF orientation is turned to stand upright."""
_FULL_SCALES = (1, 255, 4095, 65535)


@dataclass(frozen=True, eq=False)
class Unpacked:
    """The pixels of a picture, upright.

    Attributes:
        image: of the mode L, RGB, RGBA or, from 0 to 1, F.
        size: width and height of the picture itself, upright.
        frames: how many the file has, or None where it has several that were not counted.
    """

    image: Image.Image
    size: tuple[int, int]
    frames: int | None


def unpack(source: IO[bytes] | Image.Image, longest_side: int | None, most_pixels: int) -> Unpacked:
    """Decodes a file, or takes an image as it is.

    Args:
        source: a file that can seek, or an image.
        longest_side: a larger picture is made smaller until its longest side has so many pixels.
        most_pixels: that a picture may have.

    Raises:
        PictureError: it is no picture, is damaged or too large.
    """
    try:
        # A copy, as the caller's image stays what it is; a copy has one frame, the one shown.
        image = source.copy() if isinstance(source, Image.Image) else _open_image(source, most_pixels)
        size = image.size
        check_size(size, most_pixels)
        scale = min(1.0, (longest_side or max(size)) / max(size))
        smaller = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        if scale < 1:
            image.draft(None, smaller)  # a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
        frames = _frames(image)
        image.load()
        orientation = _orientation(image)
        image = _plain(image)
        if image.size != smaller:
            image = image.resize(smaller, Image.Resampling.HAMMING, reducing_gap=2)
        if orientation in _UPRIGHT:
            image = image.transpose(_UPRIGHT[orientation])
            size = size[::-1] if orientation >= 5 else size
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureFormatError(
            "not a picture in a format that can be read, or damaged at its start; "
            f"expected one of {', '.join(FORMATS)}."
        ) from error
    except MemoryError as error:
        raise PictureSizeError(
            "the picture takes too much memory to decode. Make it smaller, or save it as PNG."
        ) from error
    except Exception as error:  # on damaged files Pillow raises errors of a dozen classes
        raise PictureError(f"the picture is damaged or cannot be read: {error}.") from error
    return Unpacked(image, size, frames)


def full_scale(highest: float) -> float:
    """The level of white: the least that samples of 1, 8, 12 or 16 bits can hold, or else the highest."""
    return next((scale for scale in _FULL_SCALES if highest <= scale), highest)


def check_size(size: tuple[int, int], most_pixels: int) -> None:
    """Raises `PictureError` for no pixels at all or too many."""
    width, height = size
    if not width * height:
        raise PictureError(f"the picture is empty: it has {width}×{height} pixels.")
    if width * height > most_pixels:
        raise PictureSizeError(
            f"the picture has {width}×{height} pixels; at most {most_pixels:,} are read. Make it smaller."
        )


def _open_image(file: IO[bytes], most_pixels: int) -> Image.Image:
    file.seek(0)
    start = file.read(32)
    if not start:
        raise PictureFormatError("the file is empty.")
    for mark, what in _OTHER_FILES.items():
        if mark in start.lower() or mark in start:
            raise PictureFormatError(f"this is {what}.")
    if start.startswith(b"\xff\xd8\xff") and (scans := _jpeg_scans(file)) > MOST_SCANS:
        raise PictureSizeError(
            f"the JPEG has {scans:,} scans; at most {MOST_SCANS} are read. Save it anew as PNG or JPEG."
        )
    file.seek(0)
    try:
        return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureSizeError(
            f"the picture has far more pixels than the {most_pixels:,} that are read. Make it smaller."
        ) from error


def _jpeg_scans(file: IO[bytes]) -> int:
    """How many scans a JPEG has, or a few more: its metadata may hold a smaller one."""
    file.seek(0)
    scans, last = 0, b""
    while block := file.read(1 << 20):
        scans += (last + block).count(b"\xff\xda")  # which coded pixels never are
        last = block[-1:]
    return scans


def _frames(image: Image.Image) -> int | None:
    """How many frames or pages there are; None for several: to count them, all would have to be walked."""
    # A camera's second frame is a preview of its photo.
    if image.format == "MPO" or not getattr(image, "is_animated", False):
        return 1
    return int(image.n_frames) if image.format in ("PNG", "WEBP") else None  # type: ignore[attr-defined]


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged metadata leave the picture as it is stored
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """The same image in the mode L, RGB, RGBA or, from 0 to 1, F."""
    if image.mode[0] in "IF":  # more than 8 bits
        import numpy as np

        levels = np.array(image, np.float32)
        lowest, highest = float(levels.min()), float(levels.max())
        if not (lowest >= 0 and highest < np.inf):
            raise PictureError(f"expected levels from 0 (black) on, found {lowest:.6g} to {highest:.6g}.")
        levels /= full_scale(highest)
        return Image.fromarray(levels)
    if image.mode == "LAB":
        return image.getchannel("L")
    grey = image.mode in ("1", "L")
    mode = "RGBA" if image.has_transparency_data else "L" if grey else "RGB"
    return image if image.mode == mode else image.convert(mode)
