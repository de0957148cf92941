"""Ray on this machine, started once: trials side by side, and workers that train one run together."""

from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest

from mnistry.cluster.engine import ray_at
from mnistry.cluster.plan import Range
from mnistry.cluster.sweep import sweep
from mnistry.export.arrays import read_arrays
from mnistry.training import train

pytest.importorskip("ray", reason="Ray has no wheel for this Python or system")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("default"),  # Ray warns of what it does itself
]

Command = Callable[..., CompletedProcess[str]]

VALUES: dict[str, Any] = {"steps": 40, "validate_every": 20, "checkpoint_every": 10}


@pytest.fixture(scope="module", autouse=True)
def two_cores() -> Iterator[None]:
    with ray_at("local", cpus=2):
        yield


def test_trials_of_a_cluster_are_those_of_one_process(digits_folder: Path, tmp_path: Path) -> None:
    def stop(row: Any) -> None:
        raise KeyboardInterrupt

    data, runs = str(digits_folder), tmp_path / "runs"
    with pytest.raises(KeyboardInterrupt):  # at step 20, with a checkpoint of step 10
        train(
            "softmax", data=data, runs=runs, learning_rate=0.001, measured_on="validation",
            on_validation=stop, **VALUES,
        )  # fmt: skip
    settings: dict[str, Any] = {name: (value,) for name, value in VALUES.items()}
    settings["learning_rate"] = (0.001, 0.5)
    result = sweep(["softmax"], settings=settings, data=data, runs=runs, cluster="local")
    assert sorted(path.name for path in runs.glob("softmax-*")) == ["softmax-1", "softmax-2"]
    (chosen,) = result.runs
    assert (chosen.path.name, chosen.measured_on) == ("softmax-2", "test")
    alone = train("softmax", data=data, runs=tmp_path / "alone", learning_rate=0.5, **VALUES)
    for name, weights in read_arrays(alone.path / "trainable.safetensors").items():
        # One thread adds up in another order than two.
        np.testing.assert_allclose(
            weights, read_arrays(chosen.path / "trainable.safetensors")[name], rtol=1e-4, atol=1e-6
        )
    assert chosen.evaluation.accuracy == pytest.approx(alone.evaluation.accuracy, abs=0.01)
    # The same again finds what Tune and the run folders keep.
    again = sweep(["softmax"], settings=settings, data=data, runs=runs, cluster="local")
    assert (again.tried, again.chosen) == (result.tried, result.chosen)


def test_optuna_proposes_and_its_trials_are_chosen_among(digits_folder: Path, tmp_path: Path) -> None:
    result = sweep(
        ["softmax"],
        settings={"learning_rate": Range(0.001, 1.0), "steps": (20,)},
        search="optuna",
        trials=2,
        stop_early=True,
        data=str(digits_folder),
        runs=tmp_path,
        cluster="local",
    )
    assert len(result.tried) == 2
    accuracies = {one.candidate: one.accuracies[0] for one in result.tried}
    assert accuracies[result.chosen] == max(accuracies.values())
    assert all(0.001 <= one.recipe.learning_rate <= 1 for one in accuracies)
    assert [run.measured_on for run in result.runs] == ["test"]


def test_two_workers_train_what_one_process_does(
    mnistry: Command, digits_folder: Path, tmp_path: Path
) -> None:
    """Ray Train starts them; each by itself would add up in the order of one."""
    flags = ["softmax", "--data", digits_folder, "--steps", 40, "--cluster", "local", "--processes", 2]
    done = mnistry("train", *flags)
    assert done.returncode == 0, done.stderr
    assert "2 processes on the cluster local" in done.stderr
    one = train("softmax", data=digits_folder, steps=40, runs=tmp_path / "alone")
    ours, theirs = (
        read_arrays(run / "model.safetensors") for run in (tmp_path / "runs" / "softmax-1", one.path)
    )
    for name, array in ours.items():
        assert np.abs(array - theirs[name]).max() < 1e-5 * np.abs(array).max(), name
        assert (array != theirs[name]).any(), (
            "the sums of two halves are rounded otherwise: this was one process"
        )
