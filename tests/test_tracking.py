"""Runs are logged to MLflow, read back from a local store."""

from pathlib import Path

import pytest
from mlflow.tracking import MlflowClient

from mnistry.errors import RunError
from mnistry.recipes import RECIPES
from mnistry.tracking import log_to_mlflow
from mnistry.training import Run, train


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    recipe = RECIPES["softmax"].changed(steps=30, log_every=10, validate_every=30)
    return train(recipe, data="optdigits", seed=5, runs=tmp_path_factory.mktemp("runs"))


def test_all_of_a_run_is_there(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setattr("mnistry.tracking.AT_ONCE", 4)
    store = (tmp_path / "store").as_uri()
    identifier = log_to_mlflow(run.path, tracking_uri=store, experiment="digits")
    second = log_to_mlflow(run, tracking_uri=store, experiment="digits")
    assert identifier != second
    client = MlflowClient(tracking_uri=store)
    found = client.get_run(identifier)
    assert found.info.run_name == "softmax-1"
    assert found.info.status == "FINISHED"
    assert found.info.experiment_id == client.get_experiment_by_name("digits").experiment_id
    params = found.data.params
    assert (params["learning_rate"], params["steps"], params["seed"]) == ("0.5", "30", "5")
    assert (params["model.kind"], params["data"]) == ("softmax", "optdigits")
    assert found.data.metrics["test_accuracy"] == run.evaluation.accuracy
    expected = {int(row["step"]): row["loss"] for row in run.history()}
    assert {one.step: one.value for one in client.get_metric_history(identifier, "loss")} == expected
    assert found.data.tags["fingerprint"] == run.fingerprint
    assert found.data.tags["training_command"].startswith("mnistry train softmax --data optdigits --seed 5")
    kept = {Path(one.path).name for one in client.list_artifacts(identifier)}
    assert kept == {"recipe.json", "evaluation.json", "model.onnx", "report.html"}


def test_what_mlflow_refuses_and_what_is_no_finished_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    with pytest.raises(RunError, match="softmax-1: MLflow refuses: "):
        log_to_mlflow(run, tracking_uri=(tmp_path / "store").as_uri())
    unfinished = Run.create(tmp_path, run.recipe, seed=0, source="", sha256={}, data="optdigits")
    with pytest.raises(RunError, match="not finished"):
        log_to_mlflow(unfinished)
