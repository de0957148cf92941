"""A folder of pictures, one subfolder for each class, as a data set."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from mnistry.data.dataset import DIGITS, SIDE, Examples
from mnistry.data.normalize import as_mnist
from mnistry.errors import DataError, PictureError

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm"})


def read_folder(folder: Path) -> tuple[Examples, Examples | None, tuple[str, ...]]:
    """Reads pictures by class, below `train` and `test` if there are such folders.

    If all class folders are called by digits, those are the labels; otherwise the folders' names, sorted,
    are the classes 0, 1, and so on, and what is missing to ten classes is called `(none)`. See
    `read_picture` for what is made of a picture.

    Returns:
        The training part (or everything), the test part if there is one, and the class names.

    Raises:
        DataError: no pictures, more than ten classes, a picture that cannot be read or has no ink.
    """
    divided = (folder / "train").is_dir()
    parts = [folder / "train", folder / "test"] if divided else [folder]
    parts = [part for part in parts if part.is_dir()]
    names = sorted({child.name for part in parts for child in part.iterdir() if child.is_dir()})
    names = [name for name in names if not name.startswith(".")]
    if not names:
        raise DataError(
            f"{folder}: not a data set: expected IDX files, train.csv, or a picture folder for each class."
        )
    if set(names) <= set(DIGITS):
        labels, class_names = {name: int(name) for name in names}, DIGITS
    else:
        labels = {name: label for label, name in enumerate(names)}
        class_names = (*names, *["(none)"] * (len(DIGITS) - len(names)))
    if len(names) > len(DIGITS):
        raise DataError(f"{folder}: expected at most ten class folders, found {len(names)}: {names}.")
    examples = [_read_part(part, labels) for part in parts]
    return examples[0], examples[1] if len(examples) > 1 else None, class_names


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Reads one picture as an MNIST image.

    A picture of 28×28 is taken as it is, grey, white on black. Any other is converted to grey, its border
    tells whether the paper is light or dark, and its ink goes through `as_mnist`.

    Returns:
        uint8[28, 28].

    Raises:
        DataError: the file is no picture, or has no ink.
    """
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.has_transparency_data:
                picture = Image.alpha_composite(
                    Image.new("RGBA", picture.size, "white"), picture.convert("RGBA")
                )
            grey = np.asarray(picture.convert("L"))
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: not a readable picture: {error}.") from error
    if grey.shape == (SIDE, SIDE):
        return grey
    border = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    paper = int(np.median(border))
    ink = paper - grey.astype(np.int16) if paper > 127 else grey.astype(np.int16) - paper
    try:
        return as_mnist(np.maximum(ink, 0))
    except PictureError as error:
        raise DataError(f"{path}: {error}") from error


def _read_part(folder: Path, labels: dict[str, int]) -> Examples:
    paths = [
        (path, label)
        for name, label in labels.items()
        for path in sorted((folder / name).glob("*"))
        if path.suffix.lower() in SUFFIXES
    ]
    if not paths:
        raise DataError(f"{folder}: there are no pictures in its class folders {', '.join(labels)}.")
    images = np.stack([read_picture(path) for path, _ in paths])
    return Examples(images, np.array([label for _, label in paths], np.uint8))
