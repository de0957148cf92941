"""Receives the bodies of requests, with a bound on the time and the size of each, and on the sum of all."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge
from starlette.datastructures import Headers
from starlette.types import Message, Receive

from mnistry.service.limits import Limits
from mnistry.service.problems import Problem, busy


class Bodies:
    """Counts the bytes of all bodies that are held."""

    def __init__(self, limits: Limits, gauge: Gauge) -> None:
        """
        Args:
            limits: what is refused.
            gauge: shows the bytes.
        """
        self._limits = limits
        self._gauge = gauge
        self._held = 0

    @contextmanager
    def receiving(self, headers: Headers, receive: Receive) -> Iterator[Receive]:
        """A `receive` that raises `Problem` for a body that is too large (413), too slow (408), or one too
        many (503). What it gave is counted as held until the block ends.
        """
        limits = self._limits
        deadline = asyncio.get_running_loop().time() + limits.upload_seconds
        size, complete = 0, False

        async def receive_bounded() -> Message:
            nonlocal size, complete
            if complete:  # from here on, it tells that the client has gone
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError as error:
                detail = f"The request did not arrive within {limits.upload_seconds:g} seconds."
                raise Problem(408, detail, {"Connection": "close"}) from error
            complete = not message.get("more_body", False)
            new = len(message.get("body", b""))
            if self._held + new > limits.memory_bytes:
                raise busy("The service holds as many pictures as it can.")
            size += new
            self._held += new
            self._gauge.set(self._held)
            if size > limits.upload_bytes:
                raise _too_large(limits)
            return message

        if int(headers.get("content-length", 0)) > limits.upload_bytes:
            raise _too_large(limits)
        try:
            yield receive_bounded
        finally:
            self._held -= size
            self._gauge.set(self._held)


def _too_large(limits: Limits) -> Problem:
    return Problem(413, f"The request is too large; at most {limits.upload_mb} MB are taken.")
