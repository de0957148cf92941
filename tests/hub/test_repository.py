"""Runs are pushed to a stand-in of the Hugging Face Hub, and pulled from it, by its own library."""

import importlib.util
import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from mnistry.data import Dataset
from mnistry.errors import InvalidValueError, RunError
from mnistry.hub import pull, push
from mnistry.hub.repository import KEPT
from mnistry.inference import evaluate
from mnistry.training import Run, train

_spec = importlib.util.spec_from_file_location("stand_in", Path(__file__).with_name("stand_in.py"))
assert _spec
assert _spec.loader
stand_in = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(stand_in)


@pytest.fixture(scope="module")
def run(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train("softmax", data=digits_folder, steps=30, runs=tmp_path_factory.mktemp("runs"))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "no-token"))
    monkeypatch.setenv("HF_TOKEN", stand_in.TOKEN)
    with stand_in.running() as held:
        yield held


def test_what_was_pushed_is_pulled_whole(run: Run, hub: Any, tmp_path: Path) -> None:
    address = push(run, "me/digits", licence="mit", private=True, endpoint=hub.address)
    assert address.startswith(f"{hub.address}/me/digits/commit/")
    assert set(hub.repos["me/digits"]) == {*KEPT, "README.md"}
    assert hub.private["me/digits"]
    pulled = pull("me/digits", runs=tmp_path / "elsewhere", endpoint=hub.address)
    assert pulled.path == tmp_path / "elsewhere" / "digits"
    assert sorted(path.name for path in pulled.path.iterdir()) == sorted(KEPT)
    for name in set(KEPT) - {"recipe.json"}:
        assert (pulled.path / name).read_bytes() == (run.path / name).read_bytes()
    assert pulled.fingerprint == run.fingerprint
    assert pulled.evaluation.to_json() == run.evaluation.to_json()
    assert list((tmp_path / "elsewhere").iterdir()) == [pulled.path]


def test_it_is_used_as_any_run(run: Run, hub: Any, tmp_path: Path, optdigits: Dataset) -> None:
    push(run, "me/digits", endpoint=hub.address)
    pulled = pull("me/digits", runs=tmp_path, endpoint=hub.address)
    test = (optdigits.test.images, optdigits.test.labels)
    assert evaluate(pulled, test).to_json() == evaluate(run, test).to_json()
    on = train("softmax", data="optdigits", steps=1, learning_rate=1e-9, init_from=pulled.path, runs=tmp_path)
    np.testing.assert_allclose(on.model().output.weight, run.model().output.weight, atol=1e-6)  # type: ignore[attr-defined]


def test_no_folder_of_this_machine_is_told(run: Run, hub: Any, digits_folder: Path) -> None:
    push(run, "me/digits", licence="mit", endpoint=hub.address)
    files = hub.repos["me/digits"]
    for name in ("recipe.json", "README.md", "evaluation.json", "model.onnx", "metrics.jsonl"):
        assert str(digits_folder.parent).encode() not in files[name].replace(
            json.dumps(str(digits_folder)).encode(), b"" if name == "evaluation.json" else b"?"
        )
        assert str(run.path.parent).encode() not in files[name]
    data = json.loads(files["recipe.json"])["data"]
    assert (data["name"], data["data_dir"], data["source"]) == ("digits", None, "digits")


def test_the_model_card(run: Run, hub: Any) -> None:
    push(run, "me/digits", licence="cc-by-4.0", endpoint=hub.address)
    card = hub.repos["me/digits"]["README.md"].decode()
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["license"] == "cc-by-4.0"
    assert head["library_name"] == "mnistry"
    (result,) = head["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == pytest.approx(run.evaluation.accuracy, abs=1e-6)
    assert result["dataset"]["name"] == "digits"
    for told in (
        f"accuracy **{run.evaluation.accuracy:.4f}**",
        "mnistry train softmax --data digits --seed 0 --steps 30",
        'mnistry.pull("me/digits")',
        "7,850 parameters",
        "Intended for single characters",
        "**Licence of the weights**: cc-by-4.0",
    ):
        assert told in card
    push(run, "me/other", endpoint=hub.address)
    other = hub.repos["me/other"]["README.md"].decode()
    assert "license" not in yaml.safe_load(other.split("---\n")[1])
    assert "**Licence of the weights**: not stated" in other


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("recipe.json", b"{}", "damaged"),
        ("recipe.json", None, "no run of mnistry: recipe.json is missing"),
        ("model.safetensors", b"\x08\0\0\0\0\0\0\0{}      ", "model.safetensors: damaged"),
        ("model.onnx", b"no model", "model.onnx: not an ONNX model"),
        ("evaluation.json", b"[1]", "evaluation.json: damaged"),
    ],
)
def test_what_is_damaged_or_no_run_leaves_nothing(
    run: Run, hub: Any, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    push(run, "me/digits", endpoint=hub.address)
    files = hub.repos["me/digits"]
    if content is None:
        del files[name]
    else:
        files[name] = content
    with pytest.raises(RunError, match=f"me/digits: .*{said}"):
        pull("me/digits", runs=tmp_path / "runs", endpoint=hub.address)
    assert not list((tmp_path / "runs").glob("*"))


def test_what_is_too_large_is_not_fetched(
    run: Run, hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(run, "me/digits", endpoint=hub.address)
    monkeypatch.setattr("mnistry.hub.repository.MOST_BYTES", 1000)
    with pytest.raises(RunError, match="at most 1,000 may be"):
        pull("me/digits", runs=tmp_path / "runs", endpoint=hub.address)
    assert not any("/resolve/" in asked for asked in hub.asked)


def test_what_the_hub_refuses(run: Run, hub: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RunError, match=r"me/none: there is no such repository.*`hf auth login`"):
        pull("me/none", runs=tmp_path, endpoint=hub.address)
    with pytest.raises(InvalidValueError, match=r"such as user/name, not 'digits'"):
        push(run, "digits", endpoint=hub.address)
    with pytest.raises(InvalidValueError, match=r"not 'me/\.\.'"):
        pull("me/..", runs=tmp_path, endpoint=hub.address)
    (tmp_path / "digits").mkdir()
    with pytest.raises(InvalidValueError, match="exists already; nothing is overwritten"):
        pull("me/digits", runs=tmp_path, endpoint=hub.address)
    monkeypatch.setenv("HF_TOKEN", "hf_another")
    with pytest.raises(RunError, match=r"me/digits: the Hub refuses: .*`hf auth login`"):
        push(run, "me/digits", endpoint=hub.address)
    with pytest.raises(RunError, match="me/digits: the Hub was not reached"):
        push(run, "me/digits", endpoint="http://127.0.0.1:9")


def test_the_commands(run: Run, hub: Any, mnistry: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    at = ("--endpoint", hub.address)
    done = mnistry("push", run.path, "me/digits", "--licence", "mit", *at)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{hub.address}/me/digits/commit/")
    done = mnistry("pull", "me/digits", *at)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"runs/digits: softmax, test accuracy {run.evaluation.accuracy:.4f} of 360\n"
    again = mnistry("pull", "me/digits", *at)
    assert again.returncode == 2
    assert "runs/digits exists already" in again.stderr
