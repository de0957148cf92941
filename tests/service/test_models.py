"""The models that can be asked for: listed, loaded when needed, taken anew when replaced."""

import hashlib
import io
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from PIL import Image
from starlette.testclient import TestClient

from mnistry import atomic
from mnistry.errors import RunError
from mnistry.reading.classifier import SHIPPED_MODEL
from mnistry.reading.detector import SHIPPED_DETECTOR, WEIGHTS, Detector
from mnistry.service import models
from mnistry.service.api import create_app
from mnistry.service.limits import Limits

from .constant import always

Refusal = Callable[..., dict[str, Any]]

OCTETS = {"Content-Type": "application/octet-stream"}


def make_run(runs: Path, name: str, digit: int) -> Path:
    folder = runs / name
    folder.mkdir(parents=True)
    (folder / "model.onnx").write_bytes(always(digit))
    description = {
        "recipe": {"name": name.partition("-")[0], "steps": 1},
        "seed": 0,
        "data": {"name": "optdigits", "data_dir": None, "source": "", "sha256": {}},
        "init_from": None,
        "versions": {},
    }
    (folder / "recipe.json").write_text(json.dumps(description))
    (folder / "evaluation.json").write_text(json.dumps({"accuracy": 0.1}))
    return folder


def app_client(**named: Any) -> TestClient:
    return TestClient(create_app(**named), base_url="http://localhost")


def classified(client: TestClient, model: str = "") -> int:
    answer = client.post(f"/v1/classify?model={model}", content=bytes(784), headers=OCTETS)
    assert answer.status_code == 200, answer.text
    return int(answer.json()["digits"][0])


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files are looked at upon every request."""
    monkeypatch.setattr(models, "CHECK_SECONDS", 0.0)


def test_all_are_listed(tmp_path: Path) -> None:
    make_run(tmp_path, "mlp-1", 3)
    (tmp_path / "unfinished-1").mkdir()
    with app_client(runs=tmp_path) as client:
        shipped, mlp = client.get("/v1/models").json()["models"]
    content = SHIPPED_MODEL.read_bytes()
    assert shipped == {
        "name": "shipped",
        "default": True,
        "recipe": "reader",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "accuracy": None,
    }
    content = (tmp_path / "mlp-1" / "model.onnx").read_bytes()
    assert mlp == {
        "name": "mlp-1",
        "default": False,
        "recipe": "mlp",
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        "accuracy": 0.1,
    }


def test_names_of_classes_are_listed(tmp_path: Path, model_of_parts: bytes) -> None:
    make_run(tmp_path, "mlp-1", 3)
    (make_run(tmp_path, "parts-1", 3) / "model.onnx").write_bytes(model_of_parts)
    (make_run(tmp_path, "torn-1", 3) / "model.onnx").write_bytes(model_of_parts[:1000])
    names = [f"part {letter}" for letter in "abcdefghij"]
    with app_client(runs=tmp_path) as client:
        for _ in range(2):  # from the file, and from what is in memory
            listed = client.get("/v1/models").json()["models"]
            found = {model["name"]: model.get("class_names") for model in listed}
            assert found == {"shipped": None, "mlp-1": None, "parts-1": names, "torn-1": None}
            classified(client, "parts-1")


def test_a_folder_that_is_damaged_is_listed_with_what_it_tells(tmp_path: Path, refused: Any) -> None:
    (make_run(tmp_path, "a-1", 1) / "recipe.json").write_text("{")
    (make_run(tmp_path, "b-1", 1) / "evaluation.json").write_text('{"accuracy": "high"}')
    (make_run(tmp_path, "c-1", 1) / "evaluation.json").unlink()
    pipe = make_run(tmp_path, "d-1", 1) / "model.onnx"
    pipe.unlink()
    os.mkfifo(pipe)
    with app_client(runs=tmp_path) as client:
        told = client.get("/v1/models").json()["models"]
        assert [(model["name"], model["recipe"], model["accuracy"]) for model in told[1:]] == [
            ("a-1", None, None),
            ("b-1", "b", None),
            ("c-1", "c", None),
        ]
        answer = client.post("/v1/classify?model=d-1", content=bytes(784), headers=OCTETS)
        refused(answer, 503, "cannot be used")


def test_each_can_be_asked_for(tmp_path: Path) -> None:
    for digit in range(4):
        make_run(tmp_path / "runs", f"mlp-{digit}", digit)
    other = make_run(tmp_path / "elsewhere", "lstm-1", 8)
    with app_client(runs=tmp_path / "runs", model=other, limits=Limits(models=2)) as client:
        assert classified(client) == classified(client, "lstm-1") == 8
        for _ in range(2):
            assert [classified(client, f"mlp-{digit}") for digit in range(4)] == [0, 1, 2, 3]
        assert classified(client) == 8
        names = [model["name"] for model in client.get("/v1/models").json()["models"]]
        assert names == ["lstm-1", "mlp-0", "mlp-1", "mlp-2", "mlp-3", "shipped"]
        assert classified(client, "shipped") in range(10)


@pytest.mark.usefixtures("hasty")
def test_a_replaced_file_is_taken_and_a_bad_one_is_not(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = make_run(tmp_path, "mlp-1", 3)
    file = run / "model.onnx"
    with app_client(runs=tmp_path, model=run) as client:
        assert classified(client) == 3
        atomic.write_bytes(file, always(5))
        assert classified(client) == 5
        (told, _) = client.get("/v1/models").json()["models"]
        assert told["sha256"] == hashlib.sha256(always(5)).hexdigest()
        for bad in (b"no model", always(6)[:-40], always(6, classes=7), b""):
            caplog.clear()
            file.write_bytes(bad)
            with caplog.at_level(logging.WARNING):
                assert [classified(client) for _ in range(3)] == [5, 5, 5]
            assert len([line for line in caplog.messages if "serves on" in line]) == 1
            (told, _) = client.get("/v1/models").json()["models"]
            assert told["sha256"] == hashlib.sha256(always(5)).hexdigest()
        file.unlink()
        assert classified(client) == 5
        atomic.write_bytes(file, always(7))
        assert classified(client) == 7


@pytest.mark.usefixtures("hasty")
def test_a_run_that_is_removed_is_gone(tmp_path: Path, refused: Refusal) -> None:
    file = make_run(tmp_path, "mlp-1", 3) / "model.onnx"
    with app_client(runs=tmp_path) as client:
        assert classified(client, "mlp-1") == 3
        file.unlink()
        refused(client.post("/v1/classify?model=mlp-1", content=bytes(784), headers=OCTETS), 404, "mlp-1")


def test_files_are_looked_at_now_and_then_only(tmp_path: Path) -> None:
    run = make_run(tmp_path, "mlp-1", 3)
    with app_client(runs=tmp_path, model=run) as client:
        assert classified(client) == 3
        atomic.write_bytes(run / "model.onnx", always(5))
        assert classified(client) == 3  # less than a second has passed


def test_a_bad_run_does_not_answer(
    tmp_path: Path, refused: Refusal, caplog: pytest.LogCaptureFixture
) -> None:
    file = make_run(tmp_path, "mlp-1", 3) / "model.onnx"
    file.write_bytes(b"no model")
    with app_client(runs=tmp_path) as client:
        answer = client.post("/v1/classify?model=mlp-1", content=bytes(784), headers=OCTETS)
        refused(answer, 503, "cannot be used")
        assert "no usable model" in caplog.text
        assert client.get("/v1/models").json()["models"][1]["name"] == "mlp-1"
        file.write_bytes(always(2))
        assert classified(client, "mlp-1") == 2


def test_a_bad_default_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.onnx").write_bytes(b"no model")
    (tmp_path / "seven.onnx").write_bytes(always(1, classes=7))
    for name, part in [
        ("absent", "no such"),
        ("empty", "no model.onnx"),
        ("bad.onnx", "not an ONNX"),
        ("seven.onnx", "10 or 12 classes"),
    ]:
        with pytest.raises(RunError, match=part):
            create_app(model=tmp_path / name)


def test_a_file_that_is_touched_is_still_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    run = make_run(tmp_path, "mlp-1", 3)
    with app_client(runs=tmp_path, model=run) as client:
        os.utime(run / "model.onnx")
        assert classified(client) == 3
    assert not caplog.messages


def test_a_model_of_other_classes_answers_with_their_names(
    tmp_path: Path, model_of_parts: bytes, seven: bytes
) -> None:
    (tmp_path / "parts.onnx").write_bytes(model_of_parts)
    with app_client(model=tmp_path / "parts.onnx", runs=tmp_path) as client:
        answer = client.post("/v1/classify", content=bytes(2 * 784), headers=OCTETS).json()
        assert answer["names"] == ["part " + "abcdefghij"[digit] for digit in answer["digits"]]
        answer = client.post("/v1/read", content=seven, headers={"Content-Type": "image/png"}).json()
        assert answer["lines"] == ["part h"]
        assert (answer["digits"][0]["digit"], answer["digits"][0]["name"]) == (7, "part h")
        answer = client.post("/v1/classify?model=shipped", content=bytes(784), headers=OCTETS).json()
        assert "names" not in answer


def detector_of(weights: list[float]) -> bytes:
    """The shipped detector with other weights of what speaks for a place to be a digit."""
    model = onnx.load(SHIPPED_DETECTOR)
    onnx.helper.set_model_props(model, {WEIGHTS: json.dumps(weights)})
    return onnx.ModelProto.SerializeToString(model)


@pytest.mark.usefixtures("hasty")
def test_a_detector_takes_the_place_of_the_shipped_one(tmp_path: Path, seven: bytes) -> None:
    run = make_run(tmp_path, "detector-1", 3)
    nothing = detector_of([0, 0, 0, -9])
    (run / "model.onnx").write_bytes(nothing)
    (run / "evaluation.json").write_text(json.dumps({"exact": 0.5}))
    threes = make_run(tmp_path, "threes-1", 3)
    png = {"Content-Type": "image/png"}
    photo = io.BytesIO()  # a drawing made on a screen needs no detector
    image = Image.open(io.BytesIO(seven)).convert("L")
    Image.blend(image, Image.linear_gradient("L").resize(image.size), 0.1).save(photo, format="png")
    with app_client(runs=tmp_path, model=run) as client:

        def lines(model: str) -> list[str]:
            answer = client.post(f"/v1/read?model={model}", content=photo.getvalue(), headers=png)
            assert answer.status_code == 200, answer.text
            return list(answer.json()["lines"])

        assert [lines("detector-1"), lines("shipped"), lines("threes-1")] == [[], ["7"], ["3"]]
        assert classified(client, "detector-1") == classified(client, "shipped")
        told = client.get("/v1/models").json()["models"][0]
        assert (told["name"], told["recipe"], told["accuracy"]) == ("detector-1", "detector", None)
        assert told["sha256"] == hashlib.sha256(nothing).hexdigest()
        atomic.write_bytes(run / "model.onnx", detector_of([0, 0, 0, 9]))
        assert "7" in "".join(lines("detector-1"))
        atomic.write_bytes(threes / "model.onnx", nothing)  # from one kind to the other
        assert lines("threes-1") == []


def test_the_shipped_detector_is_loaded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    make = Detector.__init__
    monkeypatch.setattr(
        Detector, "__init__", lambda self, model, **named: (made.append(1), make(self, model, **named))[1]
    )
    for digit in range(3):
        make_run(tmp_path, f"mlp-{digit}", digit)
    with app_client(runs=tmp_path) as client:
        assert [classified(client, f"mlp-{digit}") for digit in range(3)] == [0, 1, 2]
    assert len(made) == 1
