"""A folder of pictures, one subfolder for each class, as a data set."""

from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistry.data.classes import NAMES_FILE, labels_of, read_names
from mnistry.data.dataset import DIGITS, Examples
from mnistry.data.decode import open_picture
from mnistry.data.parts import Part, parts_among
from mnistry.data.polarity import image_of, paper_is_light
from mnistry.data.skipped import SUFFIXES, describe_skipped, is_litter
from mnistry.errors import DataError, PictureError


@dataclass(frozen=True, eq=False)
class PictureFolder:
    """What a folder of pictures by class holds.

    Attributes:
        parts: the examples of each part; of training alone where the folder is not divided.
        class_names: ten names; see `labels_of`.
        notes: what was left out.
    """

    parts: dict[Part, Examples]
    class_names: tuple[str, ...]
    notes: tuple[str, ...]


def read_folder(folder: Path) -> PictureFolder:
    """Reads pictures by class, below folders of parts such as `train` and `valid` if there are any.

    What the class folders are called decides their labels; see `labels_of`. A file `class_names.txt` with
    the ten names in their order goes before. See `read_picture` for what is made of a picture.

    Raises:
        DataError: no pictures, more than ten classes, a picture that cannot be read or has no ink.
    """
    below = _folders(folder)
    called = parts_among(below, folder)
    divided = "train" in called or (called and len(called) == len(below))
    parts: dict[Part, Path] = (
        {part: folder / name for part, name in called.items()} if divided else {"train": folder}
    )
    names = sorted({name for part in parts.values() for name in _folders(part)})
    if not names:
        raise DataError(
            f"{folder}: not a data set: expected IDX files, train.csv, or a picture folder for each class."
        )
    notes = []
    if divided and (others := [name for name in below if name not in called.values()]):
        notes.append(f"left out, as they are called like no part: {', '.join(others)}")
    try:
        labels, class_names = _labels(names, read_names(folder))
    except DataError as error:
        raise DataError(f"{folder}: {error}") from error
    skipped = [
        path.relative_to(folder)
        for part in parts.values()
        for name in names
        for path in (part / name).glob("*")
        if path.suffix.lower() not in SUFFIXES and not is_litter(path.name)
    ]
    if skipped:
        notes.append(describe_skipped(skipped))
    return PictureFolder(
        {part: _read_part(path, labels) for part, path in parts.items()}, class_names, tuple(notes)
    )


def _folders(folder: Path) -> list[str]:
    return sorted(child.name for child in folder.iterdir() if child.is_dir() and not is_litter(child.name))


def _labels(names: list[str], kept: tuple[str, ...] | None) -> tuple[dict[str, int], tuple[str, ...]]:
    """As `labels_of`, by the names that `class_names.txt` keeps, or their numbers, if there are any."""
    if kept is None:
        return labels_of(names)
    known = {**{digit: label for label, digit in enumerate(DIGITS)}, **{n: i for i, n in enumerate(kept)}}
    if unknown := [name for name in names if name not in known]:
        raise DataError(f"class folders that {NAMES_FILE} does not name: {', '.join(unknown)}.")
    return {name: known[name] for name in names}, kept


def read_picture(path: Path) -> NDArray[np.uint8]:
    """Reads one picture as an MNIST image; see `open_picture` and `mnistry.data.polarity`.

    Where the border leaves open whether the paper is light or dark, it is dark, as in MNIST.

    Returns:
        uint8[28, 28].

    Raises:
        DataError: the file is no picture, or has no ink.
    """
    return next(iter(_images(path).values()))


def _images(path: Path) -> dict[bool, NDArray[np.uint8]]:
    """The MNIST image of a picture, by whether its paper is light.

    If the picture does not show that, there are two images, the one for dark paper first.
    """
    try:
        grey = open_picture(path).grey
        light = paper_is_light(grey)
        ways = (False, True) if light is None else (light,)
        return {way: image_of(grey, light_paper=way) for way in ways}
    except PictureError as error:
        raise DataError(f"{path}: {error}") from error


def _read_part(folder: Path, labels: dict[str, int]) -> Examples:
    """The pictures of all classes; where one does not show whether its paper is light, most others do."""
    paths = [
        (path, label)
        for name, label in sorted(labels.items(), key=itemgetter(1))
        for path in sorted((folder / name).glob("*"))
        if path.suffix.lower() in SUFFIXES
    ]
    if not paths:
        raise DataError(f"{folder}: there are no pictures in its class folders {', '.join(labels)}.")
    found = [_images(path) for path, _ in paths]
    clear = [next(iter(images)) for images in found if len(images) == 1]
    mostly_light = sum(clear) > len(clear) / 2
    images = np.stack([images.get(mostly_light, next(iter(images.values()))) for images in found])
    return Examples(images, np.array([label for _, label in paths], np.uint8))
