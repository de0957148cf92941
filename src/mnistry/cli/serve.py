"""`mnistry serve`: the reader as an HTTP service, and the page to draw on."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from mnistry.errors import InvalidValueError
from mnistry.service.gate import is_loopback
from mnistry.service.limits import Limits
from mnistry.service.server import serve

TOKEN = "MNISTRY_TOKEN"


@dataclass(frozen=True)
class Options:
    """Read digits over HTTP: a page to draw on at `/`, and an interface for programs, described at `/docs`.

    With the environment variable MNISTRY_TOKEN set, programs must send it: `Authorization: Bearer TOKEN`.
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
    log: bool = False
    """Log a line for each request."""
    limits: Annotated[Limits, tyro.conf.arg(name="")] = field(default_factory=Limits)

    def check(self, token: str) -> None:
        """Raises `InvalidValueError` for values out of range, and for an open host without a token."""
        self.limits.check()
        if not 0 <= self.port <= 65535:
            raise InvalidValueError(f"--port must be from 0 to 65535, not {self.port}")
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise InvalidValueError(f"{TOKEN} must be of printable ASCII characters without spaces")
        if not (is_loopback(self.host) or token or self.no_auth):
            raise InvalidValueError(
                f"--host {self.host} lets other machines in: set a token in {TOKEN}, or say --no-auth"
            )


def main(arguments: list[str]) -> int:
    """Runs `mnistry serve` with what follows it, and returns the exit status.

    0: stopped by Ctrl-C or SIGTERM, as a service is.
    """
    options = tyro.cli(Options, args=arguments, prog="mnistry serve", config=(tyro.conf.FlagCreatePairsOff,))
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
        show_requests=options.log,
    )
    return 0
