"""A model and a loss of one's own through the whole engine."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.errors import RunError
from mnistry.inference import evaluate, predict
from mnistry.losses import OwnLoss
from mnistry.models import OwnModel
from mnistry.recipes import RECIPES
from mnistry.runs import read_run
from mnistry.training import Run, TrainingProgress, resume, train

from .stopping import as_if_killed


def apply(weights: dict[str, jax.Array], images: jax.Array, key: jax.Array | None) -> jax.Array:
    hidden = jnp.tanh(images.reshape(len(images), -1) @ weights["in"])
    if key is not None:
        hidden = hidden * jax.random.bernoulli(key, 0.9, hidden.shape)
    return hidden @ weights["out"]


class Tanh(OwnModel):
    units: int = 16

    def network(self, key: jax.Array) -> Any:
        first, second = jax.random.split(key)
        weights = {
            "in": 0.05 * jax.random.normal(first, (784, self.units)),
            "out": 0.1 * jax.random.normal(second, (self.units, 10)),
        }
        return jax.tree_util.Partial(apply, weights)


class Hinge(OwnLoss):
    margin: float = 1.0

    def __call__(self, logits: jax.Array, targets: jax.Array) -> jax.Array:
        true = (logits * targets).sum(axis=-1, keepdims=True)
        return (jnp.maximum(0, self.margin + logits - true) * (1 - targets)).sum(axis=-1)


OWN = replace(
    RECIPES["softmax"],
    name="tanh",
    model=Tanh(12),
    loss=Hinge(0.5),
    optimizer="adam",
    learning_rate=0.01,
    steps=60,
    averaging=0.9,
    checkpoint_every=25,
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Without jax2onnx."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "jax2onnx", None)
        return train(OWN, data="optdigits", seed=3, runs=tmp_path_factory.mktemp("runs"))


def test_it_learns_and_its_figures_are_those_of_jax(finished: Run, optdigits: Dataset) -> None:
    assert finished.path.name == "tanh-1"
    assert finished.evaluation.accuracy > 0.8
    assert "plain_weights" in finished.figures
    weights = {name: np.asarray(leaf) for name, leaf in zip(("in", "out"), leaves(finished), strict=True)}
    rows = optdigits.test.images.reshape(-1, 784).astype(np.float32) / 255
    found = (np.tanh(rows @ weights["in"]) @ weights["out"]).argmax(axis=1)
    assert (found == optdigits.test.labels).sum() == finished.evaluation.correct
    np.testing.assert_array_equal(predict(finished.path, optdigits.test.images), found)
    assert evaluate(finished.path).to_json() == finished.evaluation.to_json()


def leaves(run: Run) -> list[Any]:
    found: list[Any] = jax.tree.leaves(run.model())
    return found


def test_it_is_said_why_there_is_no_onnx(
    finished: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    why = "models of one's own become ONNX by jax2onnx, which is not installed: pip install 'mnistry[own]'"
    assert finished.figures["without_onnx"] == why
    assert finished.figures["onnx_largest_difference"] is None
    assert not (finished.path / "model.onnx").exists()
    copy = shutil.copytree(finished.path, tmp_path / "copy")
    (copy / "model.onnx").write_bytes(b"of another day")
    (copy / "evaluation.json").unlink()
    monkeypatch.setitem(sys.modules, "jax2onnx", None)
    resume(copy, progress=TrainingProgress())
    assert f"there is no model.onnx, and the model was measured with JAX: {why}" in capsys.readouterr().err
    assert not (copy / "model.onnx").exists()


def test_it_is_resumed_to_the_bit(finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy = as_if_killed(finished.path, tmp_path / "copy", step=25)
    monkeypatch.setitem(sys.modules, "jax2onnx", None)
    resumed = resume(copy)
    for name in ("model.safetensors", "trainable.safetensors"):
        assert (copy / name).read_bytes() == (finished.path / name).read_bytes()
    assert resumed.evaluation.to_json() == finished.evaluation.to_json()


def test_what_jax2onnx_writes_wrongly_is_not_handed_on(
    finished: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands for any file that disagrees: here one whose logits are all zero."""
    from onnx import TensorProto, helper

    def wrong(*_: Any, **__: Any) -> Any:
        nodes = [
            helper.make_node("Cast", ["images"], ["x"], to=TensorProto.FLOAT),
            helper.make_node("ReduceSum", ["x", "axes"], ["sums"], keepdims=0),
            helper.make_node("Sub", ["sums", "sums"], ["zero"]),
            helper.make_node("Slice", ["zero", "from", "to", "axis"], ["logits"]),
        ]
        constants = [
            helper.make_tensor(name, TensorProto.INT64, [1], [value])
            for name, value in {"axes": 1, "from": 0, "to": 10, "axis": 1}.items()
        ]
        images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 28, 28])
        logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])
        graph = helper.make_graph(nodes, "wrong", [images], [logits], constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    module = type(sys)("jax2onnx")
    module.to_onnx = wrong  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jax2onnx", module)
    run = train(replace(OWN, steps=20, averaging=0.0), data="optdigits", runs=tmp_path)
    assert "differ from the trained model's by" in run.figures["without_onnx"]
    assert not (run.path / "model.onnx").exists()
    # It is used as it is, not as it was written.
    assert evaluate(run).to_json() == run.evaluation.to_json()


def test_from_another_process_it_is_told_of_and_says_what_it_needs(
    finished: Run, mnistry_process: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    listed = mnistry_process("runs", finished.path.parent, "--json")
    assert listed.returncode == 0, listed.stderr
    assert "tanh-1" in listed.stdout
    assert read_run(finished.path).finished
    commands = [["evaluate", str(finished.path)], ["train", "--resume", str(finished.path)]]
    script = f"from mnistry.cli import main; print(*map(main, {commands}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout == "2 2\n", done.stderr
    assert done.stderr.count("Tanh is a class that this process has not defined") == 2
    assert "Traceback" not in done.stderr
    read = mnistry_process("serve", "--model", finished.path)
    assert read.returncode == 2
    assert "without an ONNX form" in read.stderr


@pytest.mark.parametrize("damage", [{"class": 3}, {"class": "a:B", "fields": 3}, {}])
def test_a_damaged_description_is_named(finished: Run, tmp_path: Path, damage: dict[str, Any]) -> None:
    from mnistry.runs import fingerprint

    copy = shutil.copytree(finished.path, tmp_path / "copy")
    description = json.loads((copy / "recipe.json").read_text())
    description["recipe"]["model"] = {"kind": "own"} | damage
    description["sha256"] = fingerprint(description)
    (copy / "recipe.json").write_text(json.dumps(description))
    with pytest.raises(RunError, match=r"recipe\.json: "):
        Run.open(copy)
