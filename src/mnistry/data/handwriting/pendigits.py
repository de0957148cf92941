"""Pen-based recognition of handwritten digits: the full strokes of the original files."""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mnistry.data.handwriting.packing import Sample, member, pack_strokes, zip_file
from mnistry.data.handwriting.published import Packed
from mnistry.data.handwriting.unipen_format import PEN_DOWN, points, segment, statements
from mnistry.data.handwriting.unix_compress import uncompress
from mnistry.data.strokes import Stroke
from mnistry.errors import DataError

FILE = PurePosixPath("pendigits/digits_strokes.npz")
_PARTS = {"tra": "train", "tes": "test"}
_SIDE = 255


def pack(archive: Path) -> Packed:
    """Packs the ZIP file of UCI.

    Raises:
        DataError: it is not what is published.
    """
    with zip_file(archive) as opened:
        samples = [sample for ending in _PARTS for sample in _samples(opened, ending)]
    yield FILE, pack_strokes(samples, _SIDE)


def _samples(archive: zipfile.ZipFile, ending: str) -> Iterator[Sample]:
    """The digits of one file: `.SEGMENT`, `.COMMENT` with digit, writer and number, then its strokes."""
    name = f"pendigits-orig.{ending}.Z"
    text = uncompress(member(archive, name), name).decode("latin-1")
    label, writer = "", ""
    strokes: list[Stroke] = []
    for keyword, body in [*statements(text), ("SEGMENT", "")]:
        if keyword == "SEGMENT":
            if label and strokes:
                yield Sample(strokes, label, writer)
            found = segment(body)
            label, writer, strokes = found.label if found else "", "", []
        elif keyword == "COMMENT" and label and not writer:
            if len(numbers := body.split()) < 2 or numbers[0] != label:
                raise DataError(f"{name}: the comment {body.strip()!r} does not say digit {label} and writer")
            writer = f"pendigits/{_PARTS[ending]}/{numbers[1]}"
        elif keyword == PEN_DOWN and label:
            try:
                strokes.append(points(body, ("X", "Y")))
            except ValueError as error:
                raise DataError(f"{name}: not a point in every line: {error}") from error
