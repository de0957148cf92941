import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.training import Run, resume

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def inverted(optdigits: Dataset, tmp_path: Path) -> Path:
    path = tmp_path / "inverted.npz"
    np.savez(
        path,
        x_train=255 - optdigits.train.images[:300],
        y_train=optdigits.train.labels[:300],
        x_test=255 - optdigits.test.images,
        y_test=optdigits.test.labels,
    )
    return path


def test_how_images_are_stored_is_said_once_and_kept(
    mnistry: Command, inverted: Path, optdigits: Dataset
) -> None:
    few = ("--steps", 30, "--log-every", 10, "--validate-every", 10, "--checkpoint-every", 10)
    for command in (
        ("train", "softmax", "--data", inverted, *few),
        ("data", "info", inverted),
        ("data", "convert", inverted, "out.npz"),
    ):
        refused = mnistry(*command)
        assert refused.returncode == 2
        assert "inverted. Give --invert. If they are meant to be so, give --no-check-images" in refused.stderr
    assert not Path("runs").exists()
    assert not Path("out.npz").exists()

    assert mnistry("data", "info", inverted, "--invert").returncode == 0
    assert mnistry("data", "convert", inverted, "out.npz", "--invert").returncode == 0
    np.testing.assert_array_equal(np.load("out.npz")["x_test"], optdigits.test.images)

    trained = mnistry("train", "softmax", "--data", inverted, "--invert", *few, "--json")
    assert trained.returncode == 0, trained.stderr
    accuracy = json.loads(trained.stdout)["test"]["accuracy"]
    assert accuracy > 0.6
    run = Run.open("runs/softmax-1")
    assert run.image_form.invert
    np.testing.assert_array_equal(run.load_data().test.images, optdigits.test.images)

    def evaluated(*options: object) -> float:
        done = mnistry("evaluate", run.path, *options, "--json")
        assert done.returncode == 0, done.stderr
        return float(json.loads(done.stdout)["accuracy"])

    unchecked = mnistry("train", "softmax", "--data", inverted, "--no-check-images", *few)
    assert unchecked.returncode == 0, unchecked.stderr
    assert not Run.open("runs/softmax-2").image_form.invert

    assert evaluated() == accuracy
    assert evaluated("--data", inverted, "--invert") == accuracy
    assert evaluated("--data", inverted, "--no-check-images") < accuracy
    assert "Give --invert" in mnistry("evaluate", run.path, "--data", inverted).stderr
    assert "--invert needs --data" in mnistry("evaluate", run.path, "--invert").stderr

    weights = (run.path / "model.safetensors").read_bytes()
    (run.path / "evaluation.json").unlink()
    sorted(run.checkpoints.iterdir())[-1].unlink()
    resume(run.path)
    assert (run.path / "model.safetensors").read_bytes() == weights
