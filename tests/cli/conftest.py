"""What the tests of the commands share."""

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest


@pytest.fixture
def refused() -> Callable[..., None]:
    """Asserts a clear refusal: exit code 2, a short message with these parts, no traceback, no output."""

    def check(done: CompletedProcess[str], *parts: str) -> None:
        assert done.returncode == 2, done.stderr
        assert done.stdout == ""
        assert "Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 3
        for part in parts:
            assert part in done.stderr

    return check
