"""Manifests: tables with a column `uri`, each row a picture or document; and folders, listed into one."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.cluster.places import Place, folder_of, one_line, place_of
from mnistry.data.skipped import is_litter
from mnistry.errors import DataError
from mnistry.reading.batch import READ

ID = "uri"
"""The column that names the pictures, in manifests and tables of what was read."""
_ROWS = 20_000  # listed at a time


@dataclass(frozen=True)
class Manifest:
    """Tables that name pictures. They are read again and again, and never kept in memory.

    Attributes:
        files: where they are.
        kind: of all of them.
        base: the folder that relative paths start from.
    """

    files: tuple[Place, ...]
    kind: str
    base: str

    @staticmethod
    def open(names: Sequence[str]) -> "Manifest":
        """Finds the tables.

        Raises:
            DataError: one is missing, or of another kind than Parquet or CSV; or they lie in several folders.
        """
        kinds = {PurePosixPath(name).suffix.lower().removeprefix(".") for name in names}
        if len(kinds) != 1 or not kinds <= {"parquet", "csv"}:
            raise DataError(
                f"{', '.join(names)}: expected manifests that all end in .parquet, or all in .csv, with a "
                f"column {ID!r} that names a picture in each row; or a folder of pictures"
            )
        folders = {folder_of(name) for name in names}
        if len(folders) != 1:
            raise DataError(
                f"{', '.join(names)}: manifests of one folder were expected, as paths in them start there"
            )
        files = tuple(place_of(name) for name in names)
        for name, place in zip(names, files, strict=True):
            try:
                if not place.filesystem.get_file_info(place.path).is_file:
                    raise DataError(f"{name}: there is no such file")
            except OSError as error:
                raise DataError(f"{name}: cannot be read: {one_line(error)}") from error
        return Manifest(files, kinds.pop(), folders.pop())

    def uris(self) -> Iterator[list[str]]:
        """The URIs, some thousands at a time.

        Raises:
            DataError: a table is damaged, has no column `uri` of text, or a row without a value there.
        """
        import pyarrow as pa

        for place in self.files:
            before = 0
            try:
                for batch in self._batches(place):
                    found = batch.column(batch.schema.names.index(ID)).cast(pa.string()).to_pylist()
                    if not all(found):
                        row = before + next(number for number, uri in enumerate(found, 1) if not uri)
                        raise DataError(f"{place.path}: row {row:,} has no {ID}; each must name a picture")
                    before += len(found)
                    yield found
            except (OSError, ValueError, KeyError) as error:  # ArrowInvalid is a ValueError
                raise DataError(
                    f"{place.path}: a {self.kind} table with a column {ID!r} of text was expected: "
                    f"{one_line(error)}"
                ) from error

    def uris_without(self, done: Collection[int]) -> Iterator[list[str]]:
        """As `uris`, each once, and none whose hash is among those of `done`."""
        seen = set(done)
        for uris in self.uris():
            new = []
            for uri, hashed in zip(uris, hashes_of(uris).tolist(), strict=True):
                if hashed not in seen:
                    seen.add(hashed)
                    new.append(uri)
            yield new

    def _batches(self, place: Place) -> Iterator[Any]:
        import pyarrow.csv
        import pyarrow.parquet as parquet

        with place.filesystem.open_input_file(place.path) as file:
            if self.kind == "csv":
                as_text = pyarrow.csv.ConvertOptions(
                    column_types={ID: pyarrow.string()}, include_columns=[ID]
                )
                with pyarrow.csv.open_csv(file, convert_options=as_text) as reader:
                    yield from reader
                return
            table = parquet.ParquetFile(file)
            if ID not in table.schema_arrow.names:
                raise ValueError(f"found the columns {', '.join(table.schema_arrow.names)[:200]}")
            yield from table.iter_batches(_ROWS, columns=[ID])

    def hashes(self) -> NDArray[np.uint64]:
        """A number for each URI, in their order: eight bytes a picture, whatever is in the names.

        Raises: as `uris`.
        """
        parts = [hashes_of(uris) for uris in self.uris()]
        return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def hashes_of(uris: Sequence[str]) -> NDArray[np.uint64]:
    """The numbers of URIs; of a hundred million, two share one with a probability of 0.0003."""
    digests = b"".join(blake2b(uri.encode(), digest_size=8).digest() for uri in uris)
    return np.frombuffer(digests, np.uint64)


def write_manifest(place: Place, uris: Iterable[Sequence[str]]) -> int:
    """Writes a Parquet manifest, some thousand rows in memory at a time; nothing where there are none.

    Returns:
        How many rows it has.

    Raises:
        DataError: it cannot be written.
    """
    import pyarrow as pa
    from pyarrow import parquet

    schema, count = pa.schema([(ID, pa.string())]), 0
    with ExitStack() as stack:
        writer = None
        for some in uris:
            if not some:
                continue
            try:
                if writer is None:
                    place.filesystem.create_dir(place.path.rpartition("/")[0], recursive=True)
                    file = stack.enter_context(place.filesystem.open_output_stream(place.path))
                    writer = stack.enter_context(parquet.ParquetWriter(file, schema))
                writer.write_table(pa.table({ID: some}, schema))
            except OSError as error:
                raise DataError(f"{place.path}: cannot be written: {one_line(error)}") from error
            count += len(some)
    return count


def list_folder(folder: str, manifest: Place, *, recursive: bool) -> int:
    """Writes a manifest of the pictures and documents in a folder, a folder's names in memory at a time.

    Nothing is written where there is no picture.

    Args:
        folder: on a disk or in an object store.
        manifest: the Parquet file to write.
        recursive: take the folders below it, too.

    Returns:
        How many files were left out, as they do not end as pictures do.

    Raises:
        DataError: there is no such folder, it cannot be listed, or holds no picture.
    """
    from pyarrow import fs

    place, others = place_of(folder), 0
    prefix = "" if place.local else f"{folder.partition('://')[0]}://"

    def pictures() -> Iterator[list[str]]:
        nonlocal others
        waiting = [place.path]
        while waiting:
            selector = fs.FileSelector(waiting.pop(), recursive=False)
            try:
                entries = sorted(place.filesystem.get_file_info(selector), key=lambda entry: str(entry.path))
            except OSError as error:
                raise DataError(f"{folder}: cannot be listed: {one_line(error)}") from error
            below = [entry.path for entry in entries if entry.type == fs.FileType.Directory]
            if recursive:
                waiting += [path for path in below[::-1] if not PurePosixPath(path).name.startswith(".")]
            files = [entry.path for entry in entries if entry.type == fs.FileType.File]
            files = [path for path in files if not is_litter(PurePosixPath(path).name)]
            found = [prefix + path for path in files if PurePosixPath(path).suffix.lower() in READ]
            others += len(files) - len(found)
            yield from (found[start : start + _ROWS] for start in range(0, len(found), _ROWS))

    if not write_manifest(manifest, pictures()):
        where = "or below it" if recursive else "itself (`recursive=True` looks below it too)"
        raise DataError(
            f"{folder}: no pictures in this folder {where}: expected files that end in "
            f"{' '.join(sorted(READ))}"
        )
    return others
