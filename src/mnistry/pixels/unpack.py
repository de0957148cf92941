"""From a file or an image of Pillow to the upright image in one of four modes; nothing here knows of digits.

Only Pillow is loaded, and NumPy where samples have more than eight bits: a worker starts in a moment.
"""

from typing import IO

from PIL import ExifTags, Image, UnidentifiedImageError, features

from mnistry.errors import PictureError, PictureFormatError, PictureSizeError
from mnistry.pixels import archive, pdf, svg
from mnistry.pixels.kinds import Kind, kind_of, needs
from mnistry.pixels.unpacked import Unpacked, check_size

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM", "AVIF")
"""What Pillow decodes for us. It knows many more, whose decoders are seldom used and seldom tested."""
MOST_SCANS = 64
"""Of a JPEG: the usual script of a progressive one has ten; each is a walk over all its pixels."""
MOST_BYTES = 200_000_000
"""Of a file: those of the largest picture if nothing of it is compressed."""
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


def unpack(
    source: IO[bytes] | Image.Image,
    longest_side: int | None,
    most_pixels: int,
    *,
    page: int | None = None,
    dpi: float = pdf.DPI,
) -> Unpacked:
    """Decodes a file, or takes an image as it is.

    Args:
        source: a file that can seek, or an image.
        longest_side: a larger picture is made smaller until its longest side has so many pixels.
        most_pixels: that a picture may have.
        page: of a document, by its number in `contents`; None for the first, or of a picture.
        dpi: dots an inch at which the page of a PDF is drawn.

    Raises:
        PictureError: it is no picture, is damaged or too large.
    """
    try:
        if isinstance(source, Image.Image):
            image = source.copy()  # the caller's stays what it is; a copy has one frame, the one shown
        else:
            kind = kind_of(source)
            if kind == "archive":
                if page is None:
                    raise PictureFormatError("this is a ZIP archive, not a picture.")
                source, page = archive.member(source, page, MOST_BYTES), None
                kind = kind_of(source)
            if kind == "pdf":
                return pdf.draw_page(source, page, dpi, longest_side, most_pixels)
            if kind == "svg":
                image = svg.draw(source, longest_side)
            else:
                image = _open_image(source, kind, most_pixels)
            if page is not None:
                image.seek(page)
        image_format = image.format
        size = image.size
        check_size(size, most_pixels)
        scale = min(1.0, (longest_side or max(size)) / max(size))
        smaller = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
        if scale < 1:
            image.draft(None, smaller)  # a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
        frames = _frames(image) if page is None else 1
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
    return Unpacked(image, size, frames, pages=image_format == "TIFF")


def full_scale(highest: float) -> float:
    """The level of white: the least that samples of 1, 8, 12 or 16 bits can hold, or else the highest."""
    return next((scale for scale in _FULL_SCALES if highest <= scale), highest)


def _open_image(file: IO[bytes], kind: Kind, most_pixels: int) -> Image.Image:
    if kind == "heic":
        return _open_heic(file)
    file.seek(0)
    start = file.read(32)
    if start.startswith(b"\xff\xd8\xff") and (scans := _jpeg_scans(file)) > MOST_SCANS:
        raise PictureSizeError(
            f"the JPEG has {scans:,} scans; at most {MOST_SCANS} are read. Save it anew as PNG or JPEG."
        )
    if b"ftypavi" in start and not features.check("avif"):
        raise needs("an AVIF picture", "a newer Pillow")
    file.seek(0)
    try:
        return Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise PictureSizeError(
            f"the picture has far more pixels than the {most_pixels:,} that are read. Make it smaller."
        ) from error


def _open_heic(file: IO[bytes]) -> Image.Image:
    try:
        from pillow_heif import HeifImageFile
    except ImportError as error:
        raise needs("a HEIC photo", "pillow-heif") from error
    file.seek(0)
    image: Image.Image = HeifImageFile(file)
    return image


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
    if image.format in ("MPO", "HEIF") or not getattr(image, "is_animated", False):
        return 1
    return int(image.n_frames) if image.format in ("PNG", "WEBP", "AVIF") else None  # type: ignore[attr-defined]


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
