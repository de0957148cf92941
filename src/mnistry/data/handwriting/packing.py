"""Pen strokes and images as compressed arrays, and arrays out of archives, bounded in size."""

import io
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.strokes import Stroke
from mnistry.errors import DataError

MOST_MEMBER_BYTES = 64 * 2**20
"""A longer file inside an archive is refused; the published ones have less than 10 MiB."""


@dataclass(frozen=True, eq=False)
class Sample:
    """One piece of handwriting.

    Attributes:
        strokes: at least one, y down, in the units of the tablet.
        label: what is written.
        writer: who wrote it.
    """

    strokes: Sequence[Stroke]
    label: str
    writer: str

    @property
    def box(self) -> tuple[Stroke, float]:
        """The upper left corner of the ink, and the longer side of its box."""
        points = np.concatenate(self.strokes)
        corner = points.min(axis=0)
        return corner, float((points.max(axis=0) - corner).max())


def pack_strokes(samples: Sequence[Sample], side: int, sizes: NDArray[np.float32] | None = None) -> bytes:
    """The `.npz` file of a set of strokes, as `StrokeSet.read` takes it.

    Args:
        samples: at least one.
        side: the longer side of each sample becomes so long, in whole numbers.
        sizes: how large each is beside its writer's other characters.
    """
    strokes = [stroke for sample in samples for stroke in _scaled(sample, side)]
    arrays: dict[str, NDArray[Any]] = {
        "pts": np.concatenate(strokes).astype(np.uint8 if side < 256 else np.uint16),
        "stroke_start": _starts(len(stroke) for stroke in strokes),
        "sample_start": _starts(len(sample.strokes) for sample in samples),
        "label": np.array([sample.label for sample in samples]),
        "writer": np.array([sample.writer for sample in samples]),
    }
    if sizes is not None:
        arrays["rel_size"] = sizes
    return npz_bytes(**arrays)


def npz_bytes(**arrays: NDArray[Any]) -> bytes:
    """Arrays as a compressed `.npz` file."""
    file = io.BytesIO()
    np.savez_compressed(file, **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def digits_bytes(images: list[NDArray[np.uint8]], labels: list[int], parts: list[str], side: int) -> bytes:
    """A `.npz` file of digits: `images`, uint8 `[n, side, side]`, `labels`, uint8, and the `part` of each."""
    return npz_bytes(
        images=np.array(images, np.uint8).reshape(-1, side, side),
        labels=np.array(labels, np.uint8),
        part=np.array(parts),
    )


@contextmanager
def zip_file(path: Path) -> Iterator[zipfile.ZipFile]:
    """Opens a ZIP file.

    Raises:
        DataError: it is none, or a file in it is damaged.
    """
    try:
        with zipfile.ZipFile(path) as opened:
            yield opened
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError) as error:
        raise DataError(f"not the expected ZIP file ({error})") from error


def member(archive: zipfile.ZipFile, name: str) -> bytes:
    """The content of one file in a ZIP file.

    Raises:
        DataError: it is not there, or too long.
    """
    try:
        if archive.getinfo(name).file_size > MOST_MEMBER_BYTES:
            raise DataError(f"{name} has more than {MOST_MEMBER_BYTES:,} bytes")
        return archive.read(name)
    except KeyError as error:
        raise DataError(f"{name} is not in it") from error


def grey(content: bytes, name: str) -> NDArray[np.uint8]:
    """A picture, uint8 `[height, width]`.

    Raises:
        DataError: it cannot be decoded.
    """
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_GRAYSCALE) if content else None
    if image is None:
        raise DataError(f"{name} is no picture")
    return np.asarray(image, np.uint8)


def _starts(lengths: Iterable[int]) -> NDArray[np.int32]:
    return np.cumsum([0, *lengths]).astype(np.int32)


def _scaled(sample: Sample, side: int) -> Iterator[NDArray[np.int64]]:
    corner, longest = sample.box
    scale = side / longest if longest else 0.0
    for stroke in sample.strokes:
        points = np.rint((stroke - corner) * scale).astype(np.int64)
        moved = np.ones(len(points), bool)
        moved[1:] = (np.diff(points, axis=0) != 0).any(axis=1)
        yield points[moved]
