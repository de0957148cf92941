"""From any picture to the ink of its digit: decode, find out what is paper, cut the digit out.

Each stage is a function of its own: `open_picture` → `flat_ink` → `strongest_pieces` → `find_ink`.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mnistry.data.normalize import as_mnist
from mnistry.errors import PictureError

Grey = NDArray[np.floating[Any]]
Picture = Path | str | IO[bytes] | Image.Image | NDArray[np.uint8]

MOST_PIXELS = 50_000_000
WORKING_SIDE = 512
FAINTEST_CONTRAST = 0.06  # of the range from black to white; less is the noise of an empty page
SPECK = 0.03  # pieces smaller than this share of the largest are dust, unless they are a stroke's part


@dataclass(frozen=True, eq=False)
class Found:
    """A digit that was found in a picture.

    Attributes:
        image: uint8 `[28, 28]`, as MNIST was made.
        box: x, y, width, height of its ink in the picture's own pixels.
    """

    image: NDArray[np.uint8]
    box: tuple[int, int, int, int]


def open_picture(picture: Picture) -> Grey:
    """Decodes a picture to grey levels.

    The orientation that a camera noted is honoured. Transparent parts are paper: white under dark
    strokes, black under light ones.

    Args:
        picture: see `Recognizer.read`.

    Returns:
        float32 `[height, width]`, 0 black to 1 white.

    Raises:
        PictureError: it is no picture, is damaged, too large, or of a shape or type not listed there.
    """
    if isinstance(picture, np.ndarray):
        if (
            picture.dtype != np.uint8
            or picture.ndim not in (2, 3)
            or picture.shape[2:] not in ((), (3,), (4,))
        ):
            raise PictureError(
                "an array must be uint8 of shape [height, width], [height, width, 3] or [height, width, 4]; "
                f"found {picture.dtype}{list(picture.shape)}"
            )
        if picture.size == 0:
            raise PictureError(f"the picture is empty: its shape is {list(picture.shape)}")
        return _grey(Image.fromarray(picture))
    if isinstance(picture, Image.Image):
        return _grey(picture)
    try:
        with Image.open(picture) as image:
            if image.width * image.height > MOST_PIXELS:
                raise PictureError(
                    f"the picture has {image.width}×{image.height} pixels; at most {MOST_PIXELS:,} are read. "
                    "Make it smaller"
                )
            return _grey(ImageOps.exif_transpose(image))
    except UnidentifiedImageError as error:
        raise PictureError("not a picture in a format that can be read, such as PNG or JPEG") from error
    except FileNotFoundError as error:
        raise PictureError("there is no such file") from error
    except IsADirectoryError as error:
        raise PictureError("a folder, not a picture") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise PictureError(f"the picture is damaged or cannot be read: {error}") from error


def _grey(image: Image.Image) -> Grey:
    if image.mode.startswith("I"):  # 16 bits
        levels = np.asarray(image, np.float32)
        return levels / max(65535 if levels.max(initial=0) > 255 else 255, 1)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = np.asarray(image.getchannel("A"), np.float32) / 255
        grey = np.asarray(image.convert("RGB").convert("L"), np.float32) / 255
        strokes = float((grey * alpha).sum() / max(float(alpha.sum()), 1e-6))
        paper = 0.0 if strokes > 0.5 and float(alpha.mean()) < 0.5 else 1.0
        return grey * alpha + paper * (1 - alpha)
    return np.asarray(image.convert("L"), np.float32) / 255


def flat_ink(grey: Grey) -> Grey:
    """Separates ink from paper: shadows and the shade of the paper are taken away.

    Paper is what the picture's margin shows. Ink is darker or lighter than it: to whichever side the
    strong deviations lie; the cubes of all deviations are summed, in which shadows weigh little. The
    shade of the paper at each place is what is left when strokes, narrower than a third of the picture,
    are taken out.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.

    Returns:
        float32 of the same shape: 0 is paper, larger is more ink.
    """
    level = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
    if float(((grey - level) ** 3).sum()) > 0:
        strength = grey
    else:
        strength, level = 1 - grey, 1 - level
    height, width = grey.shape
    if min(height, width) < 64:  # small drawings have even paper, and strokes as wide as shadows would be
        return np.asarray(np.clip(strength - level, 0, None))
    scale = 64 / min(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(strength, size, interpolation=cv2.INTER_AREA)
    paper = cv2.morphologyEx(small, cv2.MORPH_OPEN, np.ones((23, 23), np.uint8))
    shade = cv2.resize(cv2.GaussianBlur(paper, (0, 0), 6), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(strength - shade, 0, None))


def strongest_pieces(ink: Grey) -> NDArray[np.bool_]:
    """Which pixels are the digit: the connected pieces of ink that are no dust and no edge of the sheet.

    Args:
        ink: float32 `[height, width]` from `flat_ink`.

    Returns:
        bool of the same shape.

    Raises:
        PictureError: there is no ink in the picture.
    """
    levels = (ink * (255 / max(float(ink.max()), 1e-6))).astype(np.uint8)
    _, mask = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    inked = mask.astype(bool)
    contrast = float(ink[inked].mean() - ink[~inked].mean()) if inked.any() and not inked.all() else 0.0
    if contrast < FAINTEST_CONTRAST:
        raise PictureError("there is no digit in the picture: no ink stands out from the paper")
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    height, width = ink.shape
    left, top = stats[1:, cv2.CC_STAT_LEFT], stats[1:, cv2.CC_STAT_TOP]
    right, bottom = left + stats[1:, cv2.CC_STAT_WIDTH], top + stats[1:, cv2.CC_STAT_HEIGHT]
    touches = (left == 0) | (top == 0) | (right == width) | (bottom == height)
    candidates = areas * np.where(touches, 0.25, 1.0)  # an edge of the sheet or a shadow touches the margin
    main = int(candidates.argmax())
    near = (
        (left < right[main] + 0.5 * (right[main] - left[main]))
        & (right > left[main] - 0.5 * (right[main] - left[main]))
        & (top < bottom[main] + 0.3 * (bottom[main] - top[main]))
        & (bottom > top[main] - 0.3 * (bottom[main] - top[main]))
    )
    kept = (areas >= SPECK * areas[main]) & near & (~touches | (np.arange(count - 1) == main))
    return np.asarray(np.isin(labels, 1 + np.flatnonzero(kept)))


def find_ink(grey: Grey) -> Found:
    """Finds the digit of a picture and makes the MNIST image of it.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.

    Raises:
        PictureError: there is no ink in the picture.
    """
    height, width = grey.shape
    scale = min(1.0, WORKING_SIDE / max(height, width))
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        grey = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    ink = flat_ink(grey)
    mask = strongest_pieces(ink)
    # A pixel around the pieces belongs to them: there the pen's edge fades out.
    edge = cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(bool)
    # Strokes as even as a bilevel scan's: a pen's middle tone is as much ink as its darkest spot.
    full = float(np.median(ink[mask]))
    digit = np.where(edge, np.clip(ink / full, 0, 1), 0)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    x, y = int(columns[0] / scale), int(rows[0] / scale)
    right, bottom = min(width, round((columns[-1] + 1) / scale)), min(height, round((rows[-1] + 1) / scale))
    return Found(as_mnist(digit), (x, y, right - x, bottom - y))
