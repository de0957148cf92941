"""Reading your own data: IDX files, folders of pictures, and files of arrays."""

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np

from mnistry.data import idx
from mnistry.data.apart import read_apart
from mnistry.data.archives import archive_kind, unpacked
from mnistry.data.array_files import array_files
from mnistry.data.arrays import Taken, to_examples
from mnistry.data.classes import check_count, numbered, read_names
from mnistry.data.contents import BOUNDED, read_contents
from mnistry.data.dataset import Dataset, Examples, content_hashes
from mnistry.data.file_kinds import kind_of
from mnistry.data.parts import PARTS, Part, parts_among
from mnistry.data.pictures import read_folder, read_tree
from mnistry.data.skipped import PACKED, SUFFIXES, is_litter
from mnistry.data.tree import Tree, tree_of_tables
from mnistry.errors import DataError, InvalidValueError
from mnistry.files import disguised, open_unpacked

EVERY = 7
"""Where a source has no test part, every seventh example is for testing."""
_DEPTH = 3  # of folders below one that are looked into
_MOST_FOLDERS = 100  # and files in one, of which the first are looked at
_IDX_NAME = re.compile(r"(?P<part>[^-]+)-(?P<what>images|labels)[-.]idx[13]-ubyte(\.gz)?")


def read(path: Path, *, full_scale: float | None = None) -> Dataset:
    """Reads a data set from a path, by what is there, whatever it is called.

    - a folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and, for the test part,
      `t10k-…`, each with or without `.gz`, or with a dot before `idx` as some programs unpack them;
    - a file that holds arrays, of the kinds of `mnistry.data.file_kinds`; or a folder with one for each part,
      such as `train.csv` and `test.csv`; or a folder of `.npy` files. What the arrays are called tells the
      parts, images and labels: see `mnistry.data.roles`, and for tables `mnistry.data.label_column`;
    - a folder with one of these somewhere below it, such as torchvision's `MNIST/raw`;
    - a folder with a folder of pictures for each class, perhaps below `train` and `test`; or of pictures that
      a table or their names label, or that table; see `mnistry.data.tree`;
    - a ZIP or tar file of any of these.

    The parts may have any of the names of `mnistry.data.parts`, and there may be one for validation.
    Where there is no test part, every seventh example (the 7th, the 14th, and so on) becomes it.
    The classes are called as their folders are, as the file `class_names.txt` or the array `class_names`
    says, or else by digits.

    Args:
        path: the file or folder.
        full_scale: the pixel value of the strongest ink in arrays; see `to_examples`.

    Raises:
        DataError: nothing of the above, or damaged.
        InvalidValueError: a full scale for pictures, whose formats say it.
    """
    if tree := tree_of_tables(path):
        return _of_pictures(path, tree, full_scale)
    if path.is_dir():
        if (dataset := _read_folder(path, full_scale)) is not None:
            return dataset
        if inner := _folder_below(path):
            return replace(read(inner, full_scale=full_scale), name=path.resolve().name)
        return _of_pictures(path, None, full_scale)
    kind = kind_of(path)
    if kind == "npy":
        raise DataError(f"{path}: one array of several; name the folder that holds them, {path.parent}.")
    if kind or path.suffix.lower() == ".csv":
        return _from_arrays(path, {"": path}, full_scale)
    if packed := archive_kind(path):
        with unpacked(path, packed) as folder:
            held = list(folder.iterdir())
            # An archive in the archive stays packed: such a file may hold itself, without an end.
            alone = len(held) == 1 and held[0].is_file() and not _is_archive(held[0])
            dataset = read(held[0] if alone else folder, full_scale=full_scale)
            source = dataset.source.replace(str(folder), str(path))
            return replace(dataset, name=folder.name, source=source)
    raise DataError(f"{path}: {_no_data_set(path)}.")


def _is_archive(path: Path) -> bool:
    return kind_of(path) is None and archive_kind(path) is not None


def _of_pictures(path: Path, tree: Tree | None, full_scale: float | None) -> Dataset:
    """The data set of the pictures that tables label, or else of those in a folder."""
    if full_scale is not None:
        raise InvalidValueError(f"{path}: `full_scale` is for arrays; pictures say what white is")
    pictures = read_tree(tree) if tree else read_folder(path)
    return _dataset(path, pictures.parts, pictures.class_names, pictures.notes)


def _read_folder(path: Path, full_scale: float | None) -> Dataset | None:
    """The data set of the IDX files or arrays that lie in a folder; None if there are none."""
    if files := _idx_files(path):
        return _dataset_of(path, {part: _read_idx_part(path, files[part], full_scale) for part in files})
    if kind_of(path):
        return _from_arrays(path, {"": path}, full_scale)
    if arrays := array_files(path):
        return _from_arrays(path, arrays, full_scale)
    return None


def _folder_below(path: Path) -> Path | None:
    """The one folder below that has IDX files, or else arrays; None if there is none.

    Raises:
        DataError: there are several.
    """
    below = [path]
    folders: list[Path] = []
    for _ in range(_DEPTH):
        below = [child for folder in below for child in _folders_in(folder)][:_MOST_FOLDERS]
        folders += below
    folders = [folder for folder in folders if not _has_pictures(folder)]
    for there in (_idx_files, array_files):
        found = [folder for folder in folders if there(folder)]
        if len(found) > 1:
            names = ", ".join(str(folder.relative_to(path)) for folder in found)
            raise DataError(f"{path}: there are several data sets below it: {names}. Name the folder of one.")
        if found:
            return found[0]
    return None


def _has_pictures(folder: Path) -> bool:
    return any(path.suffix.lower() in SUFFIXES for path in islice(folder.iterdir(), _MOST_FOLDERS))


def _folders_in(folder: Path) -> list[Path]:
    return sorted(child for child in folder.iterdir() if child.is_dir() and not is_litter(child.name))


def _from_arrays(path: Path, files: Mapping[str, Path], full_scale: float | None) -> Dataset:
    """Reads files of arrays, those that a library reads in a process of their own."""
    apart = any(kind_of(file) not in BOUNDED for file in files.values())
    read = read_apart if apart else read_contents
    contents = read(files, path, full_scale)
    return _dataset_of(path, contents.parts, contents.class_names, contents.notes)


def _no_data_set(path: Path) -> str:
    """Why a file is no data set, and what is to be done."""
    ending = path.suffix.lower()
    if _IDX_NAME.fullmatch(path.name):
        return f"one file of several; name the folder that holds them, {path.parent}"
    if ending in PACKED:
        return "packed; unpack it first, and name the folder or file that was in it"
    if ending in SUFFIXES:
        return "a picture; name the folder that holds a folder of pictures for each class"
    with open_unpacked(path) as file:
        what = disguised(file.read(60))
    return (
        "not a data set: expected a folder of IDX files or of pictures by class, or a file of arrays, such "
        "as .npz, .csv or .parquet" + (f"; it is {what}" if what else "")
    )


def _dataset(
    path: Path,
    parts: Mapping[Part, Examples],
    class_names: tuple[str, ...] | None = None,
    notes: tuple[str, ...] = (),
) -> Dataset:
    """Builds the data set, taking every seventh example for testing if there is no test part."""
    train, validation, test = (parts.get(part) for part in PARTS)
    if train is None and test is not None:
        train = test[:0]
        notes += ("there are no training examples: good for measuring only",)
    if train is None or not any(map(len, parts.values())):
        raise DataError(f"{path}: there are no training examples.")
    source = str(path)
    if test is None:
        if len(train) < EVERY:
            raise DataError(f"{path}: {len(train)} examples are too few to set some aside for testing.")
        chosen = np.arange(len(train)) % EVERY == EVERY - 1
        train, test = train[~chosen], train[chosen]
        source += " (has no test part: every seventh example was taken for it)"
    if class_names is None:
        class_names = read_names(path) if path.is_dir() else None
    class_names = class_names or numbered((train, validation, test))
    check_count(class_names, (train, validation, test), path)
    sha256 = content_hashes(train, validation, test)
    return Dataset(path.stem, train, test, class_names, source, sha256, validation, notes)


def _dataset_of(
    path: Path,
    parts: Mapping[Part, Taken],
    class_names: tuple[str, ...] | None = None,
    notes: tuple[str, ...] = (),
) -> Dataset:
    """The data set of arrays, with what was noted about each part, and what any leaves open."""
    said = dict.fromkeys(note for taken in parts.values() for note in taken.notes)
    examples = {part: taken.examples for part, taken in parts.items()}
    doubts = frozenset(doubt for taken in parts.values() for doubt in taken.doubts)
    return replace(_dataset(path, examples, class_names, (*said, *notes)), doubts=doubts)


def _idx_files(folder: Path) -> dict[Part, str]:
    """The parts that have an IDX file in the folder, and the word for each part in the file names."""
    found = (_IDX_NAME.fullmatch(path.name) for path in folder.iterdir())
    return parts_among({match["part"] for match in found if match}, folder)


def _read_idx_part(folder: Path, called: str, full_scale: float | None) -> Taken:
    files = {what: _idx_file(folder, called, what) for what in ("images", "labels")}
    images, labels = files.values()
    if images is None or labels is None:
        raise DataError(
            f"{folder}: of {called}-images-idx3-ubyte and {called}-labels-idx1-ubyte, one is missing."
        )
    pixels, classes = idx.read(images), idx.read(labels)
    if pixels.ndim != 3 or classes.ndim > 2:
        raise DataError(
            f"{images} and {labels}: images must have 3 dimensions and labels one, "
            f"found the shapes {pixels.shape} and {classes.shape}."
            + (" The files have each other's names." if (pixels.ndim, classes.ndim) == (1, 3) else "")
        )
    return to_examples(pixels, classes, f"{images} and {labels}", full_scale=full_scale)


def _idx_file(folder: Path, called: str, what: str) -> Path | None:
    """The images or labels of a part; packed ones first, and then those with a hyphen in their names."""
    files = (path for path in folder.iterdir() if not path.is_dir())
    found = ((path, _IDX_NAME.fullmatch(path.name)) for path in files)
    paths = [path for path, match in found if match and (match["part"], match["what"]) == (called, what)]
    return max(paths, key=lambda path: (path.suffix == ".gz", "-idx" in path.name), default=None)
