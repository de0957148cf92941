"""`mnistry compare`: only what was measured on the same images is tested against each other."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from mnistry.data import Dataset
from mnistry.data.convert import write

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module")
def others(optdigits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs on fewer test images, and on other training images with the same test part."""
    from mnistry.training import train

    folder = tmp_path_factory.mktemp("others")
    write(replace(optdigits, test=optdigits.test[:100]), folder / "fewer", "idx")
    write(replace(optdigits, train=optdigits.train[100:]), folder / "same-test", "idx")
    for name in ("fewer", "same-test"):
        train("softmax", data=folder / name, steps=20, runs=folder / "runs")
    return folder / "runs"


def test_runs_on_other_images_are_not_compared(mnistry: Command, trained: Path, others: Path) -> None:
    pair = (trained / "softmax-1", others / "softmax-1")
    result = json.loads(mnistry("compare", *pair, "--json").stdout)
    assert [(one["data"], one["n"]) for one in result["runs"]] == [
        ("optdigits", 360),
        (str(others.parent / "fewer"), 100),
    ]
    assert result["mcnemar"] is None
    assert "optdigits, 360 images" in result["note"]
    assert f"{others.parent / 'fewer'}, 100 images" in result["note"]
    assert "McNemar's test, which needs the same images, does not apply" in result["note"]
    done = mnistry("compare", *pair, trained / "softmax-2")
    assert done.returncode == 0, done.stderr
    assert "their figures cannot be compared" in " ".join(done.stdout.split())


def test_the_same_images_from_other_files_are(mnistry: Command, trained: Path, others: Path) -> None:
    done = mnistry("compare", trained / "softmax-1", others / "softmax-2", "--json")
    result = json.loads(done.stdout)
    assert result["note"] is None
    correct = [one["correct"] for one in result["runs"]]
    test = result["mcnemar"]
    assert test["only_first"] - test["only_second"] == correct[0] - correct[1]


def test_more_than_two_runs_stand_side_by_side(mnistry: Command, trained: Path) -> None:
    runs = [trained / f"softmax-{number}" for number in (1, 2, 3)]
    result = json.loads(mnistry("compare", *runs, "--json").stdout)
    assert (len(result["runs"]), result["mcnemar"], result["note"]) == (3, None, None)
