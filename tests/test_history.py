"""Rows of metrics outlast whatever happens to their file, and what is lost is told."""

from pathlib import Path

import pytest

from mnistry.errors import RunError
from mnistry.history import History

GOOD = b'{"step": 1, "loss": 2.5}\n{"step": 2, "loss": 2.0}\n'


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "metrics.jsonl")


def test_rows_come_back_as_they_were_added(history: History) -> None:
    assert history.read() == ([], None)
    assert history.last() == {}
    history.sync()
    rows = [{"step": step, "loss": 1 / step} for step in (1, 2, 5)]
    for row in rows:
        history.append(row)
    history.sync()
    assert history.read() == (rows, None)
    assert history.last() == rows[-1]


@pytest.mark.parametrize("tail", [b'{"step": 3', b"\0" * 5000, b"\xff", b'{"step": 3, "loss": 1.0}'])
def test_what_was_being_written_when_a_process_died_is_not_missed(history: History, tail: bytes) -> None:
    history.path.write_bytes(GOOD + tail)
    rows, problem = history.read()
    assert [row["step"] for row in rows] == [1, 2]
    assert problem is None
    if len(tail) < 100:
        assert history.last()["step"] == 2


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (b'{"step": 2, "lo', "line 2: "),
        (b"\0\0\0\0\0\0", "line 2: "),
        (b'{"loss": "\xff\xfe"}', "line 2: no UTF-8"),
        (b'{"loss": 2.0}', "line 2: expected numbers by name, among them a whole step"),
        (b'{"step": "2"}', "line 2: expected numbers"),
        (b'{"step": 2, "loss": [1]}', "line 2: expected numbers"),
        (b"[2]", "line 2: expected numbers"),
        (b"[" * 100_000, "line 2: "),
        (b'{"step": 1, "loss": 9}', "line 2: step 1 after step 1"),
        (b"", "line 2: "),
    ],
)
def test_a_line_that_is_no_row_is_left_out_and_told_of(history: History, line: bytes, told: str) -> None:
    first, second = GOOD.splitlines(keepends=True)
    history.path.write_bytes(first + line + b"\n" + second)
    rows, problem = history.read()
    assert rows == [{"step": 1, "loss": 2.5}, {"step": 2, "loss": 2.0}]
    assert problem is not None
    assert f"{history.path}: 1 of 3 lines" in problem
    assert told in problem
    assert history.forget_after(1) == problem
    assert history.path.read_bytes() == first
    assert history.read() == ([rows[0]], None)


def test_a_last_line_that_is_no_row_is_an_error_for_who_asks_for_it_alone(history: History) -> None:
    history.path.write_bytes(GOOD + b"\xff\xfe\n")
    with pytest.raises(RunError, match=r"metrics\.jsonl: its last line is damaged: no UTF-8"):
        history.last()
