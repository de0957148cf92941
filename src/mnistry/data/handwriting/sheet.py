"""A picture of some samples of a set of handwriting."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mnistry.data.dataset import SIDE
from mnistry.data.handwriting.published import HandwritingSet
from mnistry.data.sheet import draw_sheet
from mnistry.data.strokes import Stroke, StrokeSet
from mnistry.errors import DataError

COLUMNS, ROWS = 12, 3
_WORD_WIDTH = 4 * SIDE
_MARGIN = 2
_SHIFT = 4  # the bits of fractions of a pixel that OpenCV draws with

Ink = NDArray[np.uint8]


def sheet_of(entry: HandwritingSet, folder: Path) -> Image.Image:
    """Draws samples of each packed file of a set, spread from its first to its last.

    Args:
        entry: the set.
        folder: the folder of handwriting in which it lies.

    Raises:
        DataError: a file is not what it should be.
    """
    sheets = [_of_file(folder / file) for file in entry.files]
    whole = Image.new("L", (max(sheet.width for sheet in sheets), sum(sheet.height for sheet in sheets)), 255)
    top = 0
    for sheet in sheets:
        whole.paste(sheet, (0, top))
        top += sheet.height
    return whole


def _of_file(path: Path) -> Image.Image:
    if path.is_dir():
        pages = sorted(path.iterdir())
        images = [
            cv2.imread(str(pages[number]), cv2.IMREAD_GRAYSCALE) for number in _spread(len(pages), ROWS)
        ]
        shown = [cv2.resize(page, (8 * SIDE, 6 * SIDE)) for page in images if page is not None]
        return draw_sheet(np.array(shown, np.uint8), None, ROWS)
    if path.stem.endswith("_strokes"):
        strokes = StrokeSet.read(path)
        wide = max(map(len, strokes.labels.tolist()), default=0) > 1
        columns = COLUMNS // 4 if wide else COLUMNS
        chosen = _spread(len(strokes), columns * ROWS)
        width = _WORD_WIDTH if wide else SIDE
        drawn = [_drawn(strokes[number], width) for number in chosen]
        return draw_sheet(np.array(drawn, np.uint8), [str(strokes.labels[n]) for n in chosen], columns)
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays: dict[str, NDArray[Any]] = {name: file[name] for name in file.files}
        labels = arrays["labels"] if "labels" in arrays else arrays["alphabet"]
        if "packed" in arrays:
            arrays["images"] = np.unpackbits(arrays["packed"], axis=2)[:, :, :105] * np.uint8(255)
        chosen = _spread(len(labels), COLUMNS * ROWS)
        images = [
            cv2.resize(arrays["images"][number], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
            for number in chosen
        ]
        return draw_sheet(np.array(images, np.uint8), [str(labels[number]) for number in chosen], COLUMNS)
    except (OSError, ValueError, KeyError, cv2.error) as error:
        raise DataError(f"{path}: expected images and their labels: {error}") from error


def _spread(count: int, wanted: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, wanted).round().astype(np.int64))


def _drawn(strokes: list[Stroke], width: int) -> Ink:
    """A sample as white lines on black, uint8 `[28, width]`."""
    points = np.concatenate(strokes)
    corner = points.min(axis=0)
    extent = points.max(axis=0) - corner
    room = np.array([width, SIDE]) - 2 * _MARGIN - 1
    scale = float((room / np.maximum(extent, 1e-6)).min())
    image = np.zeros((SIDE, width), np.uint8)
    for stroke in strokes:
        path = ((stroke - corner) * scale + (room - extent * scale) / 2 + _MARGIN) * 2**_SHIFT
        cv2.polylines(image, [np.rint(path).astype(np.int32)], False, 255, 1, cv2.LINE_AA, _SHIFT)
    return image
