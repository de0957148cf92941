"""`mnistry sweep`: what it prints, and that the other commands work on what it leaves."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]


def test_a_sweep_and_what_other_commands_make_of_it(mnistry: Command, tmp_path: Path) -> None:
    settings = ("--set", "learning_rate=0.001,0.002,0.5", "steps=20")
    command = ("sweep", "softmax", "--data", "optdigits", *settings)
    done = mnistry(*command)
    assert done.returncode == 0, done.stderr
    table, said = done.stdout.rstrip().split("\nchosen: ")
    assert len(table.splitlines()) == 4
    assert said.startswith("softmax learning_rate=0.5 steps=20: test accuracy 0.")
    assert done.stderr.count("on validation") == 3
    again = json.loads(mnistry(*command, "--json").stdout)
    assert (again["chosen"], len(again["tried"])) == ("softmax learning_rate=0.5 steps=20", 3)
    assert [Path(one["run"]).name for one in again["test"]] == ["softmax-3"]

    listed = json.loads(mnistry("runs", "sweep", "--json").stdout)["runs"]
    assert [one["part"] for one in listed] == ["validation", "validation", "test"]
    assert mnistry("runs", "sweep").stdout.count("validation") == 2
    two = json.loads(mnistry("compare", "sweep/softmax-1", "sweep/softmax-2", "--json").stdout)
    assert two["mcnemar"] is not None
    other = json.loads(mnistry("compare", "sweep/softmax-1", "sweep/softmax-3", "--json").stdout)
    assert (other["mcnemar"], "different test parts" in other["note"]) == (None, True)
    report = mnistry("report", "sweep/softmax-1", "sweep/softmax-2", "--output", "two.html")
    assert report.returncode == 0, report.stderr
    assert (tmp_path / "two.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name at least one recipe"),
        (("softmaks",), "Did you mean 'softmax'"),
        (("softmax", "--set", "learning_rate"), "expected FIELD=VALUE"),
        (("softmax", "--set", "learning_rate=0.1..1.0"), "--search random"),
        (("softmax", "--search", "optuna"), "--cluster local"),
        (("softmax", "--cluster", "127.0.0.1:1"), "no Ray cluster can be reached there"),
        (("reader",), "takes recipes of single images"),
    ],
)
def test_refusals(
    mnistry: Command, tmp_path: Path, refused: Refused, arguments: tuple[str, ...], message: str
) -> None:
    refused(mnistry("sweep", *arguments), message)
    assert not (tmp_path / "sweep").exists()
