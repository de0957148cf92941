"""Files of other programs that hold arrays or pictures with labels: a reader for each, one small function.

A reader gives `Arrays`, what a file holds by the names that are in it; `mnistry.data.roles` says which are
images and labels. Readers lean on libraries that were not made for hostile files: `mnistry.data.apart` runs
them in a process of their own.
"""

import importlib
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.errors import DataError

MOST_BYTES = 2**29
"""Arrays that take more (512 MiB; MNIST's training images as float64 take 359) are refused."""
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"RIFF", b"II*\0", b"MM\0*")


@dataclass(frozen=True, eq=False)
class Arrays:
    """What a file holds.

    Attributes:
        values: arrays by name; or pictures, each the content of a file such as a PNG.
        class_names: what the classes are called, if the file says it.
        by_columns: whether the pixels of an image that is stored in one row may come column by column.
        notes: what was left out.
    """

    values: dict[str, NDArray[Any] | list[bytes]] = field(default_factory=dict)
    class_names: tuple[str, ...] | None = None
    by_columns: bool = False
    notes: tuple[str, ...] = ()


def needed(module: str) -> Any:
    """A module that only some files need.

    Raises:
        DataError: it is not installed.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise DataError(
            f"this format needs {module.partition('.')[0]}, which is not installed. Install it with: "
            "pip install 'mnistry[data]'"
        ) from error


def check_bytes(size: int) -> None:
    """Raises ValueError where arrays take too much."""
    if size > MOST_BYTES:
        raise ValueError(f"its arrays take {size:,} bytes, more than the {MOST_BYTES:,} accepted")


def pictures_or_pixels(contents: list[bytes]) -> NDArray[np.uint8] | list[bytes]:
    """Packed pictures as they are; or, where the bytes are the pixels, uint8 `[n, pixels]`.

    Raises:
        ValueError: neither: they differ in length.
    """
    if all(content.startswith(_PICTURES) for content in contents):
        return contents
    lengths = {len(content) for content in contents}
    if len(lengths) > 1:
        raise ValueError(
            f"expected pictures, or pixels of one size, found {min(lengths)} to {max(lengths)} bytes"
        )
    return np.frombuffer(b"".join(contents), np.uint8).reshape(len(contents), -1)
