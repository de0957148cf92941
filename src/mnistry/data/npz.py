"""Arrays out of `.npz` and `.npy` files, for which no more memory is taken than the file can fill."""

import math
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.archives import check_directory
from mnistry.errors import DataError
from mnistry.files import disguised, open_regular, open_unpacked

MOST_BYTES = 2**29
"""Arrays that take more (512 MiB; MNIST's training images as float64 take 359) are refused."""
MOST_DIRECTORY_BYTES = 2**20
"""A ZIP file with a longer table of contents (1 MiB; some ten thousand names) is refused."""

_CHUNK_BYTES = 2**20


def read_npz(path: Path, wanted: Callable[[set[str]], Iterable[str]]) -> dict[str, NDArray[Any]]:
    """Reads some of a file's arrays.

    Args:
        path: the file.
        wanted: given the names of all its arrays, those to read.

    Returns:
        The arrays by name.

    Raises:
        DataError: it is damaged, holds Python objects, or promises more than it has or than is accepted.
    """
    try:
        with open_regular(path) as file:
            if not (start := file.read(60)).startswith(b"PK") and (what := disguised(start)):
                raise ValueError(f"it is {what}")
            check_directory(file, MOST_DIRECTORY_BYTES)
            with zipfile.ZipFile(file) as packed:
                members = {info.filename.removesuffix(".npy"): info for info in packed.infolist()}
                names = list(wanted(set(members)))
                size = sum(members[name].file_size for name in names)
                if size > MOST_BYTES:
                    raise ValueError(f"it unpacks to {size:,} bytes, more than the {MOST_BYTES:,} accepted")
                return {name: _read_member(packed, members[name]) for name in names}
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except (ValueError, EOFError, NotImplementedError, RuntimeError, zipfile.BadZipFile, zlib.error) as error:
        raise DataError(f"{path}: not a readable .npz file of plain arrays: {error}.") from error


def read_npy(path: Path) -> NDArray[Any]:
    """Reads a file of one array, packed or not.

    Raises:
        DataError: as `read_npz`.
    """
    try:
        with open_unpacked(path) as file:
            return _read_array(file, path.name)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise DataError(f"{path}: not a readable .npy file of a plain array: {error}.") from error


def _read_member(packed: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError(f"{member.filename} is compressed in another way than NumPy does")
    with packed.open(member) as file:
        return _read_array(file, member.filename, member.file_size)


def _read_array(file: IO[bytes], name: str, size: int | None = None) -> NDArray[Any]:
    """An array, of a file of `size` bytes if that is known."""
    shape, by_columns, kind = _header(file)
    if kind.hasobject:
        raise ValueError(f"{name} holds Python objects ({kind}), not numbers")
    promised = math.prod(shape) * kind.itemsize
    if size is not None and promised != size - file.tell():
        raise ValueError(
            f"{name} promises {promised:,} bytes for shape {shape} of {kind}, but has {size - file.tell():,}"
        )
    if not 0 <= promised <= MOST_BYTES:
        raise ValueError(f"{name} promises {promised:,} bytes; at most {MOST_BYTES:,} are accepted")
    flat = np.empty(math.prod(shape), kind)
    content, filled = memoryview(flat.view(np.uint8).data if promised else b""), 0
    while filled < promised:
        read = file.readinto(content[filled : filled + _CHUNK_BYTES])  # type: ignore[attr-defined]
        if not read:
            raise ValueError(f"{name} is cut short after {filled:,} of {promised:,} bytes")
        filled += read
    if file.read(1):  # at the end, a checksum is compared
        raise ValueError(f"{name} has more than the {promised:,} bytes that shape {shape} of {kind} takes")
    return flat.reshape(shape, order="F" if by_columns else "C")


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    try:
        version = np.lib.format.read_magic(file)
        if version == (1, 0):
            return np.lib.format.read_array_header_1_0(file)
        if version == (2, 0):
            return np.lib.format.read_array_header_2_0(file)
    except Exception as error:  # a header is Python text, and Python fails in many ways on odd text
        raise ValueError(f"a damaged header: {str(error).splitlines()[0][:200]}") from error
    raise ValueError(f"it has a header of version {version}, made for arrays with named fields")
