"""Omniglot: characters of eight alphabets, among them shapes that look like digits."""

import re
from pathlib import Path, PurePosixPath

import numpy as np

from mnistry.data.handwriting.packing import grey, member, npz_bytes, zip_file
from mnistry.data.handwriting.published import Packed
from mnistry.errors import DataError

FILE = PurePosixPath("omniglot/images.npz")
ALPHABETS = (
    "Balinese",
    "Early_Aramaic",
    "Greek",
    "Japanese_(katakana)",
    "Korean",
    "Latin",
    "Sanskrit",
    "Tagalog",
)
SIDE = 105
_NAME = re.compile(r"images_background/([^/]+)/(character\d+)/\d+_(\d+)\.png$")


def pack(archive: Path) -> Packed:
    """Packs `images_background.zip`: black on white, a picture each; the number after `_` is the drawer.

    Raises:
        DataError: it is not what is published.
    """
    packed, alphabets, characters, drawers = [], [], [], []
    with zip_file(archive) as opened:
        for name in sorted(opened.namelist()):
            found = _NAME.match(name)
            if not found or found[1] not in ALPHABETS:
                continue
            image = grey(member(opened, name), name)
            if image.shape != (SIDE, SIDE):
                raise DataError(f"{name} is {image.shape[1]}×{image.shape[0]}, expected {SIDE}×{SIDE}")
            packed.append(np.packbits(image < 128, axis=1))
            alphabets.append(found[1])
            characters.append(found[2])
            drawers.append(int(found[3]))
    yield (
        FILE,
        npz_bytes(
            packed=np.array(packed, np.uint8),
            alphabet=np.array(alphabets),
            character=np.array(characters),
            drawer=np.array(drawers, np.uint8),
        ),
    )
