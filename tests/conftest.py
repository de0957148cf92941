"""What all tests share: real MNIST where MNISTRY_DATA names it, and the command as a process."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistry.cli import main
from mnistry.data import Dataset, load
from mnistry.data.convert import write


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


@pytest.fixture(scope="session")
def digits_folder(optdigits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundled digits as IDX files, which a new process reads without loading scikit-learn."""
    folder = tmp_path_factory.mktemp("digits") / "digits"
    write(optdigits, folder, "idx")
    return folder


Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def mnistry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs `mnistry …` in this process, in a temporary folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [str(argument) for argument in arguments]
        capsys.readouterr()
        try:
            status = main(words)
        except SystemExit as exit:  # raised by the parser of flags
            status = int(exit.code or 0)
        captured = capsys.readouterr()
        return subprocess.CompletedProcess(words, status, captured.out, captured.err)

    return run


@pytest.fixture
def mnistry_process(tmp_path: Path) -> Command:
    """Runs `mnistry …` as a process of its own, in a temporary folder."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "mnistry", *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=240,
            env=os.environ | environment,
        )

    return run
