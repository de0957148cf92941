"""What the file of a model tells of where it comes from."""

import json
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import onnxruntime
import pytest
from safetensors import safe_open

from mnistry.data import Dataset
from mnistry.models import PerceptronConfig
from mnistry.recipes import RECIPES, Recipe
from mnistry.training import Run, train
from mnistry.training.command import training_command

Command = Callable[..., subprocess.CompletedProcess[str]]
CHANGED = RECIPES["mlp-fast"].changed(
    model=PerceptronConfig(hidden=(6, 5), initialization="he"), steps=3, learning_rate=2e-3
)


@pytest.fixture(scope="module")
def run(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(CHANGED, data=digits_folder, seed=4, runs=tmp_path_factory.mktemp("runs"))


def metadata(path: Path) -> dict[str, str]:
    session = onnxruntime.InferenceSession(path)
    told: dict[str, str] = session.get_modelmeta().custom_metadata_map
    return told


def test_the_command_starts_the_same_run(run: Run, mnistry: Command, digits_folder: Path) -> None:
    command = training_command(run)
    assert command == (
        "mnistry train mlp-fast --data digits --seed 4 --model.hidden 6 5 --learning-rate 0.002 --steps 3"
    )
    Path("digits").symlink_to(digits_folder)
    done = mnistry(*shlex.split(command)[1:])
    assert done.returncode in (0, 1), done.stderr  # after three steps little is learnt
    again = Run.open("runs/mlp-fast-1")
    assert again.fingerprint == run.fingerprint
    assert (again.path / "model.onnx").read_bytes() == (run.path / "model.onnx").read_bytes()


def test_the_model_of_a_run_tells_it(run: Run, mnistry: Command) -> None:
    told = metadata(run.path / "model.onnx")
    assert json.loads(told["class_names"]) == list("0123456789")
    assert told["training"] == training_command(run)
    assert told["training_data"] == "digits"
    assert told["licence"] == "not stated"
    assert "0 for paper and 255 for the strongest ink; the model divides by 255 itself" in told["input"]
    assert "logits" in told["output"]
    done = mnistry("export", run.path, "--to", "onnx", "--licence", "CC-BY-4.0", "--output", "m.onnx")
    assert done.returncode == 0, done.stderr
    assert metadata(Path("m.onnx")) == told | {"licence": "CC-BY-4.0"}
    assert mnistry("export", run.path, "--to", "safetensors", "--licence", "CC-BY-4.0").returncode == 0
    with safe_open("mlp-fast-1.safetensors", "numpy") as file:
        assert file.metadata()["licence"] == "CC-BY-4.0"
        assert file.metadata()["training"] == told["training"]


@pytest.mark.parametrize(
    ("recipe", "command"),
    [
        (
            RECIPES["softmax"].changed(steps=5, half_precision=True),
            "mnistry.train('softmax', data=<the same arrays>, seed=0, half_precision=True, steps=5)",
        ),
        (
            replace(RECIPES["softmax"], name="mine"),
            "mnistry.train(<the recipe 'mine' of its recipe.json>, data=<the same arrays>, seed=0)",
        ),
    ],
)
def test_what_only_python_can_do_is_told_as_a_call(
    recipe: Recipe, command: str, optdigits: Dataset, tmp_path: Path
) -> None:
    made = Run.create(tmp_path, recipe, seed=0, source="", sha256={}, data=optdigits)
    assert training_command(made) == command
