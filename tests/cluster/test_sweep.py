"""Sweeps without Ray: what is chosen, what is tested, and what a killed one does not make again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnistry.cluster.plan import parse_settings
from mnistry.cluster.sweep import Sweep, sweep
from mnistry.data import Dataset
from mnistry.errors import InvalidValueError
from mnistry.runs import read_run
from mnistry.training import Run, train

SETTINGS = parse_settings(["learning_rate=0.001,0.5", "steps=40"])


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Sweep:
    folder = tmp_path_factory.mktemp("sweeps") / "one"
    return sweep(["softmax"], settings=SETTINGS, seeds=2, data="optdigits", runs=folder)


def test_the_best_on_validation_is_chosen_and_it_alone_is_tested(done: Sweep, optdigits: Dataset) -> None:
    slow, fast = done.tried
    assert done.chosen == fast.candidate
    assert np.mean(fast.accuracies) > np.mean(slow.accuracies)
    assert [read_run(path).measured_on for path in slow.runs] == ["validation"] * 2
    assert [run.path for run in done.runs] == list(fast.runs)
    for run in done.runs:
        figures = json.loads((run.path / "evaluation.json").read_text())
        assert (run.measured_on, figures["part"], figures["n"]) == ("test", "test", len(optdigits.test))
    for path, accuracy in zip(slow.runs, slow.accuracies, strict=True):
        figures = json.loads((path / "evaluation.json").read_text())
        assert (figures["part"], figures["n"]) == ("validation", 120)
        assert figures["accuracy"] == pytest.approx(accuracy)
    told = json.loads((done.runs[0].path.parent / "sweep.json").read_text())
    assert told["chosen"] == "softmax learning_rate=0.5 steps=40"
    assert told["test_accuracy"] == [run.evaluation.accuracy for run in done.runs]


def test_a_chosen_run_is_the_run_that_train_makes(done: Sweep, tmp_path: Path) -> None:
    alone = train("softmax", data="optdigits", learning_rate=0.5, steps=40, seed=1, runs=tmp_path)
    run = done.runs[1]
    for name in ("model.safetensors", "trainable.safetensors"):
        assert (run.path / name).read_bytes() == (alone.path / name).read_bytes()
    assert run.fingerprint == alone.fingerprint
    assert run.evaluation.to_json() == alone.evaluation.to_json()


def test_the_same_again_makes_nothing_again(done: Sweep, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **settings: Any) -> Run:
        raise AssertionError("trained again")

    monkeypatch.setattr("mnistry.training.train", refuse)
    monkeypatch.setattr("mnistry.training.resume", refuse)
    folder = done.runs[0].path.parent
    again = sweep(["softmax"], settings=SETTINGS, seeds=2, data="optdigits", runs=folder)
    assert (again.tried, again.chosen) == (done.tried, done.chosen)


def test_a_trial_that_was_stopped_goes_on(tmp_path: Path) -> None:
    def stop(row: Any) -> None:
        raise KeyboardInterrupt

    values: dict[str, Any] = {"steps": 40, "validate_every": 20, "checkpoint_every": 10}
    with pytest.raises(KeyboardInterrupt):
        train(
            "softmax", data="optdigits", runs=tmp_path, measured_on="validation", on_validation=stop, **values
        )
    settings = {name: (value,) for name, value in values.items()} | {"learning_rate": (0.5, 0.001)}
    result = sweep(["softmax"], settings=settings, data="optdigits", runs=tmp_path)
    assert sorted(path.name for path in tmp_path.glob("softmax-*")) == ["softmax-1", "softmax-2"]
    (run,) = result.runs
    assert run.path.name == "softmax-1"
    assert [row["step"] for row in run.history()] == [20, 40]


def test_a_folder_of_the_same_name_is_not_the_named_data_set(
    done: Sweep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "optdigits").mkdir()
    again = sweep(["softmax"], settings=SETTINGS, seeds=2, data="optdigits", runs=done.runs[0].path.parent)
    assert again.chosen == done.chosen


def test_a_folder_serves_one_sweep(done: Sweep) -> None:
    with pytest.raises(InvalidValueError, match=r"sweep\.json: this folder is of another sweep"):
        sweep(["softmax"], settings=SETTINGS, seeds=3, data="optdigits", runs=done.runs[0].path.parent)


def test_what_a_sweep_refuses(tmp_path: Path) -> None:
    settings = {"validation": (0,), "learning_rate": (0.1, 0.5)}
    for given, message in (
        ({"seeds": 0}, "`seeds` must be at least 1"),
        ({"search": "optuna"}, "say where it runs"),
        ({"stop_early": True}, "say where it runs"),
        ({"search": "random"}, "needs fields to search in"),
        ({"settings": settings}, "learns from all images, so there are none to choose by"),
    ):
        with pytest.raises(InvalidValueError, match=message):
            sweep(["softmax"], data="optdigits", runs=tmp_path / "runs", **given)
    with pytest.raises(InvalidValueError, match="name at least one recipe"):
        sweep([])
    assert not (tmp_path / "runs").exists()


def test_without_a_choice_all_images_may_be_learnt_from(tmp_path: Path) -> None:
    settings = {"validation": (0,), "steps": (20,)}
    result = sweep(["softmax"], settings=settings, seeds=2, data="optdigits", runs=tmp_path)
    assert [run.measured_on for run in result.runs] == ["test", "test"]
    assert result.tried[0].accuracies == ()
