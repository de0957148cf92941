"""`mnistry serve`: the reader as an HTTP service, and the page to draw on."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from mnistry.cli.environment import from_environment
from mnistry.cli.parsing import parsed
from mnistry.errors import InvalidValueError
from mnistry.service.gate import is_loopback
from mnistry.service.limits import Limits
from mnistry.service.proxies import check_proxies
from mnistry.service.server import serve

TOKEN = "MNISTRY_TOKEN"


@dataclass(frozen=True)
class Options:
    """Read digits over HTTP: a page to draw on at `/`, and an interface for programs, described at `/docs`.

    Every option may also stand in the environment: MNISTRY_PORT for --port, and so on, lists with commas; a
    flag goes before it. With MNISTRY_TOKEN set there, programs must send it: `Authorization: Bearer TOKEN`.
    Ctrl-C and SIGTERM stop it when what is under way is done.
    """

    model: Annotated[Path | None, tyro.conf.arg(metavar="RUN|FILE.onnx")] = None
    """The default model: a run folder or an exported ONNX file; else the model that comes with mnistry."""
    runs: Path = Path("runs")
    """The folder of runs whose models can be asked for."""
    corrections: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Where the page keeps what you correct or write for it, as `mnistry teach` takes it; else it keeps none.
    Whoever may use the service may fill it, up to the limits below."""
    host: str = "127.0.0.1"
    """Where to listen; 0.0.0.0: everywhere."""
    port: int = 8000
    """0: a free one."""
    no_auth: bool = False
    """Serve other machines without a token."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that it may be called by, besides those of this machine: example.com, *.example.com, or * for
    any. By default any, where --host lets other machines in, else none."""
    proxy_headers: bool = False
    """Take a client's address, its scheme and the id of its request from what a proxy says of them
    (X-Forwarded-For, X-Forwarded-Proto, X-Request-ID)."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses or networks (10.0.0.0/8) of the proxies that are believed, with --proxy-headers."""
    log: bool = False
    """Log a line for each request."""
    json_log: bool = False
    """Log JSON objects, each with the id of its request."""
    limits: Annotated[Limits, tyro.conf.arg(name="")] = field(default_factory=Limits)

    def check(self, token: str) -> None:
        """Raises `InvalidValueError` for values out of range, and for an open host without a token."""
        self.limits.check()
        if not 0 <= self.port <= 65535:
            raise InvalidValueError(f"--port must be from 0 to 65535, not {self.port}")
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise InvalidValueError(f"{TOKEN} must be of printable ASCII characters without spaces")
        for what in self._open_by:
            if not (token or self.no_auth):
                raise InvalidValueError(
                    f"{what} lets other machines in: set a token in {TOKEN}, or say --no-auth"
                )
        if self.proxy_headers:
            check_proxies(self.trusted_proxies)
        elif self.trusted_proxies != Options.trusted_proxies:
            raise InvalidValueError("`trusted_proxies` has no effect: it needs `proxy_headers=True`")

    @property
    def _open_by(self) -> list[str]:
        """What lets other machines in."""
        opening = {
            f"--host {self.host}": not is_loopback(self.host),
            "--proxy-headers": self.proxy_headers,
            f"--allowed-hosts {' '.join(self.allowed_hosts)}": bool(self.allowed_hosts),
        }
        return [what for what, opens in opening.items() if opens]

    @property
    def hosts(self) -> tuple[str, ...]:
        """The names that it may be called by, besides those of this machine."""
        return self.allowed_hosts or (() if is_loopback(self.host) else ("*",))


def main(arguments: list[str]) -> int:
    """Runs `mnistry serve` with what follows it, and returns the exit status.

    0: stopped by Ctrl-C or SIGTERM, as a service is.
    """
    options = parsed(
        Options,
        args=arguments,
        prog="mnistry serve",
        default=from_environment(Options, os.environ),
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    token = os.environ.get(TOKEN, "")
    options.check(token)
    serve(
        host=options.host,
        port=options.port,
        model=options.model,
        runs=options.runs,
        corrections=options.corrections,
        limits=options.limits,
        token=token,
        hosts=options.hosts,
        proxies=options.trusted_proxies if options.proxy_headers else (),
        show_requests=options.log,
        as_json=options.json_log,
    )
    return 0
