import io
import subprocess
import sys

import numpy as np
import pytest
from rich.console import Console, RenderableType

from mnistry.errors import InvalidValueError
from mnistry.evaluation.compare import McNemar
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.text import render_comparison, render_table


def lines(renderable: RenderableType, width: int = 80) -> list[list[str]]:
    """The words of each line."""
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(renderable)
    assert isinstance(console.file, io.StringIO)
    return [line.split() for line in console.file.getvalue().splitlines()]


@pytest.fixture
def three() -> Evaluation:
    return Evaluation.of(np.log([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]]), np.array([0, 0, 1]), classes=2)


def test_the_terminal_shows_headline_classes_and_confusion(three: Evaluation) -> None:
    shown = lines(render_table(three, ["[red]cat", "dog"]))
    assert " ".join(shown[0]) == "accuracy 66.67% 95% interval 20.77% to 93.85%"
    assert "mistakes 1 of 3 · macro F1 0.6667 · log" in " ".join(shown[1])
    assert ["[red]cat", "100.00%", "50.00%", "0.6667", "2"] in shown
    assert ["dog", "50.00%", "100.00%", "0.6667", "1"] in shown
    assert ["mean", "75.00%", "75.00%", "0.6667", "3"] in shown
    assert ["[red]cat", "1", "1"] in shown
    assert ["dog", "·", "1"] in shown


def test_ten_digits_fit_in_eighty_columns() -> None:
    evaluation = Evaluation.of(np.eye(10).repeat(1200, axis=0), np.arange(10).repeat(1200))
    shown = lines(render_table(evaluation, [str(digit) for digit in range(10)]))
    assert ["9", *"·" * 9, "1200"] in shown


def test_runs_side_by_side(three: Evaluation) -> None:
    shown = lines(render_comparison({"[b]one": three, "two": three + three}, McNemar(1, 5, 0.21875)), 100)
    assert shown[3][:5] == ["[b]one", "66.67%", "20.77%–93.85%", "1", "3"]
    assert shown[4][:2] == ["two", "66.67%"]
    words = " ".join(word for line in shown for word in line)
    assert "right where the other is wrong: [b]one 1, two 5; p = 0.22 (McNemar, exact, two-sided)" in words
    assert "would often differ" in words
    rare = lines(render_comparison({"one": three, "two": three}, McNemar(0, 9, 0.0039)))
    assert "rarely" in {word for line in rare for word in line}


def test_what_must_be_known_stands_below(three: Evaluation) -> None:
    shown = lines(render_comparison({"one": three, "two": three + three}, note="[other] data"), 100)
    assert [line[4] for line in shown[3:5]] == ["3", "6"]
    assert ["[other]", "data"] in shown


def test_runs_alone_have_no_verdict(three: Evaluation) -> None:
    assert not any("McNemar" in " ".join(line) for line in lines(render_comparison({"one": three})))


def test_nothing_evaluated_is_an_error() -> None:
    with pytest.raises(InvalidValueError, match="empty"):
        render_table(Evaluation.of(np.zeros((0, 2)), np.zeros(0, int), 2), ["a", "b"])


def test_measuring_imports_nothing_heavy() -> None:
    modules = "compare, intervals, metrics, mistakes, pictures, report, text"
    heavy = "{'jax', 'sklearn', 'scipy', 'jinja2', 'resvg_py'}"
    code = (
        f"from mnistry.evaluation import {modules}; import sys; print(sorted({heavy} & sys.modules.keys()))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
