"""Sets of handwriting as data sets of 28×28 images: scanned digits brought to size, pen strokes drawn."""

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.catalog import LETTERS, Entry
from mnistry.data.dataset import DIGITS, SIDE, Dataset, Examples, content_hashes
from mnistry.data.handwriting import optdigits, pendigits, usps
from mnistry.data.handwriting.fetch import fetch_set
from mnistry.data.handwriting.sets import SETS
from mnistry.data.normalize import as_mnist
from mnistry.data.sizes import brought_to_size, size_notes
from mnistry.data.strokes import Stroke, StrokeSet
from mnistry.errors import DataError

INK_SIDE, PEN_WIDTH = 80, 10
"""Pixels in which strokes are drawn. The mean grey level of what becomes of them is that of MNIST."""
EVERY_WRITER = 7
"""Where nobody divided a set, every seventh writer's samples are for testing."""
_SHIFT = 4  # the bits of fractions of a pixel that OpenCV draws with

Read = Callable[[Path], tuple[Examples, NDArray[np.bool_], tuple[str, ...]]]
"""From a folder of handwriting: the examples, which are for testing, and notes."""


def load_handwriting(
    entry: Entry,
    data_dir: Path | str | None = None,
    *,
    may_download: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Dataset:
    """Loads the data set of the catalogue that is made of a set of handwriting, which is fetched if need be.

    `say` is told what is going to be downloaded.

    Raises:
        DataNotFoundError: no place has the set of handwriting.
        DataError: its file is not what it should be.
    """
    place = fetch_set(SETS[entry.made_of], data_dir, may_download=may_download, say=say)
    examples, testing, notes = _READERS[entry.name](place.folder)
    train, test = examples[~testing], examples[testing]
    return Dataset(
        name=entry.name,
        train=train,
        test=test,
        class_names=entry.class_names,
        source=f"{place.folder} ({place.verdict})",
        sha256=content_hashes(train, None, test),
        notes=notes,
    )


def drawn(strokes: list[Stroke]) -> NDArray[np.uint8]:
    """Pen strokes as an MNIST image, uint8[28, 28]: drawn with a broad pen, scaled and centred.

    Args:
        strokes: at least one, y down, in any unit.
    """
    points = np.concatenate(strokes)
    corner = points.min(axis=0)
    extent = points.max(axis=0) - corner
    scale = INK_SIDE / max(float(extent.max()), 1e-6)
    width, height = (int(np.ceil(side)) + 2 * PEN_WIDTH for side in extent * scale)
    image = np.zeros((height, width), np.uint8)
    for stroke in strokes:
        path = np.rint(((stroke - corner) * scale + PEN_WIDTH) * 2**_SHIFT).astype(np.int32)
        if len(path) == 1:
            centre, radius = (int(path[0, 0]), int(path[0, 1])), PEN_WIDTH * 2**_SHIFT // 2
            cv2.circle(image, centre, radius, 255, -1, cv2.LINE_AA, _SHIFT)
        else:
            cv2.polylines(image, [path], False, 255, PEN_WIDTH, cv2.LINE_AA, _SHIFT)
    return as_mnist(image)


def _scanned(file: Path, test: str, parts: Collection[str]) -> Read:
    """Reads the scanned digits of a file, divided by its publishers into these parts."""

    def read(folder: Path) -> tuple[Examples, NDArray[np.bool_], tuple[str, ...]]:
        arrays = _arrays(folder / file)
        images = arrays["images"]
        examples = Examples(brought_to_size(images), arrays["labels"])
        missing = sorted(set(parts) - set(arrays["part"].tolist()))
        lacks = (f"{folder / file} lacks the part {', '.join(missing)}",) if missing else ()
        return examples, arrays["part"] == test, (*size_notes(*images.shape[1:]), *lacks)

    return read


def _written(
    file: Path, classes: str, is_test: Callable[[NDArray[np.str_]], NDArray[np.bool_]], note: str
) -> Read:
    """Reads the pen strokes of some signs, labelled in their order; a small letter is the capital's."""

    def read(folder: Path) -> tuple[Examples, NDArray[np.bool_], tuple[str, ...]]:
        strokes = StrokeSet.read(folder / file)
        written = np.char.upper(strokes.labels)
        rows = np.flatnonzero(np.isin(written, list(classes)))
        labels = np.array([classes.index(written[row]) for row in rows], np.uint8)
        images = np.array([drawn(strokes[int(row)]) for row in rows], np.uint8).reshape(-1, SIDE, SIDE)
        return Examples(images, labels), is_test(strokes.writers[rows]), (f"drawn from pen strokes{note}",)

    return read


def _of_test_writers(writers: NDArray[np.str_]) -> NDArray[np.bool_]:
    return np.char.startswith(writers, "pendigits/test/")


def _of_every_seventh_writer(writers: NDArray[np.str_]) -> NDArray[np.bool_]:
    found, numbers = np.unique(writers, return_inverse=True)
    chosen: NDArray[np.bool_] = np.arange(len(found)) % EVERY_WRITER == EVERY_WRITER - 1
    return chosen[numbers]


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in ("images", "labels", "part")}
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path}: expected the arrays images, labels and part: {error}") from error


_UNIPEN = "; every seventh writer's are for testing, as nobody divided them"
_READERS: dict[str, Read] = {
    "usps": _scanned(Path(usps.FILE), "test", ("train", "test")),
    "optdigits-32": _scanned(Path(optdigits.FILE), optdigits.TEST, optdigits.PARTS),
    "pendigits": _written(Path(pendigits.FILE), "".join(DIGITS), _of_test_writers, ""),
    "unipen-digits": _written(
        Path("unipen/digits_strokes.npz"), "".join(DIGITS), _of_every_seventh_writer, _UNIPEN
    ),
    "unipen-letters": _written(
        Path("unipen/letters_strokes.npz"), "".join(LETTERS), _of_every_seventh_writer, _UNIPEN
    ),
}
