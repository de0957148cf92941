"""The table of what was read: a folder of Parquet files, one row a picture, whole however its writer ended.

TABLE/
  *.parquet           the rows, in no order
  _job.json           what they were read with; where its "rows" stand, the table is complete
  _to_read.parquet    while it is written: the pictures that have no row yet
  _listed.parquet     the same: those of the folder that was named
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistry import atomic
from mnistry.cluster.manifest import ID, hashes_of
from mnistry.cluster.places import Place, one_line
from mnistry.errors import DataError, InvalidValueError, PictureError
from mnistry.reading.batch import in_order
from mnistry.reading.documents import DocumentReading
from mnistry.reading.recognizer import Reading

JOB, TO_READ, LISTED = "_job.json", "_to_read.parquet", "_listed.parquet"
_THREADS = 8  # files of the table that are looked into at the same time: stores answer slowly

Answer = Reading | DocumentReading | PictureError


def schema() -> Any:
    """The columns: `uri`; `lines`, as text; `digits`; `notes`; and `error`, null where it was read.

    Of each digit there are `digit`, 0 to 9, or null where its confidence is too low; `name`, where the
    classes have names; `confidence`; `box`, in pixels; `line`, from 0; and of a document, `page`, from 1. The
    lines of a document are those of all of its pages.
    """
    import pyarrow as pa

    box = pa.struct([(name, pa.int32()) for name in ("x", "y", "width", "height")])
    digit = pa.struct(
        [
            ("digit", pa.int8()),
            ("name", pa.string()),
            ("confidence", pa.float64()),
            ("box", box),
            ("line", pa.int32()),
            ("page", pa.int32()),
        ]
    )
    return pa.schema(
        [
            (ID, pa.string()),
            ("lines", pa.list_(pa.string())),
            ("digits", pa.list_(digit)),
            ("notes", pa.list_(pa.string())),
            ("error", pa.string()),
        ]
    )


def row_of(uri: str, answer: Answer) -> dict[str, Any]:
    """The row of a picture or document. Of a document's pages that cannot be read, the error tells."""
    if isinstance(answer, PictureError):
        return {ID: uri, "lines": [], "digits": [], "notes": [], "error": one_line(answer)}
    if isinstance(answer, Reading):
        values = _values(answer, None)
        return {ID: uri, **values, "error": None}
    row: dict[str, Any] = {ID: uri, "lines": [], "digits": [], "notes": list(answer.notes), "error": None}
    errors = []
    for one in answer.pages:
        if isinstance(one.result, PictureError):
            errors.append(f"page {one.page.number}: {one_line(one.result)}")
            continue
        for name, more in _values(one.result, one.page.number).items():
            row[name] += more
    return {**row, "error": "; ".join(errors) or None}


def _values(reading: Reading, page: int | None) -> dict[str, list[Any]]:
    digits = [
        {
            "digit": one.digit,
            "name": one.name,
            "confidence": one.confidence,
            "box": dict(zip(("x", "y", "width", "height"), one.box, strict=True)),
            "line": one.line,
            "page": page,
        }
        for one in reading.digits
    ]
    return {"lines": list(reading.lines), "digits": digits, "notes": list(reading.notes)}


class Counts(NamedTuple):
    """What a complete table holds: `rows`, and how many of them are `failed`."""

    rows: int
    failed: int


class Table:
    """A table that is written by many, and checked by one."""

    def __init__(self, place: Place, job: Mapping[str, Any], *, resume: bool) -> None:
        """
        Args:
            place: the folder.
            job: what the rows depend on, as JSON values.
            resume: go on with a table that was begun, or begin it.

        Raises:
            InvalidValueError: it exists, and `resume` was not asked for; or was begun with something else.
            DataError: it is damaged, or cannot be written.
        """
        self.place = place
        self._job = dict(job)
        found = self._described()
        if found is None and self.parts():
            raise DataError(f"{place.path}: holds Parquet files and no {JOB}: not written by mnistry read")
        if found is not None and not resume:
            raise InvalidValueError(
                f"{place.path} exists already; nothing is overwritten. Go on with it by `resume=True`, or "
                "choose another name"
            )
        for name, value in (found or {}).items():
            if name in job and value != job[name]:
                raise InvalidValueError(
                    f"{place.path}: was begun with {name} {value}, not {job[name]}: its rows would not go "
                    "together. Choose another name"
                )

    def parts(self) -> list[str]:
        """The names of its files, in their order."""
        from pyarrow import fs

        selector = fs.FileSelector(self.place.path, recursive=False, allow_not_found=True)
        try:
            entries = self.place.filesystem.get_file_info(selector)
        except OSError as error:
            raise DataError(f"{self.place.path}: cannot be listed: {one_line(error)}") from error
        return sorted(
            entry.base_name
            for entry in entries
            if entry.is_file and entry.base_name.endswith(".parquet") and not entry.base_name.startswith("_")
        )

    def write(self, name: str, rows: Any) -> None:
        """Writes a file of it, whole or not at all. Raises `DataError` where it cannot be written."""
        from pyarrow import parquet

        place = self.place / name
        try:
            if place.local:
                with atomic.replacing(place.local) as file:
                    parquet.write_table(rows, file)
            else:  # an object is there when all of it has arrived
                parquet.write_table(rows, place.path, filesystem=place.filesystem)
        except OSError as error:
            raise DataError(f"{place.path}: cannot be written: {one_line(error)}") from error

    def begun(self) -> NDArray[np.uint64]:
        """Begins it, or makes it ready to be gone on with.

        What was cut off while it was written is removed, and so are rows with an error and doubled ones. The
        rows themselves tell what is done: a note of it, kept beside them, may say less or more than is there
        after its writer was killed.

        Returns:
            The hashes of the URIs that need not be read again, ascending.
        """
        self._describe({})
        found = {}
        for name, columns in self._columns():
            if columns is None:
                self.place.filesystem.delete_file((self.place / name).path)
                continue
            good = columns["error"].is_null().to_numpy()
            found[name] = _Part(hashes_of(columns[ID].to_pylist()), good)
        return self._without_doubled(found)

    def complete(self, wanted: NDArray[np.uint64]) -> Counts:
        """Checks that it has one row for each picture, and says so in it. Doubled rows are removed.

        What a machine had written and not told of before it was lost, another one writes once more.

        Args:
            wanted: the hashes of the manifest's URIs.

        Raises:
            DataError: rows are missing.
        """
        found, failed = {}, 0
        for name, columns in self._columns():
            if columns is None:
                raise DataError(
                    f"{(self.place / name).path}: damaged; the same again with `resume=True` mends it"
                )
            hashes = hashes_of(columns[ID].to_pylist())
            found[name] = _Part(hashes, np.ones(len(hashes), bool))
            failed += len(columns) - columns["error"].null_count
        seen = self._without_doubled(found)
        if missing := len(np.setdiff1d(wanted, seen)):
            raise DataError(
                f"{self.place.path}: {missing:,} of {len(np.unique(wanted)):,} pictures have no row. On a "
                "cluster, it must be a folder that all machines see, or an object store. The same again "
                "with `resume=True` reads them"
            )
        for name in (TO_READ, LISTED):
            self._forget(name)
        counts = Counts(len(seen), failed)
        self._describe({"rows": counts.rows, "failed": counts.failed})
        return counts

    def _columns(self) -> Iterator[tuple[str, Any]]:
        """Each file's name with its `uri` and `error`; None where it is damaged."""
        from pyarrow import parquet

        def read(name: str) -> Any:
            place = self.place / name
            try:
                with place.filesystem.open_input_file(place.path) as file:
                    return parquet.read_table(file, columns=[ID, "error"])
            except ValueError:  # ArrowInvalid
                return None
            except OSError as error:
                raise DataError(f"{place.path}: cannot be read: {one_line(error)}") from error

        return in_order(read, self.parts(), workers=_THREADS)

    def _without_doubled(self, found: Mapping[str, "_Part"]) -> NDArray[np.uint64]:
        """Rewrites the files that have doubled rows, or some that are not good; the hashes of the others."""
        from pyarrow import parquet

        nothing = _Part(np.empty(0, np.uint64), np.empty(0, bool))
        hashes = np.concatenate([nothing.hashes, *(part.hashes for part in found.values())])
        good = np.concatenate([nothing.good, *(part.good for part in found.values())])
        rows = np.flatnonzero(good)
        kept, first = np.unique(hashes[rows], return_index=True)
        stays = np.zeros(len(hashes), bool)
        stays[rows[first]] = True
        start = 0
        for name, part in found.items():
            mask = stays[start : start + len(part.hashes)]
            start += len(mask)
            place = self.place / name
            if not mask.any():
                place.filesystem.delete_file(place.path)
            elif not mask.all():
                with place.filesystem.open_input_file(place.path) as file:
                    content = parquet.read_table(file)
                self.write(name, content.filter(mask))
        return kept

    def _described(self) -> dict[str, Any] | None:
        """What an earlier writer said of it; None where there was none."""
        from pyarrow import fs

        place = self.place / JOB
        try:
            kind = place.filesystem.get_file_info(place.path).type
            if kind == fs.FileType.NotFound:
                return None
            with place.filesystem.open_input_file(place.path) as file:
                content = json.loads(file.read())
            if not isinstance(content, dict):
                raise ValueError("an object was expected")
        except (OSError, ValueError) as error:
            raise DataError(f"{place.path}: damaged, or cannot be read: {one_line(error)}") from error
        return content

    def _describe(self, more: Mapping[str, Any]) -> None:
        place, text = self.place / JOB, json.dumps({**self._job, **more}, indent=2) + "\n"
        try:
            self.place.filesystem.create_dir(self.place.path, recursive=True)
            if place.local:
                atomic.write_text(place.local, text)
            else:
                with place.filesystem.open_output_stream(place.path) as file:
                    file.write(text.encode())
        except OSError as error:
            raise DataError(f"{self.place.path}: cannot be written: {one_line(error)}") from error

    def _forget(self, name: str) -> None:
        from pyarrow import fs

        place = self.place / name
        kind = place.filesystem.get_file_info(place.path).type
        if kind == fs.FileType.Directory:
            place.filesystem.delete_dir(place.path)
        elif kind == fs.FileType.File:
            place.filesystem.delete_file(place.path)


class _Part(NamedTuple):
    """Of the rows of a file: `hashes` of their URIs, and which are `good`."""

    hashes: NDArray[np.uint64]
    good: NDArray[np.bool_]
