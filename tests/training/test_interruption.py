"""Real processes, stopped at any moment, go on to the same bits."""

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from .stopping import after_a_checkpoint, assert_same_end, ended, finished, newest_checkpoint, start_training

STEPS = 2000
FLAGS = [
    "--model.hidden", "64", "64", "--averaging", "0.99", "--steps", str(STEPS), "--checkpoint-every", "100",
    "--log-every", "20", "--validate-every", "500", "--runs", "runs",
]  # fmt: skip


KILLED = """
import signal, sys
from mnistry.cli import main
from mnistry.training.record import Record

checkpoint = Record.checkpoint

def and_die(self, state):
    checkpoint(self, state)
    Record.checkpoint = checkpoint
    signal.setitimer(signal.ITIMER_PROF, float(sys.argv[1]))

Record.checkpoint = and_die
sys.exit(main(["train", *sys.argv[2:]]))
"""
"""`mnistry train` that the system ends so many seconds after it saved a state; of a processor's time, so that
it is under way then, however busy the machine is."""


@pytest.fixture(scope="module")
def arguments(digits_folder: Path) -> list[str]:
    return ["mlp-deep", "--data", str(digits_folder), *FLAGS]


@pytest.fixture(scope="module")
def uninterrupted(arguments: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    finished(start_training(folder, *arguments))
    return folder / "runs" / "mlp-deep-1"


@pytest.mark.parametrize(
    ("kills", "number"),
    [(1, signal.SIGINT), pytest.param(8, signal.SIGTERM, marks=pytest.mark.slow)],
)
def test_what_is_killed_at_random_moments_and_then_stopped_by_a_signal_goes_on(
    arguments: list[str], uninterrupted: Path, tmp_path: Path, kills: int, number: signal.Signals
) -> None:
    """Killed, it has lost a little; a signal saves all, and it is said how to go on."""
    chance = random.Random(20)
    run = Path("runs/mlp-deep-1")
    resume = ["--resume", str(run)]
    run = tmp_path / run
    for kill in range(1, kills + 1):
        before = newest_checkpoint(run)
        command = [sys.executable, "-c", KILLED, str(chance.uniform(0.001, 0.1))]
        command += resume if before else arguments
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=200)
        assert done.returncode == -signal.SIGPROF, f"ended by itself before kill {kill}: {done.stderr}"
        assert newest_checkpoint(run) > before
        assert not (run / "evaluation.json").exists(), "too few steps for so many kills"
    process = start_training(tmp_path, *resume)
    after_a_checkpoint(run, process)
    process.send_signal(number)
    ((status, said),) = ended(process)
    assert status == 128 + number
    assert "Traceback" not in said
    assert "mnistry train --resume runs/mlp-deep-1" in said
    stopped_at = int(newest_checkpoint(run)[5:13])
    assert f"stopped at step {stopped_at:,}" in said
    (said,) = finished(start_training(tmp_path, *resume))
    assert f"from step {stopped_at:,};" in said
    assert_same_end(run, uninterrupted)
    steps = [json.loads(line)["step"] for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert steps == list(range(20, STEPS + 1, 20))
    assert not list(run.rglob(".writing-*"))
