"""`mnistry report --leaderboard`: the runs of a class, measured anew."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mnistry.data import Dataset
from mnistry.data.convert import write
from mnistry.training.run import Run

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]


@pytest.fixture
def class_folder(trained: Path, tmp_path: Path) -> Path:
    """Two who have finished runs, one who has not, one whose model is gone."""
    folder = tmp_path / "class"
    for name, run in (
        ("ann/softmax-1", "softmax-1"),
        ("ann/lenet5-1", "lenet5-1"),
        ("bo/runs/softmax-1", "softmax-3"),
        ("cy/softmax-1", "softmax-1"),
        ("di/softmax-1", "softmax-1"),
    ):
        shutil.copytree(trained / run, folder / name)
    (folder / "cy" / "softmax-1" / "evaluation.json").unlink()
    (folder / "di" / "softmax-1" / "model.onnx").unlink()
    return folder


def ranked(html: str) -> list[tuple[str, str]]:
    """The names and accuracies, from the first on."""
    rows = re.findall(r'<th scope="row">(.*?)<small.*?<td>([\d.]+%)</td>', html)
    return [(name.replace("<wbr>", ""), accuracy) for name, accuracy in rows]


def test_the_runs_of_a_class_are_measured_anew(mnistry: Command, class_folder: Path) -> None:
    done = mnistry("report", "--leaderboard", "class")
    assert (done.returncode, done.stdout) == (0, "class/leaderboard.html: 3 runs\n")
    html = (class_folder / "leaderboard.html").read_text("utf-8")
    accuracies = {
        name: Run.open(class_folder / name).evaluation.accuracy
        for name in ("ann/softmax-1", "ann/lenet5-1", "bo/runs/softmax-1")
    }
    expected = sorted(accuracies.items(), key=lambda one: -one[1])
    assert ranked(html) == [(name, f"{accuracy:.2%}") for name, accuracy in expected]
    assert "the 360 images of the test part of optdigits" in html
    assert "its folder says" not in html
    for said in (html, done.stderr):
        assert "cy/softmax-1" in said
        assert "it is not finished" in said
        assert "di/softmax-1" in said
        assert "there is no model.onnx in it" in said


def test_figures_that_were_edited_do_not_count(mnistry: Command, class_folder: Path) -> None:
    path = class_folder / "bo" / "runs" / "softmax-1" / "evaluation.json"
    before = Run.open(path.parent).evaluation
    figures = json.loads(path.read_text())
    counts = [sum(row) for row in figures["confusion"]]
    figures["confusion"] = [[count * (i == j) for j in range(10)] for i, count in enumerate(counts)]
    for bin_ in figures["reliability_bins"]:
        bin_["correct"] = bin_["count"]
    path.write_text(json.dumps({**figures, "correct": figures["n"], "accuracy": 1.0}))
    assert mnistry("report", "--leaderboard", "class", "--output", "board.html").returncode == 0
    html = Path("board.html").read_text("utf-8")
    assert dict(ranked(html))["bo/runs/softmax-1"] == f"{before.accuracy:.2%}"
    assert f"its folder says 360 right of 360, measured are {before.correct}" in html
    assert not (class_folder / "leaderboard.html").exists()


def test_other_data_to_measure_with(
    mnistry: Command, class_folder: Path, optdigits: Dataset, refused: Refused
) -> None:
    half = replace(optdigits, train=optdigits.train[:400], test=optdigits.test[:180])
    write(half, Path("half"), "idx")
    assert mnistry("report", "--leaderboard", "class", "--data", "half").returncode == 0
    html = (class_folder / "leaderboard.html").read_text("utf-8")
    assert "the 180 images" in html
    assert html.count("trained with other data: optdigits") == 3
    refused(mnistry("report", "--leaderboard", "class", "--data", "nowhere"), "nowhere")


def test_what_cannot_be_a_leaderboard(mnistry: Command, class_folder: Path, refused: Refused) -> None:
    refused(mnistry("report", "--leaderboard", "nowhere"), "nowhere", "no such folder of runs")
    refused(mnistry("report", "--leaderboard", "class/cy"), "no finished run in it or below it")
    refused(mnistry("report", "--leaderboard", "class/di"), "no run can be measured", "no model.onnx")
    refused(
        mnistry("report", "class/ann/softmax-1", "--leaderboard", "class"), "--leaderboard takes all runs"
    )
    refused(mnistry("report", "class/ann/softmax-1", "--data", "mnist"), "--data and --data-dir go with")
    refused(mnistry("report", "--leaderboard", "class", "--output", "nowhere/a.html"), "--output")
