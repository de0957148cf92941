"""HDF5, such as `train/data` and `train/target`; and MATLAB's files of version 7.3, which are HDF5."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry import atomic
from mnistry.data.classes import CLASS_NAMES
from mnistry.data.formats import Arrays, check_bytes, needed
from mnistry.data.roles import is_telling

_MOST_NAMES = 10_000
MATLAB = b"MATLAB 7.3 MAT-file"


def read_hdf5(path: Path) -> Arrays:
    """Reads the arrays that are called as images and labels are, in groups or not."""
    h5py = needed("h5py")
    found: dict[str, Any] = {}
    visited = 0

    def visit(name: str, item: Any) -> None:
        nonlocal visited
        visited += 1
        if visited > _MOST_NAMES:
            raise ValueError(f"it holds more than {_MOST_NAMES:,} arrays and groups")
        if isinstance(item, h5py.Dataset) and (is_telling(name) or name == CLASS_NAMES):
            found[name] = item

    with path.open("rb") as start:
        matlab = start.read(len(MATLAB)) == MATLAB
    with h5py.File(path, "r") as file:
        file.visititems(visit)
        check_bytes(sum(item.size * item.dtype.itemsize for item in found.values()))
        names = found.pop(CLASS_NAMES, None)
        return Arrays(
            {name: _array(name, item, reverse=matlab) for name, item in found.items()},
            None if names is None else tuple(_array(CLASS_NAMES, names).tolist()),
            by_columns=matlab,
        )


def write_hdf5(arrays: dict[str, NDArray[Any]], path: Path) -> None:
    """Writes arrays, packed, and the names of classes as texts."""
    h5py = needed("h5py")
    with atomic.replacing(path) as opened, h5py.File(opened, "w") as file:
        for name, array in arrays.items():
            kind = h5py.string_dtype() if array.dtype.kind == "U" else array.dtype
            file.create_dataset(name, data=array.astype(kind), compression="gzip")


def _array(name: str, item: Any, *, reverse: bool = False) -> NDArray[Any]:
    if item.is_virtual or item.external:
        raise ValueError(f"{name} lies in other files")
    array: NDArray[Any] = item.asstr()[()] if item.dtype.kind == "O" else item[()]
    if array.dtype.kind == "O":
        array = array.astype(str)
    return np.ascontiguousarray(array.T) if reverse else array
