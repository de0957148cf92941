import json
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from mnistry.errors import InvalidValueError
from mnistry.evaluation.by_writer import ByWriter, WriterFigures

LABELS = np.array([0, 1, 2, 3, 4, 5])
READ = np.array([0, 1, 2, 9, 9, 9])
LOGITS = np.eye(10)[READ] * 5
WRITERS = np.array([11, 11, 22, 22, 33, 33])
SERIES = np.array([0, 0, 1, 1, 4, 4])


def test_mistakes_are_counted_by_group_and_writer() -> None:
    found = ByWriter.of(LOGITS, LABELS, WRITERS, SERIES)
    assert {name: (one.n, one.errors) for name, one in found.groups.items()} == {
        "census staff": (4, 1),
        "students": (2, 2),
    }
    assert found.writers == [
        WriterFigures(33, "students", 2, 2),
        WriterFigures(22, "census staff", 2, 1),
        WriterFigures(11, "census staff", 2, 0),
    ]
    saved = json.loads(json.dumps(found.to_json()))
    assert saved["groups"]["census staff"]["accuracy"] == 0.75
    assert saved["groups"]["census staff"]["writers"] == 2
    assert saved["writers"][0] == {"writer": 33, "group": "students", "n": 2, "errors": 2}


def test_the_tables() -> None:
    text = StringIO()
    Console(file=text, width=120).print(ByWriter.of(LOGITS, LABELS, WRITERS, SERIES).render())
    rows = [line.split() for line in text.getvalue().splitlines()]
    assert ["census", "staff", "2", "4", "1", "75.00%", "30.06%", "to", "95.44%", "1"] in rows
    assert ["33", "students", "2", "2"] in rows
    assert ["11", "census", "staff", "2", "0"] not in rows, "who is read without a mistake is not named"


def test_what_does_not_fit() -> None:
    with pytest.raises(InvalidValueError, match="found 6, 6, 5 and 6"):
        ByWriter.of(LOGITS, LABELS, WRITERS[1:], SERIES)
    with pytest.raises(InvalidValueError, match="found 0, 0, 0 and 0"):
        ByWriter.of(LOGITS[:0], LABELS[:0], WRITERS[:0], SERIES[:0])


SHIPPED = Path(__file__).parents[2] / "src/mnistry/reading/classifier.onnx"


def test_the_command_on_mnist(real_data: Path, mnistry: Callable[..., Any]) -> None:
    done = mnistry("evaluate", SHIPPED, "--data-dir", real_data, "--by", "writer", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)["by_writer"]
    students, staff = (found["groups"][name] for name in ("students", "census staff"))
    # The test's first half and one digit of its second half are by students; 297 people wrote it.
    assert (students["n"], staff["n"]) == (5001, 4999)
    assert len(found["writers"]) == students["writers"] + staff["writers"] == 297
    assert students["accuracy"] < staff["accuracy"]
    assert sum(one["errors"] for one in found["writers"]) == 10_000 - students["correct"] - staff["correct"]


def test_where_writers_are_not_known(mnistry: Callable[..., Any]) -> None:
    done = mnistry("evaluate", SHIPPED, "--data", "optdigits", "--by", "writer")
    assert done.returncode == 2
    assert "the writers of 'optdigits' are not known; only mnist and qmnist have a table" in done.stderr
    done = mnistry("evaluate", SHIPPED, "--data", "optdigits", "--by", "writer", "--part", "train")
    assert done.returncode == 2
    assert "--by writer goes with --part test or all, not with train" in done.stderr
