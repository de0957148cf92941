"""What the bytes of a file prove: that it is intact, and to which data set it belongs."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from mnistry.data import idx
from mnistry.data.catalog import CATALOG, File


@dataclass(frozen=True)
class Found:
    """A file that was found, read, and compared with its published checksum.

    Attributes:
        path: where it lies.
        content: the uncompressed bytes of an IDX file, as long as its header says.
        sha256: SHA-256 of `content`, in hexadecimal.
        verified: the published checksum agrees.
        refuted: the published checksum of the content differs, so this is not the published file.
            Neither where only the compressed file's checksum is published, and this one was compressed
            anew or not at all.
    """

    path: Path
    content: bytes
    sha256: str
    verified: bool
    refuted: bool


def examine(file: File, raw: bytes, path: Path, *, name: str | None = None) -> Found:
    """Unpacks the bytes of a file and compares them with the checksums of its catalogue entry.

    Args:
        file: what the file should be.
        raw: its bytes, plain or gzip-compressed.
        path: where they lie.
        name: what to call it in an error message; the path if None.

    Raises:
        IdxError: the bytes are not an intact IDX file.
    """
    content = idx.unpack(raw, name=name or str(path))
    digest = hashlib.sha256(content).hexdigest()
    if file.sha256:
        return Found(path, content, digest, digest == file.sha256, refuted=digest != file.sha256)
    packed_digest = hashlib.sha256(raw).hexdigest()
    return Found(path, content, digest, packed_digest == file.packed_sha256, refuted=False)


def owner(found: Found) -> tuple[str, str] | None:
    """The catalogue's data set to which a file with this content belongs, and its name there, if known."""
    files = ((entry.name, file) for entry in CATALOG.values() for file in entry.files)
    return next(((name, file.name) for name, file in files if file.sha256 == found.sha256), None)
