"""What the tests of the commands share."""

from collections.abc import Callable
from pathlib import Path
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


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of finished runs: two seeds of softmax, a shorter run of it, a convolutional network."""
    from mnistry.training import train

    folder = tmp_path_factory.mktemp("trained")
    for seed in (0, 1):
        train("softmax", data="optdigits", steps=60, seed=seed, runs=folder)
    train("softmax", data="optdigits", steps=20, runs=folder)
    train("lenet5", data="optdigits", steps=20, batch_size=16, runs=folder)
    return folder
