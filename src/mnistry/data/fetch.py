"""Finding a data set's files: in the folders that the user names, in the cache, or on a mirror."""

import os
from pathlib import Path

from mnistry.data import idx
from mnistry.data.catalog import Entry, File
from mnistry.data.mirrors import SECONDS_OF_SILENCE, download
from mnistry.data.verify import Found, examine, owner
from mnistry.errors import DataError, DataNotFoundError
from mnistry.files import read_regular


def cache_folder() -> Path:
    """Where downloads are kept: the environment variable MNISTRY_CACHE, or the system's cache folder."""
    if chosen := os.environ.get("MNISTRY_CACHE"):
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("mnistry"))


def data_folders(data_dir: Path | str | None) -> list[Path]:
    """The folders that the user names, in the order in which they are searched."""
    named = (data_dir, os.environ.get("MNISTRY_DATA"))
    return [Path(folder).expanduser() for folder in named if folder]


def fetch(
    entry: Entry,
    data_dir: Path | str | None = None,
    *,
    may_download: bool = True,
    seconds_of_silence: float = SECONDS_OF_SILENCE,
) -> list[Found]:
    """Finds all files of a data set in one place: `data_dir`, MNISTRY_DATA, the cache, or the mirrors.

    In a folder, a file is `FOLDER/NAME/FILE` or `FOLDER/FILE`, with or without `.gz`, or with a dot before
    `idx`. Because several data sets use the same file names, `FOLDER/FILE` counts only if its checksum says
    whose it is. What is downloaded goes to the cache, and only after it was checked.

    Args:
        entry: the data set.
        data_dir: the folder to look in first.
        may_download: ask the mirrors for what no folder has.
        seconds_of_silence: give up a mirror that sends nothing for so long.

    Returns:
        The files in the order of `entry.files`.

    Raises:
        DataNotFoundError: no place has the files; the message names each with what happened there.
        DataError: a file in `data_dir` or MNISTRY_DATA is damaged or has the wrong checksum, or the
            cache cannot be written.
    """
    tried: list[str] = []
    for folder in data_folders(data_dir):
        local = [_in_folder(folder, entry.name, file) for file in entry.files]
        if all(local):
            return [found for found in local if found]
        missing = [file.name for file, found in zip(entry.files, local, strict=True) if not found]
        if not folder.is_dir():
            tried.append(f"{folder}: no such folder")
        else:
            tried.append(f"{folder}: lacks {', '.join(missing) if any(local) else 'all of its files'}")

    cache = cache_folder() / entry.name
    cached, problems = _in_cache(cache, entry)
    if not all(cached):
        tried += problems
        if may_download:
            wanted = [file for file, found in zip(entry.files, cached, strict=True) if not found]
            try:
                tried += download(entry, wanted, cache, seconds_of_silence=seconds_of_silence)
            except OSError as error:
                raise DataError(
                    f"{cache}: cannot keep downloads here: {error.strerror or error}. "
                    "Name another folder in the environment variable MNISTRY_CACHE."
                ) from error
            cached, _ = _in_cache(cache, entry)
    if all(cached):
        return [found for found in cached if found]
    raise DataNotFoundError(_nowhere(entry, tried, may_download))


def _in_folder(folder: Path, name: str, file: File) -> Found | None:
    """The file in a folder that the user names; None if it is not there, or is another data set's."""
    for place in (folder / name, folder):
        with_dot = file.name.replace("-idx", ".idx")  # as some programs unpack it
        for path in (place / f"{file.name}.gz", place / file.name, place / with_dot):
            if not path.is_file():
                continue
            found = examine(file, _read(path), path)
            whose = owner(found)
            if found.verified or (place != folder and not found.refuted and not whose):
                return found
            if place == folder and (whose[0] != name if whose else not found.refuted):
                continue
            if whose and whose[0] == name:
                raise DataError(
                    f"{path}: its content is that of {whose[1]}: files have each other's names. Call each of "
                    f"the files of {name} as its content is called."
                )
            if whose:
                raise DataError(
                    f"{path}: this file belongs to {whose[0]}, not to {name}. Put the right one there."
                )
            raise DataError(
                f"{path}: wrong checksum: the content should have SHA-256 {file.sha256}, but has "
                f"{found.sha256}. Remove the file, or put the published one in its place."
            )
    return None


def _in_cache(cache: Path, entry: Entry) -> tuple[list[Found | None], list[str]]:
    """The files in the cache, None for those that are missing or damaged, and what is wrong there."""
    files: list[Found | None] = []
    problems: list[str] = []
    for file in entry.files:
        path = cache / f"{file.name}.gz"
        found = None
        try:
            found = examine(file, _read(path), path) if path.is_file() else None
        except DataError as error:
            problems.append(str(error))
        if found and not found.verified and (file.sha256 or file.packed_sha256):
            problems.append(f"{path}: wrong checksum")
            found = None
        files.append(found)
    if not any(files) and not problems:
        problems.append(f"{cache}: holds nothing")
    return files, problems


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, most_bytes=idx.MOST_BYTES)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}.") from error


def _nowhere(entry: Entry, tried: list[str], may_download: bool) -> str:
    places = "\n".join(f"  - {line}" for line in tried)
    offline = "" if may_download else "\n  - the mirrors: not asked, because downloading is switched off"
    names = ", ".join(f"{file.name}.gz" for file in entry.files)
    return (
        f"the data set {entry.name!r} was not found. Tried:\n{places}{offline}\n"
        f"Either put {names} (with or without .gz) into FOLDER/{entry.name} and name FOLDER with `data_dir` "
        "or in the environment variable MNISTRY_DATA, or use the digits that need no download: "
        "`data='optdigits'`."
    )
