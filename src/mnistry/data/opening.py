"""Opens the file of a picture or document, or takes one that the caller opened, and says why it cannot be."""

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

from mnistry.errors import PictureError, PictureSizeError
from mnistry.files import address_in, open_regular
from mnistry.pixels.unpack import MOST_BYTES


@dataclass(frozen=True)
class Opened:
    """A file that can seek.

    Attributes:
        file: it.
        path: its path, if it has one.
    """

    file: IO[bytes]
    path: Path | None

    def for_worker(self) -> Path | bytes:
        """What a worker is given: the path, or all that is in the file."""
        if self.path:
            return self.path
        self.file.seek(0)
        return self.file.read()


@contextmanager
def opened(picture: Path | str | IO[bytes]) -> Iterator[Opened]:
    """Opens a file by its path, or takes one that is open, and leaves it so.

    Raises:
        PictureError: there is none, it cannot be read, or has too many bytes.
    """
    path = Path(picture) if isinstance(picture, str | Path) else None
    with _open_file(path) if path else nullcontext(_seekable(picture)) as file:
        yield Opened(file, path)


def _open_file(path: Path) -> IO[bytes]:
    try:
        file = open_regular(path)
    except FileNotFoundError as error:
        if address := address_in(path):
            raise PictureError(
                f"this is a URL; download the picture, such as by `curl -LO {address}`, and name its file."
            ) from error
        raise PictureError("there is no such file.") from error
    except IsADirectoryError as error:
        raise PictureError("this is a folder, not a picture.") from error
    except PermissionError as error:
        raise PictureError("there is no permission to read this file.") from error
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise PictureError(f"the file cannot be opened: {why or error}.") from error
    try:
        _check_bytes(os.fstat(file.fileno()).st_size)
    except PictureError:
        file.close()
        raise
    return file


def _seekable(file: Any) -> IO[bytes]:
    """A file that the caller opened, or a copy of what can be read of it.

    Raises:
        PictureError: it is no file, was opened as text, is closed, or has too many bytes.
    """
    if not hasattr(file, "read"):
        raise PictureError(
            "expected a path, a file opened for reading bytes, a Pillow image or a NumPy array; "
            f"found {type(file).__name__}."
        )
    try:
        if not (hasattr(file, "seekable") and file.seekable()):
            file = io.BytesIO(file.read(MOST_BYTES + 1))
        size = file.seek(0, io.SEEK_END)
        file.seek(0)
        if not isinstance(file.read(1), bytes):
            raise PictureError("the file was opened as text; open it for reading bytes.")
    except (OSError, ValueError, TypeError) as error:
        raise PictureError(f"the file cannot be read: {error}.") from error
    _check_bytes(size)
    return cast(IO[bytes], file)


def _check_bytes(size: int) -> None:
    if size > MOST_BYTES:
        raise PictureSizeError(
            f"the file has more than the {MOST_BYTES // 1_000_000} MB that are read. Save it as PNG or JPEG."
        )
