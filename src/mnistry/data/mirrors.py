"""Downloading a data set's files from its mirrors into the cache."""

import hashlib
import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mnistry import atomic
from mnistry.data.catalog import Archive, Entry, File
from mnistry.data.verify import examine
from mnistry.errors import DataError

SECONDS_OF_SILENCE = 30.0
"""A mirror that sends nothing for this long is given up."""


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

        def first_good(name: str, keep: Callable[[str], None]) -> bool:
            for mirror in entry.mirrors:
                url = mirror + name
                if problem := _get(url, scratch, seconds_of_silence):
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
            first_good(archive.name, lambda url: _keep_members(archive, files, cache, scratch, url))
            return failures
        for file in files:
            if not first_good(
                f"{file.name}.gz",
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


def _get(url: str, path: Path, seconds_of_silence: float) -> str | None:
    """Downloads an address to a file. Returns what went wrong, or None."""
    import pooch
    import requests

    downloader = pooch.HTTPDownloader(progressbar=sys.stderr.isatty(), timeout=seconds_of_silence)
    try:
        downloader(url, str(path), None)
    except requests.HTTPError as error:
        return f"the server answered {str(error).partition(' for url')[0]}"
    except requests.exceptions.ChunkedEncodingError:
        return "the connection was cut"
    except requests.RequestException as error:
        if isinstance(error, requests.Timeout) or "timed out" in str(error):
            return f"nothing came for {seconds_of_silence:g} seconds"
        return "no connection"
    return None
