"""A book with an error in a cell, or with a printed number outside of its band, is not built."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
HEAD = (DOCS / "en" / "softmax.md").read_text().split("# ")[0]
OUTSIDE = """from book.printed import Printed, require_inside
require_inside({Printed("softmax", "accuracy", "0.98"): (0.909, 0.927)})"""


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        (OUTSIDE, "AssertionError: softmax, accuracy: 0.98 is not in 0.909 to 0.927"),
    ],
    ids=["error", "outside"],
)
def test_the_build_fails(cell: str, said: str, tmp_path: Path) -> None:
    source = tmp_path / "en"
    source.mkdir()
    (source / "index.md").write_text(f"{HEAD}# A page\n\n```{{code-cell}} ipython3\n{cell}\n```\n")
    command = [sys.executable, "-m", "sphinx", "-q", "-T", "-W", "--keep-going", "-c", str(DOCS)]
    command += ["-D", "nb_execution_mode=force", str(source), str(tmp_path / "site")]
    built = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"BOOK_LANGUAGE": "en"}, timeout=240
    )
    assert built.returncode != 0
    assert said in re.sub(r"\x1b\[[\d;]*m", "", built.stderr)
