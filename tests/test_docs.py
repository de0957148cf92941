"""The sessions that the pages of `docs` show are run, and give what they show."""

import doctest
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
SESSION = re.compile(r"^```pycon\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = sorted(path for path in DOCS.glob("*.md") if SESSION.search(path.read_text()))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.stem)
def test_the_sessions_of_a_page(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sessions = "\n".join(SESSION.findall(page.read_text()))
    test = doctest.DocTestParser().get_doctest(sessions, {}, page.name, str(page), 0)
    runner = doctest.DebugRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert runner.run(test).attempted > 3


def test_pages_with_sessions_are_there() -> None:
    assert {path.stem for path in PAGES} >= {"own-models", "scikit-learn"}
