"""A folder of pictures, one subfolder for each class, as a data set."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import DIGITS, SIDE, Examples
from mnistry.data.decode import open_picture
from mnistry.data.normalize import as_mnist
from mnistry.errors import DataError, PictureError

SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pbm", ".pgm", ".ppm", ".pnm"}
)


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

    A picture of 28×28 is taken as it is, grey, white on black. Of any other the border tells whether the
    paper is light or dark, and its ink goes through `as_mnist`. See `open_picture` for what can be read.

    Returns:
        uint8[28, 28].

    Raises:
        DataError: the file is no picture, or has no ink.
    """
    try:
        grey = open_picture(path).grey
        if grey.shape == (SIDE, SIDE):
            return np.rint(grey * 255).astype(np.uint8)
        paper = np.median(np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]]))
        return as_mnist(np.maximum(paper - grey if paper > 0.5 else grey - paper, 0))
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
