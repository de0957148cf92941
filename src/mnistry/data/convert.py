"""Writing a data set in the formats that other programs read."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import numpy as np
from PIL import Image

from mnistry import atomic
from mnistry.data import idx
from mnistry.data.dataset import SIDE, Dataset, Examples
from mnistry.errors import DataError, InvalidValueError

Format = Literal["idx", "npz", "png", "csv"]


def write(dataset: Dataset, out: Path, to: Format) -> None:
    """Writes both parts of a data set; `load` reads them back, pictures in the order of their classes.

    - `"idx"`: a folder of four files, named as MNIST's, compressed;
    - `"npz"`: one file with `x_train`, `y_train`, `x_test`, `y_test`, as Keras lays them out;
    - `"png"`: a folder `train` and a folder `test`, in each a folder for every label, `0` to `9`;
    - `"csv"`: a folder with `train.csv` and `test.csv`, `label,pixel0,…,pixel783`.

    Raises:
        InvalidValueError: `out` exists, or its name does not fit the format.
        DataError: it cannot be written. Nothing half-written stays behind.
    """
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
    for prefix, part in (("train", dataset.train), ("t10k", dataset.test)):
        idx.write(folder / f"{prefix}-images-idx3-ubyte.gz", part.images)
        idx.write(folder / f"{prefix}-labels-idx1-ubyte.gz", part.labels)


def _write_npz(dataset: Dataset, path: Path) -> None:
    with atomic.replacing(path) as file:
        np.savez_compressed(
            file,
            x_train=dataset.train.images,
            y_train=dataset.train.labels,
            x_test=dataset.test.images,
            y_test=dataset.test.labels,
        )


def _write_png(dataset: Dataset, folder: Path) -> None:
    for name, part in _named_parts(dataset):
        for label in np.unique(part.labels):
            (folder / name / str(label)).mkdir(parents=True)
        for row, (image, label) in enumerate(zip(part.images, part.labels, strict=True)):
            Image.fromarray(image).save(folder / name / str(label) / f"{row:05d}.png")


def _write_csv(dataset: Dataset, folder: Path) -> None:
    header = ",".join(["label", *(f"pixel{number}" for number in range(SIDE * SIDE))])
    for name, part in _named_parts(dataset):
        table = np.column_stack([part.labels, part.images.reshape(len(part), -1)])
        text = io.StringIO()
        np.savetxt(text, table, fmt="%d", delimiter=",", header=header, comments="")
        atomic.write_text(folder / f"{name}.csv", text.getvalue())


def _named_parts(dataset: Dataset) -> tuple[tuple[str, Examples], tuple[str, Examples]]:
    return ("train", dataset.train), ("test", dataset.test)


_FOLDER_WRITERS: dict[str, Callable[[Dataset, Path], None]] = {
    "idx": _write_idx,
    "png": _write_png,
    "csv": _write_csv,
}
