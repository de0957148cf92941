"""TFRecord, a file of `tf.train.Example` messages, read without TensorFlow.

A record is its length as eight bytes, little-endian, their masked CRC-32C, as many bytes of data, and theirs.
Source: https://www.tensorflow.org/tutorials/load_data/tfrecord, "TFRecords format details".
"""

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.formats import Arrays, check_bytes, needed, pictures_or_pixels
from mnistry.data.formats.messages import message
from mnistry.data.roles import role_of
from mnistry.data.sizes import SMALLEST_SIDE
from mnistry.files import open_unpacked

_HEAD = struct.Struct("<QI")
HEAD_BYTES = _HEAD.size
_POLYNOMIAL = 0x82F63B78  # Castagnoli's, its bits reversed


def read_tfrecord(path: Path) -> Arrays:
    """Reads the features that are called as images and labels are."""
    columns: dict[str, list[Any]] = {}
    example = message("Example")
    size = count = 0
    with open_unpacked(path) as file:
        for record in _records(file):
            size += len(record)
            count += 1
            check_bytes(size)
            for entry in example.FromString(record).features.feature:
                if role_of(entry.key):
                    columns.setdefault(entry.key, []).append(_value(entry.value))
    found = {name: _column(name, values) for name, values in columns.items() if len(values) == count}
    return Arrays({name: column for name, column in found.items() if column is not None})


def is_head(start: bytes) -> bool:
    """Whether a file that starts so is a TFRecord: the checksum of the first length is right.

    It is computed here, as what is no TFRecord needs no library to tell.
    """
    if len(start) < HEAD_BYTES or any(start[4:8]):
        return False
    value = 0xFFFFFFFF
    for byte in start[:8]:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return bool(_mask(value ^ 0xFFFFFFFF) == _HEAD.unpack_from(start)[1])


def _records(file: IO[bytes]) -> Iterator[bytes]:
    checksum = needed("google_crc32c").value
    number = 0
    while head := file.read(HEAD_BYTES):
        if len(head) < HEAD_BYTES or _HEAD.unpack(head)[1] != _mask(checksum(head[:8])):
            raise ValueError(f"record {number:,} begins with a wrong checksum: it is damaged")
        length = _HEAD.unpack(head)[0]
        check_bytes(length)
        record, end = file.read(length), file.read(4)
        if len(end) < 4:
            raise ValueError(f"record {number:,} is cut short")
        if struct.unpack("<I", end)[0] != _mask(checksum(record)):
            raise ValueError(f"record {number:,} has a wrong checksum: it is damaged")
        yield record
        number += 1


def _mask(checksum: int) -> int:
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _value(feature: Any) -> Any:
    if feature.HasField("bytes_list"):
        values = feature.bytes_list.value
        return values[0] if len(values) == 1 else None
    return np.array(feature.int64_list.value or feature.float_list.value)


def _column(name: str, values: list[Any]) -> NDArray[Any] | list[bytes] | None:
    """None of what can be neither images nor labels, such as the sizes of pictures and their formats."""
    if any(value is None or type(value) is not type(values[0]) for value in values):
        return None
    labels = role_of(name) == "labels"
    if isinstance(values[0], bytes):
        if labels:
            return np.array([value.decode("latin1") for value in values])
        short = min(map(len, values)) < SMALLEST_SIDE**2
        return None if short else pictures_or_pixels(values)
    if len({value.shape for value in values}) > 1 or (not labels and values[0].size < SMALLEST_SIDE**2):
        return None
    return np.stack(values)
