"""Runs that are stopped and gone on with, in this process and in processes of their own."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mnistry.runs import EVALUATION, MODEL, REPORT, TRAINABLE, WEIGHTS
from mnistry.training import Run, TrainingProgress, resume
from mnistry.training.interruption import Interrupted

Process = subprocess.Popen[str]


class Stopping(TrainingProgress):
    """Asks this process to stop, as Ctrl-C does, after so many steps."""

    def __init__(self, after: int = 1) -> None:
        super().__init__(silent=True)
        self._after = after

    def losses(self, first_step: int, losses: np.ndarray) -> None:
        if first_step + len(losses) - 1 >= self._after:
            os.kill(os.getpid(), signal.SIGTERM)


def stopped_and_gone_on(path: Path, begin: Callable[..., Run], after: int = 1) -> Run:
    """The run in a folder, begun by `begin(progress=…)`, stopped after so many steps, and resumed."""
    with pytest.raises(Interrupted):
        begin(progress=Stopping(after))
    return resume(path)


def as_if_killed(run: Path, copy: Path, step: int) -> Path:
    """A copy of a finished run as it was when a step had been made, and nothing after it."""
    shutil.copytree(run, copy)
    for name in (EVALUATION, MODEL, REPORT, TRAINABLE, WEIGHTS):
        (copy / name).unlink(missing_ok=True)
    for path in (copy / "checkpoints").iterdir():
        if int(path.stem.removeprefix("step-")) > step:
            path.unlink()
    return copy


def start_training(folder: Path, *arguments: str, **environment: str) -> Process:
    """`mnistry train …` as a process of its own, in a folder."""
    return subprocess.Popen(
        [sys.executable, "-m", "mnistry", "train", *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | environment,
    )


def ended(*processes: Process, seconds: float = 250) -> list[tuple[int, str]]:
    """How they ended and what they said on standard error; none of them is left."""
    try:
        said = [process.communicate(timeout=seconds)[1] for process in processes]
    finally:
        for process in processes:
            process.kill()
    return [(process.returncode, text) for process, text in zip(processes, said, strict=True)]


def finished(*processes: Process, seconds: float = 250) -> list[str]:
    """What they said, all of which came to their end."""
    told = ended(*processes, seconds=seconds)
    assert all(status == 0 for status, _ in told), told
    return [said for _, said in told]


def newest_checkpoint(run: Path) -> str:
    """The name of the file; "" where there is none."""
    return max((path.name for path in run.glob("checkpoints/step-*")), default="")


def after_a_checkpoint(run: Path, *processes: Process) -> None:
    """Waits until there is another one than now, or one of the processes has ended."""
    before = newest_checkpoint(run)
    while newest_checkpoint(run) == before and all(process.poll() is None for process in processes):
        time.sleep(0.005)


def assert_same_end(run: Path, other: Path) -> None:
    """To the bit."""
    for name in ("model.safetensors", "model.onnx", f"checkpoints/{newest_checkpoint(other)}"):
        assert (run / name).read_bytes() == (other / name).read_bytes(), name
