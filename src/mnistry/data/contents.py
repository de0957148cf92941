"""What files that hold arrays make: examples by part, found by what the arrays are called."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.arrays import Taken, to_examples
from mnistry.data.classes import CLASS_NAMES, checked_names
from mnistry.data.dataset import DIGITS
from mnistry.data.decode import open_picture
from mnistry.data.file_kinds import Kind, kind_of
from mnistry.data.formats import Arrays
from mnistry.data.formats.hdf5 import read_hdf5
from mnistry.data.formats.libsvm import read_libsvm
from mnistry.data.formats.lmdb_datum import read_lmdb
from mnistry.data.formats.matlab import read_matlab
from mnistry.data.formats.parquet import read_parquet
from mnistry.data.formats.pickled import read_pickle
from mnistry.data.formats.tfrecord import read_tfrecord
from mnistry.data.formats.torch_file import read_torch
from mnistry.data.label_column import columns_of
from mnistry.data.npz import read_npy, read_npz
from mnistry.data.parts import PARTS, Part
from mnistry.data.pictures import read_pictures
from mnistry.data.roles import digit_of, is_telling, pairs_among, role_of, without_numbers
from mnistry.data.table import read_table
from mnistry.errors import DataError, PictureError

_UNNAMED = 2
"""A file of so few arrays need not name them: the one of more dimensions is the images."""


@dataclass(frozen=True, eq=False)
class Contents:
    """What was found.

    Attributes:
        parts: what was made of each part.
        class_names: what the classes are called, if a file says it.
        notes: what was left out.
    """

    parts: dict[Part, Taken]
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def _read_npz(path: Path) -> Arrays:
    def wanted(names: set[str]) -> list[str]:
        few = len(names) <= _UNNAMED
        return [name for name in sorted(names) if few or is_telling(name) or name == CLASS_NAMES]

    values: dict[str, Any] = read_npz(path, wanted)
    names = values.pop(CLASS_NAMES, None)
    return Arrays(values, None if names is None else tuple(map(str, names.tolist())))


def _read_table(path: Path) -> Arrays:
    columns = columns_of(*read_table(path))
    values: dict[str, Any] = {"images": columns.pixels}
    return Arrays(
        values | ({} if columns.labels is None else {"labels": columns.labels}), notes=columns.notes
    )


READERS = {
    "npy": lambda path: Arrays({"": read_npy(path)}),
    "npz": _read_npz,
    "table": _read_table,
    "parquet": read_parquet,
    "hdf5": read_hdf5,
    "matlab": read_matlab,
    "pickle": read_pickle,
    "torch": read_torch,
    "libsvm": read_libsvm,
    "lmdb": read_lmdb,
    "tfrecord": read_tfrecord,
}
BOUNDED: frozenset[Kind] = frozenset({"npy", "npz", "table"})
"""What is read by code that was made for hostile files; a library reads the others."""


def read_contents(files: Mapping[str, Path], where: Path, full_scale: float | None) -> Contents:
    """Reads files that hold one data set together.

    Args:
        files: by what they are called, which may tell their part; a single file may be called nothing.
        where: the file or folder, for error messages.
        full_scale: see `to_examples`.

    Raises:
        DataError: one cannot be read, or there are no images with labels.
    """
    values: dict[str, NDArray[Any] | list[bytes]] = {}
    class_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()
    origins: dict[str, str] = {}
    by_columns = False
    for called, path in files.items():
        found = read_arrays_of(path, kind_of(path) or "table")
        for name, value in found.values.items():
            key = without_numbers("/".join(filter(None, (called, name))))
            origins[key] = path.name if called else key
            _add(values, key, value, path)
        class_names = class_names or found.class_names
        by_columns |= found.by_columns
        notes += found.notes
    if not any(map(role_of, values)):
        values, more = _of_digits(values, where)
        notes += more
        origins |= {name: name for name in values}
        if len(values) == _UNNAMED and not more:
            values = _named(values)
    parts: dict[Part, Taken] = {}
    for part, (images, labels) in pairs_among(values, where).items():
        if labels is None:
            notes += (f"{origins[images]} is left out: it has no labels",)
            continue
        name = f"{where}, {images} and {labels}"
        pixels, classes = values.pop(images), values[labels]
        if isinstance(pixels, list):
            pixels = _decoded(pixels, name)
        if isinstance(classes, list):
            raise DataError(f"{name}: expected labels, found pictures.")
        parts[part] = to_examples(pixels, classes, name, full_scale=full_scale, by_columns=by_columns)
    if class_names is not None:
        class_names = checked_names(class_names, f"{where}: {CLASS_NAMES}")
    return Contents(parts, class_names, tuple(dict.fromkeys(notes)))


def read_arrays_of(path: Path, kind: Kind) -> Arrays:
    """What a file of a kind holds; whatever its reader stumbles over is an error that names it.

    Raises:
        DataError: it cannot be read.
    """
    try:
        return READERS[kind](path)
    except DataError as error:
        if str(path) in str(error):
            raise
        raise DataError(f"{path}: {error}") from error
    except MemoryError as error:
        raise DataError(f"{path}: it takes more memory than is accepted.") from error
    except Exception as error:  # libraries fail in many ways on damaged files
        text = getattr(error, "strerror", None) or str(error)
        said = text.strip().splitlines()[:1] or [type(error).__name__]
        raise DataError(f"{path}: not a readable {kind} file: {said[0][:300].rstrip('.')}.") from error


def _add(values: dict[str, Any], name: str, value: NDArray[Any] | list[bytes], path: Path) -> None:
    """Adds an array, or a shard to those before it."""
    if name not in values:
        values[name] = value
        return
    before = values[name]
    if isinstance(before, list) and isinstance(value, list):
        before.extend(value)
        return
    try:
        values[name] = np.concatenate([before, value])
    except ValueError as error:
        raise DataError(
            f"{path}: its {name!r} does not continue that of the file before it: {error}."
        ) from error


def _of_digits(values: dict[str, Any], where: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Arrays of ten digits' images, such as `train0` to `train9`, put together with their labels; or all as
    they are.

    Raises:
        DataError: those of a digit are missing, or of another size.
    """
    found: dict[Part, dict[int, NDArray[Any]]] = {}
    for name, value in values.items():
        if (told := digit_of(name)) and isinstance(value, np.ndarray) and value.ndim > 1:
            found.setdefault(told[0], {})[told[1]] = value
    if not any(len(arrays) == len(DIGITS) for arrays in found.values()):
        return values, ()
    made: dict[str, Any] = {}
    parts = [part for part in PARTS if part in found]
    for part in parts:
        arrays = found[part]
        ordered = [arrays[digit] for digit in sorted(arrays)]
        if len(ordered) < len(DIGITS) or len({array.shape[1:] for array in ordered}) > 1:
            shapes = ", ".join(f"{digit}: {arrays[digit].shape}" for digit in sorted(arrays))
            raise DataError(
                f"{where}: expected images of one size for each digit of the {part} part, found {shapes}."
            )
        made[f"{part}/images"] = np.concatenate(ordered)
        made[f"{part}/labels"] = np.repeat(np.arange(len(DIGITS), dtype=np.uint8), [*map(len, ordered)])
    names = " and ".join(f"{part}0 to {part}9" for part in parts)
    return made, (f"{names} are taken for the images of one digit each",)


def _named(values: Mapping[str, Any]) -> dict[str, Any]:
    """Two arrays as images and labels: the labels are those of fewer numbers."""
    return dict(zip(("labels", "images"), sorted(values.values(), key=np.size), strict=True))


def _decoded(pictures: list[bytes], name: str) -> NDArray[Any]:
    """The grey levels of pictures of one size, uint8 `[n, height, width]`; else, MNIST images of them."""
    try:
        greys = [open_picture(io.BytesIO(picture)).grey for picture in pictures]
    except PictureError as error:
        raise DataError(f"{name}: a picture cannot be read: {error}") from error
    if len({grey.shape for grey in greys}) == 1:
        return np.stack([np.rint(grey * 255).astype(np.uint8) for grey in greys])
    return read_pictures((io.BytesIO(one), f"{name}, row {row}") for row, one in enumerate(pictures))[0]
