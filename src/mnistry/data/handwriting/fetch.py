"""Finding handwriting: in the folders that the user names, in the cache, or where it is published."""

import hashlib
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from mnistry import atomic
from mnistry.data.fetch import cache_folder, data_folders
from mnistry.data.handwriting.published import HandwritingSet, digest_of
from mnistry.data.handwriting.sets import PAGE_SETS
from mnistry.data.mirrors import SECONDS_OF_SILENCE, get
from mnistry.errors import DataError, DataNotFoundError

HANDWRITING = "handwriting"
"""The name of the folder of handwriting, in a folder that the user names and in the cache."""
FORM = 1
"""Counted up when sets are packed in another way; what was packed before is then fetched anew."""
LEAST_SHARE = 0.5
"""A packed file with a smaller share of the samples that there should be was not understood."""


@dataclass(frozen=True)
class Place:
    """Where a set lies: the folder of handwriting, and what is known about it there."""

    folder: Path
    verdict: str


def fetch_set(
    entry: HandwritingSet,
    data_dir: Path | str | None = None,
    *,
    may_download: bool = True,
    seconds_of_silence: float = SECONDS_OF_SILENCE,
    say: Callable[[str], None] = lambda _: None,
) -> Place:
    """Finds a set packed in `data_dir`, MNISTRY_DATA or the cache, or fetches and packs it into the cache.

    In a folder that the user names, its files are below `FOLDER/handwriting`; they are not checked.

    Args:
        entry: the set.
        data_dir: the folder to look in first.
        may_download: ask the publisher for what no folder has.
        seconds_of_silence: give up if nothing comes for so long.
        say: is told what is going to be downloaded.

    Raises:
        DataNotFoundError: no place has it; the message names each with what happened there.
        DataError: the cache cannot be written.
    """
    tried: list[str] = []
    for folder in data_folders(data_dir):
        own = folder / HANDWRITING
        if not (missing := _missing(entry, own)):
            return Place(own, "in a folder that you named: not checked")
        tried.append(f"{own}: lacks {', '.join(missing)}")
    return _in_cache(entry, tried, may_download, seconds_of_silence, say)


def find_handwriting(
    name_or_path: Path | str,
    data_dir: Path | str | None = None,
    *,
    may_download: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """The folder of handwriting that pages are written with.

    Args:
        name_or_path: `"handwriting"`, for the first of the folders that the user names in which all sets
            are, or else the cache, into which is fetched what it lacks; or a path.
        data_dir: a folder to look in before MNISTRY_DATA.
        may_download: ask the publishers for what the cache lacks.
        say: is told what is going to be downloaded.

    Raises:
        DataNotFoundError: there is none.
    """
    if name_or_path != HANDWRITING:
        if (folder := Path(name_or_path)).is_dir():
            return folder
        raise DataNotFoundError(
            f"{folder}: there is no such folder of handwriting. Name one that holds "
            f"{', '.join(file for entry in PAGE_SETS.values() for file in entry.files)}, or leave `data` out."
        )
    incomplete: list[str] = []
    for named in data_folders(data_dir):
        folder = named / HANDWRITING
        if not (missing := [file for entry in PAGE_SETS.values() for file in _missing(entry, folder)]):
            return folder
        incomplete.append(f"{folder}: lacks {', '.join(missing)}")
    for entry in PAGE_SETS.values():
        _in_cache(entry, incomplete, may_download, SECONDS_OF_SILENCE, say)
    return cache_folder() / HANDWRITING


def _in_cache(
    entry: HandwritingSet,
    tried: list[str],
    may_download: bool,
    seconds_of_silence: float,
    say: Callable[[str], None],
) -> Place:
    """The set in the cache, where it is fetched if it is not there; `tried` are the places without it."""
    cache = cache_folder() / HANDWRITING
    record = _record(cache, entry)
    problem = _damage(cache, entry, record)
    if problem:
        tried = [*tried, problem]
        if not may_download:
            tried.append(f"{entry.published.url}: not asked, because downloading is switched off")
            raise DataNotFoundError(_nowhere(entry, tried))
        try:
            cache.mkdir(parents=True, exist_ok=True)
            say(f"fetching {entry.name} ({entry.licence}) from {entry.published.url}")
            record = _fetch(entry, cache, record, seconds_of_silence)
        except DataError as error:
            raise DataNotFoundError(_nowhere(entry, [*tried, str(error)])) from error
        except OSError as error:
            raise DataError(
                f"{cache}: cannot keep downloads here: {error.strerror or error}. "
                "Name another folder in the environment variable MNISTRY_CACHE."
            ) from error
    checked = "verified" if entry.published.digest else "as first fetched: no checksum of it is known"
    return Place(cache, f"{checked}; SHA-256 of the download {str(record['sha256'])[:16]}…")


def _missing(entry: HandwritingSet, folder: Path) -> list[str]:
    """The files of a set that a folder of handwriting lacks."""
    return [file for file in entry.files if not (folder / file).exists()]


def _record_path(cache: Path, entry: HandwritingSet) -> Path:
    return cache / f"{entry.name}.json"


def _record(cache: Path, entry: HandwritingSet) -> dict[str, Any]:
    """What was written down when the set was fetched: `sha256` of the download and of the packed `files`."""
    try:
        record = json.loads(_record_path(cache, entry).read_text())
        if isinstance(record["sha256"], str) and isinstance(record["files"], dict):
            return dict(record)
    except (OSError, ValueError, KeyError, TypeError):
        pass
    return {}


def _damage(cache: Path, entry: HandwritingSet, record: dict[str, Any]) -> str | None:
    """Why the set in the cache cannot be used, if so."""
    files: dict[str, str] = record.get("files", {}) if record.get("form") == FORM else {}
    if not all(any(name == file or name.startswith(f"{file}/") for name in files) for file in entry.files):
        return f"{cache}: does not hold {entry.name}"
    for name, expected in files.items():
        try:
            if digest_of(cache / name) != expected:
                return f"{cache / name}: is not what was packed"
        except OSError as error:
            return f"{cache / name}: cannot be read: {error.strerror or error}"
    return None


def _fetch(
    entry: HandwritingSet, cache: Path, before: dict[str, Any], seconds_of_silence: float
) -> dict[str, Any]:
    """Downloads, checks and packs a set, and puts it into the cache whole."""
    published = entry.published
    with TemporaryDirectory(dir=cache, prefix=".fetching-") as scratch:
        packed = Path(scratch) / "packed"
        archives = []
        for number, file in enumerate((published, *entry.more)):
            archives.append(archive := Path(scratch) / f"download{number or ''}")
            if problem := get(file.url, archive, file.most_bytes, seconds_of_silence):
                raise DataError(f"{file.url}: {problem}")
            file.check(archive)
        digests = [digest_of(archive) for archive in archives]
        sha256 = digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()
        if before and before["sha256"] != sha256:
            raise DataError(
                f"{published.url}: another file than at first: SHA-256 {sha256}, then {before['sha256']}. "
                f"To accept it, remove {_record_path(cache, entry)}"
            )
        files: dict[str, str] = {}
        counts = dict.fromkeys(entry.files, 0)
        try:
            for path, content in entry.pack(*archives):
                (packed / path).parent.mkdir(parents=True, exist_ok=True)
                (packed / path).write_bytes(content)
                files[str(path)] = hashlib.sha256(content).hexdigest()
                counts[str(path) if str(path) in counts else str(path.parent)] += _samples_in(content)
        except DataError as error:
            raise DataError(f"{published.url}: {error}") from error
        for name, expected in entry.files.items():
            if counts[name] < LEAST_SHARE * expected:
                raise DataError(
                    f"{published.url}: only {counts[name]:,} samples for {name} were found in it, expected "
                    f"about {expected:,}: it is not what is published, or in another form than it was"
                )
        for folder in packed.iterdir():
            shutil.rmtree(cache / folder.name, ignore_errors=True)
            folder.rename(cache / folder.name)
    record = {"form": FORM, "url": published.url, "sha256": sha256, "files": files}
    atomic.write_text(_record_path(cache, entry), json.dumps(record, indent=2) + "\n")
    return record


def _samples_in(content: bytes) -> int:
    """How many samples a packed file has; a picture is one."""
    if not content.startswith(b"PK"):
        return 1
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return len(arrays[next(name for name in ("label", "labels", "alphabet") if name in arrays.files)])


def _nowhere(entry: HandwritingSet, tried: list[str]) -> str:
    places = "\n".join(f"  - {line}" for line in tried)
    return (
        f"the handwriting {entry.name!r} was not found. Tried:\n{places}\n"
        f"Either put {', '.join(entry.files)} into FOLDER/{HANDWRITING} and name FOLDER with `data_dir` or "
        "in the environment variable MNISTRY_DATA, or fetch it where the internet can be reached: "
        f"mnistry data fetch {entry.name}"
    )
