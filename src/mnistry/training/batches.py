"""Which examples make up the batch of a step: a pure function of the step and the seed.

Nothing is remembered from one step to the next, so a resumed run sees the same batches.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from mnistry.errors import UnknownNameError

ORDER = 1  # the stream of random numbers that orders the examples


class Rows(Protocol):
    """What a batch is taken from: `Examples`, or images with labels of more classes than ten."""

    @property
    def images(self) -> NDArray[np.uint8]:
        """uint8 `[n, 28, 28]`."""

    @property
    def labels(self) -> NDArray[np.integer]:
        """Of any integer type, `[n]`."""

    def __len__(self) -> int: ...


def batch_indices(
    first_step: int,
    count: int,
    *,
    examples: int,
    batch_size: int,
    order: Literal["shuffled", "file"],
    seed: int,
) -> np.ndarray:
    """The row numbers of the batches of `count` steps.

    Args:
        first_step: the first of the steps, counted from 0.
        count: how many steps.
        examples: size of the training part.
        batch_size: rows in a full batch.
        order: "shuffled" runs through one random order after another, batches running on across
            epochs (the tutorials' `next_batch`); "file" goes through the rows as they stand and
            ends each epoch with a shorter batch where `batch_size` does not divide `examples`.
        seed: decides the random orders.

    Returns:
        int32 `[count, batch_size]`; the missing places of a short batch are -1.

    Raises:
        UnknownNameError: there is no such order.

    >>> batch_indices(0, 3, examples=5, batch_size=2, order="file", seed=0).tolist()
    [[0, 1], [2, 3], [4, -1]]
    """
    steps = np.arange(first_step, first_step + count)[:, None]
    places = np.arange(batch_size)[None, :]
    if order == "file":
        per_epoch = -(-examples // batch_size)
        rows = (steps % per_epoch) * batch_size + places
        return np.where(rows < examples, rows, -1).astype(np.int32)
    if order != "shuffled":
        raise UnknownNameError("order", order, ("shuffled", "file"))
    positions = steps * batch_size + places
    epochs = positions // examples
    indices = np.empty(positions.shape, np.int32)
    first, end = first_step * batch_size, (first_step + count) * batch_size
    for epoch in range(first // examples, -(-end // examples)):
        chosen = epochs == epoch
        indices[chosen] = _shuffled(examples, seed, epoch)[positions[chosen] % examples]
    return indices


@dataclass(frozen=True)
class Epochs:
    """Where the steps of a run stand in its passes over the training part; all counted from 0.

    Attributes:
        examples: size of the training part.
        batch_size: rows in a full batch.
        order: see `batch_indices`.

    >>> [Epochs(5, 2, "file").place(step) for step in range(4)]
    [(0, 0), (0, 1), (0, 2), (1, 0)]
    >>> [Epochs(5, 2, "shuffled").place(step) for step in range(4)]
    [(0, 0), (0, 1), (0, 2), (1, 0)]
    """

    examples: int
    batch_size: int
    order: Literal["shuffled", "file"]

    @property
    def steps(self) -> int:
        """The most steps that begin in one epoch."""
        return -(-self.examples // self.batch_size)

    def place(self, step: int) -> tuple[int, int]:
        """The epoch in which the batch of a step begins, and its place among the batches that do."""
        if self.order == "file":
            return divmod(step, self.steps)
        epoch = step * self.batch_size // self.examples
        return epoch, step - -(-epoch * self.examples // self.batch_size)


@lru_cache(maxsize=4)
def _shuffled(examples: int, seed: int, epoch: int) -> np.ndarray:
    # A stream of its own: `default_rng((seed, 0))` would give the very numbers of the initial weights.
    stream = np.random.SeedSequence(seed, spawn_key=(ORDER, epoch))
    return np.random.default_rng(stream).permutation(examples).astype(np.int32)
