"""Optical recognition of handwritten digits: the scanned bits of the original files, 32×32."""

import re
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from mnistry.data.handwriting.packing import digits_bytes, member, zip_file
from mnistry.data.handwriting.published import Packed
from mnistry.data.handwriting.unix_compress import uncompress

FILE = PurePosixPath("optdigits/digits.npz")
PARTS = ("tra", "cv", "windep", "wdep")
"""The files, 5,620 digits together. `windep` is by thirteen writers of its own, and for testing."""
TEST = "windep"
SIDE = 32
_DIGIT = re.compile(r"((?:^[01]{32}\r?\n){32})[ \t]*([0-9])[ \t]*$", re.MULTILINE)


def pack(archive: Path) -> Packed:
    """Packs the ZIP file of UCI.

    Raises:
        DataError: it is not what is published.
    """
    images, labels, parts = [], [], []
    for part in PARTS:
        name = f"optdigits-orig.{part}.Z"
        with zip_file(archive) as opened:
            text = uncompress(member(opened, name), name).decode("latin-1")
        for found in _DIGIT.finditer(text):
            images.append(_image(found[1]))
            labels.append(int(found[2]))
            parts.append(part)
    yield FILE, digits_bytes(images, labels, parts, SIDE)


def _image(bits: str) -> NDArray[np.uint8]:
    flat = np.frombuffer("".join(bits.split()).encode(), np.uint8) - ord("0")
    return (flat * 255).reshape(SIDE, SIDE)
