"""Writing a data set in the formats that other programs read."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistry import atomic
from mnistry.data import idx
from mnistry.data.classes import CLASS_NAMES, folder_names, write_names
from mnistry.data.dataset import DIGITS, SIDE, Dataset, Examples
from mnistry.data.formats.hdf5 import write_hdf5
from mnistry.data.formats.lmdb_datum import write_lmdb
from mnistry.data.formats.parquet import write_parquet
from mnistry.errors import DataError, InvalidValueError, UnknownNameError

Format = Literal["idx", "npz", "npy", "png", "csv", "parquet", "hdf5", "lmdb"]
FILES: dict[Format, tuple[str, ...]] = {"npz": (".npz",), "hdf5": (".h5", ".hdf5")}
"""The formats that are one file, and what their names end in; the others are a folder."""
_OF_FILES = frozenset({".npz", ".h5", ".hdf5", ".npy", ".csv", ".parquet", ".mdb", ".zip"})


def format_for(out: Path) -> Format:
    """The format that the name of a new file or folder asks for: by its ending, or idx of a folder without.

    Raises:
        InvalidValueError: an ending that is of no known format.
    """
    for to, endings in FILES.items():
        if out.suffix.lower() in endings:
            return to
    if out.suffix:
        raise InvalidValueError(
            f"{out}: no format ends in {out.suffix!r}. Known are OUT.npz and OUT.h5, files, and OUT without "
            f"an ending, a folder of IDX files; or choose with `to`: {', '.join(get_args(Format))}."
        )
    return "idx"


def write(dataset: Dataset, out: Path, to: Format) -> None:
    """Writes both parts of a data set; `load` reads them back, pictures in the order of their classes.

    - `"idx"`: a folder of four files, named as MNIST's, compressed;
    - `"npz"`: one file with `x_train`, `y_train`, `x_test`, `y_test`, as Keras lays them out;
    - `"npy"`: a folder with a file for each of these arrays;
    - `"hdf5"`: one file with these arrays;
    - `"png"`: a folder `train` and a folder `test`, in each a folder for every class;
    - `"csv"`: a folder with `train.csv` and `test.csv`, `label,pixel0,…,pixel783`;
    - `"parquet"`: a folder with a file for each part, pictures and labels, as Hugging Face publishes them;
    - `"lmdb"`: a folder with a database for each part, as Caffe reads them.

    A part for validation is a part more. Names of classes other than the digits are kept in
    `class_names.txt`, the array `class_names`, or Parquet's metadata.

    Raises:
        UnknownNameError: there is no such format.
        InvalidValueError: `out` exists, or its name does not fit the format.
        DataError: it cannot be written, or needs a library that is not installed. Nothing half-written stays
            behind.
    """
    if to not in get_args(Format):
        raise UnknownNameError("format", to, get_args(Format))
    if out.exists():
        raise InvalidValueError(f"{out} exists already; nothing is overwritten. Choose another name.")
    endings = FILES.get(to)
    if out.suffix.lower() not in endings if endings else out.suffix.lower() in _OF_FILES:
        kind = f"a file ending in {' or '.join(endings)}" if endings else "a folder"
        raise InvalidValueError(f"{out}: the format {to} writes {kind}; choose another name or format.")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if endings:
            _FILE_WRITERS[to](_arrays(dataset), out)
        else:
            with _new_folder(out) as folder:
                _FOLDER_WRITERS[to](dataset, folder)
                if dataset.class_names != DIGITS:
                    write_names(folder, dataset.class_names)
    except DataError as error:
        raise DataError(f"{out}: {error}") from error
    except OSError as error:
        raise DataError(f"{out}: cannot be written: {error.strerror or error}.") from error


@contextmanager
def _new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which moves to `path` only when the block ends without an exception."""
    with TemporaryDirectory(dir=path.parent, prefix=".writing-") as scratch:
        folder = Path(scratch) / path.name
        folder.mkdir()
        yield folder
        folder.rename(path)


def _write_idx(dataset: Dataset, folder: Path) -> None:
    for name, part in _named_parts(dataset):
        prefix = "t10k" if name == "test" else name
        idx.write(folder / f"{prefix}-images-idx3-ubyte.gz", part.images)
        idx.write(folder / f"{prefix}-labels-idx1-ubyte.gz", part.labels)


def _arrays(dataset: Dataset) -> dict[str, NDArray[Any]]:
    """The arrays as Keras names them, and the names of classes other than the digits."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, part in _named_parts(dataset):
        arrays |= {f"x_{name}": part.images, f"y_{name}": part.labels}
    if dataset.class_names != DIGITS:
        arrays[CLASS_NAMES] = np.array(dataset.class_names)
    return arrays


def _write_npz(arrays: dict[str, NDArray[Any]], path: Path) -> None:
    with atomic.replacing(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _write_npy(dataset: Dataset, folder: Path) -> None:
    for name, array in _arrays(dataset).items():
        if name != CLASS_NAMES:
            with atomic.replacing(folder / f"{name}.npy") as file:
                np.save(file, array)


def _write_parquet(dataset: Dataset, folder: Path) -> None:
    for name, part in _named_parts(dataset):
        write_parquet(part, dataset.class_names, folder / f"{name}-00000-of-00001.parquet")


def _write_lmdb(dataset: Dataset, folder: Path) -> None:
    for name, part in _named_parts(dataset):
        write_lmdb(part, folder / f"{name}_lmdb")


def _write_png(dataset: Dataset, folder: Path) -> None:
    called = folder_names(dataset.class_names)
    for name, part in _named_parts(dataset):
        for label in np.unique(part.labels):
            (folder / name / called[label]).mkdir(parents=True)
        for row, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
            Image.fromarray(image).save(folder / name / called[label] / f"{row:05d}.png")


def _write_csv(dataset: Dataset, folder: Path) -> None:
    header = ",".join(["label", *(f"pixel{number}" for number in range(SIDE * SIDE))])
    for name, part in _named_parts(dataset):
        table = np.column_stack([part.labels, part.images.reshape(len(part), -1)])
        text = io.StringIO()
        np.savetxt(text, table, fmt="%d", delimiter=",", header=header, comments="")
        atomic.write_text(folder / f"{name}.csv", text.getvalue())


def _named_parts(dataset: Dataset) -> list[tuple[str, Examples]]:
    parts = [("train", dataset.train), ("validation", dataset.validation), ("test", dataset.test)]
    return [(name, part) for name, part in parts if part is not None and len(part)]


_FILE_WRITERS: dict[Format, Callable[[dict[str, NDArray[Any]], Path], None]] = {
    "npz": _write_npz,
    "hdf5": write_hdf5,
}
_FOLDER_WRITERS: dict[Format, Callable[[Dataset, Path], None]] = {
    "idx": _write_idx,
    "npy": _write_npy,
    "png": _write_png,
    "csv": _write_csv,
    "parquet": _write_parquet,
    "lmdb": _write_lmdb,
}
