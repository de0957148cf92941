"""`mnistry runs` lists what a folder holds, from the run folders' small files alone."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mnistry.training.run import Run

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]


@pytest.fixture
def folder(trained: Path, tmp_path: Path) -> Path:
    """The same, with a run that was stopped, and folders that are no runs or damaged ones."""
    runs = tmp_path / "runs"
    shutil.copytree(trained, runs)
    shutil.copytree(runs / "lenet5-1", runs / "lenet5-10")
    for name in ("evaluation.json", "model.safetensors"):
        (runs / "lenet5-10" / name).unlink()
    rows = [{"step": 10, "seconds": 0.5}, {"step": 15, "seconds": 75.0}]
    (runs / "lenet5-10" / "metrics.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows) + '{"step"'
    )
    (runs / "notes").mkdir()
    for name, file, content in (
        ("torn", "evaluation.json", b'{"n": 3'),
        ("odd", "recipe.json", b'{"seed": "x"}'),
        ("binary", "metrics.jsonl", b"\xff\xfe\n"),
        ("short", "model.safetensors", b"\x00\x01"),
    ):
        shutil.copytree(runs / "lenet5-1", runs / name)
        (runs / name / file).write_bytes(content)
        if name == "binary":
            (runs / name / "evaluation.json").unlink()
    return runs


def listed(done: CompletedProcess[str]) -> list[str]:
    assert done.returncode == 0, done.stderr
    return [Path(run["run"]).name for run in json.loads(done.stdout)["runs"]]


def test_every_run_has_its_own_figures(mnistry: Command, folder: Path) -> None:
    result = json.loads(mnistry("runs", "--json").stdout)
    assert [Path(run["run"]).name for run in result["runs"]] == [
        "lenet5-1",
        "lenet5-10",
        "softmax-1",
        "softmax-2",
        "softmax-3",
    ]
    for summary in result["runs"]:
        run = Run.open(summary["run"])
        assert (summary["recipe"], summary["seed"]) == (run.recipe.name, run.seed)
        assert (summary["data"], summary["steps"]) == ("optdigits", run.recipe.steps)
        if summary["state"] == "done":
            assert summary["accuracy"] == run.evaluation.accuracy
            assert tuple(summary["wilson_95"]) == run.evaluation.accuracy_interval
            assert summary["seconds"] == run.figures["train_seconds"]
            assert summary["step"] == run.recipe.steps
    parameters = {Path(run["run"]).name: run["parameters"] for run in result["runs"]}
    assert parameters.pop("lenet5-1") == 61_706
    assert parameters.pop("lenet5-10") is None
    assert set(parameters.values()) == {7850}


def test_a_run_that_is_trained_now_is_not_stopped(mnistry: Command, folder: Path) -> None:
    with Run.open(folder / "lenet5-10").locked():
        (training,) = json.loads(mnistry("runs", "--state", "training", "--json").stdout)["runs"]
        assert (Path(training["run"]).name, training["state"], training["step"]) == (
            "lenet5-10",
            "training",
            15,
        )
        assert "training: 15 of 20" in mnistry("runs").stdout
        assert not listed(mnistry("runs", "--state", "stopped", "--json"))
    assert listed(mnistry("runs", "--state", "stopped", "--json")) == ["lenet5-10"]
    assert not listed(mnistry("runs", "--state", "training", "--json"))


def test_a_stopped_run_says_how_far_it_came(mnistry: Command, folder: Path) -> None:
    (stopped,) = json.loads(mnistry("runs", "--state", "stopped", "--json").stdout)["runs"]
    assert Path(stopped["run"]).name == "lenet5-10"
    assert (stopped["state"], stopped["step"], stopped["steps"]) == ("stopped", 15, 20)
    assert (stopped["accuracy"], stopped["seconds"]) == (None, 75.0)
    said = mnistry("runs").stdout
    assert "stopped: 15 of 20" in said
    assert "1:15 min" in said


def test_what_cannot_be_listed_is_named_with_the_reason(mnistry: Command, folder: Path) -> None:
    done = mnistry("runs", "--json")
    broken = {Path(one["run"]).name: one["problem"] for one in json.loads(done.stdout)["broken"]}
    assert set(broken) == {"notes", "torn", "odd", "binary", "short"}
    assert "recipe.json is missing" in broken["notes"]
    assert "evaluation.json: damaged" in broken["torn"]
    assert "'recipe' is missing" in broken["odd"]
    said = mnistry("runs").stdout
    assert done.returncode == 0
    for name, problem in broken.items():
        assert f"{Path('runs', name)} cannot be listed: {problem}" in said


def test_filtered_sorted_and_limited(mnistry: Command, folder: Path) -> None:
    assert listed(mnistry("runs", "--recipe", "softmax", "--json")) == [
        "softmax-1",
        "softmax-2",
        "softmax-3",
    ]
    by_accuracy = json.loads(mnistry("runs", "--sort", "accuracy", "--json").stdout)["runs"]
    accuracies = [run["accuracy"] for run in by_accuracy]
    assert accuracies[-1] is None
    assert accuracies[:-1] == sorted(accuracies[:-1], reverse=True)
    assert listed(mnistry("runs", "--sort", "parameters", "--limit", 1, "--json")) == ["lenet5-1"]
    assert listed(mnistry("runs", "--sort", "steps", "--limit", 2, "--json")) == ["softmax-1", "softmax-2"]
    os.utime(folder / "softmax-1" / "recipe.json", (2_000_000_000, 2_000_000_000))
    assert listed(mnistry("runs", "--sort", "date", "--limit", 1, "--json")) == ["softmax-1"]
    assert "5 runs in runs, 1 of them shown" in mnistry("runs", "--limit", 1).stdout


def test_the_table_holds_the_figures(mnistry: Command, folder: Path) -> None:
    evaluation = Run.open(folder / "softmax-2").evaluation
    (row,) = [line for line in mnistry("runs").stdout.splitlines() if line.startswith("softmax-2")]
    low, high = evaluation.accuracy_interval
    assert f"{evaluation.accuracy:.2%} ({100 * low:.2f}–{100 * high:.2f})" in row
    assert "7,850" in row
    assert "done: 60 steps" in row


def test_the_runs_of_a_class(mnistry: Command, trained: Path, tmp_path: Path) -> None:
    for name in ("ann/runs/softmax-10", "ann/runs/softmax-2", "bo/lenet5-1", ".cache/softmax-3"):
        source = trained / ("lenet5-1" if "lenet5" in name else "softmax-1")
        shutil.copytree(source, tmp_path / "class" / name)
    shutil.copytree(trained / "softmax-1", tmp_path / "class" / "bo" / "lenet5-1" / "softmax-1")
    (tmp_path / "class" / "cy" / "notes").mkdir(parents=True)
    (tmp_path / "class" / "loop").symlink_to(tmp_path / "class")
    (tmp_path / "class" / "odd").mkdir()
    (tmp_path / "class" / "odd" / "recipe.json").write_text("{")
    found = json.loads(mnistry("runs", "class", "--recursive", "--json").stdout)
    names = ["ann/runs/softmax-2", "ann/runs/softmax-10", "bo/lenet5-1"]
    assert [run["run"] for run in found["runs"]] == [f"class/{name}" for name in names]
    assert [one["run"] for one in found["broken"]] == ["class/odd"]
    table = mnistry("runs", "class", "--recursive").stdout
    assert [line.split()[0] for line in table.splitlines()[1:4]] == names
    assert "3 runs in class" in table
    assert "--recursive lists the runs in the folders below" in mnistry("runs", "class").stdout
    assert "--recursive" not in mnistry("runs", "class/bo").stdout


def test_wrong_folders_and_flags(mnistry: Command, folder: Path, refused: Refused) -> None:
    refused(mnistry("runs", "nowhere"), "nowhere", "no such folder of runs")
    refused(mnistry("runs", "nowhere", "--recursive"), "nowhere", "no such folder of runs")
    refused(mnistry("runs", "runs/lenet5-1"), "this is one run", "runs")
    refused(mnistry("runs", "--limit", 0), "--limit must be at least 1")
    refused(mnistry("runs", "--recipe", "sofmax"), "sofmax", "Did you mean 'softmax'")
    (folder.parent / "empty").mkdir()
    assert mnistry("runs", "empty").stdout.strip() == "0 runs in empty"


def test_a_thousand_runs_are_listed_at_once_and_no_model_is_loaded(
    mnistry_process: Command, trained: Path, tmp_path: Path
) -> None:
    for number in range(1000):
        run = tmp_path / "runs" / f"softmax-{number}"
        run.mkdir(parents=True)
        for name in ("recipe.json", "evaluation.json", "metrics.jsonl", "model.safetensors"):
            (run / name).symlink_to(trained / "softmax-1" / name)
    started = time.perf_counter()
    done = mnistry_process("runs", "--json")
    assert time.perf_counter() - started < 30  # 1 s on an idle machine
    assert len(json.loads(done.stdout)["runs"]) == 1000
    heavy = ("jax", "onnxruntime", "cv2")
    script = f"import sys, mnistry.cli.runs; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
