"""IDX, the file format of MNIST: a strict reader and a deterministic writer.

A file is a magic number (two zero bytes, a type code, the number of dimensions), one big-endian
32-bit size for each dimension, and the elements, big-endian, the last dimension fastest.
Source: http://yann.lecun.com/exdb/mnist/, "the IDX file format".
"""

import gzip
import io
import math
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry import atomic
from mnistry.data.dataset import CLASSES, Examples
from mnistry.errors import DataError, IdxError
from mnistry.files import disguised, open_regular

TYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
CODES = {(kind.kind, kind.itemsize): code for code, kind in TYPES.items()}
MOST_DIMENSIONS = 4
MOST_BYTES = 2**28
"""A header that promises more data than this (256 MiB; MNIST's largest file is 45 MiB) is refused."""

GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_HEADER = 4 + 4 * MOST_DIMENSIONS


def read(path: Path | str, *, most_bytes: int = MOST_BYTES) -> NDArray[Any]:
    """Reads an IDX file, plain or gzip-compressed (told apart by the content, not by the name).

    Args:
        path: the file.
        most_bytes: refuse a header that promises more bytes of data than this.

    Returns:
        The array, in the machine's byte order.

    Raises:
        IdxError: the file breaks the format or cannot be read; the message says how.
    """
    try:
        with open_regular(path) as file:
            content = file.read(most_bytes + _LONGEST_HEADER + 1)
    except OSError as error:
        raise IdxError(f"{path}: cannot be read: {error.strerror or error}.") from error
    return decode(content, name=str(path), most_bytes=most_bytes)


def decode(content: bytes, *, name: str, most_bytes: int = MOST_BYTES) -> NDArray[Any]:
    """Reads the bytes of an IDX file, plain or gzip-compressed; `name` is for the error messages.

    Raises:
        IdxError: as `read`.

    >>> decode(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]), name="labels")
    array([7, 2, 1], dtype=uint8)
    """
    return _parse(unpack(content, name=name, most_bytes=most_bytes), name)


def unpack(content: bytes, *, name: str, most_bytes: int = MOST_BYTES) -> bytes:
    """The IDX bytes inside `content`, which may be gzip-compressed. Exactly as long as the header says.

    Decompression is bounded: a gzip bomb costs one byte more than its header promises.

    Raises:
        IdxError: as `read`.
    """
    stream: io.BytesIO | gzip.GzipFile = io.BytesIO(content)
    if content.startswith(GZIP_MAGIC):
        stream = gzip.GzipFile(fileobj=stream)
    try:
        start = stream.read(4)
        if len(start) == 4 and start[:2] != b"\0\0" and (what := disguised(start + stream.read(60))):
            raise IdxError(f"{name}: not an IDX file: it is {what}.")
        kind, dimensions = _check_magic(start, name)
        header = 4 + 4 * dimensions
        sizes = stream.read(4 * dimensions)
        if len(sizes) < 4 * dimensions:
            raise IdxError(
                f"{name}: the header is cut short: {dimensions} dimensions need {header} bytes, "
                f"found {4 + len(sizes)}. Fetch the file again."
            )
        shape = struct.unpack(f">{dimensions}I", sizes)
        promised = math.prod(shape) * kind.itemsize
        if promised > most_bytes:
            raise IdxError(
                f"{name}: the header promises {promised:,} bytes of data for shape {shape}, "
                f"more than the {most_bytes:,} that are accepted. The file is damaged or not meant for this."
            )
        stream.seek(0)  # read header and data as one block, without a copy if not compressed
        unpacked = stream.read(header + promised + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise IdxError(f"{name}: the gzip compression is damaged ({error}). Fetch the file again.") from error
    found = len(unpacked) - header
    if found < promised:
        raise IdxError(
            f"{name}: the data is cut short: shape {shape} needs {promised:,} bytes, "
            f"found {found:,}. Fetch the file again."
        )
    if found > promised:
        raise IdxError(f"{name}: there are bytes after the {promised:,} that shape {shape} needs.")
    return unpacked


def encode(array: NDArray[Any]) -> bytes:
    """The IDX bytes of `array`.

    Raises:
        IdxError: an element type or number of dimensions that IDX, as we write it, does not have.

    >>> encode(np.array([7, 2, 1], np.uint8)).hex(" ")
    '00 00 08 01 00 00 00 03 07 02 01'
    """
    code = CODES.get((array.dtype.kind, array.dtype.itemsize))
    if code is None:
        raise IdxError(
            f"IDX has no element type for {array.dtype}: it has uint8, int8, int16, int32, float32, float64."
        )
    if not 1 <= array.ndim <= MOST_DIMENSIONS:
        raise IdxError(f"IDX arrays have 1 to {MOST_DIMENSIONS} dimensions, found {array.ndim}.")
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.astype(TYPES[code], copy=False).tobytes()


def write(path: Path | str, array: NDArray[Any]) -> None:
    """Writes an IDX file atomically, gzip-compressed if the name ends in `.gz`.

    The same array always gives the same bytes: the gzip header carries no time and no file name.

    Raises:
        IdxError: as `encode`.
        OSError: the folder is missing or read-only, or the disk is full.
    """
    content = encode(array)
    path = Path(path)
    atomic.write_bytes(
        path, gzip.compress(content, compresslevel=6, mtime=0) if path.suffix == ".gz" else content
    )


def examples(
    images: NDArray[Any],
    labels: NDArray[Any],
    *,
    images_name: str,
    labels_name: str,
    classes: int = CLASSES,
) -> Examples:
    """Pairs the content of an image file and a label file; the names are for the error messages.

    Raises:
        DataError: they are not 28×28 byte images and byte labels of so many classes, or their numbers
            differ.
    """
    for array, dimensions, what, name in (
        (images, 3, "images", images_name),
        (labels, 1, "labels", labels_name),
    ):
        if array.dtype != np.uint8 or array.ndim != dimensions:
            raise DataError(
                f"{name}: {what} must be uint8 with {dimensions} dimension{'s' * (dimensions > 1)}, "
                f"found {array.dtype} of shape {array.shape}."
            )
    wrong = np.flatnonzero(labels >= classes)
    if len(wrong):
        raise DataError(
            f"{labels_name}: labels must be from 0 to {classes - 1}, "
            f"found {labels[wrong[0]]} in row {wrong[0]}."
        )
    try:
        return Examples(images, labels)
    except DataError as error:
        raise DataError(f"{images_name} and {labels_name}: {error}") from error


def _check_magic(start: bytes, name: str) -> tuple[np.dtype[Any], int]:
    if len(start) < 4:
        raise IdxError(
            f"{name}: the header is cut short: expected 4 bytes of magic number, found {len(start)}."
        )
    if start[:2] != b"\0\0":
        raise IdxError(
            f"{name}: not an IDX file: the magic number must start with 00 00, found {start.hex(' ')}."
        )
    if start[2] not in TYPES:
        known = ", ".join(f"{code:02x}" for code in TYPES)
        raise IdxError(f"{name}: unknown element type {start[2]:02x} in the magic number; IDX has {known}.")
    if not 1 <= start[3] <= MOST_DIMENSIONS:
        raise IdxError(
            f"{name}: expected 1 to {MOST_DIMENSIONS} dimensions, the magic number says {start[3]}."
        )
    return TYPES[start[2]], start[3]


def _parse(content: bytes, name: str) -> NDArray[Any]:
    kind, dimensions = _check_magic(content[:4], name)
    shape = struct.unpack_from(f">{dimensions}I", content, 4)
    flat = np.frombuffer(content, kind, offset=4 + 4 * dimensions)
    return flat.reshape(shape).astype(kind.newbyteorder("="), copy=False)
