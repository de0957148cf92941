"""Batches that are drawn by another process while the network learns from those before."""

import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mnistry.training.pages.page import draw_page
from mnistry.training.pages.sources import Sources
from mnistry.training.pages.targets import Batch, batch_of

AHEAD = 16
"""Batches that are drawn before they are needed."""


class Drawn(Protocol):
    """What is drawn: batches, each decided by its number alone. It can be pickled."""

    def sources(self) -> Any:
        """Reads what they are drawn with."""

    def batch(self, sources: Any, number: int) -> Any:
        """Draws the batch of that number."""


@dataclass(frozen=True)
class Pages:
    """Which pages are drawn; a batch is decided by its number alone.

    Attributes:
        folder: the handwriting, see `mnistry.data.handwriting`.
        data_dir: where MNIST is looked for first.
        seed: decides the pages.
        batch_size: pages in a batch.
        held_out: whether they are by the writers of the validation pages.
    """

    folder: Path
    data_dir: Path | None
    seed: int
    batch_size: int
    held_out: bool = False

    def batch(self, sources: Sources, number: int) -> Batch:
        """Draws the batch of that number."""
        first = number * self.batch_size
        return batch_of([draw_page(sources, self.seed, first + place) for place in range(self.batch_size)])

    def sources(self) -> Sources:
        """Reads what they are drawn with."""
        return Sources.read(self.folder, self.data_dir, held_out=self.held_out)


class Drawing:
    """Draws batches one after the other in a process of its own."""

    def __init__(self, executor: ProcessPoolExecutor) -> None:
        self._executor = executor
        self._ahead: deque[tuple[int, Future[Any]]] = deque()

    def batch(self, number: int) -> Any:
        """The batch of that number; those after it are drawn meanwhile."""
        while self._ahead and self._ahead[0][0] != number:
            self._ahead.popleft()[1].cancel()
        following = self._ahead[-1][0] + 1 if self._ahead else number
        for later in range(following, number + AHEAD):
            self._ahead.append((later, self._executor.submit(_draw, later)))
        return self._ahead.popleft()[1].result()


@contextmanager
def drawing(drawn: Drawn) -> Iterator[Drawing]:
    """Starts the process, and ends it with the block."""
    # Spawned, because JAX has threads that a fork would not have; it knows nothing of JAX.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(drawn,))
    try:
        yield Drawing(executor)
    finally:
        executor.shutdown(wait=False, cancel_futures=True)


_own: tuple[Drawn, Any] | None = None


def _begin(drawn: Drawn) -> None:
    global _own
    import signal

    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that trains
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _own = drawn, drawn.sources()


def _end_with_parent() -> None:
    """Ends this process where the one that trains was killed: waiting for work, it would not notice."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _draw(number: int) -> Any:
    assert _own is not None
    drawn, sources = _own
    return drawn.batch(sources, number)
