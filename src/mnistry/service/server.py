"""The service as a process: its socket, its signals, its log."""

import logging
import math
import signal
import socket
import sys
import warnings
import webbrowser
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import uvicorn

from mnistry.errors import InvalidValueError
from mnistry.service.api import create_app
from mnistry.service.connection import Connection
from mnistry.service.limits import Limits
from mnistry.service.logs import set_up

BACKLOG = 2048
OWN_FILES = 32  # that the service opens for itself: libraries, models, its log
WORKER_FILES = 8  # … and for each worker

_log = logging.getLogger(__name__)


def serve(
    *,
    host: str,
    port: int,
    model: Path | None,
    runs: Path,
    limits: Limits,
    corrections: Path | None = None,
    to_label: Path | None = None,
    token: str = "",
    hosts: Sequence[str] = (),
    proxies: Sequence[str] = (),
    show_requests: bool = False,
    as_json: bool = False,
    open_page: bool = False,
) -> None:
    """Serves until SIGINT or SIGTERM; then what is under way has `limits.seconds` to be finished.

    Args:
        host: the address to listen at.
        port: its port; 0 takes a free one.
        model: see `create_app`, as are the following.
        runs: the folder of runs.
        limits: what is refused.
        corrections: the folder of corrections.
        to_label: a folder of pictures to be labelled.
        token: what clients must know.
        hosts: the names that it may be called by, besides those of this machine.
        proxies: addresses and networks whose word is taken for who the client is.
        show_requests: log a line for each.
        as_json: log JSON.
        open_page: in the user's browser.

    Raises:
        InvalidValueError: the service cannot listen there, or may open too few files.
        MnistryError: the model or a folder cannot be used.
    """
    set_up(show_requests=show_requests, as_json=as_json)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # of odd metadata in strangers' pictures
    limits = _that_files_allow(limits)
    app = create_app(
        model=model,
        runs=runs,
        corrections=corrections,
        to_label=to_label,
        limits=limits,
        token=token,
        hosts=hosts,
        proxies=proxies,
    )
    listening = _listen(host, port)
    config = uvicorn.Config(
        app,
        http=partial(Connection, limits=limits),  # type: ignore[arg-type]
        ws="none",
        lifespan="on",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=limits.head_seconds,  # type: ignore[arg-type]  # parts of seconds do, too
        timeout_graceful_shutdown=math.ceil(limits.seconds),
    )
    server = uvicorn.Server(config)
    # uvicorn raises the signal that stopped it once more when all is done; to be stopped is no failure here.
    before = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    address = f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}"
    what = "the page; {address}/docs – for programs. Ctrl-C stops it."
    if to_label is not None:
        what = "the pictures of {folder}, to be labelled. Ctrl-C stops it; what is labelled is kept."
    print(f"mnistry serves {address} – {what.format(address=address, folder=to_label)}", flush=True)
    if open_page:
        webbrowser.open(address)
    try:
        server.run(sockets=[listening])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _that_files_allow(limits: Limits) -> Limits:
    """Lets this process open as many files as its limits need, or lowers these to what it may open.

    Raises:
        InvalidValueError: it may open so few that not even one connection is left.
    """
    if sys.platform == "win32":
        return limits
    import resource

    own = OWN_FILES + WORKER_FILES * limits.workers
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= own + limits.connections:
        return limits
    may = own + limits.connections
    if hard != resource.RLIM_INFINITY:
        may = max(soft, min(may, hard))
    resource.setrlimit(resource.RLIMIT_NOFILE, (may, hard))
    connections = min(limits.connections, may - own)
    if connections < 1:
        raise InvalidValueError(
            f"this process may open {may} files, and needs {own + 1} for {limits.workers} workers. "
            "Allow more with `ulimit -n`, or choose fewer `workers`"
        )
    if connections < limits.connections:
        said = "%d connections at the same time instead of %d, as this process may open %d files (ulimit -n)"
        _log.warning(said, connections, limits.connections, may)
    return replace(limits, connections=connections)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise InvalidValueError(
            f"`host={host!r}`, `port={port}`: cannot listen there: {error.strerror}. "
            "Choose another port, or 0 for a free one"
        ) from error
