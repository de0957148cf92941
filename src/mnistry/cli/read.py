"""`mnistry read`: the digits in each picture, for people, as JSON or as a table."""

import io
import itertools
import json
import math
import os
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import tyro

from mnistry import atomic
from mnistry.cli.parsing import parsed
from mnistry.cli.translated import spoken
from mnistry.data.decode import MOST_BYTES, Picture
from mnistry.data.skipped import describe_skipped
from mnistry.errors import DataError, InvalidValueError, PictureError
from mnistry.language import gettext
from mnistry.pixels.pdf import DPI
from mnistry.reading.batch import ReadingTable, find_pictures
from mnistry.reading.documents import DocumentReading, read_files
from mnistry.reading.recognizer import MIN_CONFIDENCE, Reading, Recognizer

STDIN = Path("-")

Item = tuple[Path, PictureError | None]
"""A file to read; or a folder without pictures, with the error that says so."""
Answer = Reading | DocumentReading | PictureError
Show = Callable[[Path, Answer], None]


@dataclass(frozen=True)
class Options:
    """Read the digits in pictures and documents: any size, dark on light or the reverse, a digit or many."""

    files: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="PICTURE|FOLDER|- …")]
    """Pictures, PDFs, TIFFs of several pages, ZIPs of pictures; folders of them; `-` for standard input.
    With --out: tables (.parquet, .csv) with a column `uri` that names them, or a folder, be it s3:// or gs://."""
    model: Annotated[Path | None, tyro.conf.arg(metavar="RUN|FILE.onnx")] = None
    """A run folder or an exported ONNX file; by default the model that comes with mnistry."""
    json: bool = False
    """Print one JSON object a line and file."""
    min_confidence: float = MIN_CONFIDENCE
    """Give a digit of less confidence as `?`."""
    dpi: float = DPI
    """Dots an inch at which the pages of PDFs are drawn; boxes are counted in them."""
    probabilities: bool = False
    """With --json: the ten probabilities of each digit too."""
    explain: bool = False
    """Draw how each picture or page was read, stage by stage: NAME-explained.png in the current folder."""
    recursive: bool = False
    """Look for pictures in the folders below a folder too."""
    csv: Annotated[Path | None, tyro.conf.arg(metavar="FILE.csv")] = None
    """Write a row for each picture or page into this new file: file, page, lines, confidence, digits, …"""
    out: Annotated[str | None, tyro.conf.arg(metavar="TABLE")] = None
    """Write a row for each picture into Parquet files in this new folder, be it s3:// or gs://."""
    cluster: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS|local")] = None
    """With --out: where Ray reads: a cluster's address, or on this machine; needs 'mnistry[cluster]'."""
    rows: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """With --out: pictures in one of its files, which is what is lost by who is killed; by default 1,000."""
    resume: bool = False
    """With --csv or --out: go on with what was begun; read only what it lacks, and what failed."""
    workers: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """How many pictures to read at the same time; by default one for each core."""

    def check(self) -> None:
        """Raises `InvalidValueError` for values out of range and flags that need or exclude another."""
        if not self.files:
            raise InvalidValueError("name at least one picture or folder to read")
        if not 0 <= self.min_confidence <= 1:
            raise InvalidValueError(f"--min-confidence must be from 0 to 1, not {self.min_confidence}")
        if not 0 < self.dpi < math.inf:
            raise InvalidValueError(f"--dpi must be more than 0, not {self.dpi:g}")
        if self.workers is not None and self.workers < 1:
            raise InvalidValueError(f"--workers must be at least 1, not {self.workers}")
        if self.probabilities and not self.json:
            raise InvalidValueError("--probabilities are given in JSON only; add --json")
        if self.json and self.csv:
            raise InvalidValueError("--json prints and --csv writes a file; choose one of them")
        if self.resume and not (self.csv or self.out):
            raise InvalidValueError("--resume goes on with a table; name it with --csv or --out")
        if self.out and (self.json or self.csv or self.explain):
            raise InvalidValueError("--out writes a table, and goes with none of --json, --csv and --explain")
        if (self.cluster or self.rows is not None) and not self.out:
            raise InvalidValueError("--cluster and --rows are for tables of any size; name one with --out")
        if self.rows is not None and self.rows < 1:
            raise InvalidValueError(f"--rows must be at least 1, not {self.rows}")


def main(arguments: list[str]) -> int:
    """Runs `mnistry read` with what follows it, and returns the exit status.

    0: all was read. 2: something could not be, all else was. 130: stopped by Ctrl-C.
    """
    options = parsed(Options, args=arguments, prog="mnistry read", config=(tyro.conf.FlagCreatePairsOff,))
    options.check()
    if options.out:
        return _read_manifest(options.out, options)
    recognizer = Recognizer.load(options.model, threads=1)  # pictures are read in parallel
    items = [
        item
        for file in map(Path, options.files)
        for item in _expand(file, recursive=options.recursive, table=options.csv)
    ]
    if options.csv:
        return _tabulate(options.csv, recognizer, items, options)
    show = partial(_print_json, probabilities=options.probabilities) if options.json else _print
    return 2 if _read(recognizer, items, options, show) else 0


def _read_manifest(out: str, options: Options) -> int:
    from mnistry.cluster.reading import read_manifest

    try:
        counts, before = read_manifest(
            options.files,
            out,
            cluster=options.cluster,
            model=options.model,
            min_confidence=options.min_confidence,
            dpi=options.dpi,
            workers=options.workers,
            rows=options.rows,
            resume=options.resume,
            recursive=options.recursive,
            progress=True,
        )
    except KeyboardInterrupt:
        return _interrupted(out)
    return _told(out, counts.rows - before - counts.failed, before, counts.failed)


def _interrupted(table: Path | str) -> int:
    said = gettext("interrupted; what was read is in {table}: the same command with --resume goes on")
    print(f"mnistry: {said.format(table=table)}", file=sys.stderr)
    return 130


def _told(table: Path | str, read: int, before: int, failed: int) -> int:
    """Says what a table holds now, and returns the exit status."""
    said = gettext("{n:,} read").format(n=read)
    said += gettext(", {n:,} read before").format(n=before) if before else ""
    said += gettext(", {n:,} failed: see the column error").format(n=failed) if failed else ""
    print(f"mnistry: {table}: {said}", file=sys.stderr)
    return 2 if failed else 0


def _expand(file: Path, *, recursive: bool, table: Path | None) -> list[Item]:
    """What to read of a file or folder; says what of a folder is skipped."""
    try:
        if not file.is_dir():
            return [(file, None)]
        pictures, skipped = find_pictures(file, recursive=recursive)
    except PictureError as error:
        return [(file, error)]
    except OSError as error:
        return [(file, PictureError(f"cannot be opened: {error.strerror}"))]
    # The table that is written may lie in the same folder; it is no picture.
    if skipped := [path.relative_to(file) for path in skipped if path != table]:
        print(f"mnistry: {file}: {describe_skipped(skipped)}", file=sys.stderr)
    return [(picture, None) for picture in pictures]


def _tabulate(path: Path, recognizer: Recognizer, items: list[Item], options: Options) -> int:
    items = list(dict(items).items())  # a picture that is named twice has one row
    names = [str(file) for file, _ in items]
    table = ReadingTable(path, resume=options.resume)
    before = sum(name in table.files for name in names)

    def show(file: Path, result: Answer) -> None:
        if isinstance(result, DocumentReading):
            for one in result.pages:
                table.add(str(file), one.result, page=one.page.name or str(one.page.number))
        else:
            table.add(str(file), result)
        _print_notes(file, result)

    try:
        failed = _read(recognizer, items, options, show, skip=table.files)
        table.sort(names)
    except KeyboardInterrupt:
        return _interrupted(path)
    return _told(path, len(items) - before - failed, before, failed)


def _read(
    recognizer: Recognizer,
    items: list[Item],
    options: Options,
    show: Show,
    *,
    skip: frozenset[str] = frozenset(),
) -> int:
    """Reads the items, shows each result in their order, and returns how many failed."""
    # An explanation takes the place of an earlier one, but never of a picture to read.
    taken = {file.parent.resolve() / file.name for file, _ in items} if options.explain else set()
    items = [(file, error) for file, error in items if str(file) not in skip]
    stdin = sys.stdin.buffer.read(MOST_BYTES + 1) if any(file == STDIN for file, _ in items) else b""

    def picture(file: Path) -> Path | io.BytesIO:
        return io.BytesIO(stdin) if file == STDIN else file

    failed = 0
    pictures = (picture(file) for file, error in items if not error)
    with closing(
        read_files(
            recognizer,
            pictures,
            workers=options.workers,
            min_confidence=options.min_confidence,
            dpi=options.dpi,
        )
    ) as readings:
        for file, error in _with_bar(items) if options.csv and sys.stderr.isatty() else items:
            result = error or next(readings)[1]
            show(file, result)
            failed += isinstance(result, PictureError) or (
                isinstance(result, DocumentReading) and result.failed
            )
            if options.explain:
                for name, one in _explainable(file, picture(file), result):
                    path = _free_name(name, taken)
                    _explain(recognizer, one, options.min_confidence, path)
                    said = gettext("{file}: how it was read is drawn in {drawing}")
                    print(f"mnistry: {said.format(file=file, drawing=path)}", file=sys.stderr)
    return failed


def _explainable(file: Path, picture: Picture, result: Answer) -> Iterable[tuple[str, Picture]]:
    """What of a file was read, with a name for each."""
    stem = "stdin" if file == STDIN else file.stem
    if isinstance(result, Reading):
        yield stem, picture
    elif isinstance(result, DocumentReading):
        for one in result.pages:
            if isinstance(one.result, Reading):
                yield f"{stem}-page-{one.page.number}", one.page


def _print(file: Path, result: Answer) -> None:
    # A file name may be any bytes; a terminal takes only text.
    name = os.fsencode(file).decode(errors="replace")
    _print_notes(file, result)
    if isinstance(result, DocumentReading):
        for one in result.pages:
            page = one.page.name or gettext("page {n}").format(n=one.page.number)
            _print_one(f"{name}, {page}", one.result)
    else:
        _print_one(name, result)


def _print_one(name: str, result: Reading | PictureError) -> None:
    if isinstance(result, PictureError):
        print(f"mnistry: {name}: {spoken(str(result))}", file=sys.stderr)
    elif result.digits:
        said = gettext("(confidence {confidence:.3f})").format(confidence=result.confidence)
        print(f"{name}: {' | '.join(result.lines)} {said}", flush=True)
    else:
        print(f"{name}: {gettext('no digit')}", flush=True)


def _print_json(file: Path, result: Answer, *, probabilities: bool) -> None:
    if isinstance(result, PictureError):
        values = {"error": str(result)}
    else:
        values = result.to_json(probabilities=probabilities)
    print(json.dumps({"file": str(file), **values}), flush=True)


def _print_notes(file: Path, result: Answer) -> None:
    """Prints the notes on a file, and on each of its pages."""
    if isinstance(result, PictureError):
        return
    for note in result.notes:
        print(f"mnistry: {file}: {note}", file=sys.stderr)
    if isinstance(result, DocumentReading):
        for one in result.pages:
            for note in one.result.notes if isinstance(one.result, Reading) else ():
                print(f"mnistry: {one.page}: {note}", file=sys.stderr)


def _with_bar(items: list[Item]) -> Iterable[Item]:
    from rich.console import Console
    from rich.progress import track

    return track(items, gettext("reading"), console=Console(stderr=True))


def _explain(recognizer: Recognizer, picture: Picture, min_confidence: float, path: Path) -> None:
    from mnistry.reading.explain import draw_explanation

    drawing = draw_explanation(recognizer, picture, min_confidence=min_confidence)
    try:
        with atomic.replacing(path) as file:
            drawing.save(file, format="png")
    except OSError as error:
        raise DataError(f"{path}: cannot be written: {error.strerror or error}") from error


def _free_name(stem: str, taken: set[Path]) -> Path:
    """A free name in the current folder, from now on taken: `STEM-explained.png`, else with a number."""
    numbers = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (Path(f"{stem}-explained{number}.png") for number in numbers)
    path = next(name for name in names if name.absolute() not in taken)
    taken.add(path.absolute())
    return path
