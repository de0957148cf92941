"""HASYv2: signs of mathematics, drawn by visitors of a website."""

import csv
import io
import tarfile
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from mnistry.data.handwriting.packing import MOST_MEMBER_BYTES, grey, npz_bytes
from mnistry.data.handwriting.published import Packed
from mnistry.errors import DataError

FILE = PurePosixPath("hasy_subset/symbols.npz")
CLASSES = (
    r"\int",
    r"\sum",
    r"\infty",
    r"\alpha",
    r"\xi",
    r"\equiv",
    r"\partial",
    r"\mathbb{R}",
    r"\in",
    r"\square",
    r"\forall",
    r"\approx",
    r"\sim",
    r"\rightarrow",
    r"\subseteq",
    r"\pi",
    r"\pm",
    r"\neq",
    r"\varphi",
    r"\times",
)
"""In LaTeX; the number of a class is its label. None looks like a digit."""
MOST_OF_A_CLASS = 300
SIDE = 32
_LABELS = "hasy-data-labels.csv"


def pack(archive: Path) -> Packed:
    """Packs the first drawings of each class in `HASYv2.tar.bz2`, black on white.

    Raises:
        DataError: it is not what is published.
    """
    try:
        with tarfile.open(archive, "r:bz2") as opened:
            wanted = _wanted(opened)
        images: dict[str, NDArray[np.uint8]] = {}
        with tarfile.open(archive, "r:bz2") as opened:
            for entry in opened:
                name = entry.name.removeprefix("./")
                if name in wanted:
                    images[name] = grey(_content(opened, entry), name)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"not the expected archive ({error})") from error
    for name, image in images.items():
        if image.shape != (SIDE, SIDE):
            raise DataError(f"{name} is {image.shape[1]}×{image.shape[0]}, expected {SIDE}×{SIDE}")
    names = [name for name in wanted if name in images]
    yield (
        FILE,
        npz_bytes(
            images=np.array([images[name] for name in names], np.uint8),
            labels=np.array([wanted[name] for name in names], np.int64),
        ),
    )


def _wanted(archive: tarfile.TarFile) -> dict[str, int]:
    """The class of each picture that is taken, by its name: `hasy-data-labels.csv` has path and latex."""
    for entry in archive:
        if entry.name.removeprefix("./") != _LABELS:
            continue
        rows = csv.DictReader(io.StringIO(_content(archive, entry).decode("utf-8")))
        if not {"path", "latex"} <= set(rows.fieldnames or ()):
            raise DataError(f"{_LABELS} has no columns path and latex, but {rows.fieldnames}")
        taken: dict[str, int] = {}
        counts = [0] * len(CLASSES)
        for row in rows:
            if row["latex"] in CLASSES:
                label = CLASSES.index(row["latex"])
                if counts[label] < MOST_OF_A_CLASS:
                    counts[label] += 1
                    taken[row["path"]] = label
        return taken
    raise DataError(f"{_LABELS} is not in it")


def _content(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(entry) if entry.size <= MOST_MEMBER_BYTES else None
    if file is None:
        raise DataError(f"{entry.name} is no file, or has more than {MOST_MEMBER_BYTES:,} bytes")
    return file.read()
