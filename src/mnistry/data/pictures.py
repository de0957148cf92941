"""Labelled pictures as a data set."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mnistry.data.classes import NAMES_FILE, labels_of, read_names
from mnistry.data.dataset import DIGITS, SIDE, Examples
from mnistry.data.decode import Picture, open_picture
from mnistry.data.parts import Part
from mnistry.data.polarity import image_of, paper_is_light
from mnistry.data.sizes import SCALED
from mnistry.data.tree import Tree, find_pictures
from mnistry.errors import DataError, PictureError


@dataclass(frozen=True, eq=False)
class PictureFolder:
    """What a folder of pictures by class holds.

    Attributes:
        parts: the examples of each part; of training alone where the folder is not divided.
        class_names: ten names; see `labels_of`.
        notes: how they were labelled and brought to size, and what was left out.
    """

    parts: dict[Part, Examples]
    class_names: tuple[str, ...]
    notes: tuple[str, ...]


def read_folder(folder: Path) -> PictureFolder:
    """Reads the labelled pictures of a folder; see `mnistry.data.tree.find_pictures`.

    Raises:
        DataError: as `find_pictures` and `read_tree`.
    """
    return read_tree(find_pictures(folder))


def read_tree(tree: Tree) -> PictureFolder:
    """Reads labelled pictures.

    What their classes are called decides their labels; see `labels_of`. A file `class_names.txt` with the
    ten names in their order goes before. See `read_picture` for what is made of a picture.

    Raises:
        DataError: more than ten classes, a picture that cannot be read or has no ink.
    """
    names = {one.name for part in tree.parts.values() for one in part} | set(tree.class_folders)
    try:
        labels, class_names = _labels(sorted(names), read_names(tree.root))
    except DataError as error:
        raise DataError(f"{tree.root}: {error}") from error
    parts: dict[Part, Examples] = {}
    others = 0
    for part, pictures in tree.parts.items():
        if tree.class_folders:
            pictures = sorted(pictures, key=lambda one: labels[one.name])
        images, of_other_size = read_pictures((one.path, str(one.path)) for one in pictures)
        parts[part] = Examples(images, np.array([labels[one.name] for one in pictures], np.uint8))
        others += of_other_size
    notes = tree.notes
    if others:
        count = sum(map(len, parts.values()))
        notes += (f"{others:,} of {count:,} pictures are not {SIDE}×{SIDE}: {SCALED}",)
    return PictureFolder(parts, class_names, notes)


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
    images, _ = _images(path, str(path))
    return next(iter(images.values()))


def read_pictures(pictures: Iterable[tuple[Picture, str]]) -> tuple[NDArray[np.uint8], int]:
    """Reads pictures of one data set; where one does not show whether its paper is light, most others do.

    Args:
        pictures: each with a name for error messages; at least one.

    Returns:
        uint8[n, 28, 28], and how many had another size.

    Raises:
        DataError: as `read_picture`.
    """
    found = [_images(picture, name) for picture, name in pictures]
    clear = [next(iter(images)) for images, _ in found if len(images) == 1]
    mostly_light = sum(clear) > len(clear) / 2
    images = np.stack([images.get(mostly_light, next(iter(images.values()))) for images, _ in found])
    return images, sum(shape != (SIDE, SIDE) for _, shape in found)


def _images(picture: Picture, name: str) -> tuple[dict[bool, NDArray[np.uint8]], tuple[int, ...]]:
    """The MNIST image of a picture, by whether its paper is light; and the picture's height and width.

    If the picture does not show that, there are two images, the one for dark paper first.
    """
    try:
        grey = open_picture(picture).grey
        light = paper_is_light(grey)
        ways = (False, True) if light is None else (light,)
        return {way: image_of(grey, light_paper=way) for way in ways}, grey.shape
    except PictureError as error:
        raise DataError(f"{name}: {error}") from error
