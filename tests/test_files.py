import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from mnistry.errors import DataError, RunError
from mnistry.files import open_regular, read_regular
from mnistry.history import History
from mnistry.reading.batch import ReadingTable
from mnistry.reading.classifier import Classifier
from mnistry.reading.labels import read_labels


def test_a_regular_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"content"
    assert read_regular(str(tmp_path / "file"), most_bytes=7) == b"content"


def test_a_file_that_is_too_long(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    with pytest.raises(OSError, match="more than the 6 bytes that are accepted"):
        read_regular(tmp_path / "file", most_bytes=6)


@pytest.mark.timeout(60)
def test_what_is_no_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to("pipe.png")
    for name in ("pipe.png", "link.png"):
        with pytest.raises(OSError, match=r"it is a named pipe \(FIFO\), not a regular file"):
            open_regular(tmp_path / name)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "socket.png"))
        with pytest.raises(OSError, match="it is a socket, not a regular file"):
            open_regular(tmp_path / "socket.png")
    with pytest.raises(OSError, match="it is a device, not a regular file"):
        open_regular("/dev/zero")
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "missing")


@pytest.mark.timeout(60)
def test_a_file_that_becomes_a_pipe_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    open_really = os.open
    monkeypatch.setattr(os, "open", lambda path, flags: open_really(tmp_path / "pipe", flags))
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(tmp_path / "file")


@pytest.mark.timeout(60)
def test_pipes_in_place_of_models_tables_and_runs(tmp_path: Path) -> None:
    for name in ("model.onnx", "labels.tsv", "digits.csv", "metrics.jsonl"):
        os.mkfifo(tmp_path / name)
    refused: list[tuple[type[Exception], Callable[[], object]]] = [
        (RunError, lambda: Classifier.load(tmp_path)),
        (RunError, lambda: Classifier.load(tmp_path / "model.onnx")),
        (DataError, lambda: read_labels(tmp_path)),
        (OSError, lambda: ReadingTable(tmp_path / "digits.csv", resume=True)),
        (OSError, lambda: History(tmp_path / "metrics.jsonl").read()),
        (OSError, lambda: History(tmp_path / "metrics.jsonl").last()),
    ]
    for error, opens in refused:
        with pytest.raises(error, match=r"named pipe \(FIFO\), not a regular file"):
            opens()
