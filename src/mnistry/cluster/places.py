"""Where things are: on a disk, in an object store or on the web; and how a picture is got from there."""

import http.client
import io
import os
import time
import urllib.error
import urllib.request
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mnistry.data.decode import MOST_BYTES
from mnistry.errors import ClusterError, DataError, PictureError, PictureSizeError

STORES = ("s3", "gs")
"""Object stores that are known by these schemes."""
SILENCE = 20.0
"""Seconds without a byte after which a server is given up."""
MOST_SECONDS = 120.0
"""Until a picture is given up that arrives drop by drop."""
_CHUNK = 2**20


class Place(NamedTuple):
    """A file or folder, and what opens it.

    Attributes:
        filesystem: of pyarrow.
        path: as it knows it.
    """

    filesystem: Any
    path: str

    def __truediv__(self, name: str) -> "Place":
        return Place(self.filesystem, f"{self.path.rstrip('/')}/{name}")

    @property
    def local(self) -> Path | None:
        """Its path, if it is on a disk."""
        return Path(self.path) if self.filesystem.type_name == "local" else None


def one_line(error: BaseException) -> str:
    """What an error says, on one line, and no more of it than people read."""
    return " ".join(str(error).split())[:300]


def absolute(uri: str, base: str) -> str:
    """A URI or path; a relative path starts from a folder.

    >>> absolute("a.png", "s3://scans/2026"), absolute("https://x.org/a.png", "/in")
    ('s3://scans/2026/a.png', 'https://x.org/a.png')
    """
    if "://" in uri or Path(uri).is_absolute():
        return uri
    return f"{base.rstrip('/')}/{uri}"


def folder_of(uri: str) -> str:
    """The folder in which a file is.

    >>> folder_of("s3://scans/2026/list.parquet")
    's3://scans/2026'
    """
    return uri.rpartition("/")[0] if "://" in uri else str(Path(uri).absolute().parent)


def place_of(uri: str) -> Place:
    """Where a file or folder is, on a disk or in an object store.

    What an object store needs to know it takes from the environment, as its own programs do:
    `AWS_ACCESS_KEY_ID`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `GOOGLE_APPLICATION_CREDENTIALS`, ….

    Raises:
        ClusterError: pyarrow is not installed.
        DataError: neither; or the store cannot be reached.
    """
    scheme, separator, rest = uri.partition("://")
    if not separator:
        return Place(_filesystem("file", ""), str(Path(uri).absolute()))
    if scheme == "file":
        return Place(_filesystem("file", ""), urllib.request.url2pathname(urlsplit(uri).path))
    if scheme not in STORES or not rest:
        raise DataError(f"{uri}: expected a path, s3://BUCKET/NAME or gs://BUCKET/NAME")
    try:
        # Not parsed any further: the name of an object may hold any sign.
        return Place(_filesystem(scheme, rest.split("/")[0]), rest)
    except OSError as error:
        raise DataError(f"{uri}: cannot be reached: {one_line(error)}") from error


@lru_cache(maxsize=64)
def _filesystem(scheme: str, bucket: str) -> Any:
    """One for each bucket, because finding its region takes a request."""
    try:
        from pyarrow import fs
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"tables of pictures need {error.name}, which is not installed: pip install 'mnistry[cluster]'"
        ) from error
    if scheme == "file":
        return fs.LocalFileSystem()
    if scheme == "s3" and os.environ.get("AWS_ENDPOINT_URL"):  # has no regions that Amazon could tell
        return fs.S3FileSystem(endpoint_override=os.environ["AWS_ENDPOINT_URL"])
    return fs.FileSystem.from_uri(f"{scheme}://{bucket}")[0]


def fetch(uri: str) -> Path | io.BytesIO:
    """A picture or document: the path of one on a disk, the content of another.

    Raises:
        PictureError: it cannot be got, or has too many bytes; says why.
    """
    scheme, separator, _ = uri.partition("://")
    if scheme in ("http", "https"):
        return io.BytesIO(_download(uri))
    if separator and scheme not in ("file", *STORES):
        raise PictureError(f"cannot be fetched: expected a path, http(s)://, s3:// or gs://, not {scheme}://")
    try:
        place = place_of(uri)
        if place.local:
            return place.local
        # Read to its end, because a read of so many bytes at most takes their memory first.
        with place.filesystem.open_input_file(place.path) as file:
            if file.size() > MOST_BYTES:
                raise _too_large()
            return io.BytesIO(file.read())
    except DataError as error:
        raise PictureError(str(error)) from error
    except (OSError, ValueError) as error:
        raise PictureError(f"cannot be fetched: {one_line(error)}") from error


def _download(uri: str) -> bytes:
    content = io.BytesIO()
    until = time.monotonic() + MOST_SECONDS
    try:
        request = urllib.request.Request(uri, headers={"User-Agent": "mnistry"})
        with urllib.request.urlopen(request, timeout=SILENCE) as answer:
            while chunk := answer.read(_CHUNK):
                content.write(chunk)
                if content.tell() > MOST_BYTES:
                    raise _too_large()
                if time.monotonic() > until:
                    raise PictureError(f"cannot be fetched: it took more than {MOST_SECONDS:.0f} seconds")
    except urllib.error.HTTPError as error:
        raise PictureError(f"cannot be fetched: the server answered {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise PictureError(f"cannot be fetched: {one_line(reason)}") from error
    return content.getvalue()


def _too_large() -> PictureSizeError:
    return PictureSizeError(f"it has more than the {MOST_BYTES // 1_000_000} MB that are read")
