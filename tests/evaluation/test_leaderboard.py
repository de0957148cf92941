"""The leaderboard: who is ranked where, and who differs significantly from whom."""

import re
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest

from mnistry.errors import InvalidValueError
from mnistry.evaluation.leaderboard import MOST_COMPARED, Entry, Leaderboard, write_leaderboard


def entry(name: str, wrong: range, n: int = 1000, notes: tuple[str, ...] = ()) -> Entry:
    right = np.ones(n, bool)
    right[list(wrong)] = False
    return Entry(name, "mlp", 3, right, notes)


def board(*entries: Entry) -> Leaderboard:
    return Leaderboard("Leaderboard", "mnist", entries, {})


def test_the_order_and_the_tests() -> None:
    runs = board(
        entry("worst", range(200)),
        entry("good", range(900, 930)),
        entry("as good", range(910, 940)),
        entry("best", range(910, 936)),
    )
    assert [one.name for one in runs.ranked] == ["best", "as good", "good", "worst"]
    assert [round(one.accuracy, 3) for one in runs.ranked] == [0.974, 0.97, 0.97, 0.8]
    test, adjusted = runs.tests[0, 1]
    assert (test.only_first, test.only_second) == (4, 0)
    assert test.p_value == pytest.approx(binomtest(0, 4).pvalue)
    assert adjusted == pytest.approx(min(1, 3 * test.p_value))  # after the three with the worst
    assert [runs.not_told_apart(place) for place in range(4)] == ["2, 3", "1, 3", "1, 2", ""]
    assert runs.differ(0, 3)
    assert runs.differ(3, 0)
    assert not runs.differ(1, 2)


def test_a_difference_that_one_pair_shows_is_not_one_among_many() -> None:
    first, second = entry("a", range(20, 29)), entry("b", range(20, 35))  # p = 2 / 2 ** 6
    assert board(first, second).differ(0, 1)
    assert not board(first, second, *(entry(f"c{i}", range(20, 29)) for i in range(5))).differ(0, 6)


def test_more_runs_than_are_compared(tmp_path: Path) -> None:
    runs = board(*(entry(f"run-{i}", range(i)) for i in range(MOST_COMPARED + 5)))
    assert len(runs.compared) == MOST_COMPARED
    assert len(runs.tests) == MOST_COMPARED * (MOST_COMPARED - 1) // 2
    write_leaderboard(tmp_path / "board.html", runs)
    html = (tmp_path / "board.html").read_text("utf-8")
    assert html.count('<td class="text">not compared</td>') == 5
    assert "The 60 most accurate runs." in html


def test_the_page(tmp_path: Path) -> None:
    runs = Leaderboard(
        "Leaderboard: <class>",
        "mnist",
        [entry("ann/mlp-1", range(10)), entry("bo/mlp-1", range(300), notes=("its folder says <more>",))],
        {"cy/mlp-1": "it is not finished"},
    )
    for name in ("one.html", "two.html"):
        write_leaderboard(tmp_path / name, runs)
    content = (tmp_path / "one.html").read_bytes()
    assert content == (tmp_path / "two.html").read_bytes()
    html = content.decode()
    assert "<script" not in html
    assert "style=" not in html.replace("style-src", "")
    assert "Leaderboard: &lt;class&gt;" in html
    assert "its folder says &lt;more&gt;" in html
    assert "the 1,000 images of the test part of mnist" in html
    (row,) = re.findall(r"<tr>(<td class=.place.>1<.*?)</tr>", html, re.DOTALL)
    for part in (
        "ann/<wbr>mlp-1",
        "<td>99.00%</td>",
        "98.17%–99.46%",
        '<td class="more">990</td>',
        ">–</td>",
    ):
        assert part in row
    assert html.count("<rect") == 2
    assert 'class="better"><title>ann/mlp-1 alone right 290, bo/mlp-1 alone 0: p &lt; 0.0001' in html
    assert 'class="worse"' in html
    assert "it is not finished" in html


def test_one_run_alone(tmp_path: Path) -> None:
    write_leaderboard(tmp_path / "one.html", board(entry("a", range(0))))
    html = (tmp_path / "one.html").read_text("utf-8")
    assert "1 run, each" in html
    assert "Who is better" not in html


@pytest.mark.parametrize(
    "entries", [(), (entry("a", range(0), 0),), (entry("a", range(1), 5), entry("b", range(1), 6))]
)
def test_what_is_no_board(entries: tuple[Entry, ...]) -> None:
    with pytest.raises(InvalidValueError, match="a leaderboard needs at least one run and one image"):
        board(*entries)
