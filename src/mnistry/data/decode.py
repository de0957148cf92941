"""From any picture, a file, an image or an array, to the grey levels of the upright picture."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Union

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistry.data.opening import opened
from mnistry.data.pages import Page
from mnistry.errors import PictureError
from mnistry.pixels.pdf import DPI
from mnistry.pixels.plain import is_plain
from mnistry.pixels.unpack import FORMATS, MOST_BYTES, full_scale, unpack
from mnistry.pixels.unpacked import MOST_PIXELS, Unpacked, check_size
from mnistry.pixels.workers import unpack_apart

__all__ = ["FORMATS", "MOST_BYTES", "MOST_PIXELS", "Decoded", "Picture", "open_picture"]

Picture = Union[Path, str, IO[bytes], Image.Image, NDArray[Any], Page, "Decoded"]

_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)
_SAMPLE_SIDE = 128
_STROKES_SHARE = 1 / 3  # of a picture's side: what is narrower is a stroke, not paper
_POOR_CONTRAST = 0.2  # of the range from black to white
_COLOUR_CONTRAST = 0.12  # less is the noise of a camera
_COLOUR_GAIN = 2.5  # the contrast in colour must be so many times that in luminance
_STRONGEST = 0.999  # quantile of the contrasts: a thin stroke covers a few thousandths of a page


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


def open_picture(
    picture: Picture,
    *,
    longest_side: int | None = None,
    most_pixels: int = MOST_PIXELS,
    deadline: float | None = None,
) -> Decoded:
    """Decodes a picture to grey levels; any thread may.

    The orientation that a camera noted is honoured. Transparent parts are paper: white under dark strokes,
    black under light ones. Grey is the luminance, or, where ink and paper differ in colour alone, the
    mixture of red, green and blue in which they differ most. Of several frames or pages the first is read;
    `mnistry.pages` gives all pages.

    A file that is not plain is decoded in a process of its own, which is ended when it takes more than
    seconds or too much memory.

    Args:
        picture: the path of a PNG, JPEG, BMP, TIFF, GIF, WebP, AVIF or PNM file, or of a PDF, a HEIC photo or
            an SVG drawing with the extra `documents`; such a file opened for reading bytes; a page of
            `mnistry.pages`; a Pillow image; or an array `[height, width]`, `[height, width, 3]` or
            `[height, width, 4]` of uint8, uint16, bool (True is white) or float (0 black to 1 white).
            White is the largest value that the samples' bits can hold, be it 8, 12 or 16 of them.
            What this function returned is given back as it is.
        longest_side: a larger picture is made smaller, by averaging, until its longest side has so many
            pixels.
        most_pixels: that the picture may have.
        deadline: the value of `time.monotonic` at which decoding is given up; a few seconds by default.

    Raises:
        PictureFormatError: it is no picture.
        PictureSizeError: it is too large, or takes too long to decode.
        PictureError: it is damaged, or an array of another shape or type.
    """
    if isinstance(picture, Decoded):
        return picture
    if isinstance(picture, np.ndarray):
        picture = _from_array(picture, most_pixels)
    if isinstance(picture, Image.Image):
        return _in_grey(unpack(picture, longest_side, most_pixels))
    bounds = (longest_side, most_pixels, deadline)
    if isinstance(picture, Page):
        if picture.index is not None:
            dpi = picture.dpi or DPI
            return _in_grey(unpack_apart(picture.file, *bounds, page=picture.index, dpi=dpi))
        picture = picture.file if isinstance(picture.file, Path) else io.BytesIO(picture.file)
    with opened(picture) as source:
        if is_plain(source.file):
            return _in_grey(unpack(source.file, longest_side, most_pixels))
        content = source.for_worker()
    return _in_grey(unpack_apart(content, *bounds))


def _in_grey(found: Unpacked) -> Decoded:
    grey = _grey(found.image)
    count = "several" if found.frames is None else found.frames
    what = "pages" if found.pages else "frames"
    notes = () if found.frames == 1 else (f"the first of {count} {what} was read",)
    return Decoded(grey, max(grey.shape) / max(found.size), found.size, notes)


def _from_array(array: NDArray[Any], most_pixels: int) -> Image.Image:
    real = array.dtype.kind == "f"
    shaped = array.ndim in (2, 3) and array.shape[2:] in ((), (3,), (4,))
    if not shaped or not (real or array.dtype.name in ("uint8", "uint16", "bool")):
        raise PictureError(
            "an array must be uint8, uint16, bool or float of shape [height, width], [height, width, 3] or "
            f"[height, width, 4]; found {array.dtype}{list(array.shape)}."
        )
    check_size((array.shape[1], array.shape[0]), most_pixels)
    lowest, highest = array.min(), array.max()
    if real and not (lowest >= 0 and highest <= 1):  # written so that NaN is refused, too
        raise PictureError(
            "the values of a float array must be from 0 (black) to 1 (white); "
            f"found {lowest:.6g} to {highest:.6g}."
        )
    if array.dtype == np.bool:
        array = array.astype(np.uint8) * np.uint8(255)
    elif real:
        array = array.astype(np.float32)
    if array.ndim == 3 and array.dtype != np.uint8:  # Pillow's colours have eight bits
        array = np.rint(array * np.float32(255 / (1 if real else full_scale(highest)))).astype(np.uint8)
    return Image.fromarray(array)


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
    """The weights of red, green and blue in the grey, where the luminance does not show the ink.

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
    # Picked pixels, not averages, which would fade out thin strokes.
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
