"""The pictures in a ZIP archive."""

import io
import zipfile
import zlib
from typing import IO

from mnistry.errors import PictureError, PictureFormatError, PictureSizeError

MOST_FILES = 20_000
_OFFICE = {"[Content_Types].xml", "mimetype"}  # Word, Excel and PowerPoint; LibreOffice and books


def names(file: IO[bytes]) -> list[str]:
    """The names of all that is packed, in its order; those of folders end in a slash.

    Raises:
        PictureError: it is damaged, a document of an office program, or has too many files.
    """
    with _opened(file) as archive:
        found = archive.namelist()
    if len(found) > MOST_FILES:
        raise PictureSizeError(
            f"the archive has {len(found):,} files; at most {MOST_FILES:,} are looked at. Unpack it."
        )
    if not _OFFICE.isdisjoint(found):
        raise PictureFormatError("this is a document of an office program; save it as PDF.")
    return found


def member(file: IO[bytes], index: int, most_bytes: int) -> io.BytesIO:
    """The file of a number, unpacked into memory.

    Raises:
        PictureError: it is damaged, protected, or has too many bytes.
    """
    with _opened(file) as archive:
        info = archive.infolist()[index]
        if info.file_size > most_bytes:  # more than it claims is never unpacked
            raise PictureSizeError(f"it has more than the {most_bytes // 1_000_000} MB that are read.")
        try:
            return io.BytesIO(archive.read(info))
        except (RuntimeError, NotImplementedError) as error:  # a password; a method of packing
            raise PictureError(f"it cannot be unpacked: {error}.") from error
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise PictureError(f"it is damaged in its archive: {error}.") from error


def _opened(file: IO[bytes]) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise PictureError(f"the ZIP archive is damaged: {error}.") from error
