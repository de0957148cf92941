"""The files that a user names: opened only if regular, and told from what is often taken for them."""

import bz2
import errno
import gzip
import lzma
import os
import re
import stat
import zlib
from collections.abc import Callable
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import IO, Any

MOST_UNPACKED = 2**31
"""Bytes that are unpacked of one file; 280,000 images as text take half as many."""

_KINDS = {
    stat.S_IFIFO: "a named pipe (FIFO)",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def open_regular(path: Path | str) -> BufferedReader:
    """Opens a regular file for reading bytes.

    A pipe, a socket or a device may never begin to send, or never end: it is refused without waiting.

    Raises:
        OSError: it is missing, may not be read, or is anything but a regular file.
    """
    _require_regular(os.stat(path), path)  # noqa: PTH116 - any path-like value
    # It may have been replaced since; opened so, a pipe does not wait for its other end.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    file = os.fdopen(os.open(path, flags), "rb")
    try:
        _require_regular(os.fstat(file.fileno()), path)
    except OSError:
        file.close()
        raise
    return file


def read_regular(path: Path | str, *, most_bytes: int) -> bytes:
    """The content of a regular file.

    Raises:
        OSError: as `open_regular`, or the file has more than `most_bytes`.
    """
    with open_regular(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"it has more than the {most_bytes:,} bytes that are accepted", str(path))
    return content


def open_unpacked(path: Path | str) -> BufferedReader:
    """Opens a regular file for reading its bytes, unpacked if gzip, bzip2 or xz packed it; the content tells.

    Raises:
        OSError: as `open_regular`; or, while it is read, it is damaged or longer than `MOST_UNPACKED`.
    """
    file = open_regular(path)
    start = file.peek(6)
    for magic, unpacking in _PACKINGS.items():
        if start.startswith(magic):
            return BufferedReader(_Unpacked(unpacking(file), file, path), 2**16)
    return file


class _Unpacked(RawIOBase):
    """What a packed file holds, up to a bound; all that can be wrong with it is an `OSError`."""

    def __init__(self, stream: IO[bytes], file: BufferedReader, path: Path | str) -> None:
        self._stream, self._file, self._path = stream, file, path
        self._read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content = self._stream.read(len(buffer))
        except (EOFError, ValueError, lzma.LZMAError, zlib.error, OSError) as error:
            text = f"its compression is damaged ({error})"
            raise OSError(errno.EINVAL, text, str(self._path)) from error
        self._read += len(content)
        if self._read > MOST_UNPACKED:
            text = f"it unpacks to more than the {MOST_UNPACKED:,} bytes that are accepted"
            raise OSError(errno.EFBIG, text, str(self._path))
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()


def _gzip(file: IO[bytes]) -> gzip.GzipFile:
    return gzip.GzipFile(fileobj=file)


_PACKINGS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ": lzma.LZMAFile,
}


def address_in(path: Path | str) -> str | None:
    """The address on the web that was given in place of a path, of whose slashes `Path` keeps one.

    >>> address_in(Path("https://example.org/mnist.npz")), address_in("c:/mnist.npz")
    ('https://example.org/mnist.npz', None)
    """
    match = re.fullmatch(r"(https?|ftp|s3|gs|file):/+(.+)", str(path), re.IGNORECASE)
    return f"{match[1]}://{match[2]}" if match else None


def disguised(start: bytes) -> str | None:
    """What a file really is that has the name of another kind; None if its first bytes do not tell.

    >>> disguised(b"<!DOCTYPE html><html>")[:58]
    "an HTML page, which begins with '<!DOCTYPE html><html>': a"
    """
    text = start[:60].decode("ascii", "replace").strip()
    if re.match(r"<(!doctype|html|head|body|\?xml)", text, re.IGNORECASE):
        return (
            f"an HTML page, which begins with {text!r}: a server's answer in place of the file. "
            "Look at it in a browser, and download the file itself"
        )
    if start.startswith(b"PK\3\4"):
        return "a ZIP archive. Unpack it first"
    return f"a text, which begins with {text!r}" if text and text.isprintable() and text.isascii() else None


def _require_regular(status: os.stat_result, path: Path | str) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a regular file", str(path))
