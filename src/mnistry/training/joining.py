"""How a process becomes one of several that train together, and how it ends when that fails.

Known traps: where a process is lost, the JAX of the others aborts in a thread of its own, so an abort is made
to end with words and with status 2; a JAX that is shut down waits for the others, so a process that fails
leaves without; and each process tells the others the address that its host's own name leads to.
"""

import ctypes
import ipaddress
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, NoReturn

import jax

from mnistry.errors import InvalidValueError
from mnistry.training import processes

JOIN_SECONDS = 300  # in which all processes have to be started
LOST_SECONDS = 6  # without a sign of life from a process; the others end within ten
LEAVE_SECONDS = 5  # for the others to say goodbye, too
OTHERS_SPEAK_SECONDS = 1.0  # for the others to tell the same error, before the coordinator goes

_joined = False
_leaving_with: int | None = None  # the status, once this process leaves the others
_on_abort: Any = None  # C keeps no reference


def join(
    coordinator: str | None, count: int | None, index: int | None, *, say: Callable[[str], None]
) -> None:
    """Makes this process one of several. Must be called before JAX is used.

    Args:
        coordinator: `HOST:PORT` where process 0 listens and the others find it.
        count: how many processes there are.
        index: which of them this is, from 0. All three are None where SLURM tells them.
        say: is told what the user must see.

    Raises:
        InvalidValueError: the values cannot be used, or the others could not find this host.
    """
    by_slurm = (coordinator, count, index) == (None, None, None)
    if by_slurm:
        say(f"process {os.environ['SLURM_PROCID']} of {os.environ['SLURM_NTASKS']}, as SLURM says")
    else:
        coordinator, count, index = _checked(coordinator, count, index)
        _require_reachable(coordinator, index)
        say(f"process {index} of {count}, waiting for all of them at {coordinator}")
    _end_aborts_clearly(say)
    jax.config.update("jax_enable_preemption_service", False)  # SIGTERM is ours, see `stop_on_signals`
    # While JAX waits for the others, Ctrl-C acts at once: nothing is begun yet.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        jax.distributed.initialize(
            coordinator,
            count,
            index,
            cluster_detection_method="slurm" if by_slurm else "deactivate",
            initialization_timeout=JOIN_SECONDS,
            heartbeat_timeout_seconds=LOST_SECONDS,
            shutdown_timeout_seconds=LEAVE_SECONDS,
            coordinator_bind_address=coordinator if coordinator and _is_loopback(coordinator) else None,
        )
    except (RuntimeError, ValueError) as error:
        raise InvalidValueError(f"`coordinator={coordinator!r}`: {error}") from error
    finally:
        signal.signal(signal.SIGINT, before)
    global _joined
    _joined = True


def slurm_says_several() -> bool:
    """Whether SLURM started this process together with others, by `srun`."""
    names = ("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_NTASKS", "SLURM_PROCID", "SLURM_LOCALID")
    return all(name in os.environ for name in names) and int(os.environ["SLURM_NTASKS"]) > 1


def leave(status: int) -> None:
    """Ends what `join` began, when all is done; the process is to end with this status."""
    global _leaving_with
    if processes.count() > 1:
        _leaving_with = status
        jax.distributed.shutdown()


def leave_at_once(status: int) -> NoReturn:
    """Ends this process after an error, without waiting for others that may never come to their end."""
    global _leaving_with
    _leaving_with = status
    sys.stdout.flush()
    sys.stderr.flush()
    if processes.is_first() and not processes.one_is_lost():
        time.sleep(OTHERS_SPEAK_SECONDS)
    os._exit(status)


def _end_aborts_clearly(say: Callable[[str], None]) -> None:
    """Lets this process, where JAX aborts it, say what happened and end with status 2."""

    def end(_: int) -> None:
        if _leaving_with is None:
            say(processes.lost() if _joined else _NOT_ALL_CAME)
        os._exit(2 if _leaving_with is None else _leaving_with)

    global _on_abort
    _on_abort = ctypes.CFUNCTYPE(None, ctypes.c_int)(end)
    # Python's own handlers wait for the main thread; by then C has ended the process.
    ctypes.CDLL(None).signal(int(signal.SIGABRT), _on_abort)


_NOT_ALL_CAME = (
    f"not all processes came within {JOIN_SECONDS} seconds. Start all of them with the same "
    "`coordinator=HOST:PORT` and `processes=N`; HOST must be that of process 0, and no firewall between them"
)


def _checked(coordinator: str | None, count: int | None, index: int | None) -> tuple[str, int, int]:
    if coordinator is None or count is None or index is None:
        raise InvalidValueError(
            "`coordinator=HOST:PORT`, `processes=N` and `process=I` belong together: the same HOST:PORT and "
            "N for all of the processes, and for each its own I, from 0"
        )
    host, _, port = coordinator.rpartition(":")
    if not (host and port.isdecimal() and 0 < int(port) < 2**16):
        raise InvalidValueError(
            f"`coordinator={coordinator!r}` must be HOST:PORT, such as 10.0.0.1:1234: the host of process 0, "
            "and a port that is free there"
        )
    if count < 1:
        raise InvalidValueError(f"`processes={count}` must be at least 1")
    if not 0 <= index < count:
        raise InvalidValueError(
            f"`process={index}` must be from 0 to {count - 1}, as there are `processes={count}`"
        )
    return coordinator, count, index


def _require_reachable(coordinator: str, index: int) -> None:
    """Raises InvalidValueError where the port is taken, or this host's name leads to nobody but itself."""
    host, _, port = coordinator.rpartition(":")
    loopback = _is_loopback(coordinator)
    if index == 0:  # gRPC would share a port at which another one listens
        try:
            socket.create_server((host if loopback else "", int(port))).close()
        except OSError as error:
            raise InvalidValueError(
                f"`coordinator={coordinator!r}`: process 0 cannot listen at port {port}: {error.strerror}. "
                "Choose another port, for all processes"
            ) from error
    name = socket.gethostname()
    try:
        own = socket.gethostbyname(name)
    except OSError as error:
        raise InvalidValueError(
            f"this host's name, {name!r}, leads to no address, and the processes find each other by it "
            f"({error.strerror}). Give it one in /etc/hosts"
        ) from error
    if not loopback and ipaddress.ip_address(own).is_loopback:
        raise InvalidValueError(
            f"this host's name, {name!r}, leads to {own}, where no other host finds it. Give it the address "
            "by which the others reach it, in /etc/hosts"
        )


def _is_loopback(coordinator: str) -> bool:
    host = coordinator.rpartition(":")[0].strip("[]")
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
