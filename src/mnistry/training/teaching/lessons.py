"""What is taught: labelled pictures with the places of their digits, and pages that are cut out of them."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.atomic import write_bytes
from mnistry.errors import RunError
from mnistry.files import read_regular
from mnistry.reading.detector import LARGEST, Detection, Grey
from mnistry.reading.flatten import LEVEL, WINDOW, flattened
from mnistry.training.pages.canvas import HEIGHT, WIDTH, Canvas
from mnistry.training.pages.page import MOST_DIGITS, Page, page_of
from mnistry.training.pages.paper import held, taken
from mnistry.training.pages.targets import Batch, batch_of

LOWEST, HIGHEST = 12.0, 40.0
"""Heights in pixels that digits have on the pages: all that the detector is to find."""
KEPT = 1.2 * LARGEST
"""Pixels; pictures are kept so large that their lowest digit is as high as this, or as they are."""
MOST_SIDE_BY_SIDE = 3
"""Pictures of one page, in each direction."""
GAP = 16
"""Pixels of empty paper at most around a picture, as the reader puts there."""
STRETCH = 0.1
"""By what share a picture may be made wider or narrower."""
PLAIN, LEVEL_SHARE = 0.5, 0.35
"""Shares of the pictures that are shown with no blur, noise and compression more, and that are not turned."""
MOST_BYTES = 2**31
"""Of a file of lessons; their pixels are bounded where they are made."""
LESSONS = 2
"""The stream of random numbers that cuts the pages."""


@dataclass(frozen=True, eq=False)
class Lesson:
    """A picture and where its digits are.

    Attributes:
        name: of its file.
        grey: uint8 `[height, width]`, upright; 255 is white.
        digits: float32 `[n, 5]`: x, y of the middle, width, height in pixels, which digit.
    """

    name: str
    grey: NDArray[np.uint8]
    digits: NDArray[np.float32]

    @staticmethod
    def of(name: str, grey: Grey, placed: Sequence[tuple[Detection, int]]) -> "Lesson":
        """A picture, 0 black to 1 white, made no larger than is needed."""
        rows = [(one.x, one.y, one.width, one.height, digit) for one, digit in placed]
        digits = np.array(rows, np.float32).reshape(-1, 5)
        lowest = float(digits[:, 3].min()) if len(digits) else min(grey.shape) / 3
        scale = min(1.0, KEPT / max(lowest, 1.0))
        if scale < 1:
            size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
            grey = np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.float32)
            digits[:, :4] *= scale
        return Lesson(name, np.rint(np.clip(grey, 0, 1) * 255).astype(np.uint8), digits)

    @property
    def usual_height(self) -> float:
        """The median height of its digits, in pixels; some height where there are none."""
        return float(np.median(self.digits[:, 3])) if len(self.digits) else min(self.grey.shape) / 3


def lesson_batch(lessons: Sequence[Lesson], seed: int, number: int, count: int) -> Batch:
    """The pages of a step, decided by its number alone.

    Args:
        lessons: at least one.
        seed: of the run.
        number: of the step.
        count: how many pages.
    """
    streams = (np.random.SeedSequence(seed, spawn_key=(LESSONS, number, place)) for place in range(count))
    return batch_of([draw_lesson_page(lessons, np.random.default_rng(stream)) for stream in streams])


def draw_lesson_page(lessons: Sequence[Lesson], random: np.random.Generator) -> Page:
    """A page of random parts of random pictures, at a random size: as many side by side as have room."""
    while True:
        first = lessons[int(random.integers(len(lessons)))]
        height = float(np.exp(random.uniform(np.log(LOWEST), np.log(HIGHEST))))
        high, wide = (side * height / first.usual_height + GAP for side in first.grey.shape)
        rows = min(MOST_SIDE_BY_SIDE, max(1, int(HEIGHT / high)))
        columns = min(MOST_SIDE_BY_SIDE, max(1, int(WIDTH / wide)))
        canvas, image = Canvas(), np.full((HEIGHT, WIDTH), LEVEL, np.uint8)
        for number in range(rows * columns):
            lesson = lessons[int(random.integers(len(lessons)))] if number else first
            row, column = divmod(number, columns)
            cell = (
                column * WIDTH // columns,
                row * HEIGHT // rows,
                (column + 1) * WIDTH // columns,
                (row + 1) * HEIGHT // rows,
            )
            own = float(np.clip(height * random.uniform(0.8, 1.25), LOWEST, HIGHEST)) if number else height
            _lay(lesson, own / lesson.usual_height, cell, canvas, image, random)
        if len(canvas.digits) <= MOST_DIGITS:
            return page_of(canvas, image)


def _lay(
    lesson: Lesson,
    scale: float,
    cell: tuple[int, int, int, int],
    canvas: Canvas,
    image: NDArray[np.uint8],
    random: np.random.Generator,
) -> None:
    """Lays a part of a picture into a cell (left, top, right, bottom) of the page."""
    corner, opposite = np.array(cell[:2]), np.array(cell[2:])
    scales = scale * np.array([random.uniform(1 - STRETCH, 1 + STRETCH), 1])
    size = np.array(lesson.grey.shape[::-1])
    inset = _inset(lesson, scales, opposite - corner, random)
    # What the cell shows of the picture, and around it what flattening takes into account.
    begin = np.clip(np.floor((-inset - WINDOW // 2) / scales), 0, size - 1).astype(int)
    end = np.clip(np.ceil((opposite - corner - inset + WINDOW // 2) / scales), begin + 1, size).astype(int)
    part = lesson.grey[begin[1] : end[1], begin[0] : end[0]].astype(np.float32) / np.float32(255)
    width, height = np.maximum(1, np.rint((end - begin) * scales)).astype(int).tolist()
    averaging = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    part = np.asarray(cv2.resize(part, (width, height), interpolation=averaging), np.float32)
    scales = np.array([width, height]) / (end - begin)
    turn = np.eye(2) if random.random() < LEVEL_SHARE else held(random)
    middle = np.array([width, height]) / 2
    placed = np.column_stack([turn, middle - turn @ middle])
    part = np.asarray(cv2.warpAffine(part, placed, (width, height), borderMode=cv2.BORDER_REPLICATE))
    if random.random() >= PLAIN:
        finest = float(lesson.digits[:, 3].min() * scales[1]) if len(lesson.digits) else LOWEST
        part = taken(part, random, finest)
    x, y = corner + np.rint(inset + begin * scales).astype(int)
    left, top = max(cell[0], x), max(cell[1], y)
    right, bottom = min(cell[2], x + width), min(cell[3], y + height)
    if right <= left or bottom <= top:
        return
    image[top:bottom, left:right] = flattened(part)[top - y : bottom - y, left - x : right - x]
    own = Canvas()
    for across, down, wide, high, digit in lesson.digits.tolist():
        place = placed @ (*((across, down) - begin) * scales, 1)
        own.note(place[0] + x, place[1] + y, wide * scales[0], high * scales[1], int(digit))
    own.cut(left, top, right, bottom)
    canvas.digits += own.digits
    np.maximum(canvas.small, own.small, out=canvas.small)


def _inset(
    lesson: Lesson, scales: NDArray[np.float64], room: NDArray[np.int64], random: np.random.Generator
) -> NDArray[np.float64]:
    """Where in a cell the corner of a picture lies: the picture whole if it has room, else around a digit."""
    size = np.array(lesson.grey.shape[::-1]) * scales
    spare = room - size
    around = size * random.random(2)
    if len(lesson.digits):
        around = lesson.digits[random.integers(len(lesson.digits)), :2] * scales
    share = random.random(2)
    larger = np.clip(share * room - around, spare - GAP, GAP)
    return np.asarray(np.where(spare >= 0, share * spare, larger), np.float64)


def save_lessons(path: Path, lessons: Sequence[Lesson], left_out: dict[str, str]) -> None:
    """Writes lessons, and why other pictures are none, to a file of NumPy arrays; raises `OSError`."""
    shapes = np.array([lesson.grey.shape for lesson in lessons], np.int64).reshape(-1, 2)
    file = io.BytesIO()
    np.savez_compressed(
        file,
        names=np.array([lesson.name for lesson in lessons], np.str_),
        shapes=shapes,
        greys=np.concatenate([np.zeros(0, np.uint8), *(lesson.grey.ravel() for lesson in lessons)]),
        counts=np.array([len(lesson.digits) for lesson in lessons], np.int64),
        digits=np.concatenate([np.zeros((0, 5), np.float32), *(lesson.digits for lesson in lessons)]),
        left_out=np.array(list(left_out.items()), np.str_).reshape(-1, 2),
    )
    write_bytes(path, file.getvalue())


def load_lessons(path: Path) -> tuple[list[Lesson], dict[str, str]]:
    """Reads what `save_lessons` wrote.

    Raises:
        RunError: it is missing or damaged.
    """
    try:
        content = read_regular(path, most_bytes=MOST_BYTES)
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        greys = np.split(arrays["greys"], np.cumsum(arrays["shapes"].prod(axis=1))[:-1])
        digits = np.split(arrays["digits"], np.cumsum(arrays["counts"])[:-1])
        lessons = [
            Lesson(str(name), grey.reshape(shape), of_it)
            for name, grey, shape, of_it in zip(arrays["names"], greys, arrays["shapes"], digits, strict=True)
        ]
        return lessons, {str(name): str(why) for name, why in arrays["left_out"]}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise RunError(f"{path}: missing or damaged: {error}. Teach anew") from error
