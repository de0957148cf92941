"""Millions of pictures: a manifest in, a table out, on the cores of this machine or on a cluster."""

import io
import itertools
import logging
import os
import sys
import time
import uuid
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mnistry.cluster.engine import LOCAL, failure, ray_at, require
from mnistry.cluster.manifest import ID, Manifest, list_folder, write_manifest
from mnistry.cluster.places import absolute, fetch, place_of
from mnistry.cluster.table import LISTED, TO_READ, Answer, Counts, Table, row_of, schema
from mnistry.errors import BusyError, PictureError
from mnistry.pixels.pdf import DPI
from mnistry.reading.batch import in_order
from mnistry.reading.documents import read_files
from mnistry.reading.recognizer import MIN_CONFIDENCE, Recognizer

ROWS = 1000
"""Pictures in a file of the table: what is read again, at most, by each of those who were killed."""
FETCHING = 4
"""Pictures that are fetched at the same time, for each core that reads."""
TRIES, PAUSE = 5, 2.0
"""How often a picture is tried that cannot be read now, and the seconds between."""
SPARE = 2
"""Cores that do not read: listing, handing out and writing take little, but must find a place."""


@dataclass(frozen=True)
class Reader:
    """Reads the pictures of a batch of rows. It can be pickled; each core of a cluster has its own.

    Attributes:
        recognizer: the model; with one thread of computation, as others compute beside it.
        base: the folder that relative paths start from.
        min_confidence: a digit below it is given as `?` and None.
        dpi: dots an inch at which the pages of PDFs are drawn.
        workers: how many threads read.
    """

    recognizer: Recognizer
    base: str
    min_confidence: float = MIN_CONFIDENCE
    dpi: float = DPI
    workers: int = 1

    def rows(self, uris: Sequence[str]) -> list[dict[str, Any]]:
        """The row of each, in their order; pictures are fetched while others are read."""
        failed: dict[str, PictureError] = {}
        taken = deque[str]()

        def get(uri: str) -> Path | io.BytesIO | PictureError:
            try:
                return fetch(absolute(uri, self.base))
            except PictureError as error:
                return error

        def files() -> Iterator[Path | io.BytesIO]:
            for uri, found in in_order(get, uris, workers=FETCHING, ahead=1):
                if isinstance(found, PictureError):
                    failed[uri] = found
                else:
                    taken.append(uri)
                    yield found

        read: dict[str, dict[str, Any]] = {}
        settings: dict[str, Any] = {"min_confidence": self.min_confidence, "dpi": self.dpi}
        for file, answer in read_files(self.recognizer, files(), workers=self.workers, **settings):
            uri = taken.popleft()
            read[uri] = row_of(uri, self._again(file, answer))
        return [read[uri] if uri in read else row_of(uri, failed[uri]) for uri in uris]

    def _again(self, file: Path | io.BytesIO, answer: Answer) -> Answer:
        """The answer; another one where the machine had too much to do."""
        for _ in range(TRIES):
            if not isinstance(answer, BusyError):
                break
            time.sleep(PAUSE)
            ((_, answer),) = read_files(
                self.recognizer, [file], workers=1, min_confidence=self.min_confidence, dpi=self.dpi
            )
        return answer


class ReadBatch:
    """What an actor of Ray Data is: made once in its process, then called with each block."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __call__(self, batch: Any) -> Any:
        """Rows with a `uri` to rows of the table, both Arrow tables."""
        return _as_table(self._reader.rows(batch[ID].to_pylist()))


def read_manifest(
    manifest: Sequence[str],
    table: str,
    *,
    cluster: str | None = None,
    model: Path | str | None = None,
    min_confidence: float = MIN_CONFIDENCE,
    dpi: float = DPI,
    workers: int | None = None,
    rows: int | None = None,
    resume: bool = False,
    recursive: bool = False,
    progress: bool = False,
) -> tuple[Counts, int]:
    """Reads the pictures that manifests name into a table; one row for each, with an error if need be.

    The rows do not depend on where they were read. They reach the table some hundreds at a time, so that who
    is killed loses little; memory does not grow with their number, but by eight bytes for each.

    Args:
        manifest: Parquet or CSV files with a column `uri`: paths, `s3://`, `gs://`, `http(s)://`; relative
            paths start from the manifest's folder. Or a folder, which is listed first.
        table: a new folder, on a disk or in an object store; see `mnistry.cluster.table`.
        cluster: where Ray runs, see `mnistry.cluster.engine.ray_at`; by default threads of this process read.
        model: see `Recognizer.load`.
        min_confidence, dpi: see `mnistry.reading.documents.read_files`.
        workers: how many cores read; by default all.
        rows: pictures in a file of the table.
        resume: go on with a table that was begun; pictures that failed are read again.
        recursive: of a folder, take those below it, too.
        progress: show how it goes.

    Returns:
        What the table holds, and how many of its rows were there before.

    Raises:
        MnistryError: a manifest, the model, the table or the cluster is not usable.
    """
    if cluster is not None:
        require(cluster)  # before anything is written
    recognizer = Recognizer.load(model, threads=1)
    out = place_of(table)
    job = {
        "classifier": recognizer.classifier.fingerprint,
        "detector": recognizer.detector.fingerprint,
        "verifier": recognizer.verifier.fingerprint,
        "min_confidence": min_confidence,
        "dpi": dpi,
    }
    written = Table(out, job, resume=resume)
    if len(manifest) == 1 and _is_folder(manifest[0]):
        others = list_folder(manifest[0], out / LISTED, recursive=recursive)
        if others and progress:
            said = f"{others:,} skipped: not known as pictures by their endings"
            print(f"mnistry: {manifest[0]}: {said}", file=sys.stderr)
        listed = Manifest((out / LISTED,), "parquet", manifest[0])
    else:
        listed = Manifest.open(manifest)
    wanted = listed.hashes()
    kept = written.begun()
    before = int(np.isin(np.unique(wanted), kept).sum())
    missing = len(np.unique(wanted)) - before
    to_read = listed.uris_without(kept.tolist())
    if missing and cluster is None:
        reader = Reader(recognizer, listed.base, min_confidence, dpi, workers or _cores())
        _read_here(reader, to_read, written, rows or ROWS, missing, progress)
    elif missing:
        reader = Reader(recognizer, listed.base, min_confidence, dpi)
        write_manifest(out / TO_READ, to_read)
        _read_there(reader, written, cluster or LOCAL, workers, rows or ROWS, progress)
    return written.complete(wanted), before


def _is_folder(name: str) -> bool:
    if Path(name).suffix.lower() in (".csv", ".parquet"):
        return False
    place = place_of(name)
    try:
        return not place.filesystem.get_file_info(place.path).is_file
    except OSError:
        return False  # whoever opens it tells


def _read_here(
    reader: Reader, uris: Iterable[list[str]], table: Table, rows: int, count: int, progress: bool
) -> None:
    """Threads of this process do it."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, disable=not (progress and console.is_terminal)) as bar:
        task = bar.add_task("reading", total=count)
        waiting: list[str] = []
        for more in itertools.chain(uris, [None]):
            waiting += more or []
            while len(waiting) >= rows or (waiting and more is None):
                table.write(f"{uuid.uuid4().hex}.parquet", _as_table(reader.rows(waiting[:rows])))
                bar.advance(task, min(rows, len(waiting)))
                del waiting[:rows]


def _read_there(
    reader: Reader, table: Table, cluster: str, workers: int | None, rows: int, progress: bool
) -> None:
    """Ray Data does it: it hands the pictures out, holds back, tries again what was lost, and writes.

    Raises:
        ClusterError: it cannot.
    """
    with ray_at(cluster, cpus=(workers or _cores()) + SPARE) as ray:
        import ray.data

        logging.getLogger("ray.data").setLevel(logging.ERROR)
        cores = int(ray.cluster_resources().get("CPU", 1)) - SPARE
        most = min(workers or cores, max(1, cores))
        context = ray.data.DataContext.get_current()
        shown, context.enable_progress_bars = context.enable_progress_bars, progress and sys.stderr.isatty()
        to_read, files = table.place / TO_READ, table.place.filesystem
        try:
            ray.data.read_parquet(to_read.path, filesystem=files, partitioning=None).repartition(
                target_num_rows_per_block=rows
            ).map_batches(
                ReadBatch,
                fn_constructor_args=(reader,),
                batch_size=None,
                batch_format="pyarrow",
                compute=ray.data.ActorPoolStrategy(min_size=1, max_size=most, initial_size=most),
                num_cpus=1,
            ).write_parquet(table.place.path, filesystem=files, try_create_dir=False)
        except Exception as error:  # of Ray's own, of pyarrow, or of what a task raised
            raise failure(error) from error
        finally:
            context.enable_progress_bars = shown


def _as_table(rows: list[dict[str, Any]]) -> Any:
    import pyarrow as pa

    return pa.Table.from_pylist(rows, schema())


def _cores() -> int:
    return os.cpu_count() or 1
