"""Batches that are drawn by other processes while the network learns from those before."""

import multiprocessing
import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from mnistry.training.pages.page import draw_page
from mnistry.training.pages.sources import Sources
from mnistry.training.pages.targets import Batch, batch_of

AHEAD = 16
"""Pieces that each process draws before they are needed."""


class Drawn(Protocol):
    """What is drawn: pieces, each decided by its number alone, and batches of them. It can be pickled."""

    def sources(self) -> Any:
        """Reads what they are drawn with."""

    def piece(self, sources: Any, number: int) -> Any:
        """Draws the piece of that number."""

    def needed(self, number: int) -> range:
        """The pieces that the batch of that number is made of."""

    def batch(self, number: int, pieces: Mapping[int, Any]) -> Any:
        """The batch of that number, of the pieces that it needs."""


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

    def sources(self) -> Sources:
        """Reads what they are drawn with."""
        return Sources.read(self.folder, self.data_dir, held_out=self.held_out)

    def piece(self, sources: Sources, number: int) -> Batch:
        """Draws a batch."""
        first = number * self.batch_size
        return batch_of([draw_page(sources, self.seed, first + place) for place in range(self.batch_size)])

    def needed(self, number: int) -> range:
        """The one piece that is the batch."""
        return range(number, number + 1)

    def batch(self, number: int, pieces: Mapping[int, Batch]) -> Batch:
        """The batch as it was drawn."""
        return pieces[number]


def first_batches(drawn: Drawn, count: int) -> Iterator[Any]:
    """Draws the first batches in this process."""
    sources, pieces = drawn.sources(), dict[int, Any]()
    for number in range(count):
        pieces = {
            piece: pieces[piece] if piece in pieces else drawn.piece(sources, piece)
            for piece in drawn.needed(number)
        }
        yield drawn.batch(number, pieces)


class Drawing:
    """Draws the pieces of batches in processes of their own."""

    def __init__(self, executor: ProcessPoolExecutor, drawn: Drawn, ahead: int) -> None:
        """
        Args:
            executor: of the processes.
            drawn: what they draw.
            ahead: how many pieces are drawn before they are needed.
        """
        self._executor, self._drawn, self._ahead = executor, drawn, ahead
        self._pieces: dict[int, Future[Any]] = {}

    def batch(self, number: int) -> Any:
        """The batch of that number; those after it are drawn meanwhile."""
        needed = self._drawn.needed(number)
        soon = range(needed.start, needed.stop + self._ahead)
        for piece in self._pieces.keys() - set(soon):
            self._pieces.pop(piece).cancel()
        for piece in soon:
            if piece not in self._pieces:
                self._pieces[piece] = self._executor.submit(_draw, piece)
        return self._drawn.batch(number, {piece: self._pieces[piece].result() for piece in needed})


@contextmanager
def drawing(drawn: Drawn, processes: int = 1) -> Iterator[Drawing]:
    """Starts the processes, and ends them with the block."""
    # Spawned, because JAX has threads that a fork would not have; they know nothing of JAX.
    context = multiprocessing.get_context("spawn")
    executor = ProcessPoolExecutor(processes, mp_context=context, initializer=_begin, initargs=(drawn,))
    try:
        yield Drawing(executor, drawn, AHEAD * processes)
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
    return drawn.piece(sources, number)
