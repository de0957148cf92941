"""Pickles of NumPy arrays, such as `mnist.pkl.gz`, by an unpickler that admits nothing else."""

import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.formats import Arrays, check_bytes
from mnistry.data.parts import Part
from mnistry.files import open_unpacked

_MOST_DEPTH = 4
_MOST_VALUES = 400_000


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """What Python 3 makes of bytes in the pickles of Python 2."""
    if encoding != "latin1":
        raise pickle.UnpicklingError(f"text in {encoding}")
    return text.encode("latin1")


def _from_buffer(content: Any, kind: Any, shape: Any, order: str) -> NDArray[Any]:
    """What NumPy calls in pickles of protocol 5."""
    return np.frombuffer(content, kind).reshape(shape, order="F" if order == "F" else "C")


_multiarray = np.zeros(0).__reduce__()[0]
ADMITTED: dict[tuple[str, str], Any] = {
    ("numpy", "ndarray"): np.ndarray,
    ("numpy", "dtype"): np.dtype,
    **{(f"numpy.{core}.multiarray", "_reconstruct"): _multiarray for core in ("core", "_core")},
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")
        for module, name, function in (
            ("multiarray", "scalar", np.float64(0).__reduce__()[0]),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
    ("_codecs", "encode"): _encode,
    ("collections", "OrderedDict"): OrderedDict,
}
"""Modules and names of what a pickle may call, and what is called instead."""


class ArrayUnpickler(pickle.Unpickler):
    """Builds arrays, numbers, texts, and lists, tuples and dictionaries of them; anything else is an error.

    Args:
        file: what is read.
        admitted: more names that it may call.
    """

    def __init__(self, file: IO[bytes], admitted: dict[tuple[str, str], Any] | None = None) -> None:
        super().__init__(file, encoding="latin1")
        self._admitted = ADMITTED | (admitted or {})

    def find_class(self, module: str, name: str) -> Any:
        try:
            return self._admitted[module, name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"it asks for {module}.{name}; only NumPy arrays are admitted, as a pickle may run any "
                "program. If you trust it, load it yourself and save its arrays with numpy.savez"
            ) from None


def read_pickle(path: Path) -> Arrays:
    """Reads a dictionary of arrays, or pairs of images and labels in the usual order: see `named`."""
    with open_unpacked(path) as file:
        return Arrays(named(ArrayUnpickler(file).load()))


def named(value: Any, convert: Callable[[Any], Any] = lambda value: value) -> dict[str, Any]:
    """Names for nested arrays.

    A pair of images and labels is called so; of two pairs the second is the test part, and of three the
    second is for validation. Pairs may also follow each other without being nested.

    Args:
        value: arrays, and lists, tuples and dictionaries of them.
        convert: applied to each value first.

    Raises:
        ValueError: they are nested too deep, or too large.
    """
    found: dict[str, Any] = {}
    _collect(value, "", convert, found, 0)
    check_bytes(sum(array.nbytes for array in found.values()))
    return found


def _collect(value: Any, name: str, convert: Callable[[Any], Any], found: dict[str, Any], depth: int) -> None:
    value = convert(value)
    if depth > _MOST_DEPTH:
        raise ValueError("its arrays are nested too deep")
    if isinstance(value, np.ndarray):
        found[name] = value
    elif isinstance(value, dict):
        for key, one in value.items():
            if isinstance(key, str):
                _collect(one, f"{name}/{key}".strip("/"), convert, found, depth + 1)
    elif isinstance(value, (list, tuple)) and value:
        if isinstance(value[0], (int, float, str, np.generic)):
            found[name] = np.array(value[:_MOST_VALUES])
            return
        for called, one in zip(_calls([convert(one) for one in value]), value, strict=False):
            _collect(one, f"{name}/{called}".strip("/"), convert, found, depth + 1)


def _calls(values: list[Any]) -> list[str]:
    """What the members of a list are."""
    parts: dict[int, tuple[Part, ...]] = {
        1: ("train",),
        2: ("train", "test"),
        3: ("train", "validation", "test"),
    }
    kinds = [_dimensions(value) for value in values]
    pairs = len(values) // 2
    if len(values) % 2 == 0 and pairs in parts and kinds[1::2] == [1] * pairs and min(kinds[::2]) > 1:
        return [f"{part}/{role}" for part in parts[pairs] for role in ("images", "labels")]
    return list(parts.get(len(values), ()))


def _dimensions(value: Any) -> int:
    """Of an array; 1 of a list of numbers, 0 of anything else."""
    if isinstance(value, np.ndarray):
        return 1 if value.ndim == 2 and value.shape[1] in (1, 10) else value.ndim
    return int(
        isinstance(value, (list, tuple)) and len(value) > 3 and isinstance(value[0], (int, np.generic))
    )
