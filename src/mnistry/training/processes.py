"""Several processes, on one host or on many, that train one run together: what they agree on.

Each has its part of every batch; JAX adds up their gradients. What is said between them outside of a step
goes through JAX's coordinator, which is a part of the first process. One process alone is the first of one.
`mnistry.training.joining` is how a process becomes one of several.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from jax._src import (
    distributed,  # the barrier on which JAX's own checkpoints lean, too; there is no public one
)

from mnistry import errors
from mnistry.errors import MnistryError, TrainingError

_DAY = 24 * 3600 * 1000  # milliseconds: who is alive is waited for, however long it writes
_POLL = 1000  # milliseconds between two looks at Ctrl-C
# In what JAX raises where the work of several processes fails; it has no type of its own for that.
_LOSS = ("Gloo", "NCCL", "UNAVAILABLE", "INTERNAL", "ABORTED", "CANCELLED", "DEADLINE_EXCEEDED")

T = TypeVar("T")
_meetings, _questions = itertools.count(), itertools.count()
_run: Path | None = None  # the run that is being trained
_one_is_lost = False


def count() -> int:
    """How many processes train together."""
    return int(distributed.global_state.num_processes)


def index() -> int:
    """The number of this one, from 0."""
    return int(distributed.global_state.process_id)


def is_first() -> bool:
    """Whether this is the process that writes."""
    return index() == 0


def wait_for_others(signal_number: int | None = None) -> int | None:
    """Waits until all processes are here.

    JAX's collectives on CPUs (Gloo) give up after 30 seconds. So all are waited for here, without a bound,
    before each piece of training.

    Args:
        signal_number: the signal that this process has received, if any.

    Returns:
        The signal that one of them has received: the same in all.
    """
    if count() == 1:
        return signal_number
    meeting, client = f"mnistry/meeting/{next(_meetings)}", _client()
    if signal_number:
        client.key_value_set(f"{meeting}/signal/{index()}", str(signal_number))
    client.wait_at_barrier(meeting, _DAY)
    found = client.key_value_dir_get(f"{meeting}/signal/")
    return max((int(number) for _, number in found), default=None)


def from_first(make: Callable[[], T], pack: Callable[[T], bytes], unpack: Callable[[bytes], T]) -> T:
    """What the first process makes, in all of them.

    Args:
        make: is called by the first process alone.
        pack: turns what it makes into bytes.
        unpack: turns these back.

    Raises: what `make` raises; the errors of mnistry in all of them.
    """
    if count() == 1:
        return make()
    key, client = f"mnistry/first/{next(_questions)}", _client()
    if is_first():
        try:
            made = make()
        except MnistryError as error:
            client.key_value_set_bytes(key, b"-" + json.dumps([type(error).__name__, str(error)]).encode())
            raise
        client.key_value_set_bytes(key, b"+" + pack(made))
        return made
    while True:
        try:
            content: bytes = client.blocking_key_value_get_bytes(key, _POLL)
            break
        except RuntimeError as error:
            if "DEADLINE_EXCEEDED" not in str(error):
                raise
    if content[:1] == b"+":
        return unpack(content[1:])
    raise _as_raised(*json.loads(content[1:]))


def only_first(do: Callable[[], object]) -> None:
    """Lets the first process do something, while the others wait until it is done."""

    def make() -> None:
        do()

    from_first(make, lambda _: b"", lambda _: None)


@contextmanager
def together(run: Path) -> Iterator[None]:
    """Training of a run: where another process is lost, that is what is said.

    Raises:
        TrainingError: another process was lost.
    """
    global _run, _one_is_lost
    _run = run
    try:
        yield
    except (RuntimeError, ValueError) as error:
        if count() == 1 or not any(word in str(error) for word in _LOSS):
            raise
        _one_is_lost = True
        raise TrainingError(lost()) from error
    finally:
        _run = None


def one_is_lost() -> bool:
    """Whether this process has noticed that another one is gone."""
    return _one_is_lost


def lost() -> str:
    """What is to be said where another process is gone."""
    text = (
        f"process {index()} of {count()} ends, because another one was lost: it ended, or its host or the "
        "network did. What that one said tells more"
    )
    if _run is None:
        return text
    return (
        f"{text}. What the checkpoints hold is safe: start all processes again with "
        f"`mnistry.resume({str(_run)!r})`"
    )


def _client() -> Any:
    return distributed.global_state.client


def _as_raised(name: str, message: str) -> MnistryError:
    """An error of the first process, by its name; some are made of more than a message."""
    kind: type[MnistryError] = getattr(errors, name, MnistryError)
    error = kind.__new__(kind)
    MnistryError.__init__(error, message)
    return error
