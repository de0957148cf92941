"""Pages disturbed in twenty ways, always the same: what a camera, a table or a scanner does to a page.

    python bench/disturbances.py PAGES OUT

Writes each page of the folder PAGES as it is and in every way into the new folder OUT, with a `labels.tsv`
whose column `kind` names the way, for `mnistry evaluate-pictures OUT`. The digits stay as legible to people
as they were, so that what is read of the clean page is to be read of all.
"""

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np
import tyro
from numpy.typing import NDArray
from PIL import Image

from mnistry.atomic import write_text
from mnistry.data.decode import open_picture
from mnistry.errors import MnistryError
from mnistry.reading.labels import Labelled, read_labels

CLEAN = "as it is"
ON_ITS_HEAD = "on its head"
EITHER_WAY_UP = " 01689"  # nobody can tell which way up a page of these lies
LONGEST_SIDE = 2048  # pixels of the pages that are disturbed

Grey = NDArray[np.float32]
Random = np.random.Generator
Disturbance = Callable[[Grey, Random], Grey]


@dataclass(frozen=True)
class Options:
    """Disturb the labelled pages of a folder in twenty ways."""

    pages: tyro.conf.Positional[Path]
    """A folder with a labels.tsv."""
    out: tyro.conf.Positional[Path]
    """A folder that is not there yet."""


def main() -> int:
    """Writes the pages."""
    options = tyro.cli(Options, description=__doc__)
    try:
        make(read_labels(options.pages), options.out)
    except (MnistryError, FileExistsError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def make(pages: Iterable[Labelled], folder: Path) -> None:
    """Writes each page in every way, and their table.

    Args:
        pages: labelled pages; each is made grey, and smaller if it is large, before it is disturbed.
        folder: is made; it must not be there.

    Raises:
        FileExistsError: the folder is there.
        PictureError: a page cannot be read.
    """
    folder.mkdir(parents=True)
    rows = ["file\tlines\tkind"]
    for page in pages:
        grey = open_picture(page.picture, longest_side=LONGEST_SIDE).grey
        for number, way in enumerate((CLEAN, *DISTURBANCES)):
            if way == ON_ITS_HEAD and set("".join(page.lines)) <= set(EITHER_WAY_UP):
                continue
            file = f"{Path(page.name).stem}-{number:02}.png"
            levels = np.rint(255 * disturbed(grey, way, page.name)).astype(np.uint8)
            Image.fromarray(levels).save(folder / file, compress_level=1)
            rows.append(f"{file}\t{'|'.join(page.lines)}\t{way}")
    write_text(folder / "labels.tsv", "\n".join(rows) + "\n")


def disturbed(grey: Grey, way: str, name: str) -> Grey:
    """A page in one way; what is random in it depends on the page's name and the way alone.

    Args:
        grey: float32 `[height, width]`, 0 black to 1 white.
        way: a key of `DISTURBANCES`, or `CLEAN`.
        name: of the page.

    Returns:
        The same, of a size of its own.
    """
    if way == CLEAN:
        return grey
    random = np.random.default_rng([crc32(way.encode()), crc32(name.encode())])
    return np.clip(DISTURBANCES[way](grey, random), 0, 1).astype(np.float32)


def surface(shape: tuple[int, int], random: Random, *, grain: bool) -> Grey:
    """A dark table, plain or of wood."""
    height, width = shape
    level = np.float32(random.uniform(0.08, 0.3))
    table: Grey = level + np.float32(0.02) * random.standard_normal(shape, np.float32)
    if grain:
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        bent = rows / random.uniform(4, 9) + 3 * np.sin(columns / random.uniform(90, 200))
        table += 0.07 * np.sin(bent) + 0.03 * np.sin(3.7 * bent)
    return table


def on_table(grey: Grey, random: Random, margins: tuple[float, float, float, float], *, grain: bool) -> Grey:
    """The page on a table, which is seen left, above, right and below by shares of the page's sides.

    Dark paper lies on a light table.
    """
    height, width = grey.shape
    left, above, right, below = (
        round(share * side) for share, side in zip(margins, (width, height, width, height), strict=True)
    )
    shape = (height + above + below, width + left + right)
    table = surface(shape, random, grain=grain)
    table = table if dark_ink(grey) else 1 - table
    table[above : above + height, left : left + width] = grey
    return table


def paper(grey: Grey) -> float:
    """The level of most of a page."""
    return float(np.median(grey))


def dark_ink(grey: Grey) -> bool:
    """Whether ink is darker than the paper: what stands out from its surroundings is dark."""
    around = cv2.GaussianBlur(grey, (0, 0), max(grey.shape) / 40)
    return float(((grey - around) ** 3).mean()) < 0


def black_frame(grey: Grey, random: Random) -> Grey:
    """As a scanner leaves it whose lid was open."""
    return _framed(grey, round(0.02 * max(grey.shape)), 0 if dark_ink(grey) else 1)


def ruled_frame(grey: Grey, random: Random) -> Grey:
    """A rectangle drawn around all that is written."""
    space = round(0.04 * max(grey.shape))
    page = _framed(grey, space, paper(grey))
    height, width = page.shape
    corner = (width - space // 2, height - space // 2)
    cv2.rectangle(page, (space // 2, space // 2), corner, 0.1 if dark_ink(grey) else 0.9, max(2, space // 12))
    return page


def noise(grey: Grey, random: Random) -> Grey:
    """Of a camera in poor light."""
    return grey + np.float32(0.06) * random.standard_normal(grey.shape, np.float32)


def specks(grey: Grey, random: Random) -> Grey:
    """Single black and white pixels, one in a hundred."""
    chance = random.random(grey.shape, np.float32)
    return np.where(chance < 0.005, np.float32(0), np.where(chance > 0.995, np.float32(1), grey))


def blur(grey: Grey, random: Random) -> Grey:
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), max(0.8, max(grey.shape) / 1000)), np.float32)


def compressed(grey: Grey, random: Random) -> Grey:
    """As JPEG of a low quality."""
    levels = np.rint(255 * np.clip(grey, 0, 1)).astype(np.uint8)
    _, coded = cv2.imencode(".jpg", levels, [cv2.IMWRITE_JPEG_QUALITY, 25])
    return np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.float32) / np.float32(255)


def shadow(grey: Grey, random: Random) -> Grey:
    """Half of the page in the shadow of a hand, with an edge."""
    across = _across(grey, random.uniform(0, 2 * np.pi))
    softness = random.uniform(0.005, 0.03)
    shade = 1 / (1 + np.exp(-np.clip(across / softness, -60, 60)))
    return np.asarray(grey * (1 - 0.45 * shade), np.float32)


def uneven_light(grey: Grey, random: Random) -> Grey:
    """A lamp beside the page."""
    return grey * (np.float32(0.7) - np.float32(0.6) * _across(grey, random.uniform(0, 2 * np.pi)))


def tilted(grey: Grey, random: Random) -> Grey:
    """Turned by six degrees on more of the same paper."""
    height, width = grey.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), 6 * random.choice([-1, 1]), 1)
    size = np.ceil(np.abs(turn[:, :2]) @ [width, height]).astype(int)
    turn[:, 2] += size / 2 - np.array([width, height]) / 2
    return _warped(cv2.warpAffine, grey, turn, size)


def leaning(grey: Grey, random: Random) -> Grey:
    """Seen from below: the upper edge is a seventh shorter."""
    height, width = grey.shape
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    seen = corners + np.array([[width / 14, 0], [-width / 14, 0], [0, 0], [0, 0]], np.float32)
    return _warped(cv2.warpPerspective, grey, cv2.getPerspectiveTransform(corners, seen), (width, height))


def smaller(grey: Grey, random: Random) -> Grey:
    """Not by more, as the digits of the smallest pages are 18 pixels high."""
    return _resized(grey, 0.7, cv2.INTER_AREA)


def twice_the_size(grey: Grey, random: Random) -> Grey:
    return _resized(grey, 2, cv2.INTER_CUBIC)


DISTURBANCES: dict[str, Disturbance] = {
    "dark surface at the left": lambda grey, random: on_table(grey, random, (0.3, 0, 0, 0), grain=False),
    "dark surface below": lambda grey, random: on_table(grey, random, (0, 0, 0, 0.4), grain=True),
    "dark surface in a corner": lambda grey, random: on_table(grey, random, (0, 0.15, 0.2, 0), grain=False),
    "dark surface all around": lambda grey, random: on_table(grey, random, (0.2, 0.2, 0.2, 0.2), grain=True),
    "turned left": lambda grey, random: np.rot90(grey, 1),
    ON_ITS_HEAD: lambda grey, random: np.rot90(grey, 2),
    "turned right": lambda grey, random: np.rot90(grey, 3),
    "black frame": black_frame,
    "ruled frame": ruled_frame,
    "noise": noise,
    "specks": specks,
    "blur": blur,
    "JPEG": compressed,
    "shadow": shadow,
    "uneven light": uneven_light,
    "tilted": tilted,
    "leaning": leaning,
    "smaller by a third": smaller,
    "twice the size": twice_the_size,
    "light and dark exchanged": lambda grey, random: 1 - grey,
}
"""The ways, by what they are called."""


def _across(grey: Grey, turn: float) -> Grey:
    """How far each place is across the page in some direction: about -0.5 to 0.5."""
    height, width = grey.shape
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    x, y = columns / width - np.float32(0.5), rows / height - np.float32(0.5)
    return np.asarray(
        (x * np.cos(turn) + y * np.sin(turn)) / (abs(np.cos(turn)) + abs(np.sin(turn))), np.float32
    )


def _framed(grey: Grey, thick: int, level: float) -> Grey:
    page = cv2.copyMakeBorder(grey, thick, thick, thick, thick, cv2.BORDER_CONSTANT, value=level)
    return np.asarray(page, np.float32)


def _warped(warp: Callable[..., object], grey: Grey, matrix: object, size: Iterable[int]) -> Grey:
    options = {"flags": cv2.INTER_LINEAR, "borderMode": cv2.BORDER_CONSTANT, "borderValue": paper(grey)}
    return np.asarray(warp(grey, matrix, tuple(map(int, size)), **options), np.float32)


def _resized(grey: Grey, scale: float, interpolation: int) -> Grey:
    return np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=interpolation), np.float32)


if __name__ == "__main__":
    sys.exit(main())
