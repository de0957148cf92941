"""Digits of envelopes, 16×16, in the text of LIBSVM: a label from 1 to 10, and pixels from -1 to 1."""

import bz2
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from mnistry.data.handwriting.packing import MOST_MEMBER_BYTES, digits_bytes
from mnistry.data.handwriting.published import Packed
from mnistry.errors import DataError

FILE = PurePosixPath("usps/digits.npz")
SIDE = 16


def pack(train: Path, test: Path) -> Packed:
    """Packs the two files of LIBSVM's page.

    Raises:
        DataError: one is not what is published.
    """
    images, labels, parts = [], [], []
    for part, path in (("train", train), ("test", test)):
        for image, label in _digits(path):
            images.append(image)
            labels.append(label)
            parts.append(part)
    yield FILE, digits_bytes(images, labels, parts, SIDE)


def _digits(path: Path) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """Each image, 0 paper to 255 ink, and its digit; a pixel that is not there has the value 0, half ink."""
    try:
        with bz2.open(path) as file:
            text = file.read(MOST_MEMBER_BYTES + 1)
        if len(text) > MOST_MEMBER_BYTES:
            raise DataError(f"it unpacks to more than {MOST_MEMBER_BYTES:,} bytes")
        for line in text.decode("ascii").splitlines():
            label, *pixels = line.split()
            values = np.zeros(SIDE * SIDE, np.float32)
            for pixel in pixels:
                number, value = pixel.split(":")
                values[int(number) - 1] = float(value)
            if not 1 <= int(label) <= 10 or np.abs(values).max() > 1:
                raise DataError(f"not a label from 1 to 10 and pixels from -1 to 1: {line[:60]}")
            yield np.rint((values + 1) * 127.5).astype(np.uint8), int(label) - 1
    except (OSError, EOFError, ValueError, IndexError) as error:
        raise DataError(f"not the expected text in bzip2 ({error})") from error
