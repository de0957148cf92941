"""Capitals of NIST's Special Database 19, by writers who wrote none of MNIST's digits."""

import re
from pathlib import Path, PurePosixPath

import numpy as np

from mnistry.data.handwriting.packing import grey, member, npz_bytes, zip_file
from mnistry.data.handwriting.published import Packed
from mnistry.data.normalize import as_mnist
from mnistry.errors import DataError, PictureError

FILE = PurePosixPath("az_nist/letters.npz")
MOST_OF_A_LETTER = 230
_NAME = re.compile(r"by_class/([45][0-9a-f])/(hsf_[67])/[^/]+\.png$")
"""The folder of a letter is named by its code. MNIST's digits are from hsf_0 to hsf_4."""


def pack(archive: Path) -> Packed:
    """Packs some capitals of `by_class.zip`, made 28×28 as MNIST was, white on black.

    Raises:
        DataError: it is not what is published.
    """
    images, labels = [], []
    counts: dict[str, int] = {}
    with zip_file(archive) as opened:
        for name in sorted(opened.namelist()):
            found = _NAME.match(name)
            letter = chr(int(found[1], 16)) if found else ""
            if not "A" <= letter <= "Z" or counts.get(letter, 0) == MOST_OF_A_LETTER:
                continue
            try:
                images.append(as_mnist(255 - grey(member(opened, name), name)))
            except PictureError as error:
                raise DataError(f"{name}: {error}") from error
            labels.append(letter)
            counts[letter] = counts.get(letter, 0) + 1
    yield FILE, npz_bytes(images=np.array(images, np.uint8), labels=np.array(labels))
