"""Reading your own data: IDX files, folders of pictures, `.npz` files, and CSV files."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mnistry.data import idx
from mnistry.data.archives import archive_kind, unpacked
from mnistry.data.arrays import Taken, to_examples
from mnistry.data.classes import checked_names, read_names
from mnistry.data.dataset import DIGITS, Dataset, Examples, content_hashes
from mnistry.data.label_column import label_column
from mnistry.data.npz import read_npz
from mnistry.data.parts import PARTS, Part, parts_among
from mnistry.data.pictures import PictureFolder, read_folder, read_tree
from mnistry.data.skipped import PACKED, SUFFIXES
from mnistry.data.table import read_table
from mnistry.data.tree import tree_of_tables
from mnistry.errors import DataError, InvalidValueError

EVERY = 7
"""Where a source has no test part, every seventh example is for testing."""
_IDX_NAME = re.compile(r"(?P<part>[^-]+)-(?P<what>images|labels)[-.]idx[13]-ubyte(\.gz)?")


def read(path: Path, *, full_scale: float | None = None) -> Dataset:
    """Reads a data set from a path, by what is there.

    - a folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and, for the test part,
      `t10k-…`, each with or without `.gz`, or with a dot before `idx` as some programs unpack them;
    - a folder with `train.csv` and perhaps `test.csv`, or one `.csv` file: 784 pixels and a label
      a line; see `label_column`;
    - a `.npz` file with `x_train`, `y_train`, `x_test`, `y_test`, or with `images` and `labels`, of the forms
      that `mnistry.data.arrays.to_examples` takes;
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
        return _of_pictures(path, read_tree(tree), full_scale)
    if path.is_dir():
        if files := _idx_files(path):
            return _dataset_of(path, {part: _read_idx_part(path, files[part], full_scale) for part in files})
        tables = parts_among((table.stem for table in path.glob("*.csv")), path)
        if "train" in tables:
            return _from_tables(path, {part: path / f"{tables[part]}.csv" for part in tables}, full_scale)
        return _of_pictures(path, read_folder(path), full_scale)
    if path.suffix.lower() == ".npz":
        return _read_npz(path, full_scale)
    if path.suffix.lower() == ".csv":
        return _from_tables(path, {"train": path}, full_scale)
    if kind := archive_kind(path):
        with unpacked(path, kind) as folder:
            held = list(folder.iterdir())
            # An archive in the archive stays packed: such a file may hold itself, without an end.
            alone = len(held) == 1 and held[0].is_file() and not _is_archive(held[0])
            dataset = read(held[0] if alone else folder, full_scale=full_scale)
            source = dataset.source.replace(str(folder), str(path))
            return replace(dataset, name=folder.name, source=source)
    raise DataError(f"{path}: {_no_data_set(path)}.")


def _is_archive(path: Path) -> bool:
    return path.suffix.lower() != ".npz" and archive_kind(path) is not None


def _of_pictures(path: Path, pictures: PictureFolder, full_scale: float | None) -> Dataset:
    if full_scale is not None:
        raise InvalidValueError(f"{path}: `full_scale` is for arrays; pictures say what white is")
    return _dataset(path, pictures.parts, pictures.class_names, pictures.notes)


def _no_data_set(path: Path) -> str:
    """Why a file is no data set, and what is to be done."""
    ending = path.suffix.lower()
    if _IDX_NAME.fullmatch(path.name):
        return f"one file of several; name the folder that holds them, {path.parent}"
    if ending in PACKED:
        return "packed; unpack it first, and name the folder or file that was in it"
    if ending in SUFFIXES:
        return "a picture; name the folder that holds a folder of pictures for each class"
    return (
        "not a data set: expected a folder of IDX files, of pictures by class or of CSV files, "
        "an .npz file, or a .csv file"
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
        class_names = (read_names(path) if path.is_dir() else None) or DIGITS
    sha256 = content_hashes(train, validation, test)
    return Dataset(path.stem, train, test, class_names, source, sha256, validation, notes)


def _dataset_of(
    path: Path,
    parts: Mapping[Part, Taken],
    class_names: tuple[str, ...] | None = None,
    notes: tuple[str, ...] = (),
) -> Dataset:
    """The data set of arrays, with what was noted about each part; see `_dataset`."""
    said = dict.fromkeys(note for _, noted in parts.values() for note in noted)
    return _dataset(path, {part: taken for part, (taken, _) in parts.items()}, class_names, (*said, *notes))


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


def _from_tables(path: Path, tables: Mapping[Part, Path], full_scale: float | None) -> Dataset:
    parts: dict[Part, Taken] = {}
    notes: tuple[str, ...] = ()
    for part, file in tables.items():
        if (taken := _read_table(file, full_scale)) is not None:
            parts[part] = taken
        elif part == "train":
            raise DataError(f"{file}: it has no labels. A file without labels cannot be a data set.")
        else:
            notes += (f"{file.name} is left out: it has no labels",)
    return _dataset_of(path, parts, notes=notes)


def _read_table(path: Path, full_scale: float | None) -> Taken | None:
    """The examples of a CSV file; None if it has no labels."""
    names, table = read_table(path)
    try:
        column = label_column(names, table)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if column is None:
        return None
    return to_examples(np.delete(table, column, axis=1), table[:, column], str(path), full_scale=full_scale)


def _read_npz(path: Path, full_scale: float | None) -> Dataset:
    pairs: dict[Part, tuple[str, str]] = {}

    def wanted(names: set[str]) -> Iterable[str]:
        for part, called in parts_among((name[2:] for name in names if name[:2] == "x_"), path).items():
            if f"x_{called}" in names:
                pairs[part] = (f"x_{called}", f"y_{called}")
        if not pairs:
            pairs["train"] = ("images", "labels")
        needed = [name for pair in pairs.values() for name in pair]
        if not names >= set(needed):
            raise DataError(
                f"{path}: expected the arrays x_train, y_train, x_test and y_test, or images and labels; "
                f"found {', '.join(sorted(names)[:20]) or 'none'}."
            )
        return [*needed, *{"class_names"} & names]

    arrays = read_npz(path, wanted)
    parts = {
        part: to_examples(
            arrays[images], arrays[labels], f"{path}, {images} and {labels}", full_scale=full_scale
        )
        for part, (images, labels) in pairs.items()
    }
    kept = arrays["class_names"].tolist() if "class_names" in arrays else DIGITS
    return _dataset_of(path, parts, checked_names(kept, f"{path}: class_names"))
