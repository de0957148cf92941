"""Several processes train what one trains, stop together, end with a lost one, and go on to the same bits."""

import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from mnistry.errors import DataError, InvalidValueError
from mnistry.export.arrays import read_arrays
from mnistry.recipes import RECIPES
from mnistry.training import Run, resume, train

from .stopping import (
    Process,
    after_a_checkpoint,
    assert_same_end,
    ended,
    finished,
    newest_checkpoint,
    start_training,
)

Command = Callable[..., CompletedProcess[str]]

STEPS = 300
FLAGS = [
    "--model.hidden", "64", "--steps", str(STEPS), "--checkpoint-every", "20", "--validate-every", "100",
]  # fmt: skip
RUN = "runs/mlp-1"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def started(folder: Path, *arguments: str, slurm: bool = False, **environment: str) -> list[Process]:
    """Two processes that train together, each in a folder of its own, as on two hosts."""
    port, pair = free_port(), []
    for process in (0, 1):
        host = folder / f"host-{process}"
        host.mkdir(exist_ok=True)
        place = ["--coordinator", f"127.0.0.1:{port}", "--processes", "2", "--process", str(process)]
        told = dict(environment)
        if slurm:  # what srun sets
            place = []
            told |= {"SLURM_JOB_ID": str(port), "SLURM_STEP_NODELIST": "localhost", "SLURM_NTASKS": "2"}
            told |= {
                "SLURM_PROCID": str(process),
                "SLURM_LOCALID": str(process),
                "JAX_COORDINATOR_PORT": str(port),
            }
        pair.append(start_training(host, *arguments, *place, **told))
    return pair


def require_close(run: Path, other: Path) -> None:
    """The weights are the same but for rounding: far nearer than another step or seed would bring them."""
    ours, theirs = (read_arrays(path / "model.safetensors") for path in (run, other))
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert np.abs(array - theirs[name]).max() < 1e-3 * np.abs(array).max(), name


@pytest.fixture(scope="module")
def arguments(digits_folder: Path) -> list[str]:
    return ["mlp", "--data", str(digits_folder), *FLAGS]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("together")


@pytest.fixture(scope="module")
def whole(arguments: list[str], folder: Path) -> Path:
    """The run of two processes that nothing disturbed."""
    finished(*started(folder, *arguments))
    return folder / "host-0" / RUN


def test_two_processes_train_what_one_does(whole: Path, digits_folder: Path, tmp_path: Path) -> None:
    assert not list((whole.parents[1].parent / "host-1").iterdir()), "only process 0 writes"
    model = RECIPES["mlp"].model.__class__(hidden=(64,))
    one = train("mlp", data=digits_folder, model=model, steps=STEPS, runs=tmp_path)
    require_close(whole, one.path)
    told, here = Run.open(whole), Run.open(one.path)
    assert [row["step"] for row in told.history()] == [row["step"] for row in here.history()]
    assert told.evaluation.accuracy == pytest.approx(here.evaluation.accuracy, abs=0.003)


def test_they_stop_together_and_go_on_to_the_same_bits(
    whole: Path, arguments: list[str], tmp_path: Path
) -> None:
    run = tmp_path / "host-0" / RUN
    pair = started(tmp_path, *arguments, slurm=True)
    after_a_checkpoint(run, *pair)
    pair[1].send_signal(signal.SIGINT)  # which process 0 hears of
    for number, (status, said) in enumerate(ended(*pair)):
        assert status == 130, said
        assert f"process {number} of 2, as SLURM says" in said
        assert f"stopped at step {int(newest_checkpoint(run)[5:13]):,} of {STEPS}" in said
    finished(*started(tmp_path, "--resume", str(run)))
    assert_same_end(run, whole)


def test_where_one_is_lost_the_other_ends_and_one_alone_can_go_on(
    whole: Path, arguments: list[str], tmp_path: Path
) -> None:
    run = tmp_path / "host-0" / RUN
    pair = started(tmp_path, *arguments)
    after_a_checkpoint(run, *pair)
    pair[1].kill()
    killed = time.monotonic()
    said = pair[0].communicate(timeout=60)[1]
    assert time.monotonic() - killed < 30  # within ten seconds, where nothing else takes the processors
    assert pair[0].returncode == 2, said
    assert "process 0 of 2 ends, because another one was lost" in said
    assert f"start all processes again with mnistry train --resume {RUN}" in said
    assert "Traceback" not in said
    ended(pair[1])
    require_close(resume(run).path, whole)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
@pytest.mark.parametrize("victim", [0, 1])
def test_whichever_is_lost_the_other_ends_within_ten_seconds(
    arguments: list[str], tmp_path: Path, victim: int, number: signal.Signals
) -> None:
    run = tmp_path / "host-0" / RUN
    pair = started(tmp_path, *arguments, "--steps", "1000000")
    after_a_checkpoint(run, *pair)
    pair[victim].send_signal(number)
    lost, other = time.monotonic(), pair[1 - victim]
    try:
        said = other.communicate(timeout=60)[1]
        assert time.monotonic() - lost < 10
    finally:
        for process in pair:
            process.kill()
            process.communicate()
    assert other.returncode == 2, said
    assert f"process {1 - victim} of 2 ends, because another one was lost" in said.splitlines()[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "steps"), [("mlp", 500), ("lstm", 500), ("dash", 2)])
def test_recipes_are_trained_alike(recipe: str, steps: int, digits_folder: Path, tmp_path: Path) -> None:
    """What rounding changes in `dash` doubles with each step, in one process with two devices, too."""
    flags = [recipe, "--data", str(digits_folder), "--steps", str(steps)]
    finished(*started(tmp_path, *flags), seconds=1000)
    for devices in ("1", "2"):
        command = [sys.executable, "-m", "mnistry", "train", *flags, "--devices", devices]
        subprocess.run(command, cwd=tmp_path, check=True)
        require_close(tmp_path / "host-0" / "runs" / f"{recipe}-1", tmp_path / "runs" / f"{recipe}-{devices}")


@pytest.mark.slow
def test_an_error_of_one_ends_all(arguments: list[str], tmp_path: Path) -> None:
    (tmp_path / "host-0").mkdir()
    shutil.copytree(arguments[2], tmp_path / "host-0" / "data")  # host 1 has none
    changed = [word if word != arguments[2] else "data" for word in arguments]
    (status, said), (status_of_1, said_by_1) = ended(*started(tmp_path, *changed), seconds=60)
    assert (status, status_of_1) == (2, 2)
    assert "another one was lost" in said
    assert "data: there is no such" in said_by_1 or "no data set" in said_by_1, said_by_1


@pytest.mark.parametrize(
    ("flags", "parts"),
    [
        (["--processes", 2], ["--coordinator", "--process"]),
        (["--coordinator", "h:1", "--process", 0], ["belong together"]),
        (["--coordinator", "here", "--processes", 2, "--process", 0], ["HOST:PORT"]),
        (["--coordinator", "h:99999", "--processes", 2, "--process", 0], ["HOST:PORT"]),
        (["--coordinator", "h:1", "--processes", 2, "--process", 2], ["--process 2", "from 0 to 1"]),
        (["--coordinator", "h:1", "--processes", 0, "--process", 0], ["--processes 0"]),
    ],
)
def test_what_cannot_be_meant_is_refused(mnistry: Command, flags: list[object], parts: list[str]) -> None:
    for start in (["softmax", "--data", "optdigits"], ["--resume", "no-run"]):
        done = mnistry("train", *start, *flags)
        assert done.returncode == 2
        for part in parts:
            assert part in done.stderr


def test_a_port_that_is_taken(mnistry: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        coordinator = f"127.0.0.1:{taken.getsockname()[1]}"
        flags = ["--coordinator", coordinator, "--processes", 2, "--process", 0]
        done = mnistry("train", "softmax", "--data", "optdigits", *flags)
    assert done.returncode == 2
    assert f"--coordinator {coordinator}: process 0 cannot listen" in done.stderr


def test_a_host_whose_name_leads_to_itself_alone(mnistry: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostbyname", lambda name: "127.0.1.1")  # Debian's /etc/hosts
    flags = ["--coordinator", f"10.0.0.1:{free_port()}", "--processes", 2, "--process", 0]
    done = mnistry("train", "softmax", "--data", "optdigits", *flags)
    assert done.returncode == 2
    assert "leads to 127.0.1.1" in done.stderr


def test_one_process_of_a_job_may_train_by_itself(mnistry: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("JOB_ID", "STEP_NODELIST", "PROCID", "LOCALID"):
        monkeypatch.setenv(f"SLURM_{name}", "0")
    monkeypatch.setenv("SLURM_NTASKS", "2")
    done = mnistry("train", "softmax", "--data", "optdigits", "--steps", 5, "--processes", 1)
    assert done.returncode == 0, done.stderr


def test_other_values_and_other_data_than_those_of_process_0(tmp_path: Path) -> None:
    from mnistry.datasets import load

    digits = load("optdigits")
    run = train("softmax", data="optdigits", steps=5, runs=tmp_path)
    run.require_same(run.recipe, 0, digits)
    with pytest.raises(InvalidValueError, match=r"`steps=5`, this one with `steps=6`"):
        run.require_same(run.recipe.changed(steps=6), 0, digits)
    with pytest.raises(InvalidValueError, match=r"`seed=0`, this one with `seed=1`"):
        run.require_same(run.recipe, 1, digits)
    with pytest.raises(DataError, match="not the same here"):
        run.require_same(run.recipe, 0, load((digits.train.images[:9], digits.train.labels[:9])))
