"""Ray Train starts workers that train one run together, and not each one by itself."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from mnistry.export.arrays import read_arrays
from mnistry.training import train

pytest.importorskip("ray", reason="Ray has no wheel for this Python or system")

Command = Callable[..., CompletedProcess[str]]


def test_two_workers_train_what_one_process_does(mnistry_process: Command, tmp_path: Path) -> None:
    flags = ["softmax", "--data", "optdigits", "--steps", 40, "--cluster", "local", "--processes", 2]
    done = mnistry_process("train", *flags)
    assert done.returncode == 0, done.stderr
    assert "2 processes on the cluster local" in done.stderr
    one = train("softmax", data="optdigits", steps=40, runs=tmp_path / "alone")
    ours, theirs = (
        read_arrays(run / "model.safetensors") for run in (tmp_path / "runs" / "softmax-1", one.path)
    )
    for name, array in ours.items():
        assert np.abs(array - theirs[name]).max() < 1e-5 * np.abs(array).max(), name
        assert (array != theirs[name]).any(), (
            "the sums of two halves are rounded otherwise: this was one process"
        )


@pytest.mark.parametrize("flags", [[], ["--processes", 0], ["--processes", 2, "--process", 0]])
def test_what_is_refused(mnistry: Command, flags: list[object]) -> None:
    done = mnistry("train", "softmax", "--data", "optdigits", "--cluster", "local", *flags)
    assert done.returncode == 2
    assert "--cluster local needs --processes N" in done.stderr
