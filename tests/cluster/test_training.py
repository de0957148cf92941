"""What training on a cluster needs to be told; two of its workers train in `test_on_one_machine.py`."""

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

pytest.importorskip("ray", reason="Ray has no wheel for this Python or system")

Command = Callable[..., CompletedProcess[str]]


@pytest.mark.parametrize("flags", [[], ["--processes", 0], ["--processes", 2, "--process", 0]])
def test_what_is_refused(mnistry: Command, flags: list[object]) -> None:
    done = mnistry("train", "softmax", "--data", "optdigits", "--cluster", "local", *flags)
    assert done.returncode == 2
    assert "--cluster local needs --processes N" in done.stderr
