"""Tensors that PyTorch saved, such as torchvision's `training.pt`: read without it, and nothing is run.

Sources: `torch.serialization`, whose files are pickles that refer to storages, in a ZIP archive since version
1.6 and one after the other before it.
"""

import math
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.formats import Arrays, check_bytes
from mnistry.data.formats.pickled import ArrayUnpickler, named
from mnistry.files import open_regular

LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_START = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""The pickle of that number, with which its files begin."""
_TYPES = {
    "ByteStorage": "<u1",
    "CharStorage": "<i1",
    "ShortStorage": "<i2",
    "IntStorage": "<i4",
    "LongStorage": "<i8",
    "HalfStorage": "<f2",
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "BoolStorage": "?",
}


@dataclass(frozen=True)
class _Storage:
    kind: str
    key: str


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


def _tensor(storage: _Storage, offset: int, shape: Any, strides: Any, *_: object) -> _Tensor:
    return _Tensor(storage, int(offset), tuple(map(int, shape)), tuple(map(int, strides)))


_ADMITTED: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    **{("torch", name): kind for name, kind in _TYPES.items()},
}


class _TensorUnpickler(ArrayUnpickler):
    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, _ADMITTED)

    def persistent_load(self, pid: Any) -> _Storage:
        what, kind, key, *_ = pid
        if what != "storage" or kind not in _TYPES.values():
            raise ValueError(f"it refers to {what}, not to the numbers of a tensor")
        return _Storage(kind, str(key))


def read_torch(path: Path) -> Arrays:
    """Reads tensors, and tuples, lists and dictionaries of them; see `mnistry.data.formats.pickled.named`."""
    with open_regular(path) as file:
        if zipfile.is_zipfile(file):
            value, storages = _read_zip(file)
        else:
            value, storages = _read_legacy(file)
    return Arrays(named(value, lambda one: _array(one, storages) if isinstance(one, _Tensor) else one))


def _read_zip(file: IO[bytes]) -> tuple[Any, Mapping[str, bytes]]:
    with zipfile.ZipFile(file) as packed:
        pickles = [name for name in packed.namelist() if name.endswith("data.pkl")]
        if len(pickles) != 1:
            raise ValueError("expected one data.pkl in it")
        check_bytes(sum(info.file_size for info in packed.infolist()))
        folder = pickles[0].removesuffix("data.pkl")
        if f"{folder}byteorder" in packed.namelist() and packed.read(f"{folder}byteorder") != b"little":
            raise ValueError("its numbers are not little-endian")
        with packed.open(pickles[0]) as pickle:
            value = _TensorUnpickler(pickle).load()
        start = f"{folder}data/"
        keys = [name for name in packed.namelist() if name.startswith(start)]
        return value, {name.removeprefix(start): packed.read(name) for name in keys}


def _read_legacy(file: IO[bytes]) -> tuple[Any, Mapping[str, bytes]]:
    file.seek(0)
    magic, _, _ = (_TensorUnpickler(file).load() for _ in range(3))
    if magic != LEGACY_MAGIC:
        raise ValueError("not a file of torch.save")
    seen: dict[str, str] = {}

    class Noting(_TensorUnpickler):
        def persistent_load(self, pid: Any) -> _Storage:
            storage = super().persistent_load(pid)
            seen[storage.key] = storage.kind
            return storage

    value = Noting(file).load()
    storages: dict[str, bytes] = {}
    for key in _TensorUnpickler(file).load():
        count = struct.unpack("<q", file.read(8))[0]
        size = count * np.dtype(seen[key]).itemsize
        check_bytes(size + sum(map(len, storages.values())))
        storages[key] = file.read(size)
    return value, storages


def _array(tensor: _Tensor, storages: Mapping[str, bytes]) -> NDArray[Any]:
    flat = np.frombuffer(storages[tensor.storage.key], tensor.storage.kind)
    check_bytes(math.prod(tensor.shape) * flat.itemsize)
    if not math.prod(tensor.shape):
        return np.zeros(tensor.shape, flat.dtype)
    steps = list(zip(tensor.shape, tensor.strides, strict=True))
    last = tensor.offset + sum((size - 1) * step for size, step in steps)
    if tensor.offset < 0 or min((min(step) for step in steps), default=0) < 0 or last >= len(flat):
        raise ValueError(f"a tensor of shape {tensor.shape} reaches beyond its {len(flat):,} numbers")
    strides = [step * flat.itemsize for step in tensor.strides]
    return np.lib.stride_tricks.as_strided(flat[tensor.offset :], tensor.shape, strides).copy()
