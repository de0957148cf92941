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
from mnistry.data.classes import folder_names, write_names
from mnistry.data.dataset import DIGITS, SIDE, Dataset, Examples
from mnistry.errors import DataError, InvalidValueError, UnknownNameError

Format = Literal["idx", "npz", "png", "csv"]


def format_for(out: Path) -> Format:
    """The format that the name of a new file or folder asks for: npz by its ending, idx of a folder without.

    Raises:
        InvalidValueError: an ending that is of no known format.
    """
    if out.suffix.lower() == ".npz":
        return "npz"
    if out.suffix:
        raise InvalidValueError(
            f"{out}: no format ends in {out.suffix!r}. Known are OUT.npz, a file, and OUT without an ending, "
            f"a folder of IDX files; or choose with `to`: {', '.join(get_args(Format))}."
        )
    return "idx"


def write(dataset: Dataset, out: Path, to: Format) -> None:
    """Writes both parts of a data set; `load` reads them back, pictures in the order of their classes.

    - `"idx"`: a folder of four files, named as MNIST's, compressed;
    - `"npz"`: one file with `x_train`, `y_train`, `x_test`, `y_test`, as Keras lays them out;
    - `"png"`: a folder `train` and a folder `test`, in each a folder for every class;
    - `"csv"`: a folder with `train.csv` and `test.csv`, `label,pixel0,…,pixel783`.

    A part for validation is a part more. Names of classes other than the digits are kept in
    `class_names.txt`, or the array `class_names`.

    Raises:
        UnknownNameError: there is no such format.
        InvalidValueError: `out` exists, or its name does not fit the format.
        DataError: it cannot be written. Nothing half-written stays behind.
    """
    if to not in get_args(Format):
        raise UnknownNameError("format", to, get_args(Format))
    if out.exists():
        raise InvalidValueError(f"{out} exists already; nothing is overwritten. Choose another name.")
    if (to == "npz") != (out.suffix == ".npz") or out.suffix == ".csv":
        raise InvalidValueError(
            f"{out}: the format {to} writes {'a file ending in .npz' if to == 'npz' else 'a folder'}; "
            "choose another name or format."
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if to == "npz":
            _write_npz(dataset, out)
        else:
            with _new_folder(out) as folder:
                _FOLDER_WRITERS[to](dataset, folder)
                if dataset.class_names != DIGITS:
                    write_names(folder, dataset.class_names)
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


def _write_npz(dataset: Dataset, path: Path) -> None:
    arrays: dict[str, NDArray[Any]] = {}
    for name, part in _named_parts(dataset):
        arrays |= {f"x_{name}": part.images, f"y_{name}": part.labels}
    if dataset.class_names != DIGITS:
        arrays["class_names"] = np.array(dataset.class_names)
    with atomic.replacing(path) as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


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


_FOLDER_WRITERS: dict[Format, Callable[[Dataset, Path], None]] = {
    "idx": _write_idx,
    "png": _write_png,
    "csv": _write_csv,
}
