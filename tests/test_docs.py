"""The pages of the book: their sessions give what they show, and both languages run the same."""

import doctest
import re
from pathlib import Path

import jupytext
import pytest

DOCS = Path(__file__).parent.parent / "docs"
SESSION = re.compile(r"^```pycon\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = sorted(path for path in (DOCS / "en").glob("*.md") if SESSION.search(path.read_text()))
IN_BOTH = sorted(path.name for path in (DOCS / "en").glob("*.md") if (DOCS / "zh" / path.name).exists())


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_sessions_of_a_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sessions = "\n".join(SESSION.findall(page.read_text()))
    test = doctest.DocTestParser().get_doctest(sessions, {}, page.name, str(page), 0)
    runner = doctest.DebugRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert runner.run(test).attempted > 3


def test_pages_with_sessions_are_there() -> None:
    assert {path.stem for path in PAGES} >= {"own-models", "scikit-learn"}


def code(path: Path) -> list[str]:
    """What a page runs: its cells, and its sessions."""
    cells = [cell.source for cell in jupytext.read(path).cells if cell.cell_type == "code"]
    return cells + SESSION.findall(path.read_text())


@pytest.mark.parametrize("page", IN_BOTH)
def test_both_languages_run_the_same(page: str) -> None:
    assert code(DOCS / "en" / page) == code(DOCS / "zh" / page)


def test_the_programs_are_there_in_both_languages() -> None:
    programs = ("softmax", "softmax-sum", "perceptron", "lstm", "scratch", "printed-numbers")
    assert {"index.md", "lesson.md", *(f"{name}.md" for name in programs)} <= set(IN_BOTH)
