"""Who wrote each digit of MNIST: the label tables of QMNIST.

Source: C. Yadav and L. Bottou, "Cold case: the lost MNIST digits", 2019, and the tables' description at
https://github.com/facebookresearch/qmnist.
"""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mnistry.data import idx
from mnistry.data.catalog import MNIST, QMNIST
from mnistry.data.dataset import Dataset
from mnistry.data.fetch import cache_folder, data_folders
from mnistry.errors import DataError, DataNotFoundError, InvalidValueError, UnknownNameError
from mnistry.files import open_regular

COLUMNS = 8
MOST_BYTES = 2**25
"""A longer table of text (32 MiB; QMNIST's have 2) is refused."""


@dataclass(frozen=True, eq=False)
class WriterTable:
    """Where each example of one part comes from.

    Attributes:
        writers: int32[n], NIST's number of the writer.
        series: int32[n], NIST's series: 0, 1, 2, 3 are census staff, 4 are high-school students.
        source: the file.
    """

    writers: NDArray[np.int32]
    series: NDArray[np.int32]
    source: Path


def read_writers(
    dataset: Dataset, part: Literal["train", "test"] = "train", data_dir: Path | str | None = None
) -> WriterTable:
    """Reads the QMNIST label table that belongs to one part of MNIST or QMNIST.

    The table is looked for in `data_dir`, MNISTRY_DATA and the cache, there in the folder `qmnist` or at
    the top: `qmnist-train-labels.tsv` (eight numbers a line: class, NIST series, writer, digit index,
    NIST class code, NIST index, duplicate, unused) or QMNIST's own `qmnist-train-labels-idx2-int`,
    either with or without `.gz`; for the test part, `test` in place of `train`. MNIST's 10,000 test
    digits are the first 10,000 of QMNIST's 60,000.

    Raises:
        UnknownNameError: there is no such part.
        InvalidValueError: the data set is neither MNIST nor QMNIST.
        DataNotFoundError: no folder has the table; the message says which file to put where.
        DataError: the table is damaged, or its classes are not the labels of this part.
    """
    if part not in ("train", "test"):
        raise UnknownNameError("part", part, ("train", "test"))
    if dataset.name not in (MNIST.name, QMNIST.name):
        raise InvalidValueError(
            f"the writers of {dataset.name!r} are not known; only mnist and qmnist have a table of writers."
        )
    path = _find(part, data_dir)
    table = _read(path)
    labels = {"train": dataset.train, "test": dataset.test}[part].labels
    if len(table) < len(labels):
        raise DataError(f"{path}: expected a row for each of {len(labels):,} examples, found {len(table):,}.")
    table = table[: len(labels)]
    if len(wrong := np.flatnonzero(table[:, 0] != labels)):
        raise DataError(
            f"{path}: this is not the table of {dataset.name}'s {part} part: row {wrong[0]} says class "
            f"{table[wrong[0], 0]}, the label is {labels[wrong[0]]} ({len(wrong):,} rows differ)."
        )
    return WriterTable(writers=table[:, 2].copy(), series=table[:, 1].copy(), source=path)


def _find(part: str, data_dir: Path | str | None) -> Path:
    folders = [*data_folders(data_dir), cache_folder()]
    names = (f"qmnist-{part}-labels.tsv", f"qmnist-{part}-labels-idx2-int")
    for folder in folders:
        for place in (folder / QMNIST.name, folder):
            for name in names:
                for path in (place / f"{name}.gz", place / name):
                    if path.is_file():
                        return path
    raise DataNotFoundError(
        f"the table of writers was not found in {', '.join(map(str, folders))}. Put {names[1]}.gz from "
        f"{QMNIST.homepage} (or the table as {names[0]}) into FOLDER/{QMNIST.name} and name FOLDER with "
        "`data_dir` or in the environment variable MNISTRY_DATA, or run: mnistry data fetch qmnist"
    )


def _read(path: Path) -> NDArray[np.int32]:
    """The table as int32[n, 8]."""
    if "idx2-int" in path.name:
        table = idx.read(path)
        if table.dtype != np.int32 or table.ndim != 2 or table.shape[1] != COLUMNS:
            raise DataError(f"{path}: expected int32 of shape (n, 8), found {table.dtype} of {table.shape}.")
        return table
    try:
        with open_regular(path) as opened:
            packed = opened.peek(2).startswith(idx.GZIP_MAGIC)
            text = (gzip.GzipFile(fileobj=opened) if packed else opened).read(MOST_BYTES + 1)
        if len(text) > MOST_BYTES:
            raise ValueError(f"it has more than {MOST_BYTES:,} bytes")
        return np.loadtxt(
            text.decode("ascii").splitlines(), dtype=np.int32, delimiter="\t", ndmin=2, usecols=range(COLUMNS)
        )
    except (OSError, EOFError, zlib.error, ValueError) as error:
        raise DataError(f"{path}: not a table of {COLUMNS} whole numbers a line: {error}.") from error
