"""ZIP and tar files of data sets, unpacked into a folder for as long as they are read; all bounded."""

import bz2
import gzip
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, BinaryIO, Literal, cast

from mnistry.data.skipped import is_litter
from mnistry.errors import DataError
from mnistry.files import open_regular

MOST_BYTES = 2**30
"""An archive that unpacks to more (1 GiB; MNIST's images take 55 MB) is refused."""
MOST_FILES = 400_000
MOST_DIRECTORY_BYTES = 2**26
"""A ZIP file with a longer table of contents (64 MiB; some 400,000 names) is refused."""
_MOST_HEADER_BYTES = 2**16  # of a long name in a tar file
_READ_AT_ONCE = (
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
)
_CHUNK_BYTES = 2**16
_TAR_BLOCK = 512
_END, _END_64, _LOCATOR_64 = (struct.Struct(form) for form in ("<4s4H2IH", "<4sQ2H2I4Q", "<4sIQI"))

Kind = Literal["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"]
_PACKERS = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\0": "xz"}


def archive_kind(path: Path) -> Kind | None:
    """Which archive a file is, told by its content; None if it is none. An `.npz` file is one of ZIP's.

    Raises:
        OSError: it cannot be read.
    """
    with open_regular(path) as file:
        start = file.read(_TAR_BLOCK)
        if start.startswith((b"PK\3\4", b"PK\5\6")):
            return "zip"
        packer = next((name for magic, name in _PACKERS.items() if start.startswith(magic)), "")
        if packer:
            file.seek(0)
            try:
                start = _decompressed(file, packer).read(_TAR_BLOCK)
            except (OSError, EOFError, zlib.error, lzma.LZMAError):
                return None
    if start[257:262] != b"ustar":
        return None
    return cast(Kind, f"tar.{packer}" if packer else "tar")


@contextmanager
def unpacked(path: Path, kind: Kind) -> Iterator[Path]:
    """Unpacks an archive into a folder that is there until the block ends.

    Links, devices and what file managers left are not unpacked. An error that names the folder names the
    archive in its place.

    Raises:
        DataError: it is damaged, has names that lead out of it, or unpacks to more than is accepted.
    """
    with TemporaryDirectory(prefix="mnistry-") as scratch:
        folder = Path(scratch).resolve() / path.stem.removesuffix(".tar")
        folder.mkdir()
        try:
            with open_regular(path) as file:
                budget = _Budget(folder)
                if kind == "zip":
                    _unzip(file, budget)
                else:
                    _untar(_decompressed(file, kind.removeprefix("tar").removeprefix(".")), budget)
        except OSError as error:
            raise DataError(f"{path}: cannot be unpacked: {error.strerror or error}.") from error
        except (
            *(ValueError, EOFError, NotImplementedError, RuntimeError),
            *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
        ) as error:
            raise DataError(f"{path}: not a readable archive: {error}.") from error
        try:
            yield folder
        except DataError as error:
            raise type(error)(str(error).replace(str(folder), str(path))) from error


class _Budget:
    """What may still be unpacked, and where to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bytes, self._files = MOST_BYTES, MOST_FILES

    def count(self) -> None:
        """Counts one entry, whatever it is."""
        self._files -= 1
        if self._files < 0:
            raise ValueError(f"it has more than the {MOST_FILES:,} entries that are accepted")

    def write(self, name: str, content: IO[bytes]) -> None:
        """Unpacks one file."""
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if any(is_litter(part) or part == "__MACOSX" for part in parts if part not in (".", "..")):
            return
        target = self._folder.joinpath(*(part for part in parts if part != "."))
        if ".." in parts or not target.is_relative_to(self._folder) or target == self._folder:
            raise ValueError(f"the name {name!r} leads out of it")
        if target.exists():
            raise ValueError(f"it holds {name!r} twice")
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            while chunk := content.read(_CHUNK_BYTES):
                self._bytes -= len(chunk)
                if self._bytes < 0:
                    raise ValueError(f"it unpacks to more than the {MOST_BYTES:,} bytes that are accepted")
                file.write(chunk)


def _unzip(file: BinaryIO, budget: _Budget) -> None:
    check_directory(file, MOST_DIRECTORY_BYTES)
    with zipfile.ZipFile(file) as opened:
        for entry in opened.infolist():
            budget.count()
            kind = entry.external_attr >> 28  # of a file that Unix made: 8 is a regular one
            if entry.is_dir() or kind not in (0, 8):
                continue
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise ValueError(f"{entry.filename} is compressed in an unusual way; pack it anew")
            with opened.open(entry) as content:
                budget.write(entry.filename, content)


def _untar(stream: IO[bytes], budget: _Budget) -> None:
    # In this mode it never goes back, which in a compressed file would mean to begin anew.
    with tarfile.open(fileobj=stream, mode="r|", tarinfo=_Entry) as opened:
        while entry := opened.next():
            budget.count()
            if entry.isfile() and not entry.issparse() and (content := opened.extractfile(entry)):
                budget.write(entry.name, content)
            opened.members.clear()  # type: ignore[attr-defined] # else it keeps them all


class _Entry(tarfile.TarInfo):
    """An entry of a tar file; long names, which are read at once, are bounded."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Entry":
        entry = super().frombuf(buf, encoding, errors)
        if entry.type in _READ_AT_ONCE and entry.size > _MOST_HEADER_BYTES:
            raise ValueError(f"it has a name or header of {entry.size:,} bytes")
        return entry


class _Stream:
    """What is read of a packed file; no more than is accepted, whatever it is that is read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._left = MOST_BYTES + MOST_FILES * 4 * _TAR_BLOCK

    def read(self, size: int) -> bytes:
        content = self._file.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ValueError(f"it unpacks to more than the {MOST_BYTES:,} bytes that are accepted")
        return content


def _decompressed(file: IO[bytes], packer: str) -> IO[bytes]:
    stream: IO[bytes] = file
    if packer == "gz":
        stream = cast(IO[bytes], gzip.GzipFile(fileobj=file))
    elif packer:
        stream = cast(IO[bytes], {"bz2": bz2.BZ2File, "xz": lzma.LZMAFile}[packer](file))
    return cast(IO[bytes], _Stream(stream))


def check_directory(file: BinaryIO, most_bytes: int) -> None:
    """Refuses a ZIP file's table of contents that is too long, before it is read.

    Raises:
        ValueError: it is.
    """
    file.seek(0, 2)
    file.seek(max(0, file.tell() - _END_64.size - _LOCATOR_64.size - _END.size - 2**16))
    end = file.read()
    place = end.rfind(b"PK\5\6")
    if place >= 0 and len(end) - place >= _END.size:
        size = _END.unpack_from(end, place)[5]
        larger = place - _LOCATOR_64.size - _END_64.size  # of a file with very many entries
        if larger >= 0 and end.startswith(b"PK\6\6", larger):
            size = _END_64.unpack_from(end, larger)[8]
        if size > most_bytes:
            raise ValueError(
                f"its table of contents has {size:,} bytes, more than the {most_bytes:,} accepted"
            )
    file.seek(0)
