"""What every set of handwriting is made of: a published file, and a function that packs it."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mnistry.errors import DataError

Packed = Iterator[tuple[PurePosixPath, bytes]]
"""The files of a packed set: path below the folder of handwriting, and content."""


@dataclass(frozen=True)
class Published:
    """The file in which a set is published.

    Attributes:
        url: where it lies.
        most_bytes: no more of it is downloaded.
        digest: `sha256:…` or `md5:…` of the file, in hexadecimal, as several people found it independently
            of each other or the publisher says; None if no checksum is known. Then the size and the
            structure are checked, the SHA-256 of what came first is kept, and required ever after.
    """

    url: str
    most_bytes: int
    digest: str | None = None

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.url.rpartition("/")[2]

    def check(self, path: Path) -> None:
        """Compares a downloaded file with the known checksum.

        Raises:
            DataError: it is another file.
        """
        if self.digest is None:
            return
        method, _, expected = self.digest.partition(":")
        found = digest_of(path, method)
        if found != expected:
            raise DataError(f"{self.url}: wrong checksum: expected {method} {expected}, found {found}")


@dataclass(frozen=True)
class HandwritingSet:
    """A named set of handwriting.

    Attributes:
        name: as given to `mnistry data fetch`.
        title: what it shows, in a few words.
        files: for each packed file or folder of pages, below the folder of handwriting, about how many
            samples it holds. Far fewer is an error: then the published file was not understood.
        published: where it comes from.
        pack: makes the packed files of the published one, or of it and those in `more`.
        more: further published files.
    """

    name: str
    title: str
    homepage: str
    licence: str
    citation: str
    files: dict[str, int]
    published: Published
    pack: Callable[..., Packed]
    more: tuple[Published, ...] = ()

    @property
    def samples(self) -> int:
        """About how many samples it holds."""
        return sum(self.files.values())


def digest_of(path: Path, method: str = "sha256") -> str:
    """The checksum of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, method).hexdigest()
