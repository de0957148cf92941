"""Batches that others draw: the same whoever draws them, and no more are kept than are needed soon."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from mnistry.training.pages import drawing as module
from mnistry.training.pages.drawing import Drawing, first_batches


class Squares:
    """Draws squares of numbers; a batch is the sum of three."""

    def sources(self) -> int:
        return 2

    def piece(self, sources: int, number: int) -> int:
        return number**sources

    def needed(self, number: int) -> range:
        return range(number, number + 3)

    def batch(self, number: int, pieces: Mapping[int, int]) -> int:
        assert list(pieces) == list(self.needed(number))
        return sum(pieces.values())


def expected(number: int) -> int:
    return sum(piece**2 for piece in range(number, number + 3))


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> ThreadPoolExecutor:
    monkeypatch.setattr(module, "_own", (Squares(), 2))
    return ThreadPoolExecutor(3)


def test_batches_are_the_same_whoever_draws(executor: ThreadPoolExecutor) -> None:
    assert list(first_batches(Squares(), 4)) == [expected(number) for number in range(4)]
    batches = Drawing(executor, Squares(), ahead=5)  # type: ignore[arg-type]
    # Forth, back, and far ahead: as a run goes on, or is begun anew.
    for number in (0, 1, 2, 1, 40, 0):
        assert batches.batch(number) == expected(number)


def test_only_what_is_needed_soon_is_kept(executor: ThreadPoolExecutor) -> None:
    batches = Drawing(executor, Squares(), ahead=4)  # type: ignore[arg-type]
    for number in (0, 5, 3):
        batches.batch(number)
        assert sorted(batches._pieces) == list(range(number, number + 3 + 4))
