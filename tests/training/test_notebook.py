"""What a notebook shows: a bar by default while a run is trained, and a run as a table."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mnistry.recipes import RECIPES
from mnistry.training import train

SHORT = RECIPES["softmax"].changed(steps=40, log_every=10, validate_every=20)


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What IPython would show; one that is updated takes the place of itself."""
    found: list[str] = []

    class Handle:
        def __init__(self, place: int) -> None:
            self.place = place

        def update(self, content: Any) -> None:
            found[self.place] = str(content)

    def display(content: Any, display_id: bool = False) -> Handle | None:
        found.append(str(content))
        return Handle(len(found) - 1) if display_id else None

    module = ModuleType("IPython.display")
    module.HTML, module.display = str, display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    return found


def test_a_notebook_shows_a_bar_by_default(shown: list[str], tmp_path: Path) -> None:
    train(SHORT, data="optdigits", runs=tmp_path)
    (bar,) = (one for one in shown if one.startswith("<progress"))
    assert 'value="40" max="40"' in bar
    assert "step 40 of 40" in bar
    assert re.search(r"mean loss 0\.\d+ .* validation accuracy 0\.\d{4}", bar)


def test_elsewhere_nothing_is_shown_by_default(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = train(SHORT, data="optdigits", runs=tmp_path)
    assert capsys.readouterr() == ("", "")
    html = run._repr_html_()
    text = re.sub("<[^>]*>", "|", html)
    for part in ("softmax-1", "|optdigits|", "|done|", "|40 of 40|", f"{run.evaluation.accuracy:.4f} (95 %:"):
        assert part in text
    (run.path / "evaluation.json").unlink()
    again = type(run).open(run.path)
    assert "|stopped|" in re.sub("<[^>]*>", "|", again._repr_html_())
    named = SHORT.changed(name="<b>", steps=1)
    assert "&lt;b&gt;" in train(named, data="optdigits", runs=tmp_path)._repr_html_()
