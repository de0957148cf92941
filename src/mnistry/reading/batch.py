"""Many pictures: those of a folder, read on all cores, into a table that outlives being stopped.

Threads are enough: decoding, OpenCV and ONNX Runtime let go of Python's lock.
"""

import csv
import io
import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypeVar

import cv2

from mnistry import atomic
from mnistry.data.decode import Picture
from mnistry.data.skipped import SUFFIXES, describe_skipped, is_litter
from mnistry.errors import DataError, InvalidValueError, PictureError
from mnistry.files import read_regular
from mnistry.reading.recognizer import MIN_CONFIDENCE, Reading, Recognizer

COLUMNS = ["file", "page", "lines", "confidence", "digits", "error"]
READ = SUFFIXES | {".pdf", ".zip"}
MOST_BYTES = 2**28  # of a table to go on with; some millions of pictures
LOOK_AHEAD = 8  # pictures for each worker; enough that one slow picture does not stop the others

AnyPicture = TypeVar("AnyPicture", bound=Picture)
Item = TypeVar("Item")
Result = TypeVar("Result")


class FoundFiles(NamedTuple):
    """The files of a folder, sorted; hidden ones and what file managers leave behind are in neither.

    Attributes:
        pictures: those that end as pictures, PDFs and archives of pictures do.
        skipped: the others; see `describe_skipped`.
    """

    pictures: list[Path]
    skipped: list[Path]


def find_pictures(folder: Path, *, recursive: bool = False) -> FoundFiles:
    """The pictures and documents in a folder, known by what their names end in.

    Args:
        folder: where to look.
        recursive: look in the folders below it too, but follow no links to folders.

    Raises:
        PictureError: there are none, or a folder cannot be listed.
    """

    def refuse(error: OSError) -> None:
        raise PictureError(f"the folder {error.filename} cannot be listed: {error.strerror}") from error

    found, others = list[Path](), list[Path]()
    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        for path in (Path(parent, name) for name in names if not is_litter(name)):
            (found if path.suffix.lower() in READ and path.is_file() else others).append(path)
    if not found:
        where = "or below it" if recursive else "itself (`recursive=True` looks below it too)"
        raise PictureError(
            f"no pictures in this folder {where}: expected files that end in {' '.join(sorted(READ))}"
            + (f"; {describe_skipped(path.relative_to(folder) for path in others)}" if others else "")
        )
    return FoundFiles(sorted(found), sorted(others))


def read_all(
    recognizer: Recognizer,
    pictures: Iterable[AnyPicture],
    *,
    workers: int | None = None,
    min_confidence: float = MIN_CONFIDENCE,
) -> Generator[tuple[AnyPicture, Reading | PictureError], None, None]:
    """Reads pictures in parallel and gives what each one holds, in their order.

    The answers do not depend on the number of workers. `pictures` is consumed only a little ahead of
    what was given out, so that any number of them fits in memory.

    Args:
        recognizer: the model.
        pictures: see `Recognizer.read`.
        workers: how many threads read; by default one for each core.
        min_confidence: a digit below it is given as `?` and None.

    Returns:
        Each picture with its reading, or with the error where it cannot be read.

    Raises:
        ValueError: `workers` is less than one.
    """

    def read(picture: AnyPicture) -> Reading | PictureError:
        try:
            return recognizer.read(picture, min_confidence=min_confidence)
        except PictureError as error:
            return error

    return in_order(read, pictures, workers=workers)


def in_order(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    workers: int | None = None,
    ahead: int = LOOK_AHEAD,
) -> Generator[tuple[Item, Result], None, None]:
    """Calls a function in parallel and gives what it returned for each item, in their order.

    Args:
        function: what reads; OpenCV uses no threads of its own meanwhile.
        items: consumed only a little ahead of what was given out.
        workers: how many threads; by default one for each core.
        ahead: items for each of them that were consumed and not given out.

    Raises:
        ValueError: `workers` is less than one.
    """
    workers = (os.cpu_count() or 1) if workers is None else workers

    def call(item: Item) -> Result:
        try:
            return function(item)
        except Exception as error:
            error.add_note(f"while reading {item}")
            raise

    waiting: deque[tuple[Item, Future[Result]]] = deque()
    pool = ThreadPoolExecutor(workers)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # OpenCV's own threads would get in the way of these
    try:
        for item in items:
            waiting.append((item, pool.submit(call, item)))
            if len(waiting) == workers * ahead:
                first, future = waiting.popleft()
                yield first, future.result()
        for first, future in waiting:
            yield first, future.result()
    finally:  # who stops early, or fails, waits only for the pictures that are being read right now
        pool.shutdown(cancel_futures=True)
        cv2.setNumThreads(threads)


class ReadingTable:
    """A CSV file with a row for each picture, which a stop at any moment leaves whole.

    The columns are `file`; `page`, of a document, its number or the name of its file in an archive; `lines`,
    with `|` between them; `confidence`, that of the least certain digit; `digits`, how many; and `error`,
    empty where the picture was read. Rows reach the file as they come.

    Attributes:
        files: what an earlier run had read.
    """

    def __init__(self, path: Path, *, resume: bool = False) -> None:
        """
        Args:
            path: the CSV file.
            resume: keep the rows of an earlier run, if there is one. Its errors, a last row that was cut off
                and a document whose pages come last are dropped, so that those files are read again.

        Raises:
            InvalidValueError: the file exists, and `resume` was not asked for.
            DataError: the file to go on with is no such table, or damaged; or it cannot be written.
            OSError: the file to go on with cannot be read.
        """
        self._path = path
        if path.exists() and not resume:
            raise InvalidValueError(
                f"{path} exists already; nothing is overwritten. Go on with it by `resume=True`, "
                "or choose another name"
            )
        rows = _read_rows(path) if path.exists() else []
        again = {row[0] for row in rows if row[-1]}
        again |= {row[0] for row in rows[-1:] if row[1]}  # not all of its pages may be there
        rows = [row for row in rows if row[0] not in again]
        self.files = frozenset(row[0] for row in rows)
        _write_rows(path, rows)

    def add(self, file: str, result: Reading | PictureError, *, page: str = "") -> None:
        """Adds the row of a picture or page. Raises `DataError` where it cannot be written."""
        if isinstance(result, PictureError):
            # On one line, so that a row that was cut off always shows by the missing end of its line.
            row = [file, page, "", "", "", " ".join(str(result).split())]
        else:
            lowest = f"{result.confidence:.4f}" if result.digits else ""
            row = [file, page, "|".join(result.lines), lowest, str(len(result.digits)), ""]
        with _writing(self._path), self._path.open("ab") as table:
            table.write(_encode([row]))

    def sort(self, files: Iterable[str]) -> None:
        """Puts the rows in the order of `files`, as a run without a stop writes them; others come first.

        Raises:
            DataError: it cannot be written.
        """
        place = {file: number for number, file in enumerate(files)}
        rows = _read_rows(self._path)
        if (ordered := sorted(rows, key=lambda row: place.get(row[0], -1))) != rows:
            _write_rows(self._path, ordered)


def _read_rows(path: Path) -> list[list[str]]:
    """The whole rows of a table below its head.

    Raises:
        DataError: it is no such table, or damaged.
        OSError: it cannot be read.
    """
    whole, end, torn = read_regular(path, most_bytes=MOST_BYTES).rpartition(b"\n")
    if not end and _encode([COLUMNS]).startswith(torn):
        return []
    text = (whole + end).decode("utf-8", "surrogateescape")
    try:
        head, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    except (csv.Error, ValueError) as error:
        raise DataError(f"{path}: no CSV file, or a damaged one: {error}") from error
    if head != COLUMNS:
        raise DataError(
            f"{path}: not written by `mnistry read --csv`: expected the columns {','.join(COLUMNS)}, "
            f"found {','.join(head)[:80]!r}"
        )
    for number, row in enumerate(rows, 2):
        if len(row) != len(COLUMNS):
            raise DataError(
                f"{path}: row {number} is damaged: expected {len(COLUMNS)} values, found {len(row)}. "
                "Remove it, and its picture is read again"
            )
    return rows


def _write_rows(path: Path, rows: list[list[str]]) -> None:
    with _writing(path):
        atomic.write_bytes(path, _encode([COLUMNS, *rows]))


def _encode(rows: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "surrogateescape")  # names of files are any bytes


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error
