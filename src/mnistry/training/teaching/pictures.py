"""The pictures of a folder: a part is kept apart, the others become lessons where their digits are found."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from mnistry.data.decode import open_picture
from mnistry.errors import DataError, PictureError
from mnistry.reading.detector import Detector
from mnistry.reading.labels import LABELS, Labelled
from mnistry.reading.scales import LONGEST_SIDE
from mnistry.reading.upright import find_page
from mnistry.training.teaching.alignment import align, candidates
from mnistry.training.teaching.lessons import Lesson

KEPT_APART = 5
"""Every fifth picture is kept apart."""
MOST_PIXELS = 2**29
"""Of all lessons together: half a gigabyte."""
NOT_FOUND = "the digits of its label are not found in it"


def divided(labelled: Sequence[Labelled]) -> tuple[list[Labelled], list[Labelled]]:
    """The pictures to learn from, and every fifth, which is kept apart to measure with."""
    places = range(1, len(labelled) + 1)
    taught = [one for place, one in zip(places, labelled, strict=True) if place % KEPT_APART]
    return taught, [one for place, one in zip(places, labelled, strict=True) if not place % KEPT_APART]


def lessons_of(
    detector: Detector, labelled: Sequence[Labelled], *, most_pixels: int = MOST_PIXELS
) -> tuple[list[Lesson], dict[str, str]]:
    """Finds out where the digits of labelled pictures are.

    Args:
        detector: what looks for them.
        labelled: the pictures; each is a file.
        most_pixels: that lessons may have together.

    Returns:
        The lessons; and for each picture that is none, why.

    Raises:
        DataError: they have too many pixels.
    """
    lessons: list[Lesson] = []
    left_out: dict[str, str] = {}
    pixels = 0
    for one in labelled:
        try:
            page = find_page(detector, open_picture(one.picture, longest_side=LONGEST_SIDE).grey)
        except PictureError as error:
            left_out[one.name] = str(error)
            continue
        placed = align(candidates(page.looks), one.lines)
        if placed is None:
            left_out[one.name] = NOT_FOUND
            continue
        lessons.append(Lesson.of(one.name, page.grey, placed))
        pixels += lessons[-1].grey.size
        if pixels > most_pixels:
            raise DataError(
                f"{one.name}: with it, the pictures have more than the {most_pixels:,} pixels that are "
                "learnt from at a time. Teach with fewer pictures, or cut them to their writing"
            )
    return lessons, left_out


def digest_of_pictures(folder: Path, labelled: Sequence[Labelled]) -> str:
    """SHA-256 of the table of labels and of each picture, in hexadecimal.

    Raises:
        DataError: one cannot be read.
    """
    digest = hashlib.sha256()
    for path in (folder / LABELS, *(Path(str(one.picture)) for one in labelled)):
        try:
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    return digest.hexdigest()
