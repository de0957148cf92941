"""What all tests share: real MNIST where MNISTRY_DATA names it, and the command as a process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistry.data import Dataset, load


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    """Real MNIST, from the folder that MNISTRY_DATA names."""
    if not os.environ.get("MNISTRY_DATA"):
        pytest.skip("MNISTRY_DATA does not name a folder with MNIST")
    return load("mnist", download=False)


@pytest.fixture(scope="session")
def optdigits() -> Dataset:
    """The bundled digits."""
    return load("optdigits")


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def mnistry(tmp_path: Path) -> Command:
    """Runs `mnistry …` as a process of its own, in a temporary folder."""

    def run(*arguments: object, **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mnistry", *map(str, arguments)],
            **{"capture_output": True, "text": True, "cwd": tmp_path, "timeout": 240, **options},
        )

    return run
