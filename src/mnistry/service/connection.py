"""One TCP connection, with the bounds that uvicorn has no options for.

They are: how many connections are open, how long and how large the head of a request is, how long a client
takes for an answer, and that it waits for each answer. uvicorn would queue what is sent ahead without a
bound; here the first request is answered and the connection closed, as HTTP allows. (Its other parser, h11,
queues it as bytes, without a bound too, and needs half a second for 256 kB in chunks of one byte.)
"""

import asyncio
from typing import Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mnistry.service.limits import Limits
from mnistry.service.problems import MEDIA_TYPE, Problem, busy

HEAD_BYTES = 16 * 1024  # of a request that are not its body; as Python objects they take twenty times that
LAST_SECONDS = 0.1  # in which a quiet connection may still bring a request when the service stops


class _SentAhead(Exception):
    """Ends the parsing of what a client sends before it has its answer."""


class _HeadWithBody:
    """A transport that sends the head of an answer together with the body that follows at once.

    uvicorn writes them one after the other. Where a process is killed between, a proxy has handed on the head
    already, and can ask no other replica any more.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        """Sends it: a little, such as a head, when more comes or all else is done."""
        if self._held or len(data) > HEAD_BYTES:
            self._held += data
            self._send()
        elif data:
            self._held = data
            self._loop.call_soon(self._send)

    def close(self) -> None:
        """Ends the connection when all is sent."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._held and not self._transport.is_closing():
            self._transport.write(self._held)
        self._held = b""


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with bounds on time, on the size of heads, and on the number of connections."""

    def __init__(self, *arguments: Any, limits: Limits, **named: Any) -> None:
        """
        Args:
            arguments: those of uvicorn's connection.
            limits: how many connections there may be, and how slow.
            named: those of uvicorn's connection.
        """
        super().__init__(*arguments, **named)
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._answer_timer: asyncio.TimerHandle | None = None
        self._beside_bodies = 0  # bytes since the last part of a body or the end of a request
        self._sent_ahead = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_HeadWithBody(transport, self.loop))  # type: ignore[arg-type]
        if len(self.connections) > self._limits.connections:
            self._refuse(busy(f"{self._limits.connections:,} connections are open already."))
        else:
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._sent_ahead:
            self.flow.pause_reading()
        if self.transport.is_closing() or self._sent_ahead:
            return
        self._beside_bodies += len(data)
        super().data_received(data)
        if self._beside_bodies > HEAD_BYTES and not self.transport.is_closing():
            self._refuse(Problem(431, f"The head of a request may have {HEAD_BYTES:,} bytes."))

    def on_message_begin(self) -> None:
        if self.cycle and not self.cycle.response_complete:
            self._sent_ahead = True
            self.cycle.keep_alive = False
            self.flow.pause_reading()
            raise _SentAhead
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._stop_timer()
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._beside_bodies = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._beside_bodies = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._start_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._answer_timer = self.loop.call_later(self._limits.seconds, self.transport.abort)

    def resume_writing(self) -> None:
        if self._answer_timer:
            self._answer_timer.cancel()
        super().resume_writing()

    def shutdown(self) -> None:
        """Lets the request under way end; a quiet connection may have one on its way."""
        if self.cycle and not self.cycle.response_complete:
            super().shutdown()
        else:
            self.loop.call_later(LAST_SECONDS, super().shutdown)

    def send_400_response(self, msg: str) -> None:
        if not self._sent_ahead:
            self._refuse(Problem(400, msg))

    def _too_slow(self) -> None:
        if self.transport.is_closing():  # and the client has not taken what is still to be sent
            self.transport.abort()
        elif self._beside_bodies:
            self._refuse(
                Problem(408, f"The request did not begin within {self._limits.head_seconds:g} seconds.")
            )
        else:
            self.transport.close()
            self._start_timer()

    def _start_timer(self) -> None:
        """Runs until the head of the next request is there, or, after the last one, all is taken."""
        self._stop_timer()
        self._timer = self.loop.call_later(self._limits.head_seconds, self._too_slow)

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()

    def _refuse(self, problem: Problem) -> None:
        """Answers without looking at the request, and ends the connection."""
        details = problem.details()
        body = msgspec.json.encode(details)
        head = {
            "Content-Type": MEDIA_TYPE,
            "Content-Length": str(len(body)),
            "Connection": "close",
            **(problem.headers or {}),
        }
        lines = [f"HTTP/1.1 {problem.status} {details.title}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()
        self._start_timer()
