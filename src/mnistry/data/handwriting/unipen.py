"""UNIPEN's training set R01/V07: digits, letters, signs and words as pen strokes.

Its files in `data/CATEGORY/` say which strokes in a file of `include/` are which character or word.
Categories: 1a digits, 1b capitals, 1c small letters, 1d signs, 7 words, 8 text.

Written from the description of the format and of the folders, without the archive at hand.
Taken for granted are that y grows upwards on every tablet, and that its units are as long in x as in
y. How many samples come out is checked.
"""

import tarfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from mnistry.data.handwriting.packing import MOST_MEMBER_BYTES, Sample, pack_strokes
from mnistry.data.handwriting.published import Packed
from mnistry.data.handwriting.unipen_format import (
    PEN_DOWN,
    PEN_UP,
    Segment,
    Statement,
    cut,
    points,
    segment,
    statements,
)
from mnistry.data.strokes import Stroke
from mnistry.errors import DataError

FOLDER = PurePosixPath("unipen")
MOST_BYTES = 2 * 2**30
"""All files together; the published ones take about 0.5 GiB."""
MOST_WORDS = 16
"""So many words of a category are taken from one writer, spread over all that there are."""
_CHARACTERS, _WORDS = ("1a", "1b", "1c", "1d"), ("7", "8")
_CHARACTER_SIDE, _WORD_SIDE = 255, 2000
_DEEPEST = 8  # files that include files


def pack(archive: Path) -> Packed:
    """Packs the archive.

    Raises:
        DataError: it is not what is published.
    """
    with TemporaryDirectory(dir=archive.parent, prefix="unipen-") as folder:
        _unpack(archive, Path(folder))
        roots = [path.parent for path in Path(folder).rglob("include") if (path.parent / "data").is_dir()]
        if not roots:
            raise DataError("it has no folder with `data` and `include`")
        found = dict(_samples(Path(min(roots))))
    characters = [sample for category in _CHARACTERS for sample in found.get(category, [])]
    words = [sample for category in _WORDS for sample in found.get(category, [])]
    median = _median_size(characters)
    for name, chosen in (
        ("digits", [sample for sample in characters if _is_digit(sample.label)]),
        ("letters", [sample for sample in characters if _is_letter(sample.label)]),
        ("symbols", [sample for sample in characters if _is_sign(sample.label)]),
    ):
        sizes = np.array([sample.box[1] / (median.get(sample.writer) or np.nan) for sample in chosen])
        yield _file(name), _packed(name, chosen, _CHARACTER_SIDE, sizes.astype(np.float32))
    digits = [sample for sample in words if _is_digit(sample.label)]
    yield _file("digits_from_words"), _packed("digits_from_words", digits, _CHARACTER_SIDE)
    lines = [
        sample
        for category in _WORDS
        for sample in _spread([one for one in found.get(category, []) if _is_text(one.label)])
    ]
    yield _file("words_nodigits"), _packed("words_nodigits", lines, _WORD_SIDE)


def _file(name: str) -> PurePosixPath:
    return FOLDER / f"{name}_strokes.npz"


def _packed(
    name: str, samples: Sequence[Sample], side: int, sizes: NDArray[np.float32] | None = None
) -> bytes:
    if not samples:
        raise DataError(f"no {name.replace('_', ' ')} were found in it")
    return pack_strokes(samples, side, sizes)


def _is_digit(label: str) -> bool:
    return len(label) == 1 and label in "0123456789"


def _is_letter(label: str) -> bool:
    return len(label) == 1 and label.isascii() and label.isalpha()


def _is_sign(label: str) -> bool:
    return len(label) == 1 and label.isascii() and label.isprintable() and not label.isalnum()


def _is_text(label: str) -> bool:
    return bool(label) and not any(character.isdigit() for character in label)


def _median_size(characters: Sequence[Sample]) -> dict[str, float]:
    """How large the letters and digits of each writer are, in the units of the tablet."""
    sizes: dict[str, list[float]] = defaultdict(list)
    for sample in characters:
        if _is_digit(sample.label) or _is_letter(sample.label):
            sizes[sample.writer].append(sample.box[1])
    return {writer: float(np.median(of_writer)) for writer, of_writer in sizes.items()}


def _spread(samples: Sequence[Sample]) -> Iterator[Sample]:
    """Some words of each writer, from the first to the last."""
    by_writer: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_writer[sample.writer].append(sample)
    for own in by_writer.values():
        for number in np.unique(np.linspace(0, len(own) - 1, MOST_WORDS).round().astype(int)):
            yield own[number]


def _unpack(archive: Path, folder: Path) -> None:
    left = MOST_BYTES
    try:
        with tarfile.open(archive, "r:gz") as opened:
            for entry in opened:
                left -= entry.size
                if left < 0 or entry.size > MOST_MEMBER_BYTES:
                    raise DataError(f"its files have more than the {MOST_BYTES:,} bytes that there can be")
                place = PurePosixPath(entry.name)
                wanted = {"data", "include"} & set(place.parts) and not {"..", "/"} & set(place.parts)
                if wanted and (file := opened.extractfile(entry)) is not None:
                    (folder / place).parent.mkdir(parents=True, exist_ok=True)
                    (folder / place).write_bytes(file.read())
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(f"not the expected archive ({error})") from error


@dataclass(frozen=True)
class _Labels:
    """The segments of one file in `data`, and the files of `include` that they are about."""

    category: str
    provider: str
    included: tuple[str, ...]
    segments: tuple[Segment, ...]


def _samples(root: Path) -> Iterator[tuple[str, list[Sample]]]:
    """The samples of each category."""
    files = [_labels(path, root) for path in sorted((root / "data").rglob("*.dat"))]
    last: dict[tuple[str, ...], int] = defaultdict(int)
    for file in files:
        for found in file.segments:
            last[file.included] = max(last[file.included], *(part.component for part in found.parts))
    wanted: dict[tuple[str, ...], list[_Labels]] = defaultdict(list)
    for file in files:
        if file.category in (*_CHARACTERS, *_WORDS):
            wanted[file.included].append(file)
    samples: dict[str, list[Sample]] = {category: [] for category in (*_CHARACTERS, *_WORDS)}
    for included, of_ink in wanted.items():
        components, writer = _ink(root / "include", included, last[included])
        for file in of_ink:
            for found in file.segments:
                try:
                    strokes = cut(components, found.parts)
                except IndexError:  # some labels point beyond the ink
                    continue
                if strokes and found.label:
                    own = Sample(strokes, found.label, f"{file.provider}/{writer}")
                    samples[file.category].append(own)
    yield from samples.items()


def _labels(path: Path, root: Path) -> _Labels:
    category, *folders = path.relative_to(root / "data").parts
    included, segments = [], []
    for keyword, body in statements(path.read_text("latin-1")):
        if keyword == "INCLUDE" and body.strip():
            included.append(body.split()[0])
        elif keyword == "SEGMENT" and (found := segment(body)):
            segments.append(found)
    return _Labels(category, folders[0], tuple(included), tuple(segments))


def _ink(folder: Path, included: Sequence[str], last: int) -> tuple[list[Stroke], str]:
    """The components of some files, one after the other, and who wrote them.

    Segments count the components of the pen on the paper; those above it too where there are not as many.
    """
    columns = ["X", "Y"]
    writer = PurePosixPath(included[-1]).stem if included else ""
    down: list[Stroke] = []
    both: list[Stroke] = []
    for keyword, body in _with_included(folder, included, _DEEPEST):
        if keyword == "COORD":
            columns = body.split()
        elif keyword == "WRITER_ID" and body.strip():
            writer = body.split()[0]
        elif keyword in (PEN_DOWN, PEN_UP):
            try:
                stroke = points(body, columns)
            except (ValueError, IndexError):  # a damaged component; it keeps its number
                stroke = np.zeros((0, 2), np.float32)
            if keyword == PEN_DOWN:
                down.append(stroke)
                both.append(stroke)
            elif len(stroke):
                both.append(stroke[:0])
    return (down if last < len(down) else both), writer


def _with_included(folder: Path, included: Sequence[str], deepest: int) -> Iterator[Statement]:
    """The statements of files, with those of the files that they include in their place."""
    for name in included:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file() or not deepest:
            continue
        for keyword, body in statements(path.read_text("latin-1")):
            if keyword == "INCLUDE":
                yield from _with_included(folder, body.split()[:1], deepest - 1)
            else:
                yield keyword, body
