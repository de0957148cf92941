"""What the tests of kernels share."""

from collections.abc import Callable

import pytest

from mnistry.native import calls
from mnistry.native.library import VARIABLE, library


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has an instruction set used, if this processor has it."""

    def chosen(name: str) -> None:
        monkeypatch.setenv(VARIABLE, name)
        found = library()
        assert found.said == name or "this processor has no" in found.said
        if found.handlers is None:
            monkeypatch.setenv(VARIABLE, "plain")
        assert calls.usable()

    return chosen
