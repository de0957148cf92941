"""LIBSVM's text, as its authors publish MNIST and USPS: a label, and `number:value` for each pixel but 0."""

from pathlib import Path

import numpy as np

from mnistry.data.formats import Arrays, check_bytes, needed
from mnistry.files import open_unpacked

SIDES = (8, 16, 20, 28, 32, 64)
"""Of images. Pixels at the end that are 0 in all are not in the file: the next of these is the side."""


def read_libsvm(path: Path) -> Arrays:
    """Reads the pixels as float32 `[n, side²]`."""
    with open_unpacked(path) as file:
        pixels, labels = needed("sklearn.datasets").load_svmlight_file(file, dtype=np.float32)
    count = pixels.shape[1]
    side = next((side for side in SIDES if side * side >= count), None)
    if side is None:
        raise ValueError(f"it has {count:,} features; images of at most {SIDES[-1]}×{SIDES[-1]} are read")
    check_bytes(pixels.shape[0] * side * side * 4)
    pixels.resize((pixels.shape[0], side * side))
    return Arrays({"images": pixels.toarray(), "labels": labels})
