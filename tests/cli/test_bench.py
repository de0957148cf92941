"""`mnistry bench`."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]


def test_every_recipe_asked_for_is_trained_and_measured(mnistry: Command) -> None:
    done = mnistry("bench", "--recipes", "softmax", "--data", "optdigits", "--seeds", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert "softmax (1 of 1), seed 1 (2 of 2)" in done.stderr
    (row,) = json.loads(done.stdout)["recipes"]
    assert (row["recipe"], row["parameters"], row["n"]) == ("softmax", 7850, 2)
    assert 0.85 < row["accuracy"] < 1
    assert row["sd"] >= 0
    assert abs(row["images_per_second"] * row["seconds"] - 1000 * 100) < 1


def test_the_table_has_a_line_for_each_recipe(mnistry: Command) -> None:
    done = mnistry("bench", "--recipes", "softmax", "--data", "optdigits", "--seeds", "1")
    assert done.returncode == 0, done.stderr
    assert "images a second" in done.stdout
    assert done.stdout.split()[-6:-4] == ["softmax", "7,850"]
    assert done.stdout.split()[-1] == "(1)"


def test_wrong_input_is_refused(mnistry: Command, refused: Refused) -> None:
    refused(mnistry("bench", "--recipes", "dish"), "Did you mean 'dash'")
    refused(mnistry("bench", "--seeds", "0"), "--seeds must be at least 1, not 0")
