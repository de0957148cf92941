"""Images that come together go through the model together.

A request that finds the model idle never waits. While it is at work, requests gather; the next free thread
takes all of them at once. So batches grow with the load, and with nothing else. Clients take turns: one that
sends a thousand images does not let another wait who sends one.
"""

import asyncio
import heapq
import itertools
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import Executor
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mnistry.service.metrics import Metrics

BATCH = 64  # images in one call of the model: larger calls are slower, as they leave the processor's cache

Images = NDArray[np.uint8]
Probabilities = NDArray[np.float64]


class _Waiting(NamedTuple):
    """Images that wait for their turn.

    Attributes:
        turn: what is lowest is next: how many images its client has sent, counted as if it had begun when
            the others had been given as many (self-clocked fair queueing).
        number: of two with the same turn, who came first.
    """

    turn: int
    number: int
    images: Images
    answer: asyncio.Future[Probabilities]


class Batcher:
    """Gathers the images of many requests for one model. To be used in one event loop."""

    def __init__(
        self, run: Callable[[Images], Probabilities], executor: Executor, calls: int, metrics: Metrics
    ) -> None:
        """
        Args:
            run: the model: images, uint8 `[n, 28, 28]`, to probabilities, float64 `[n, classes]`.
            executor: the threads in which it runs.
            calls: how many batches may be under way at the same time.
            metrics: where the sizes of batches are counted.
        """
        self._run = run
        self._executor = executor
        self._free = calls
        self._metrics = metrics
        self._waiting: list[_Waiting] = []  # a heap
        self._numbers = itertools.count()
        self._turn = 0  # of whose turn it was last
        self._last_turns: defaultdict[str, int] = defaultdict(int)  # of each client that waits
        self._starting = False

    async def __call__(self, images: Images, client: str = "") -> Probabilities:
        """The probabilities, float64 `[n, classes]`, of images, uint8 `[n, 28, 28]`, that a client sends."""
        if len(images) > BATCH:
            parts = [self(images[start : start + BATCH], client) for start in range(0, len(images), BATCH)]
            return np.concatenate(await asyncio.gather(*parts))
        loop = asyncio.get_running_loop()
        turn = max(self._turn, self._last_turns[client]) + len(images)
        self._last_turns[client] = turn
        item = _Waiting(turn, next(self._numbers), images, loop.create_future())
        heapq.heappush(self._waiting, item)
        self._metrics.queue.inc(len(images))
        if self._free and not self._starting:
            self._starting = True
            loop.call_soon(self._start)  # after all requests that have arrived by now
        return await item.answer

    def _start(self) -> None:
        self._starting = False
        while self._free and (batch := self._next()):
            self._free -= 1
            images = [item.images for item in batch]
            done = asyncio.get_running_loop().run_in_executor(self._executor, self._run_all, images)
            done.add_done_callback(partial(self._finish, batch))

    def _next(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].images) <= BATCH):
            item = heapq.heappop(self._waiting)
            self._turn = item.turn
            self._metrics.queue.dec(len(item.images))
            if not item.answer.done():  # its request was given up
                batch.append(item)
                size += len(item.images)
        if not self._waiting:
            self._last_turns.clear()
        return batch

    def _run_all(self, parts: list[Images]) -> Probabilities:
        images = np.concatenate(parts)
        self._metrics.batch.observe(len(images))
        return self._run(images)

    def _finish(self, batch: list[_Waiting], done: asyncio.Future[Probabilities]) -> None:
        self._free += 1
        error = done.exception()
        start = 0
        for item in batch:
            stop = start + len(item.images)
            if item.answer.done():
                pass
            elif error:
                item.answer.set_exception(error)
            else:
                item.answer.set_result(done.result()[start:stop])
            start = stop
        self._start()
