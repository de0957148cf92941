"""A run is found again and gone on with, or what stands in its way is named; nothing is lost meanwhile."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from mnistry.errors import InvalidValueError, RunError
from mnistry.recipes import RECIPES
from mnistry.runs import EVALUATION, METRICS, RECIPE
from mnistry.training import Run, TrainingProgress, resume, train
from mnistry.training.reporting import recipe_labels

from .stopping import as_if_killed

FEW = replace(RECIPES["softmax"], steps=40, log_every=5, validate_every=20, checkpoint_every=20)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(FEW, data="optdigits", runs=tmp_path_factory.mktemp("whole")).path


@pytest.fixture
def stopped(whole: Path, tmp_path: Path) -> Path:
    """The same, as if it had been killed between steps 20 and 40."""
    return as_if_killed(whole, tmp_path / "stopped", step=20)


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def same_weights(run: Path, other: Path) -> bool:
    return (run / "model.safetensors").read_bytes() == (other / "model.safetensors").read_bytes()


def steps(run: Path) -> list[int]:
    return [json.loads(line)["step"] for line in (run / METRICS).read_text().splitlines()]


RISING = {"averaging": 0.99, "optimizer": "momentum", "schedule": "staircase", "decay_steps": 10}


@pytest.mark.parametrize("until", [20, 40])
def test_a_run_that_goes_on_for_more_steps_ends_as_one_that_was_started_with_them(
    tmp_path: Path, until: int
) -> None:
    recipe = FEW.changed(**RISING)
    first = train(recipe, data="optdigits", runs=tmp_path)
    if until == 20:
        (first.path / EVALUATION).unlink()
        (first.checkpoints / "step-00000040.safetensors").unlink()
    longer = resume(first.path, steps=60)
    at_once = train(replace(recipe, steps=60), data="optdigits", runs=tmp_path)
    for name in ("trainable.safetensors", "model.onnx"):
        assert (longer.path / name).read_bytes() == (at_once.path / name).read_bytes()
    assert longer.evaluation.to_json() == at_once.evaluation.to_json()
    timeless = [
        [{name: value for name, value in row.items() if "second" not in name} for row in run.history()]
        for run in (longer, at_once)
    ]
    assert timeless[0] == timeless[1]
    again = Run.open(longer.path)
    assert (again.steps, again.recipe.steps, again.figures["steps"]) == (60, 60, 60)
    assert again.description["earlier_plans"] == [{"steps": 40, "until_step": until}]
    assert resume(longer.path, steps=60).fingerprint == again.fingerprint, "nothing changes"


def test_what_dies_while_a_run_is_made_longer_is_gone_on_with(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither is a run of 40 steps told to have 60, nor are its checkpoints taken for another's."""
    copy = tmp_path / "copy"
    shutil.copytree(whole, copy)
    with monkeypatch.context() as patch:
        patch.setattr("mnistry.training.loop._train", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            resume(copy, steps=50)
    with pytest.raises(RunError, match="not finished"):
        _ = Run.open(copy).figures
    longest = resume(copy, steps=60)
    assert longest.description["earlier_plans"] == [
        {"steps": 40, "until_step": 40},
        {"steps": 50, "until_step": 40},
    ]
    at_once = train(replace(FEW, steps=60), data="optdigits", runs=tmp_path)
    assert same_weights(longest.path, at_once.path)
    assert steps(longest.path) == list(range(5, 61, 5))


def test_a_schedule_that_depends_on_the_steps_is_told_of_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = train(replace(FEW, schedule="cosine"), data="optdigits", runs=tmp_path)
    longer = resume(first.path, steps=80, progress=TrainingProgress())
    said = capsys.readouterr().err
    assert "After step 40 the learning rate goes from 0, that of a run of 40 steps, to 0.25" in said
    rates = {row["step"]: row["learning_rate"] for row in longer.history()}
    assert rates[40] < 0.01
    assert rates[45] == pytest.approx(0.5 * (1 + np.cos(np.pi * 44 / 80)) / 2)
    at_once = train(replace(FEW, schedule="cosine", steps=80), data="optdigits", runs=tmp_path)
    assert longer.fingerprint != at_once.fingerprint
    assert len(set(recipe_labels([longer, at_once]))) == 2
    shutil.rmtree(longer.checkpoints)
    with pytest.raises(RunError, match="first 40 steps were made at the learning rates of a shorter run"):
        resume(longer.path)


def test_what_a_run_cannot_be_made_to(whole: Path, stopped: Path) -> None:
    before = contents(whole)
    with pytest.raises(
        InvalidValueError, match=r"`steps` must be at least 40, which .* has made already, not 39"
    ):
        resume(whole, steps=39)
    with pytest.raises(InvalidValueError, match="`steps` must be at least 1, not 0"):
        resume(whole, steps=0)
    with pytest.raises(InvalidValueError, match="`steps` must be at most"):
        resume(whole, steps=10**18)
    assert contents(whole) == before
    assert resume(stopped, steps=30).figures["steps"] == 30, "a stopped one may end sooner"


def test_a_run_is_trained_by_one_process_at_a_time(stopped: Path) -> None:
    before = contents(stopped)
    with (
        Run.open(stopped).locked(),
        pytest.raises(RunError, match=r"another process is training this run\. Wait"),
    ):
        resume(stopped)
    assert contents(stopped) == before
    resume(stopped)
    assert steps(stopped) == list(range(5, 41, 5))


def test_two_that_resume_at_the_same_time(stopped: Path, whole: Path) -> None:
    command = [sys.executable, "-m", "mnistry", "train", "--resume", str(stopped)]
    both = [subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(2)]
    said = [process.communicate(timeout=200)[1].decode() for process in both]
    # The second is refused, or, where it came so late that the first had ended, finds nothing left to do.
    assert {process.returncode for process in both} <= {0, 2}, said
    assert 0 in {process.returncode for process in both}, said
    for process, text in zip(both, said, strict=True):
        assert (process.returncode == 2) == ("another process is training this run" in text)
    assert steps(stopped) == list(range(5, 41, 5))
    # To rounding: how many devices this process has depends on the tests before.
    found, expected = (load_file(run / "model.safetensors") for run in (stopped, whole))
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, atol=1e-6)


def test_the_lock_goes_with_a_process_that_is_killed(stopped: Path, whole: Path) -> None:
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import filelock, sys, time; lock = filelock.FileLock(sys.argv[1]); lock.acquire(); "
            "print('held', flush=True); time.sleep(100)",
            str(stopped / ".lock"),
        ],
        stdout=subprocess.PIPE,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(RunError, match="another process is training this run"):
        resume(stopped)
    holder.kill()
    holder.communicate()
    resume(stopped)
    assert same_weights(stopped, whole)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"step": 10, "lo\n', "1 of 9 lines cannot be used"),
        (b"\0" * 300 + b"\n", "the first is line 3"),
        (b"\xff\xfe\n", "no UTF-8"),
        (b'{"loss": 1.0}\n', "expected numbers by name, among them a whole step"),
    ],
)
def test_damaged_rows_are_told_of_and_left_out(
    stopped: Path, whole: Path, line: bytes, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = (stopped / METRICS).read_bytes().splitlines(keepends=True)
    (stopped / METRICS).write_bytes(b"".join([*lines[:2], line, *lines[2:]]))
    resume(stopped, progress=TrainingProgress())
    assert told in capsys.readouterr().err
    assert steps(stopped) == list(range(5, 41, 5))
    assert same_weights(stopped, whole)


@pytest.mark.parametrize("damage", ["cut", "changed", "folder"])
def test_where_no_checkpoint_can_be_read_nothing_is_begun_anew(
    stopped: Path, whole: Path, damage: str
) -> None:
    (only,) = (stopped / "checkpoints").iterdir()
    content = bytearray(only.read_bytes())
    content[-5] ^= 1
    only.unlink()
    if damage == "folder":
        only.mkdir()
    else:
        only.write_bytes(content[:-9] if damage == "cut" else content)
    before = contents(stopped)
    with pytest.raises(
        RunError, match=rf"{only.name}: .*holds no older one that can be read.*remove the folder"
    ):
        resume(stopped)
    assert contents(stopped) == before
    shutil.rmtree(stopped / "checkpoints")
    resume(stopped)
    assert same_weights(stopped, whole)


@pytest.mark.parametrize("change", [{"learning_rate": 0.1}, {"steps": 10**18}])
def test_a_recipe_that_was_changed_by_hand_is_not_gone_on_with(
    stopped: Path, change: dict[str, float]
) -> None:
    description = json.loads((stopped / RECIPE).read_text())
    description["recipe"].update(change)
    (stopped / RECIPE).write_text(json.dumps(description))
    with pytest.raises(RunError, match="were changed after the run was started"):
        resume(stopped)


def test_a_checkpoint_of_another_recipe_is_noticed_too(stopped: Path, tmp_path: Path) -> None:
    other = train(replace(FEW, learning_rate=0.1), data="optdigits", runs=tmp_path / "others")
    for name in ("step-00000020.safetensors", "step-00000040.safetensors"):
        shutil.copy(other.checkpoints / name, stopped / "checkpoints")
    with pytest.raises(RunError, match=r"step-00000040\.safetensors: of another run"):
        resume(stopped)


def test_rows_that_are_gone_do_not_keep_a_run_from_its_end(stopped: Path, whole: Path) -> None:
    shutil.copy(whole / "checkpoints" / "step-00000040.safetensors", stopped / "checkpoints")
    (stopped / METRICS).unlink()
    assert resume(stopped).figures["train_seconds"] == 0
    assert same_weights(stopped, whole)


def test_a_folder_that_has_the_name_of_a_data_set_is_not_taken_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data" / "optdigits").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "data")
    run = train(FEW, data="optdigits", data_dir=".", runs="runs")
    monkeypatch.chdir(tmp_path)
    again = Run.open(run.path.name if run.path.is_absolute() else tmp_path / "data" / run.path)
    assert (again.data, again.data_dir) == ("optdigits", tmp_path / "data")
    assert resume(again.path).evaluation.n == 360


def test_paths_mean_the_same_from_everywhere(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(digits_folder, tmp_path / "home" / "mnist")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "home")
    first = train(FEW, data=Path("mnist"), runs=tmp_path)
    second = train(FEW, data="~/mnist", data_dir="~", init_from=first.path, runs=tmp_path)
    monkeypatch.setenv("HOME", "/nowhere")
    monkeypatch.chdir("/")
    for run in (first, second):
        again = Run.open(run.path)
        assert again.data == str(tmp_path / "home" / "mnist")
        assert resume(run.path).evaluation.n == 360
    assert again.data_dir == tmp_path / "home"
    assert again.init_from == first.path


def test_other_folders_do_not_disturb_the_number_of_a_run(tmp_path: Path) -> None:
    for odd in ("softmax-²", "softmax-", "softmax-x", "softmax--1", "softmax-1.5", "softmax-٣"):
        (tmp_path / odd).mkdir()
    (tmp_path / "softmax-7").write_text("a file")
    run = train(replace(FEW, steps=1), data="optdigits", runs=tmp_path)
    assert run.path.name == "softmax-8"


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../a", "/a", "a\0b"])
def test_a_recipe_whose_name_cannot_name_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidValueError, match="a recipe's name names the folders of its runs"):
        train(replace(FEW, name=name), data="optdigits", runs=tmp_path / "runs")
    assert list(tmp_path.iterdir()) == []


def test_numbers_that_are_too_large_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidValueError, match="`steps` must be at most 2,147,483,647, not 1,000,000,000,000,000,000"
    ):
        train(FEW, data="optdigits", steps=10**18, runs=tmp_path)
    with pytest.raises(InvalidValueError, match="`seed` must be at least 0 and below"):
        train(FEW, data="optdigits", seed=2**70, runs=tmp_path)
    with pytest.raises(InvalidValueError, match="`batch_size` must be at most 1,048,576, not 1,000,000,000"):
        train(FEW, data="optdigits", batch_size=10**9, runs=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_interval_takes_no_more_memory_than_its_steps(tmp_path: Path) -> None:
    """`log_every` of 10⁹ steps would take 400 GB of row numbers."""
    run = train(FEW, data="optdigits", log_every=10**9, runs=tmp_path)
    assert [row["step"] for row in run.history()] == [20, 40]
