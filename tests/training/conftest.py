"""What trainings on pages share: handwriting that is read once, and pages drawn in this process."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from mnistry.training.pages.drawing import Drawn
from mnistry.training.pages.sources import Sources


@pytest.fixture(scope="session")
def handwriting_is_read_once() -> Iterator[None]:
    """By each process that runs tests; it takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Sources, "read", cache(Sources.read))
        yield


@pytest.fixture(scope="session")
def drawn_here(
    handwriting_is_read_once: None,
) -> Callable[[Drawn], AbstractContextManager[SimpleNamespace]]:
    """As `mnistry.training.pages.drawing.drawing`, without a process that reads the handwriting again."""

    @contextmanager
    def drawing(drawn: Drawn, processes: int = 1) -> Iterator[SimpleNamespace]:
        sources = drawn.sources()

        def batch(number: int) -> Any:
            pieces = {piece: drawn.piece(sources, piece) for piece in drawn.needed(number)}
            return drawn.batch(number, pieces)

        yield SimpleNamespace(batch=batch)

    return drawing
