"""How much the service takes on: from one request, from one client, and in all."""

import os
from dataclasses import dataclass, fields

from mnistry.data.decode import MOST_PIXELS
from mnistry.errors import InvalidValueError


@dataclass(frozen=True)
class Limits:
    """What is beyond a limit is refused with the status in brackets, before it takes memory."""

    upload_mb: int = 20
    """Megabytes of one request's body [413]."""
    pixels: int = 25_000_000
    """Pixels of one picture [413]."""
    files: int = 32
    """Pictures in one request, and pages of one document [413]."""
    images: int = 1000
    """28×28 images in one request to classify [413]."""
    head_seconds: float = 10
    """For the head of one request to arrive [408]."""
    upload_seconds: float = 30
    """For the body of one request to arrive [408]."""
    seconds: float = 8
    """For one request to be answered once it has arrived [503], and for the client to take each part."""
    client_requests: int = 64
    """Requests of one address under way at the same time [429]."""
    requests: int = 256
    """Requests under way at the same time, of all clients [503]."""
    memory_mb: int = 256
    """Megabytes of all bodies that are held at the same time [503]."""
    connections: int = 1000
    """Connections open at the same time [503]."""
    kept: int = 10_000
    """Pictures in the folder of corrections [507]."""
    kept_mb: int = 1000
    """Megabytes of all of them [507]."""
    models: int = 8
    """Models of the runs folder that are kept in memory, those asked for last."""
    workers: int = os.cpu_count() or 1
    """Pictures of one client that are read at the same time, and threads that run models."""

    def check(self) -> None:
        """Raises `InvalidValueError` where a limit is not positive or larger than the reader's own."""
        for field in fields(self):
            if not getattr(self, field.name) > 0:
                raise InvalidValueError(
                    f"`{field.name}` must be more than 0, not {getattr(self, field.name)}"
                )
        if self.pixels > MOST_PIXELS:
            raise InvalidValueError(f"`pixels` must be at most {MOST_PIXELS:,}, not {self.pixels:,}")

    @property
    def upload_bytes(self) -> int:
        """The largest body of a request."""
        return self.upload_mb * 1_000_000

    @property
    def kept_bytes(self) -> int:
        """The most that the pictures in the folder of corrections take together."""
        return self.kept_mb * 1_000_000

    @property
    def memory_bytes(self) -> int:
        """The most that all bodies take together."""
        return self.memory_mb * 1_000_000
