"""The service behind proxies: whom it hears of from them, and whom it believes."""

import ipaddress
from collections.abc import Sequence

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from mnistry.errors import InvalidValueError

REQUEST_ID = b"x-request-id"


class BehindProxies:
    """An ASGI application around another one: of what trusted proxies send, the client's address and the
    scheme become those of the request (X-Forwarded-For, X-Forwarded-Proto), and X-Request-ID its id. What
    anybody else sends under these names counts for nothing."""

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        """
        Args:
            app: what answers.
            trusted: addresses and networks of proxies.
        """
        self._proxied = ProxyHeadersMiddleware(app, list(trusted))  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        if scope["type"] == "http":
            peer = scope["client"][0] if scope.get("client") else ""
            if peer not in self._proxied.trusted_hosts:
                scope["headers"] = [item for item in scope["headers"] if item[0] != REQUEST_ID]
        await self._proxied(scope, receive, send)  # type: ignore[arg-type]


def check_proxies(trusted: Sequence[str]) -> None:
    """Raises `InvalidValueError` where one is no address or network, which would be trusted by nobody."""
    for one in trusted:
        try:
            network = ipaddress.ip_network(one)
        except ValueError as error:
            raise InvalidValueError(
                f"`trusted_proxies`: {one!r} is no address or network, such as 10.0.0.5 or 10.0.0.0/8. "
                "Name those of your proxies; whoever is trusted may say that it is any client"
            ) from error
        if not network.prefixlen:
            raise InvalidValueError(
                f"`trusted_proxies`: {one!r} is every address, so each client could say that it is another. "
                "Name those of your proxies"
            )
