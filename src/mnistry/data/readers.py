"""Reading your own data: IDX files, folders of pictures, `.npz` files, and CSV files."""

import hashlib
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data import idx
from mnistry.data.classes import checked_names, read_names
from mnistry.data.dataset import DIGITS, SIDE, Dataset, Examples
from mnistry.data.label_column import label_column
from mnistry.data.parts import PARTS, Part, parts_among
from mnistry.data.pictures import read_folder
from mnistry.errors import DataError

EVERY = 7
"""Where a source has no test part, every seventh example is for testing."""
_IDX_NAME = re.compile(r"(?P<part>[^-]+)-(images-idx3|labels-idx1)-ubyte(\.gz)?")


def read(path: Path) -> Dataset:
    """Reads a data set from a path, by what is there.

    - a folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and, for the test part,
      `t10k-…`, each with or without `.gz`;
    - a folder with `train.csv` and perhaps `test.csv`, or one `.csv` file: 784 pixels and a label
      a line; see `label_column`;
    - a `.npz` file with `x_train`, `y_train`, `x_test`, `y_test`, or with `images` and `labels`;
    - a folder with a folder of pictures for each class, perhaps below `train` and `test`.

    The parts may have any of the names of `mnistry.data.parts`, and there may be one for validation.
    Where there is no test part, every seventh example (the 7th, the 14th, and so on) becomes it.
    The classes are called as their folders are, as the file `class_names.txt` or the array `class_names`
    says, or else by digits.

    Raises:
        DataError: nothing of the above, or damaged.
    """
    if path.is_dir():
        if files := _idx_files(path):
            return _dataset(path, {part: _read_idx_part(path, files[part]) for part in files})
        tables = parts_among((table.stem for table in path.glob("*.csv")), path)
        if "train" in tables:
            return _from_tables(path, {part: path / f"{tables[part]}.csv" for part in tables})
        pictures = read_folder(path)
        return _dataset(path, pictures.parts, pictures.class_names, pictures.notes)
    if path.suffix.lower() == ".npz":
        return _read_npz(path)
    if path.suffix.lower() == ".csv":
        return _from_tables(path, {"train": path})
    raise DataError(
        f"{path}: not a data set: expected a folder of IDX files, of pictures by class or of CSV files, "
        "an .npz file, or a .csv file."
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
    complete = {"train": train, "validation": validation, "test": test}
    sha256 = {
        name: hashlib.sha256(part.images.tobytes() + part.labels.tobytes()).hexdigest()
        for name, part in complete.items()
        if part is not None
    }
    return Dataset(path.stem, train, test, class_names, source, sha256, validation, notes)


def _idx_files(folder: Path) -> dict[Part, str]:
    """The parts of which there is an IDX file of images or labels, and what they are called in its name."""
    found = (_IDX_NAME.fullmatch(path.name) for path in folder.iterdir())
    return parts_among({match["part"] for match in found if match}, folder)


def _read_idx_part(folder: Path, called: str) -> Examples:
    paths = []
    for what in ("images-idx3-ubyte", "labels-idx1-ubyte"):
        choices = (folder / f"{called}-{what}.gz", folder / f"{called}-{what}")
        paths.append(next((path for path in choices if path.is_file()), None))
    images, labels = paths
    if images is None or labels is None:
        raise DataError(
            f"{folder}: of {called}-images-idx3-ubyte and {called}-labels-idx1-ubyte, one is missing."
        )
    return idx.examples(idx.read(images), idx.read(labels), images_name=str(images), labels_name=str(labels))


def _from_tables(path: Path, tables: Mapping[Part, Path]) -> Dataset:
    parts: dict[Part, Examples] = {}
    notes: tuple[str, ...] = ()
    for part, file in tables.items():
        if (examples := _read_table(file)) is not None:
            parts[part] = examples
        elif part == "train":
            raise DataError(f"{file}: it has no labels. A file without labels cannot be a data set.")
        else:
            notes += (f"{file.name} is left out: it has no labels",)
    return _dataset(path, parts, notes=notes)


def _read_table(path: Path) -> Examples | None:
    """The examples of a CSV file; None if it has no labels."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = [name.strip('"') for name in file.readline().strip().split(",")]
            counted = first == [str(number) for number in range(len(first))]
            names = first if counted or not first[0].isdigit() else []
            if not names:
                file.seek(0)
            with warnings.catch_warnings(action="ignore"):  # of a file without lines
                table = np.loadtxt(file, dtype=np.int32, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a table of whole numbers: {error}.") from error
    try:
        column = label_column(names, table)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    if column is None:
        return None
    return _from_arrays(np.delete(table, column, axis=1), table[:, column], path)


def _read_npz(path: Path) -> Dataset:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(member.file_size for member in packed.infolist())
        if size > idx.MOST_BYTES:
            raise DataError(f"{path}: unpacks to {size:,} bytes, more than the {idx.MOST_BYTES:,} accepted.")
        with np.load(path, allow_pickle=False) as arrays:
            names = set(arrays.files)
            pairs = {
                part: (images, f"y_{called}")
                for part, called in parts_among(
                    (name[2:] for name in names if name[:2] == "x_"), path
                ).items()
                if (images := f"x_{called}") in names
            }
            if not pairs:
                pairs = {"train": ("images", "labels")}
            if all(names >= set(pair) for pair in pairs.values()):
                parts = {part: _from_arrays(arrays[x], arrays[y], path) for part, (x, y) in pairs.items()}
                kept = arrays["class_names"].tolist() if "class_names" in names else DIGITS
                return _dataset(path, parts, checked_names(kept, f"{path}: class_names"))
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a readable .npz file of plain arrays: {error}.") from error
    raise DataError(
        f"{path}: expected the arrays x_train, y_train, x_test and y_test, or images and labels; "
        f"found {', '.join(sorted(names)) or 'none'}."
    )


def _from_arrays(images: NDArray[Any], labels: NDArray[Any], path: Path) -> Examples:
    """Checks and converts arrays of whole numbers; images may be flat or have a channel axis of one."""
    for name, array, largest in (("pixels", images, 255), ("labels", labels, 9)):
        if array.dtype.kind not in "iu":
            raise DataError(f"{path}: {name} must be whole numbers from 0 to {largest}, found {array.dtype}.")
        if array.size and not 0 <= array.min() <= array.max() <= largest:
            raise DataError(
                f"{path}: {name} must be from 0 to {largest}, found {array.min()} to {array.max()}."
            )
    if images.shape[1:] not in ((SIDE * SIDE,), (SIDE, SIDE), (SIDE, SIDE, 1)):
        raise DataError(
            f"{path}: images must have shape (n, {SIDE}, {SIDE}) or (n, {SIDE * SIDE}), found {images.shape}."
        )
    try:
        return Examples(
            images.reshape(-1, SIDE, SIDE).astype(np.uint8), labels.astype(np.uint8).reshape(len(labels))
        )
    except (DataError, ValueError) as error:
        raise DataError(f"{path}: {error}") from error
