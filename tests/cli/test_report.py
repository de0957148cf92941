"""`mnistry report` writes what the runs measured, for one run, for seeds, and for recipes side by side."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mnistry.data import Dataset
from mnistry.data.convert import write
from mnistry.evaluation.compare import mcnemar
from mnistry.evaluation.intervals import mean_and_sd
from mnistry.reading.recognizer import Recognizer
from mnistry.training.reporting import recipe_labels
from mnistry.training.run import Run

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]


@pytest.fixture
def runs(trained: Path, tmp_path: Path) -> Path:
    """The same, in the folder that the command works in."""
    shutil.copytree(trained, tmp_path / "runs")
    return tmp_path / "runs"


def reported(done: CompletedProcess[str], path: Path) -> str:
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{path}: ")
    html = path.read_text("utf-8")
    assert len(html.encode()) < 3_000_000
    assert "<script" not in html
    return html


def test_the_report_of_one_run_is_the_one_that_training_wrote(mnistry: Command, runs: Path) -> None:
    before = (runs / "lenet5-1" / "report.html").read_bytes()
    (runs / "lenet5-1" / "report.html").unlink()
    html = reported(mnistry("report", "runs/lenet5-1"), Path("runs/lenet5-1/report.html"))
    assert html.encode() == before
    evaluation = Run.open(runs / "lenet5-1").evaluation
    assert f"{evaluation.accuracy:.2%}" in html
    assert f"<dd>{evaluation.errors:,}<" in html
    counts = re.findall(r'<g role="cell">.*?<text[^>]*>([\d·]+)<', html, re.DOTALL)
    assert [0 if count == "·" else int(count) for count in counts] == evaluation.confusion.ravel().tolist()
    assert "The 6 kernels of 5×5 pixels" in html


def test_seeds_are_taken_together_and_recipes_side_by_side(mnistry: Command, runs: Path) -> None:
    names = ("softmax-1", "softmax-2", "lenet5-1")
    html = reported(mnistry("report", *(f"runs/{name}" for name in names)), Path("report.html"))
    opened = {name: Run.open(runs / name) for name in names}
    spread = mean_and_sd([opened[name].evaluation.accuracy for name in names[:2]])
    assert f"<td>{100 * spread.mean:.2f}% ± {100 * spread.sd:.2f}</td>" in html
    for run in opened.values():
        assert f"<td>{run.evaluation.accuracy:.2%}</td>" in html
    assert re.findall("<h2>([^<]*)</h2>", html) == [
        "By recipe",
        "In pairs",
        "Training",
        "softmax",
        "lenet5",
        "How it was made",
    ]
    test = opened["lenet5-1"].load_data().test
    median = max(names[:2], key=lambda name: opened[name].evaluation.accuracy)
    correct = [
        Recognizer.load(runs / name).logits(test.images).argmax(axis=1) == test.labels
        for name in (median, "lenet5-1")
    ]
    result = mcnemar(*correct)
    assert f"{median} right, lenet5-1 wrong: {result.only_first}" in html
    assert (f"{result.p_value:.4f}" if result.p_value >= 1e-4 else "&lt; 0.0001") in html


def test_another_file_and_chosen_digits(mnistry: Command, runs: Path, refused: Refused) -> None:
    done = mnistry("report", "runs/softmax-1", "--digit", 3, 5, "--output", "my.html")
    html = reported(done, Path("my.html"))
    assert 'id="run0-part-3"' in html
    assert 'id="run0-part-5"' in html
    refused(
        mnistry("report", "runs/softmax-1", "--digit", 360), "--digit must be the row", "0 to 359, not 360"
    )
    refused(mnistry("report", "runs/softmax-1", "--output", "no/such/report.html"), "--output no/such")
    refused(mnistry("report", "runs/softmax-1", "--output", "runs"), "--output runs", "expected a file")


def test_the_same_folder_twice_is_one_run(mnistry: Command, runs: Path) -> None:
    done = mnistry("report", "runs/softmax-1", "runs/softmax-1/")
    assert done.stdout.startswith("runs/softmax-1/report.html: 1 run,")


def test_the_same_seed_twice_is_said(mnistry: Command, runs: Path) -> None:
    shutil.copytree(runs / "softmax-1", runs / "softmax-9")
    done = mnistry("report", "runs/softmax-1", "runs/softmax-9")
    assert done.returncode == 0
    assert "softmax: 2 runs have the seed 0" in done.stderr


def test_what_is_no_finished_run_is_refused(mnistry: Command, runs: Path, refused: Refused) -> None:
    refused(mnistry("report"), "at least one run folder")
    refused(mnistry("report", "runs/nowhere"), "nowhere", "no such run folder")
    refused(mnistry("report", "runs"), "recipe.json is missing")
    (runs / "softmax-1" / "evaluation.json").unlink()
    refused(mnistry("report", "runs/softmax-1"), "not finished", "mnistry train --resume runs/softmax-1")
    (runs / "softmax-2" / "model.onnx").write_bytes(b"no model")
    refused(mnistry("report", "runs/softmax-2"), "model.onnx", "not an ONNX model")


def test_runs_that_were_tested_on_other_images_are_refused(
    mnistry: Command, runs: Path, tmp_path: Path, optdigits: Dataset, refused: Refused
) -> None:
    turned = Dataset(
        "turned",
        optdigits.train,
        type(optdigits.test)(optdigits.test.images[::-1].copy(), optdigits.test.labels[::-1].copy()),
        optdigits.class_names,
        "",
        {},
    )
    write(turned, tmp_path / "turned", "idx")
    path = json.loads(
        mnistry("train", "softmax", "--data", "turned", "--steps", 20, "--json", "--runs", "other").stdout
    )["run"]
    refused(
        mnistry("report", "runs/softmax-1", path), "runs/softmax-1", "optdigits", "turned", "other images"
    )
    assert not (tmp_path / "report.html").exists()


def test_runs_that_share_their_test_part_alone_are_compared(
    mnistry: Command, runs: Path, tmp_path: Path, optdigits: Dataset
) -> None:
    write(optdigits, tmp_path / "copy", "idx")  # the same images in other files
    path = json.loads(
        mnistry("train", "softmax", "--data", "copy", "--steps", 60, "--json", "--runs", "other").stdout
    )["run"]
    html = reported(mnistry("report", "runs/softmax-1", path), Path("report.html"))
    assert "softmax (data=optdigits, data sha256=" in html


def test_recipes_are_called_by_what_tells_them_apart(trained: Path) -> None:
    opened = [Run.open(trained / f"softmax-{number}") for number in (1, 2, 3)]
    assert recipe_labels(opened[:2]) == ["softmax", "softmax"]
    assert recipe_labels(opened) == ["softmax (steps=60)", "softmax (steps=60)", "softmax (steps=20)"]
