"""What kind of file holds a data set: its content tells, whatever it is called."""

import re
import struct
from pathlib import Path
from typing import Literal

from mnistry.data.formats.tfrecord import is_head
from mnistry.data.formats.torch_file import LEGACY_START
from mnistry.data.sizes import SMALLEST_SIDE
from mnistry.files import open_unpacked

Kind = Literal[
    "npy", "npz", "table", "parquet", "hdf5", "matlab", "pickle", "torch", "libsvm", "lmdb", "tfrecord"
]

LMDB_FILE = "data.mdb"
"""The file in an LMDB folder that is the database."""
_STARTS: dict[bytes, Kind] = {
    b"\x93NUMPY": "npy",
    b"PAR1": "parquet",
    b"\x89HDF\r\n\x1a\n": "hdf5",
    b"MATLAB 7.3 MAT-file": "hdf5",
    b"MATLAB 5.0 MAT-file": "matlab",
    LEGACY_START: "torch",
    **{b"\x80" + bytes([protocol]): "pickle" for protocol in range(2, 6)},
}
"""The first of these that a file starts with says what it is."""
_ENDINGS: dict[str, Kind] = {".pkl": "pickle", ".pickle": "pickle", ".mat": "matlab", ".npz": "npz"}
"""Of what has no mark: pickles of protocols 0 and 1, MATLAB's files of version 4; or is damaged."""
_START_BYTES = 2**15
_HDF5_PLACES = (512, 1024, 2048)  # after what a program put before it
_LMDB_MAGIC = struct.pack("<I", 0xBEEFC0DE)
_LIBSVM_LINE = re.compile(rb"\s*[-+]?[\d.]+(\s+\d+:[-+\d.eE]+)+")
_ARFF = re.compile(rb"(\s*(%.*)?\n)*\s*@relation\s", re.IGNORECASE)


def kind_of(path: Path) -> Kind | None:
    """The kind of a file, or of an LMDB folder; None if it is none of those that hold arrays.

    Raises:
        OSError: it cannot be read.
    """
    if path.is_dir():
        return "lmdb" if (path / LMDB_FILE).is_file() else None
    with open_unpacked(path) as file:
        start = file.read(_START_BYTES)
    for mark, kind in _STARTS.items():
        if start.startswith(mark):
            return kind
    if start.startswith(b"PK\3\4"):
        return _packed_kind(start) or ("npz" if path.suffix.lower() == ".npz" else None)
    if any(start[place:].startswith(b"\x89HDF\r\n\x1a\n") for place in _HDF5_PLACES):
        return "hdf5"
    if start[16:20] == _LMDB_MAGIC:
        return "lmdb"
    if is_head(start):
        return "tfrecord"
    name = path.with_suffix("") if path.suffix.lower() in (".gz", ".bz2", ".xz") else path
    return _text_kind(start) or _ENDINGS.get(name.suffix.lower())


def _packed_kind(start: bytes) -> Kind | None:
    """Of a ZIP file, by the name of the first file in it."""
    length = struct.unpack_from("<H", start, 26)[0] if len(start) > 30 else 0
    name = start[30 : 30 + length]
    if name.endswith(b".npy"):
        return "npz"
    return "torch" if name.endswith(b"/data.pkl") else None


def _text_kind(start: bytes) -> Kind | None:
    if _ARFF.match(start):
        return "table"
    if _LIBSVM_LINE.match(start):
        return "libsvm"
    first = start.lstrip().partition(b"\n")[0]
    values = max(len(first.split(separator)) for separator in (b",", b";", b"\t", None))
    is_text = b"\0" not in first and not first.startswith(b"<")
    return "table" if is_text and values > SMALLEST_SIDE**2 else None
