"""Ray, which runs on one machine as on a thousand: started here, or found where it runs."""

import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from mnistry.cluster.places import one_line
from mnistry.errors import ClusterError

LOCAL = "local"
"""The address that stands for this machine alone."""
OBJECT_STORE = 256_000_000
"""Bytes of shared memory on this machine: rows of text and lists of addresses are all that passes through."""

SECONDS = 10.0
"""Until an address is given up at which nothing answers."""


@contextmanager
def ray_at(address: str, *, cpus: int) -> Iterator[ModuleType]:
    """Ray while the block runs; what was started for it is ended with it.

    Args:
        address: `"local"` starts Ray on this machine; `"auto"`, `HOST:PORT` or `ray://HOST:PORT` is a cluster
            that runs. Where this process is connected already, that connection is used.
        cpus: how many tasks of one core run at the same time, on this machine.

    Raises:
        ClusterError: Ray is not installed, or no cluster can be reached there.
    """
    # Ray tells its makers of its use unless it is told not to; whoever runs mnistry was not asked.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # The later behaviour, chosen now: workers without a GPU see none.
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    require(address)
    import ray

    if ray.is_initialized():
        yield ray
        return
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if address == LOCAL:
            ray.init(LOCAL, num_cpus=cpus, object_store_memory=OBJECT_STORE, include_dashboard=False, **quiet)
        else:
            ray.init(address, **quiet)
    except (OSError, RuntimeError, ValueError) as error:
        raise _unreachable(address, error) from error
    try:
        yield ray
    finally:
        ray.shutdown()


def require(address: str) -> None:
    """Makes sure that Ray is installed, and that something answers there: Ray would ask again for minutes.

    Raises:
        ClusterError: it is not, or nothing does.
    """
    try:
        import ray  # noqa: F401
    except ModuleNotFoundError as error:
        raise ClusterError(
            f"a cluster needs {error.name}, which is not installed: pip install 'mnistry[cluster]'"
        ) from error
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if separator and port.isdecimal():
        try:
            socket.create_connection((host.strip("[]"), int(port)), timeout=SECONDS).close()
        except (OSError, OverflowError) as error:
            raise _unreachable(address, error) from error


def _unreachable(address: str, error: BaseException) -> ClusterError:
    return ClusterError(
        f"`cluster={address!r}`: no Ray cluster can be reached there: {one_line(error)}. Expected "
        "`cluster='local'` for this machine, or the address that `ray start` told, such as 10.0.0.1:6379"
    )


def failure(error: BaseException) -> ClusterError:
    """What is told of a job that Ray gave up: what the task said, not how Ray came to know of it."""
    cause: BaseException = error
    while (inner := getattr(cause, "cause", None) or cause.__cause__) is not None:
        cause = inner
    return ClusterError(f"the cluster gave up: {type(cause).__name__}: {one_line(cause)}")
