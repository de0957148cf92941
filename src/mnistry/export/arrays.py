"""Models and states as named arrays, and named arrays as safetensors."""

import hashlib
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from mnistry.data.classes import CLASS_NAMES
from mnistry.errors import RunError
from mnistry.files import open_regular

Tree = TypeVar("Tree")


def named_arrays(tree: object) -> dict[str, np.ndarray]:
    """The arrays of a pytree by the path to each, such as `layers/0/weight`."""
    return {name: np.asarray(leaf) for name, leaf in _named_leaves(tree).items()}


def _named_leaves(tree: object) -> dict[str, Any]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="/"): leaf for path, leaf in leaves}


def with_arrays(tree: Tree, arrays: dict[str, np.ndarray]) -> Tree:
    """The tree with its arrays replaced by those of the same names.

    The tree may also hold shapes instead of arrays, as `jax.eval_shape` returns them.

    Raises:
        ValueError: a name is missing or unknown, or a shape or dtype differs.
    """
    expected = {name: (leaf.shape, leaf.dtype) for name, leaf in _named_leaves(tree).items()}
    found = {name: (array.shape, array.dtype) for name, array in arrays.items()}
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            shapes = f"expected {_describe(expected.get(name))}, found {_describe(found.get(name))}"
            raise ValueError(f"array {name!r}: {shapes}")
    filled: Tree = jax.tree.unflatten(
        jax.tree.structure(tree), [jnp.asarray(arrays[name]) for name in expected]
    )
    return filled


def safetensors_bytes(
    arrays: dict[str, np.ndarray], class_names: Sequence[str] | None = None, **metadata: str
) -> bytes:
    """Named arrays as a safetensors file, with a SHA-256 of their content in its header.

    Args:
        arrays: the arrays.
        class_names: what the ten classes of a model are called; kept in the header as a JSON list.
        metadata: other texts to keep in the header.
    """
    metadata["sha256"] = _digest(arrays)
    if class_names is not None:
        metadata[CLASS_NAMES] = json.dumps(list(class_names), ensure_ascii=False)
    content: bytes = safetensors.numpy.save(arrays, metadata=metadata)
    # The library writes metadata in an order that changes; the same arrays are to give the same bytes.
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(metadata.items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + content[8 + size :]


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """The arrays of what `safetensors_bytes` made; raises as `read_safetensors`."""
    return read_safetensors(path)[0]


def read_safetensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Reads what `safetensors_bytes` made: the arrays and the metadata.

    Raises:
        OSError: there is no such file, or it is no regular one.
        RunError: the file is cut short, changed, or no safetensors file of ours.
    """
    with open_regular(path) as file:
        content = file.read()
    try:
        arrays: dict[str, np.ndarray] = safetensors.numpy.load(content)
        (header_size,) = struct.unpack("<Q", content[:8])
        metadata: dict[str, str] = json.loads(content[8 : 8 + header_size]).get("__metadata__", {})
    except (SafetensorError, ValueError, struct.error) as error:
        raise RunError(f"{path}: damaged, or no safetensors file: {error}") from error
    if metadata.get("sha256") != _digest(arrays):
        raise RunError(f"{path}: damaged: its content does not match the checksum in its header")
    return arrays, metadata


def _describe(shape_and_dtype: tuple[tuple[int, ...], np.dtype] | None) -> str:
    if shape_and_dtype is None:
        return "none"
    shape, dtype = shape_and_dtype
    return f"{dtype}{list(shape)}"


def _digest(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
