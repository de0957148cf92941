"""Images without labels, to be predicted: rows of a table, arrays, pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data import idx
from mnistry.data.archives import archive_kind, unpacked
from mnistry.data.contents import BOUNDED, read_arrays_of
from mnistry.data.file_kinds import kind_of
from mnistry.data.formats import Arrays
from mnistry.data.in_memory import images_of
from mnistry.data.pictures import read_pictures
from mnistry.data.roles import part_of, role_of
from mnistry.data.skipped import SUFFIXES, is_litter
from mnistry.errors import DataError

KAGGLE = "test.csv"
"""What a competition's folder holds beside the labelled table."""
MOST_PICTURES = 400_000


@dataclass(frozen=True, eq=False)
class Unlabelled:
    """Images to be predicted.

    Attributes:
        images: uint8[n, 28, 28], 0 is paper and 255 the strongest ink.
        names: the file of each, of pictures; None of rows, which have numbers only.
        notes: what their user should know.
    """

    images: NDArray[np.uint8]
    names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def read_unlabelled(path: Path, *, full_scale: float | None = None) -> Unlabelled:
    """Reads images from a path, by what is there.

    - a table of pixels, such as a `.csv` file; an `.npy` file, or an `.npz` file with one array or images of
      a usual name; IDX images; each packed or not. Labels are left out, and it is said;
    - a picture, or all pictures in a folder and those below it, each made an MNIST image as the pictures of a
      data set are; a folder with a `test.csv`, as competitions give out, is that file;
    - a ZIP or tar file of these.

    Args:
        path: the file or folder.
        full_scale: the pixel value of the strongest ink in arrays; see `mnistry.data.arrays.to_examples`.

    Raises:
        DataError: nothing of the above, damaged, or without any image.
    """
    try:
        found = _read(path, full_scale)
    except OSError as error:
        raise DataError(f"{error.filename or path}: cannot be read: {error.strerror or error}.") from error
    if not len(found.images):
        raise DataError(f"{path}: there are no images.")
    return found


def _read(path: Path, full_scale: float | None) -> Unlabelled:
    if path.is_dir():
        return _read(path / KAGGLE, full_scale) if (path / KAGGLE).is_file() else _pictures(path)
    if path.suffix.lower() in SUFFIXES:
        images, _ = read_pictures([(path, str(path))])
        return Unlabelled(images, (path.name,))
    if "idx3-ubyte" in path.name:
        return Unlabelled(_images(path, idx.read(path), full_scale))
    if (kind := kind_of(path)) is not None and kind in BOUNDED:
        return _arrays(path, read_arrays_of(path, kind), full_scale)
    if kind is not None:
        raise DataError(
            f"{path}: images without labels are not read from {kind} files: save them as .npz or .csv."
        )
    if (archive := archive_kind(path)) is not None:
        with unpacked(path, archive) as folder:
            held = [one for one in folder.iterdir() if not is_litter(one.name)]
            alone = len(held) == 1 and held[0].is_file() and kind_of(held[0]) in BOUNDED
            return _read(held[0] if alone else folder, full_scale)
    raise DataError(
        f"{path}: expected images: a .csv, .npy or .npz file, IDX images, a picture, or a folder or archive "
        "of pictures."
    )


def _arrays(path: Path, found: Arrays, full_scale: float | None) -> Unlabelled:
    """The images among the arrays of a file: those for the test, if there are several; or the only array."""
    of_images = [name for name in sorted(found.values) if role_of(name) == "images"]
    for_the_test = [name for name in of_images if part_of(name) == "test"]
    chosen = for_the_test or of_images or (list(found.values) if len(found.values) == 1 else [])
    if not chosen:
        raise DataError(
            f"{path}: expected one array, or one that is called as images are, such as x_test or images; "
            f"found {', '.join(sorted(found.values)[:20]) or 'none'}."
        )
    array = found.values[chosen[0]]
    assert isinstance(array, np.ndarray)
    notes = found.notes
    if "labels" in map(role_of, found.values):
        notes += ("its labels were left out",)
    return Unlabelled(_images(path, array, full_scale), notes=notes)


def _images(path: Path, array: NDArray[Any], full_scale: float | None) -> NDArray[np.uint8]:
    try:
        return images_of(array, full_scale=full_scale)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def _pictures(folder: Path) -> Unlabelled:
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and not is_litter(path.name) and path.is_file()
    )
    if not paths:
        raise DataError(f"{folder}: there are no pictures in it or below it.")
    if len(paths) > MOST_PICTURES:
        raise DataError(
            f"{folder}: it holds {len(paths):,} pictures; at most {MOST_PICTURES:,} are accepted."
        )
    images, _ = read_pictures((path, str(path)) for path in paths)
    return Unlabelled(images, tuple(path.relative_to(folder).as_posix() for path in paths))
