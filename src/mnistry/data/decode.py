"""From any picture, a file, an image or an array, to the grey levels of the upright picture."""

import io
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from mnistry.errors import PictureError

Picture = Path | str | IO[bytes] | Image.Image | NDArray[Any]

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM")
"""What is decoded. Pillow knows many more, whose decoders are seldom used and seldom tested."""
MOST_PIXELS = 50_000_000
_OTHER_FILES = {
    b"%PDF": "a PDF; save the page as PNG or JPEG",
    b"ftyphei": "a HEIC photo; save it as PNG or JPEG",
    b"ftypmif1": "a HEIC photo; save it as PNG or JPEG",
    b"ftypavif": "an AVIF picture; save it as PNG or JPEG",
    b"<svg": "an SVG drawing; save it as PNG",
    b"<?xml": "an XML file, perhaps an SVG drawing; save that as PNG",
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
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_SAMPLE_SIDE = 128
_STROKES_SHARE = 1 / 3  # of a picture's side: what is narrower is a stroke, not paper
_POOR_CONTRAST = 0.2  # of the range from black to white
_COLOUR_CONTRAST = 0.12  # less is the noise of a camera
_COLOUR_GAIN = 2.5  # colours must show that many times more than the luminance does
_STRONGEST = 0.999  # quantile of the contrasts: a thin stroke covers a few thousandths of a page
# `catch_warnings` changes the filters of the whole process, so no two threads may be inside at once.
_decoding = threading.Lock()


@dataclass(frozen=True, eq=False)
class Decoded:
    """The grey levels of a picture.

    Attributes:
        grey: float32 `[height, width]`, 0 black to 1 white.
        scale: pixels of `grey` for each pixel of the picture, at most 1.
        size: width and height of the picture itself, upright.
        notes: what was decided that its user may want to know, such as which frame was read.
    """

    grey: NDArray[np.float32]
    scale: float
    size: tuple[int, int]
    notes: tuple[str, ...] = ()


def open_picture(picture: Picture, *, longest_side: int | None = None) -> Decoded:
    """Decodes a picture to grey levels.

    The orientation that a camera noted is honoured. Transparent parts are paper: white under dark strokes,
    black under light ones. Grey is the luminance, or, where ink and paper differ in colour alone, the
    mixture of red, green and blue in which they differ most. Of several frames or pages the first is read.

    Args:
        picture: the path of a PNG, JPEG, BMP, TIFF, GIF, WebP or PNM file; such a file opened for reading
            bytes; a Pillow image; or an array `[height, width]`, `[height, width, 3]` or
            `[height, width, 4]` of uint8, uint16, bool (True is white) or float (0 black to 1 white).
            White is the largest value that the samples' bits can hold, be it 8, 12 or 16 of them.
        longest_side: a larger picture is made smaller, by averaging, until its longest side has so many
            pixels.

    Raises:
        PictureError: it is no picture, is damaged, too large, or an array of another shape or type.
    """
    if isinstance(picture, np.ndarray):
        picture = _from_array(picture)
    if isinstance(picture, str | Path):
        with _open_file(picture) as file:
            return _decode(file, longest_side)
    if not isinstance(picture, Image.Image) and not hasattr(picture, "read"):
        raise PictureError(
            "expected a path, a file opened for reading bytes, a Pillow image or a NumPy array; "
            f"found {type(picture).__name__}."
        )
    return _decode(picture, longest_side)


def _open_file(path: Path | str) -> IO[bytes]:
    try:
        return Path(path).open("rb")
    except FileNotFoundError as error:
        raise PictureError("there is no such file.") from error
    except IsADirectoryError as error:
        raise PictureError("this is a folder, not a picture.") from error
    except PermissionError as error:
        raise PictureError("there is no permission to read this file.") from error
    except (OSError, ValueError) as error:
        raise PictureError(f"the file cannot be opened: {error}.") from error


def _from_array(array: NDArray[Any]) -> Image.Image:
    real = array.dtype.kind == "f"
    shaped = array.ndim in (2, 3) and array.shape[2:] in ((), (3,), (4,))
    if not shaped or not (real or array.dtype.name in ("uint8", "uint16", "bool")):
        raise PictureError(
            "an array must be uint8, uint16, bool or float of shape [height, width], [height, width, 3] or "
            f"[height, width, 4]; found {array.dtype}{list(array.shape)}."
        )
    _check_size((array.shape[1], array.shape[0]))
    lowest, highest = array.min(), array.max()
    if real and not (lowest >= 0 and highest <= 1):  # so written, NaN fails too
        raise PictureError(
            "the values of a float array must be from 0 (black) to 1 (white); "
            f"found {lowest:.6g} to {highest:.6g}."
        )
    if array.dtype == np.bool:
        array = array.astype(np.uint8) * np.uint8(255)
    elif real:
        array = array.astype(np.float32)
    if array.ndim == 3 and array.dtype != np.uint8:  # Pillow's colours have eight bits
        array = np.rint(array * np.float32(255 / (1 if real else _full_scale(highest)))).astype(np.uint8)
    return Image.fromarray(array)


def _full_scale(highest: float) -> float:
    """The level of white: the least that samples of 1, 8, 12 or 16 bits can hold, or else the highest."""
    return next((scale for scale in _FULL_SCALES if highest <= scale), highest)


def _check_size(size: tuple[int, int]) -> None:
    width, height = size
    if not width * height:
        raise PictureError(f"the picture is empty: it has {width}×{height} pixels.")
    if width * height > MOST_PIXELS:
        raise PictureError(
            f"the picture has {width}×{height} pixels; at most {MOST_PIXELS:,} are read. Make it smaller."
        )


def _decode(source: IO[bytes] | Image.Image, longest_side: int | None) -> Decoded:
    try:
        # Odd metadata make Pillow warn; they are of no interest here.
        with _decoding, warnings.catch_warnings(action="ignore"):
            # A copy, as the caller's image stays what it is; a copy has one frame, the one shown.
            image = source.copy() if isinstance(source, Image.Image) else _open_image(source)
            size = image.size
            _check_size(size)
            scale = min(1.0, (longest_side or max(size)) / max(size))
            smaller = (max(1, round(size[0] * scale)), max(1, round(size[1] * scale)))
            if scale < 1:
                image.draft(None, smaller)  # a JPEG is decoded at 1/2, 1/4 or 1/8 of its size
            # A camera's second frame is a preview of its photo.
            frames = 1 if image.format == "MPO" else getattr(image, "n_frames", 1)
            image.load()
            orientation = _orientation(image)
        image = _plain(image)
    except PictureError:
        raise
    except UnidentifiedImageError as error:
        raise PictureError(
            "not a picture in a format that can be read, or damaged at its start; "
            f"expected one of {', '.join(FORMATS)}."
        ) from error
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"the picture has far more pixels than the {MOST_PIXELS:,} that are read. Make it smaller."
        ) from error
    except Exception as error:  # on damaged files Pillow raises errors of a dozen classes
        raise PictureError(f"the picture is damaged or cannot be read: {error}.") from error
    if image.size != smaller:
        image = image.resize(smaller, Image.Resampling.HAMMING, reducing_gap=2)
    if orientation in _UPRIGHT:
        image = image.transpose(_UPRIGHT[orientation])
        size = size[::-1] if orientation >= 5 else size
    grey = _grey(image)
    notes = (f"the first of {frames} frames was read",) if frames > 1 else ()
    return Decoded(grey, max(grey.shape) / max(size), size, notes)


def _open_image(file: IO[bytes]) -> Image.Image:
    if not (hasattr(file, "seekable") and file.seekable()):
        file = io.BytesIO(file.read())
    file.seek(0)
    start = file.read(32)
    if not isinstance(start, bytes):
        raise PictureError("the file was opened as text; open it for reading bytes.")
    if not start:
        raise PictureError("the file is empty.")
    for mark, what in _OTHER_FILES.items():
        if mark in start:
            raise PictureError(f"this is {what}.")
    return Image.open(file, formats=FORMATS)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged metadata leave the picture as it is stored
        return 1


def _plain(image: Image.Image) -> Image.Image:
    """The same image in the mode L, RGB, RGBA or, from 0 to 1, F."""
    if image.mode[0] in "IF":  # more than 8 bits
        levels = np.array(image, np.float32)
        lowest, highest = float(levels.min()), float(levels.max())
        if not (lowest >= 0 and highest < np.inf):
            raise PictureError(f"expected levels from 0 (black) on, found {lowest:.6g} to {highest:.6g}.")
        levels /= _full_scale(highest)
        return Image.fromarray(levels)
    if image.mode == "LAB":
        return image.getchannel("L")
    grey = image.mode in ("1", "L")
    mode = "RGBA" if image.has_transparency_data else "L" if grey else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _grey(image: Image.Image) -> NDArray[np.float32]:
    if image.mode == "F":
        return np.array(image)
    if image.mode == "RGBA":
        image = _on_paper(image)
    if image.mode == "RGB":
        image = image.convert("L", _mixture(image))
    return np.asarray(image, np.float32) / np.float32(255)


def _on_paper(image: Image.Image) -> Image.Image:
    """An RGBA image as RGB: light strokes on a mostly transparent canvas lie on black, others on white."""
    if image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")
    sample = np.asarray(image.reduce(-(-max(image.size) // _SAMPLE_SIDE)), np.float32) / 255
    alpha = sample[..., 3]
    strokes = float((sample[..., :3] @ _LUMINANCE * alpha).sum() / max(float(alpha.sum()), 1e-6))
    paper = "black" if strokes > 0.5 and float(alpha.mean()) < 0.5 else "white"
    return Image.alpha_composite(Image.new("RGBA", image.size, paper), image).convert("RGB")


def _mixture(image: Image.Image) -> tuple[float, float, float, float] | None:
    """Of how much red, green and blue grey is made, if the luminance does not show the ink.

    A red pen on blue paper, or a yellow one on white, may be as light as the paper. Where even the
    strongest strokes hardly differ from it in luminance, grey becomes the first principal component of
    how colours deviate from the paper around them.

    Args:
        image: RGB.

    Returns:
        The three factors and what is added, or None for the luminance.
    """
    scale = min(1.0, _SAMPLE_SIDE / max(image.size))
    width, height = (max(1, round(side * scale)) for side in image.size)
    # Pixels as they are: averages would fade out thin strokes.
    sample = np.asarray(image.resize((width, height), Image.Resampling.NEAREST))
    window = 2 * round(_STROKES_SHARE * max(width, height) / 2) + 1
    luminance = np.rint(sample @ _LUMINANCE).astype(np.uint8)
    contrast = np.abs(luminance.astype(np.float32) - cv2.medianBlur(luminance, window))
    strongest = float(np.quantile(contrast, _STRONGEST)) / 255
    if strongest > _POOR_CONTRAST:
        return None
    colours = (sample.astype(np.float32) - cv2.medianBlur(sample, window)).reshape(-1, 3) / 255
    factors = np.linalg.eigh(colours.T @ colours).eigenvectors[:, -1]
    factors /= np.abs(factors).sum() * (1 if factors @ _LUMINANCE >= 0 else -1)
    in_colour = float(np.quantile(np.abs(colours @ factors), _STRONGEST))
    if in_colour < max(_COLOUR_GAIN * strongest, _COLOUR_CONTRAST):
        return None
    red, green, blue = factors.tolist()
    return red, green, blue, -255 * float(factors[factors < 0].sum())
