"""Which files of a folder hold arrays, and belong to one data set."""

import re
from itertools import islice
from pathlib import Path

from mnistry.data.file_kinds import Kind, kind_of
from mnistry.data.roles import part_of, role_of
from mnistry.data.skipped import SUFFIXES, is_litter
from mnistry.errors import DataError

MOST_FILES = 200
"""A folder of more files is one of pictures."""


def array_files(folder: Path) -> dict[str, Path]:
    """The files of a folder that hold arrays, by what they are called without their ending.

    Those that are called as parts are, such as `train.parquet` and `mnist-test.tfrecord-00000-of-00001`; the
    arrays of `.npy` files; or one file alone, which is called nothing. There are none in a folder of more
    than `MOST_FILES`.

    Raises:
        DataError: several data sets.
        OSError: what is called as a part is cannot be read.
    """
    kinds: dict[Kind, list[Path]] = {}
    paths = list(islice(folder.iterdir(), MOST_FILES + 1))
    for path in sorted(paths) if len(paths) <= MOST_FILES else []:
        if not is_litter(path.name) and path.suffix.lower() not in SUFFIXES and (kind := _kind(path)):
            kinds.setdefault(kind, []).append(path)
    found = {kind: chosen for kind, files in kinds.items() if (chosen := _of_kind(kind, files))}
    named = {kind: chosen for kind, chosen in found.items() if "" not in chosen} or found
    if len(named) > 1:
        names = ", ".join(path.name for chosen in named.values() for path in chosen.values())
        raise DataError(f"{folder}: it holds several data sets: {names}. Name the file of one of them.")
    return next(iter(named.values()), {})


def _of_kind(kind: Kind, files: list[Path]) -> dict[str, Path]:
    called = {_called(path): path for path in files}
    if kind == "npy":
        return {name: path for name, path in called.items() if role_of(name)}
    parts = {name: path for name, path in called.items() if part_of(name)}
    others = {name: path for name, path in called.items() if name not in parts}
    if len(others) == 1 and "train" not in map(part_of, parts):  # `usps` beside `usps.t`, or one file alone
        return {("train" if parts else ""): path for path in others.values()} | parts
    return parts


def _called(path: Path) -> str:
    """The name without the endings that say how it is packed, and that of a shard's place.

    >>> _called(Path("x_train.npy")), _called(Path("usps.t.bz2")), _called(Path("t.tfrecord-0-of-2"))
    ('x_train', 'usps.test', 't-0-of-2')
    """
    name = re.sub(r"\.(gz|bz2|xz)$", "", path.name)
    name = re.sub(r"\.t$", ".test", name)  # as LIBSVM's authors call them
    return re.sub(r"\.(npy|npz|csv|parquet|h5|hdf5|mat|pkl|pt|arff|tfrecords?)\b", "", name)


def _kind(path: Path) -> Kind | None:
    try:
        return kind_of(path)
    except OSError:  # no regular file, or not to be read
        if part_of(_called(path)):
            raise
        return None  # not meant as data
