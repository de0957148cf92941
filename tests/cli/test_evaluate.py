"""Runs are measured at their end, on their way, from their checkpoints, and as the ONNX files they wrote."""

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mnistry.recipes import RECIPES
from mnistry.training import train

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]
SLOWLY_AVERAGED = RECIPES["softmax"].changed(
    averaging=0.99, steps=60, checkpoint_every=20, validate_every=60, keep_checkpoints=2
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(SLOWLY_AVERAGED, data="optdigits", runs=tmp_path_factory.mktemp("runs")).path


@pytest.fixture
def stopped(finished: Path, tmp_path: Path) -> Path:
    """The same, as if it had been killed between steps 40 and 60."""
    copy = tmp_path / "stopped"
    shutil.copytree(finished, copy)
    for name in ("evaluation.json", "model.onnx", "checkpoints/step-00000060.safetensors"):
        (copy / name).unlink()
    return copy


def result(done: CompletedProcess[str]) -> dict[str, object]:
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_checkpoint_has_the_figures_of_a_run_that_ends_there(mnistry: Command, finished: Path) -> None:
    of_run = result(mnistry("evaluate", finished, "--json"))
    file = finished / "checkpoints" / "step-00000060.safetensors"
    for arguments in ((finished, "--checkpoint", 60), (file,)):
        assert result(mnistry("evaluate", *arguments, "--json")) == of_run | {"step": 60}
    earlier = result(mnistry("evaluate", finished, "--checkpoint", 40, "--json"))
    shorter = train(SLOWLY_AVERAGED.changed(steps=40), data="optdigits", runs=finished.parent)
    assert earlier["confusion"] == shorter.evaluation.confusion.tolist(), "with averaged weights, as that"
    assert earlier["confusion"] != of_run["confusion"]


def test_an_onnx_file_is_measured_on_the_data_of_its_run_or_on_any(
    mnistry: Command, finished: Path, tmp_path: Path, refused: Refused
) -> None:
    of_run = result(mnistry("evaluate", finished, "--json"))
    assert result(mnistry("evaluate", finished / "model.onnx", "--json")) == of_run
    alone = tmp_path / "alone.onnx"
    shutil.copy(finished / "model.onnx", alone)
    found = result(mnistry("evaluate", alone, "--data", "optdigits", "--json"))
    assert found == {"model": str(alone)} | {name: of_run[name] for name in of_run if name != "run"}
    done = mnistry("evaluate", alone, "--data", "optdigits", "--part", "validation")
    refused(done, "--part validation is for a model in its run folder")
    refused(mnistry("evaluate", tmp_path / "absent.onnx"), "absent.onnx: there is no such model")


def test_a_run_that_is_not_finished_is_measured_where_it_is(mnistry: Command, stopped: Path) -> None:
    done = mnistry("evaluate", stopped)
    assert done.returncode == 0
    assert "stopped, not finished: measured is its newest checkpoint, of step 40 of 60" in done.stderr
    assert "with its averaged weights" in done.stderr
    at_40 = result(mnistry("evaluate", stopped, "--checkpoint", 40, "--json"))
    assert result(mnistry("evaluate", stopped, "--json")) == at_40


def test_a_run_is_followed_from_elsewhere_until_it_ends(mnistry: Command, tmp_path: Path) -> None:
    recipe = SLOWLY_AVERAGED.changed(steps=3000, checkpoint_every=100, log_every=100)
    training = threading.Thread(target=train, args=(recipe,), kwargs={"data": "optdigits", "runs": tmp_path})
    training.start()
    folder = tmp_path / "softmax-1"
    while not list(folder.glob("checkpoints/*")) and training.is_alive():
        training.join(0.01)
    done = mnistry("evaluate", folder, "--follow", 0.01, "--json")
    training.join()
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, done.stderr
    assert "following" in done.stderr
    assert done.stderr.endswith("softmax-1: finished\n")
    steps = [line["step"] for line in lines]
    assert steps == sorted(set(steps))
    assert steps[-1] == 3000
    figures = json.loads((folder / "evaluation.json").read_text())
    assert lines[-1]["confusion"] == figures["confusion"]
    again = mnistry("evaluate", folder, "--follow", 5)
    assert again.stdout.startswith("step 3,000 of 3,000: test accuracy 0.9")


def test_following_ends_with_what_trains(mnistry: Command, stopped: Path, refused: Refused) -> None:
    done = mnistry("evaluate", stopped, "--follow", 5)
    assert done.returncode == 0
    assert done.stdout.startswith("step 40 of 60: test accuracy 0.")
    assert "stopped at step 40 of 60; nobody trains it" in done.stderr
    shutil.rmtree(stopped / "checkpoints")
    done = mnistry("evaluate", stopped, "--follow", 5)
    assert (done.returncode, done.stdout) == (2, "")
    assert "nobody trains it, and it has no checkpoint" in done.stderr
    refused(mnistry("evaluate", stopped), "there is none yet")


def test_what_cannot_be_measured_is_named(
    mnistry: Command, finished: Path, tmp_path: Path, refused: Refused
) -> None:
    refused(
        mnistry("evaluate", finished, "--checkpoint", 7), "the checkpoint of step 7", "of the steps: 40, 60"
    )
    file = finished / "checkpoints" / "step-00000060.safetensors"
    for wrong in ((file, "--follow", 5), (finished, "--follow", 5, "--checkpoint", 40)):
        refused(mnistry("evaluate", *wrong), "--follow 5 measures the checkpoints of a run folder")
    for seconds in (0, "nan", "inf"):
        refused(mnistry("evaluate", finished, "--follow", seconds), "--follow must be above 0 seconds")
    refused(mnistry("evaluate", file, "--checkpoint", 40), "--checkpoint 40 goes with a run folder")
    refused(mnistry("evaluate", finished / "model.safetensors"), "expected a run folder, a checkpoint in its")
    shutil.copytree(finished, tmp_path / "damaged")
    damaged = tmp_path / "damaged" / "checkpoints" / file.name
    damaged.write_bytes(damaged.read_bytes()[:-5])
    refused(mnistry("evaluate", damaged), f"{file.name}: damaged")
