"""The lesson is run as a notebook runs it."""

from pathlib import Path

import jupytext
import pytest

LESSON = Path(__file__).parent.parent / "docs" / "en" / "lesson.md"


def code(path: Path) -> list[str]:
    """The cells of a notebook that are run."""
    return [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]


@pytest.mark.slow
def test_the_lesson(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    names: dict[str, object] = {}
    printed = []
    for number, cell in enumerate(code(LESSON)):
        exec(compile(cell, f"cell {number}", "exec"), names)
        printed.append(capsys.readouterr().out)
        names["plt"].close("all")  # type: ignore[attr-defined]
    shapes, _, nearest_mean, softmax, _, network, widths, confusion, paper, board = printed
    assert shapes.startswith("(1437, 28, 28) (360, 28, 28) [")
    assert 0.8 < share(nearest_mean) < share(softmax) < max(map(share, network.splitlines()))
    assert share(widths.splitlines()[0]) < share(widths.splitlines()[-1])
    assert confusion.count("[") == 11
    assert paper.endswith("('7',)\n")
    assert board.endswith("class/leaderboard.html: 7 runs\n")
    assert (tmp_path / "class" / "leaderboard.html").stat().st_size > 10_000


def share(line: str) -> float:
    """The first percentage in a line."""
    return float(line.split("%")[0].split()[-1]) / 100
