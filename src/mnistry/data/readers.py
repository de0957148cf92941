"""Reading your own data: IDX files, folders of pictures, `.npz` files, and CSV files."""

import hashlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data import idx
from mnistry.data.dataset import DIGITS, SIDE, Dataset, Examples
from mnistry.data.pictures import read_folder
from mnistry.errors import DataError

EVERY = 7
"""Where a source has no test part, every seventh example is for testing."""


def read(path: Path) -> Dataset:
    """Reads a data set from a path, by what is there.

    - a folder with `train-images-idx3-ubyte`, `train-labels-idx1-ubyte` and, for the test part,
      `t10k-…`, each with or without `.gz`;
    - a folder with `train.csv` and perhaps `test.csv`, or one `.csv` file: `label,pixel0,…,pixel783`;
    - a `.npz` file with `x_train`, `y_train`, `x_test`, `y_test`, or with `images` and `labels`;
    - a folder with a folder of pictures for each class, perhaps below `train` and `test`.

    Where there is no test part, every seventh example (the 7th, the 14th, and so on) becomes it.

    Raises:
        DataError: nothing of the above, or damaged.
    """
    if path.is_dir():
        if _idx_file(path, "train-images-idx3-ubyte"):
            return _divided(path, _read_idx_part, "train", "t10k")
        if (path / "train.csv").is_file():
            return _divided(path, _read_csv_part, "train.csv", "test.csv")
        return _from_pictures(path)
    if path.suffix == ".npz":
        return _read_npz(path)
    if path.suffix == ".csv":
        return _dataset(path, _read_csv_part(path.parent, path.name), None)
    raise DataError(
        f"{path}: not a data set: expected a folder of IDX files, of pictures by class or of CSV files, "
        "an .npz file, or a .csv file."
    )


def _divided(path: Path, read_part: Callable[[Path, str], Examples | None], train: str, test: str) -> Dataset:
    return _dataset(path, read_part(path, train), read_part(path, test))


def _dataset(
    path: Path, train: Examples | None, test: Examples | None, class_names: tuple[str, ...] = DIGITS
) -> Dataset:
    """Builds the data set, taking every seventh example for testing if there is no test part."""
    if train is None or not len(train):
        raise DataError(f"{path}: there are no training examples.")
    source = str(path)
    if test is None:
        if len(train) < EVERY:
            raise DataError(f"{path}: {len(train)} examples are too few to set some aside for testing.")
        chosen = np.arange(len(train)) % EVERY == EVERY - 1
        train, test = train[~chosen], train[chosen]
        source += " (has no test part: every seventh example was taken for it)"
    parts = {"train": train, "test": test}
    sha256 = {
        name: hashlib.sha256(part.images.tobytes() + part.labels.tobytes()).hexdigest()
        for name, part in parts.items()
    }
    return Dataset(path.stem, train, test, class_names, source, sha256)


def _idx_file(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / f"{name}.gz", folder / name) if path.is_file()), None)


def _read_idx_part(folder: Path, part: str) -> Examples | None:
    images, labels = (
        _idx_file(folder, f"{part}-{what}") for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )
    if images is None and labels is None:
        return None
    if images is None or labels is None:
        raise DataError(
            f"{folder}: of {part}-images-idx3-ubyte and {part}-labels-idx1-ubyte, one is missing."
        )
    return idx.examples(idx.read(images), idx.read(labels), images_name=str(images), labels_name=str(labels))


def _from_pictures(folder: Path) -> Dataset:
    train, test, class_names = read_folder(folder)
    return _dataset(folder, train, test, class_names)


def _read_npz(path: Path) -> Dataset:
    try:
        with zipfile.ZipFile(path) as packed:
            size = sum(member.file_size for member in packed.infolist())
        if size > idx.MOST_BYTES:
            raise DataError(f"{path}: unpacks to {size:,} bytes, more than the {idx.MOST_BYTES:,} accepted.")
        with np.load(path, allow_pickle=False) as arrays:
            names = set(arrays.files)
            if names >= {"x_train", "y_train", "x_test", "y_test"}:
                train = _from_arrays(arrays["x_train"], arrays["y_train"], path)
                return _dataset(path, train, _from_arrays(arrays["x_test"], arrays["y_test"], path))
            if names >= {"images", "labels"}:
                return _dataset(path, _from_arrays(arrays["images"], arrays["labels"], path), None)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not a readable .npz file of plain arrays: {error}.") from error
    raise DataError(
        f"{path}: expected the arrays x_train, y_train, x_test and y_test, or images and labels; "
        f"found {', '.join(sorted(names)) or 'none'}."
    )


def _read_csv_part(folder: Path, name: str) -> Examples | None:
    path = folder / name
    if not path.is_file():
        return None
    try:
        with path.open(encoding="utf-8-sig") as file:
            first = file.readline().strip().split(",")
            has_header = not first[0].isdigit()
            if has_header and (first[0].strip('"') != "label" or len(first) != SIDE * SIDE + 1):
                raise DataError(
                    f"{path}: expected the columns label, pixel0, …, pixel783, found {len(first)} columns "
                    f"starting with {first[0]!r}. A file without labels cannot be a data set."
                )
            if not has_header:
                file.seek(0)
            table = np.loadtxt(file, dtype=np.int32, delimiter=",", ndmin=2)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: not a table of whole numbers: {error}.") from error
    if table.shape[1] != SIDE * SIDE + 1:
        raise DataError(
            f"{path}: expected a label and {SIDE * SIDE} pixels a line, found {table.shape[1]} columns."
        )
    return _from_arrays(table[:, 1:], table[:, 0], path)


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
