"""Atomic writes: a file is there whole, or as it was before; never half of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO


@contextmanager
def replacing(path: Path | str) -> Iterator[IO[bytes]]:
    """Opens a binary file that takes the place of `path` when the block ends without an exception.

    The bytes go to a temporary file in the same folder, are flushed to the disk, and the file is
    renamed over `path`. On an exception the temporary file is removed and `path` is untouched.

    Raises:
        OSError: the folder is missing or read-only, or the disk is full.
    """
    path = Path(path)
    # The prefix keeps the temporary file out of patterns such as `step-*.safetensors`.
    with NamedTemporaryFile(dir=path.parent, prefix=".writing-", suffix=path.suffix, delete=False) as file:
        temporary = Path(file.name)
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    _sync_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Removes the temporary files that a process left in `folder` and below when it was killed."""
    for path in folder.rglob(".writing-*"):
        path.unlink()


def write_bytes(path: Path | str, content: bytes) -> None:
    """Writes `content` to `path` atomically. Raises `OSError` as `replacing` does."""
    with replacing(path) as file:
        file.write(content)


def write_text(path: Path | str, text: str) -> None:
    """Writes `text` to `path` atomically, as UTF-8. Raises `OSError` as `replacing` does."""
    write_bytes(path, text.encode())


def _umask() -> int:
    current = os.umask(0o077)
    os.umask(current)
    return current


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable, where the system can open a folder (Windows cannot)."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
