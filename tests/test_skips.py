"""In CI nothing that must run is skipped: the rule that conftest.py adds to pytest."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = """
import pytest

def test_that_runs():
    pass

@pytest.mark.skipif(True, reason="no browser")
def test_that_is_marked():
    pass

@pytest.fixture
def browser():
    pytest.skip("no driver")

def test_whose_fixture_is_missing(browser):
    pass

def test_on_real_data(real_data):
    pass

def test_on_real_digits(mnist):
    pass

@pytest.mark.xfail(strict=True)
def test_that_is_known_to_fail():
    assert False
"""
MODULE = "import pytest\npytest.importorskip('a_library_that_is_missing')\n"


@pytest.mark.parametrize(
    ("ci", "outcomes", "refused"),
    [
        ("", "1 passed, 5 skipped, 1 xfailed", ()),
        ("true", "1 passed, 2 skipped, 1 xfailed, 3 errors", ("no browser", "no driver", "could not import")),
    ],
)
def test_in_ci_only_real_data_may_be_missing(
    tmp_path: Path, ci: str, outcomes: str, refused: tuple[str, ...]
) -> None:
    shutil.copy(Path(__file__).with_name("conftest.py"), tmp_path)
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_module.py").write_text(MODULE)
    flags = ("-p", "no:cacheprovider", "--continue-on-collection-errors")
    own = {"CI": ci, "MNISTRY_DATA": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *flags, tmp_path],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | own,
    )
    assert outcomes in done.stdout
    assert done.returncode == (1 if ci else 0)
    for reason in refused:
        assert f"where CI is set, this must run. Skipped: {reason}" in done.stdout
