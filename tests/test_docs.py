"""The pages of the book: their sessions give what they show, and both languages run the same."""

import doctest
import re
from pathlib import Path

import jupytext
import pytest

DOCS = Path(__file__).parent.parent / "docs"
SESSION = re.compile(r"^```pycon\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = sorted(path for path in (DOCS / "en").glob("*.md") if SESSION.search(path.read_text()))
IN_BOTH = sorted(path.name for path in (DOCS / "en").glob("*.md"))
FENCE = re.compile(r"^(`{3,})([^`\n]*)\n(.*?)^\1$", re.DOTALL | re.MULTILINE)
TYPED = ("", "text", "sh", "js", "python", "pycon")
NUMBER = re.compile(r"\d(?:[\d.,]*\d)?")


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


def typed(path: Path) -> list[str]:
    """What a page shows to be typed, of mnistry and of the old programs, without what is said of it."""
    shown = [block for _, kind, block in FENCE.findall(path.read_text()) if kind.strip() in TYPED]
    return [re.sub(r"\s+(#|//) .*", "", block) for block in shown]


def tabulated(path: Path) -> list[list[str]]:
    """The numbers in each row of a page's tables."""
    return [NUMBER.findall(line) for line in path.read_text().splitlines() if line.startswith("|")]


def test_each_page_is_there_in_both_languages() -> None:
    english, chinese = (sorted(path.name for path in (DOCS / code).glob("*.md")) for code in ("en", "zh"))
    assert english == chinese
    trees = [
        re.findall(r"^[a-z-]+$", (DOCS / code / "index.md").read_text(), re.MULTILINE)
        for code in ("en", "zh")
    ]
    assert trees[0] == trees[1]
    assert {f"{name}.md" for name in trees[0]} | {"index.md"} == set(english)


@pytest.mark.parametrize("page", IN_BOTH)
def test_both_languages_tell_the_same_commands_and_figures(page: str) -> None:
    assert typed(DOCS / "en" / page) == typed(DOCS / "zh" / page)
    assert tabulated(DOCS / "en" / page) == tabulated(DOCS / "zh" / page)
