"""Downloading a data set's files from its mirrors into the cache."""

import hashlib
import sys
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import IO

from mnistry import atomic
from mnistry.data.catalog import Archive, Entry, File
from mnistry.data.verify import examine
from mnistry.errors import DataError

SECONDS_OF_SILENCE = 10.0
"""A mirror that sends nothing for this long is given up."""
LEAST_RATE = 5_000.0
"""So is one that sends fewer bytes a second, on the mean over half as long again."""


def download(
    entry: Entry, files: Sequence[File], cache: Path, *, seconds_of_silence: float = SECONDS_OF_SILENCE
) -> list[str]:
    """Puts files into the cache, each from the first mirror that sends it whole and as published.

    Stops at the first file that no mirror has. A file enters the cache only after it was checked.

    Args:
        entry: the data set.
        files: those of its files that are wanted.
        cache: the folder for this data set; made if missing.
        seconds_of_silence: give up a mirror that sends nothing for so long.

    Returns:
        What went wrong, one line for each address that failed.

    Raises:
        OSError: the cache cannot be written.
    """
    failures: list[str] = []
    cache.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix=".fetching-") as folder:
        scratch = Path(folder) / "download"

        def first_good(name: str, most_bytes: int, keep: Callable[[str], None]) -> bool:
            for mirror in entry.mirrors:
                url = mirror + name
                if problem := get(url, scratch, most_bytes, seconds_of_silence):
                    failures.append(f"{url}: {problem}")
                    continue
                try:
                    keep(url)
                except DataError as error:
                    failures.append(str(error))
                    continue
                return True
            return False

        if entry.archive:
            archive = entry.archive
            first_good(
                archive.name,
                archive.most_bytes,
                lambda url: _keep_members(archive, files, cache, scratch, url),
            )
            return failures
        for file in files:
            if not first_good(
                f"{file.name}.gz",
                entry.most_bytes(file),
                lambda url, file=file: _keep(file, scratch.read_bytes(), cache, url),  # type: ignore[misc]
            ):
                break
    return failures


def _keep(file: File, raw: bytes, cache: Path, url: str) -> None:
    """Moves a downloaded file into the cache if it is what was published."""
    path = cache / f"{file.name}.gz"
    found = examine(file, raw, path, name=url)
    if not found.verified and (file.sha256 or file.packed_sha256):
        raise DataError(f"{url}: wrong checksum")
    atomic.write_bytes(path, raw)


def _keep_members(archive: Archive, files: Sequence[File], cache: Path, path: Path, url: str) -> None:
    """Moves the wanted files of a downloaded ZIP file into the cache if it is what was published."""
    with path.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != archive.sha256:
            raise DataError(f"{url}: wrong checksum")
    try:
        with zipfile.ZipFile(path) as zipped:
            for file in files:
                _keep(file, zipped.read(f"{archive.folder}/{file.name}.gz"), cache, url)
    except (KeyError, zipfile.BadZipFile) as error:
        raise DataError(f"{url}: not the expected ZIP file ({error})") from error


def get(url: str, path: Path, most_bytes: int, seconds_of_silence: float) -> str | None:
    """Downloads an address to a file. Returns what went wrong, or None.

    Each wait for bytes has its limit, but a mirror may send one at a time, even of its headers. So another
    thread waits for them, and this one looks at how many came.
    """
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=seconds_of_silence)
    outcome: SimpleQueue[BaseException | None] = SimpleQueue()
    period = 1.5 * seconds_of_silence  # so that silence is found first, and called so
    with path.open("wb") as file:
        received = _Received(file, most_bytes)

        def receive() -> None:
            try:
                downloader(url, received, None)
                outcome.put(None)
            except BaseException as error:
                outcome.put(error)

        Thread(target=receive, daemon=True).start()
        try:
            while True:
                before = received.size
                with suppress(Empty):
                    error = outcome.get(timeout=period)
                    break
                if received.size - before < LEAST_RATE * period:
                    return f"fewer than {LEAST_RATE * period:,.0f} bytes came in {period:g} seconds"
        finally:
            received.unwanted = True
    if isinstance(error, requests.HTTPError):
        return f"the server answered {str(error).partition(' for url')[0]}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    if isinstance(error, requests.RequestException):
        if isinstance(error, requests.Timeout) or "timed out" in str(error):
            return f"nothing came for {seconds_of_silence:g} seconds"
        return "no connection"
    if isinstance(error, _TooLongError):
        return f"it sends more than the {most_bytes:,} bytes that there can be"
    if error:
        raise error
    return None


class _TooLongError(Exception):
    """More bytes came than there can be, or nobody wants them any more."""


class _Received:
    """A file for what is downloaded, as long as it is wanted."""

    def __init__(self, file: IO[bytes], most_bytes: int) -> None:
        self.size = 0
        self.unwanted = False
        self._file, self._most_bytes = file, most_bytes

    def write(self, content: bytes) -> int:
        self.size += len(content)
        if self.unwanted or self.size > self._most_bytes:
            raise _TooLongError
        return self._file.write(content)

    def flush(self) -> None:
        if not self.unwanted:
            self._file.flush()
