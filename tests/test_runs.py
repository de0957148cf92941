"""A run folder is read whole, or what is wrong with it is named."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mnistry.errors import RunError
from mnistry.runs import FORM, RECIPE, fingerprint, read_run

DESCRIPTION: dict[str, Any] = {
    "form": FORM,
    "recipe": {"name": "softmax", "steps": 1000, "learning_rate": 0.5},
    "seed": 3,
    "data": {"name": "optdigits", "data_dir": None, "source": "scikit-learn", "sha256": {"train": "ab"}},
    "init_from": None,
    "versions": {"mnistry": "0.1.0"},
}


def written(folder: Path, description: dict[str, Any]) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / RECIPE).write_text(json.dumps(description))
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return written(tmp_path / "softmax-1", DESCRIPTION | {"sha256": fingerprint(DESCRIPTION)})


def changed(run: Path, change: Callable[[dict[str, Any]], object]) -> None:
    description = json.loads((run / RECIPE).read_text())
    change(description)
    written(run, description)


def test_what_a_run_folder_says_of_itself(run: Path) -> None:
    folder = read_run(run)
    assert (folder.path, folder.recipe_name, folder.steps, folder.seed) == (run, "softmax", 1000, 3)
    assert (folder.data, folder.data_dir, folder.data_sha256) == ("optdigits", None, {"train": "ab"})
    assert (folder.init_from, folder.finished, folder.parameters()) == (None, False, None)
    assert folder.history() == []
    with pytest.raises(RunError, match=r"not finished: evaluation.json is missing.*mnistry.resume"):
        _ = folder.figures


def test_runs_of_the_first_form_are_read(tmp_path: Path) -> None:
    first = {name: value for name, value in DESCRIPTION.items() if name != "form"}
    assert read_run(written(tmp_path / "old", first)).seed == 3


def test_a_run_of_a_later_form_is_named(run: Path) -> None:
    changed(run, lambda description: description.update(form=FORM + 1))
    with pytest.raises(RunError, match=rf"made by a later mnistry: its form is {FORM + 1}.*newer version"):
        read_run(run)


@pytest.mark.parametrize(
    "change",
    [
        lambda description: description["recipe"].update(learning_rate=0.1),
        lambda description: description["recipe"].update(steps=10**18),
        lambda description: description["recipe"].update(name="mlp"),
        lambda description: description.update(seed=4),
        lambda description: description["data"].update(sha256={"train": "cd"}),
        lambda description: description["data"].update(images={"invert": True}),
        lambda description: description.pop("sha256"),
    ],
)
def test_a_recipe_that_was_changed_by_hand_is_noticed(
    run: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    changed(run, change)
    with pytest.raises(RunError, match=r"recipe\.json: .* were changed after the run was started.*new run"):
        read_run(run)


def test_what_was_planned_before_decides_too(run: Path) -> None:
    changed(run, lambda description: description.update(earlier_plans=[{"steps": 500, "until_step": 500}]))
    with pytest.raises(RunError, match="were changed after the run was started"):
        read_run(run)
    longer = {**DESCRIPTION, "earlier_plans": [{"steps": 500, "until_step": 400}]}
    folder = read_run(written(run, longer | {"sha256": fingerprint(longer)}))
    shorter = {**DESCRIPTION, "recipe": {**DESCRIPTION["recipe"], "steps": 500}}
    assert folder.earlier_fingerprints == {fingerprint(shorter): 400}


def test_folders_may_be_moved(run: Path) -> None:
    changed(run, lambda description: description["data"].update(data_dir="/elsewhere"))
    assert read_run(run).data_dir == Path("/elsewhere")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{", "damaged"),
        (b"\xff\xfe", "damaged"),
        (b"[" * 100_000, "damaged"),
        (b"[]", "an object was expected, found list"),
        (b"{}", "'recipe' is missing"),
        (b'{"recipe": 3}', "'recipe' should be dict, found int"),
        (b'{"recipe": {"name": "mlp", "steps": true}}', "'recipe.steps' should be int, found bool"),
        (json.dumps(DESCRIPTION | {"init_from": 3}).encode(), "'init_from' should be str or null, found int"),
        (
            json.dumps(DESCRIPTION | {"earlier_plans": [{"steps": 5}]}).encode(),
            "'earlier_plans' should be a list",
        ),
        (json.dumps(DESCRIPTION | {"form": "2"}).encode(), "'form' should be int, found str"),
        (b"\0" * (2**26 + 1), "more than the 67,108,864 bytes"),
    ],
)
def test_a_damaged_recipe_is_named(run: Path, content: bytes, told: str) -> None:
    (run / RECIPE).write_bytes(content)
    with pytest.raises(RunError) as caught:
        read_run(run)
    assert str(run / RECIPE) in str(caught.value)
    assert told in str(caught.value)


def test_what_is_no_run_folder(run: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="nowhere: there is no such run folder"):
        read_run(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"recipe\.json is missing"):
        read_run(tmp_path)
    (run / RECIPE).unlink()
    (run / RECIPE).mkdir()
    with pytest.raises(RunError, match=r"recipe\.json: cannot be read: Is a directory"):
        read_run(run)
    (run / RECIPE).rmdir()
    os.mkfifo(run / RECIPE)  # opening it would wait for ever
    with pytest.raises(RunError, match=r"recipe\.json: cannot be read: it is a named pipe"):
        read_run(run)


@pytest.mark.parametrize(
    "content", [b"\x00\x01", b"\xff" * 8, b"\x02" + bytes(7) + b"[]", b"\x05" + bytes(7) + b'{"a":']
)
def test_damaged_weights_have_no_number_of_parameters(run: Path, content: bytes) -> None:
    (run / "model.safetensors").write_bytes(content)
    with pytest.raises(RunError, match=r"model\.safetensors: damaged"):
        read_run(run).parameters()
