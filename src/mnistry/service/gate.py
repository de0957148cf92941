"""The gate that every request passes: who may ask, how much, what is counted, and how errors are told."""

import asyncio
import errno
import hmac
import ipaddress
import logging
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mnistry.service.bodies import Bodies
from mnistry.service.limits import Limits
from mnistry.service.logs import access_log, id_of, request_id
from mnistry.service.metrics import Metrics
from mnistry.service.problems import Problem, busy

_HEADERS = [
    (
        b"content-security-policy",
        b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
        b"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    (b"cache-control", b"no-cache"),  # pages and answers are of this version and this model
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(self), microphone=(), geolocation=()"),
]

_PART = 64 * 1024  # bytes of an answer that are handed on at once
_LONGEST_SHOWN = 200  # characters of a path
_EXHAUSTED = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS, errno.ENOSPC}

_HEALTH = ("/healthz", "/readyz")  # asked for by address: by Kubernetes, by load balancers

_log = logging.getLogger(__name__)


class Gate:
    """An ASGI application around another one."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        metrics: Metrics,
        paths: frozenset[str],
        token: str,
        hosts: Sequence[str],
        proxied: bool,
    ) -> None:
        """
        Args:
            app: what answers the requests that are let through.
            limits: what is refused.
            metrics: where all is counted.
            paths: those that are counted by their names.
            token: what clients must know to use `/v1/…` and `/metrics`; empty: nothing.
            hosts: the names that it may be called by, besides those of this machine; `*.example.com` are all
                of a domain, `*` is any. Requests that call it by another come from a stranger's page whose
                name was made to lead here (DNS rebinding).
            proxied: X-Request-ID, where there is one, comes from a proxy that is trusted.
        """
        self._app = app
        self._limits = limits
        self._metrics = metrics
        self._paths = paths
        self._token = token.encode()
        self._hosts = tuple(host.lower() for host in hosts)
        self._proxied = proxied
        self._bodies = Bodies(limits, metrics.held_bytes)
        self._under_way: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0
        headers = Headers(scope=scope)
        request_id.set(id_of(headers.get("x-request-id", "") if self._proxied else ""))
        own_headers = [*_HEADERS, (b"x-request-id", request_id.get().encode())]

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *own_headers]
            # Each part waits until the client has taken the one before it. So a request is under way, and
            # counted, until nearly all of its answer is gone.
            for part in _parts(message):
                await send(part)

        scope["app"] = self  # so that Starlette raises its errors instead of answering with them
        try:
            self._check(scope, headers)
            with self._admitted(scope), self._bodies.receiving(headers, receive) as receive_bounded:
                await self._app(scope, receive_bounded, send_guarded)
        except (Exception, asyncio.CancelledError) as error:
            if status:
                _log.exception("%s %r: the answer was cut", scope["method"], _shown(scope))
                raise
            await _problem(error, scope).response()(scope, receive, send_guarded)
        finally:
            seconds = time.perf_counter() - started
            route = scope["path"] if scope["path"] in self._paths else "other"
            self._metrics.requests.labels(route, status).inc()
            self._metrics.seconds.labels(route).observe(seconds)
            if access_log.isEnabledFor(logging.INFO):
                _log_access(scope, status, seconds)

    def _check(self, scope: Scope, headers: Headers) -> None:
        """Raises `Problem` for a request that may not be made."""
        host = headers.get("host", "")
        if scope["path"] not in _HEALTH and not self._answers_to(_host_name(host)):
            detail = f"This service does not answer to {host!r}, only to names of its own machine"
            raise Problem(400, f"{detail} and {', '.join(self._hosts)}." if self._hosts else f"{detail}.")
        if scope["method"] not in ("GET", "HEAD") and _is_foreign(headers, host):
            raise Problem(403, "Pages of other sites may not send requests to this service.")
        if self._token and (_is_work(scope) or scope["path"] == "/metrics"):
            scheme, _, given = headers.get("authorization", "").partition(" ")
            right = hmac.compare_digest(given.strip().encode(), self._token)
            if not (right and scheme.lower() == "bearer"):
                detail = "This service needs its token: send the header `Authorization: Bearer TOKEN`."
                raise Problem(401, detail, {"WWW-Authenticate": "Bearer"})

    def _answers_to(self, name: str) -> bool:
        if "*" in self._hosts or is_loopback(name):
            return True
        return any(name.endswith(host[1:]) if host.startswith("*.") else name == host for host in self._hosts)

    @contextmanager
    def _admitted(self, scope: Scope) -> Iterator[None]:
        """Counts a request as under way, or raises `Problem` if there are enough; all others cost little."""
        if not _is_work(scope):
            yield
            return
        client, limits = _client(scope), self._limits
        if self._under_way[client] >= limits.client_requests:
            detail = f"{limits.client_requests} requests of yours are under way already; wait for an answer."
            raise Problem(429, detail, {"Retry-After": "1"})
        if self._under_way.total() >= limits.requests:
            raise busy(f"{limits.requests} requests are under way already.")
        self._under_way[client] += 1
        self._metrics.under_way.inc()
        try:
            yield
        finally:
            self._metrics.under_way.dec()
            self._under_way[client] -= 1
            if not self._under_way[client]:
                del self._under_way[client]


def _log_access(scope: Scope, status: int, seconds: float) -> None:
    fields = {
        "client": _client(scope),
        "method": scope["method"],
        "path": _shown(scope),
        "status": status,
        "milliseconds": round(1000 * seconds, 1),
    }
    message = "%(client)s %(method)s %(path)r %(status)d %(milliseconds).1f ms"
    access_log.info(message, fields, extra={"fields": fields})


def _parts(message: Message) -> Iterator[Message]:
    body = message.get("body", b"")
    if len(body) <= _PART:
        yield message
        return
    for start in range(0, len(body), _PART):
        more = start + _PART < len(body) or message.get("more_body", False)
        yield {"type": message["type"], "body": body[start : start + _PART], "more_body": more}


def is_loopback(host: str) -> bool:
    """Whether a name or an address always means this machine."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_work(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith("/v1/")


def _client(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else "unknown"


def _shown(scope: Scope) -> str:
    """The path, as far as the log shows it."""
    path: str = scope["path"]
    return path[:_LONGEST_SHOWN]


def _host_name(host: str) -> str:
    """`localhost` of `localhost:8000`."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_foreign(headers: Headers, host: str) -> bool:
    """Whether a page of another site sends this; programs say nothing of sites."""
    if site := headers.get("sec-fetch-site"):
        return site not in ("same-origin", "none")
    origin = headers.get("origin")
    return origin is not None and origin.lower().partition("://")[2] != host.lower()


def _problem(error: BaseException, scope: Scope) -> Problem:
    match error:
        case Problem():
            return error
        case asyncio.CancelledError():
            return busy("The service is being stopped.")
        case ClientDisconnect():  # nobody will see this
            return Problem(400, "The connection was cut before the request was complete.")
        case HTTPException(status_code=404):
            return Problem(404, f"There is nothing at {scope['path']}; /docs tells what there is.")
        case HTTPException(status_code=405):
            allowed = (error.headers or {}).get("Allow", "")
            detail = f"{scope['path']} takes {allowed}, not {scope['method']}."
            return Problem(405, detail, error.headers)
        case HTTPException():
            return Problem(error.status_code, error.detail, error.headers)
        case MemoryError() | OSError() if getattr(error, "errno", errno.ENOMEM) in _EXHAUSTED:
            _log.error("%s %r failed: %r", scope["method"], _shown(scope), error)
            return busy("The machine has too little memory or too few file descriptors left.")
        case _:
            _log.error("%s %r failed", scope["method"], _shown(scope), exc_info=error)
            return Problem(500, "The service failed; its log tells more.")
