"""`mnistry read --out`: what it says, what it refuses, and its exit status."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from PIL import Image

from mnistry.cluster import reading

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]


def test_a_table_is_written_and_gone_on_with(mnistry: Command, tmp_path: Path, refused: Refused) -> None:
    Image.new("L", (20, 20), 255).save(tmp_path / "blank.png")
    (tmp_path / "list.csv").write_text("uri,shelf\nblank.png,1\nabsent.png,2\n")
    done = mnistry("read", "list.csv", "--out", "table")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "mnistry: table: 1 read, 1 failed: see the column error\n"
    refused(mnistry("read", "list.csv", "--out", "table"), "table exists already", "--resume")
    Image.new("L", (20, 20), 255).save(tmp_path / "absent.png")
    done = mnistry("read", "list.csv", "--out", "table", "--resume")
    assert (done.returncode, done.stderr) == (0, "mnistry: table: 1 read, 1 read before\n")


def test_who_interrupts_is_told_how_to_go_on(
    mnistry: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **settings: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(reading, "read_manifest", interrupted)
    done = mnistry("read", "list.csv", "--out", "table")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.endswith("read is in table: the same command with --resume goes on\n")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--cluster", "local"), "--cluster and --rows are for tables"),
        (("--rows", "5"), "name one with --out"),
        (("--out", "table", "--rows", "0"), "--rows must be at least 1"),
        (("--out", "table", "--json"), "--out writes a table"),
        (("--out", "table", "--csv", "t.csv"), "--out writes a table"),
        (("--out", "table", "--explain"), "--out writes a table"),
        (("--out", "table", "--cluster", "127.0.0.1:1"), "no Ray cluster can be reached there"),
        (("--out", "table", "--model", "nowhere"), "nowhere"),
    ],
)
def test_refusals(
    mnistry: Command, tmp_path: Path, refused: Refused, flags: tuple[str, ...], message: str
) -> None:
    (tmp_path / "list.csv").write_text("uri\na.png\n")
    refused(mnistry("read", "list.csv", *flags), message)
    assert not (tmp_path / "table").exists()
