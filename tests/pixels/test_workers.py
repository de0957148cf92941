"""Decoding where it can be killed: bounded, by many threads, and the next picture never suffers."""

import io
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistry.data.decode import open_picture
from mnistry.errors import BusyError, PictureError, PictureFormatError, PictureSizeError
from mnistry.pixels import worker, workers
from mnistry.pixels.unpacked import MOST_PIXELS
from mnistry.pixels.workers import unpack_apart

SLOW = b"P5\n5000 4000\n254\n" + bytes(20_000_000)
"""A picture that Pillow's decoder takes half a minute for."""
IMAGE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (30, 40), np.uint8))


def bmp() -> bytes:
    file = io.BytesIO()
    IMAGE.save(file, "BMP")
    return file.getvalue()


@pytest.fixture
def pool(monkeypatch: pytest.MonkeyPatch) -> Iterator[workers._Pool]:
    """A pool of this test's own."""
    own = workers._Pool()
    monkeypatch.setattr(workers, "_pools", [own])
    yield own
    own.end()


def test_the_pixels_are_the_same(pool: workers._Pool, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff\xfe seven.bmp")
    path.write_bytes(bmp())
    for source in (path, bmp()):
        found = unpack_apart(source, None, MOST_PIXELS)
        assert found.image.tobytes() == IMAGE.tobytes()
        assert (found.size, found.frames) == ((40, 30), 1)
    assert len(pool._idle) == 1, "one process decodes one picture after the other"


def test_errors_are_the_same(pool: workers._Pool) -> None:
    with pytest.raises(PictureFormatError, match="not a picture in a format that can be read"):
        unpack_apart(b"seven", None, MOST_PIXELS)
    with pytest.raises(PictureError, match="damaged"):
        unpack_apart(bmp()[:-20], None, MOST_PIXELS)
    with pytest.raises(PictureError, match="cannot be read: No such file"):
        unpack_apart(Path("absent.bmp"), None, MOST_PIXELS)
    with pytest.raises(PictureSizeError, match="at most 100 are read"):
        unpack_apart(bmp(), None, 100)
    assert len(pool._idle) == 1


def test_what_takes_too_long_is_given_up(pool: workers._Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "SECONDS", 0)
    with pytest.raises(PictureSizeError, match=r"takes longer than 0 seconds to decode.*save it as PNG"):
        unpack_apart(SLOW, None, MOST_PIXELS)
    assert not pool._idle
    assert unpack_apart(bmp(), None, MOST_PIXELS).image.tobytes() == IMAGE.tobytes()


def test_a_deadline_holds_while_decoding_and_while_waiting(
    pool: workers._Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "_places", threading.BoundedSemaphore(2))
    start = time.monotonic()
    with ThreadPoolExecutor(4) as threads:
        tried = [threads.submit(unpack_apart, SLOW, None, MOST_PIXELS, start + 1) for _ in range(4)]
    errors = [str(future.exception()) for future in tried]
    assert time.monotonic() - start < 20  # one of these pictures takes half a minute
    waited = [future.exception() for future in tried if "other pictures" in str(future.exception())]
    assert all(type(error) is BusyError for error in waited), "nothing is wrong with these pictures"
    assert sum("takes longer than" in error for error in errors) >= 2
    assert any("other pictures take all the time" in error for error in errors)
    assert unpack_apart(bmp(), None, MOST_PIXELS).image.tobytes() == IMAGE.tobytes()


def test_memory_is_bounded(pool: workers._Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    file = io.BytesIO()
    Image.new("RGBA", (6000, 6000)).save(file, "PNG", compress_level=1)
    monkeypatch.setattr(workers, "MEMORY", 200_000_000)
    with pytest.raises(PictureSizeError, match="too much memory"):
        unpack_apart(file.getvalue(), 2048, MOST_PIXELS)
    assert unpack_apart(bmp(), None, MOST_PIXELS).image.tobytes() == IMAGE.tobytes()


def test_limits_are_never_raised_over_those_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    set_to: list[tuple[int, int]] = []

    def refuse(kind: int, limits: tuple[int, int]) -> None:
        set_to.append(limits)
        raise ValueError("current limit exceeds maximum limit")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    for hard, expected in ((resource.RLIM_INFINITY, 700), (900, 700), (300, 300)):
        monkeypatch.setattr(resource, "getrlimit", lambda _, hard=hard: (hard, hard))
        worker._limit(resource.RLIMIT_AS, 700)
        assert set_to.pop() == (expected, hard)


def test_a_worker_that_died_is_replaced(pool: workers._Pool) -> None:
    unpack_apart(bmp(), None, MOST_PIXELS)
    (idle,) = pool._idle
    idle.process.send_signal(signal.SIGKILL)
    idle.process.wait()
    assert unpack_apart(bmp(), None, MOST_PIXELS).image.tobytes() == IMAGE.tobytes()


def test_while_one_is_slow_others_are_read(pool: workers._Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "SECONDS", 1)
    png = io.BytesIO()
    IMAGE.save(png, "PNG")
    with ThreadPoolExecutor(1) as thread:
        slow = thread.submit(open_picture, io.BytesIO(SLOW))
        for _ in range(5):
            open_picture(png)
            unpack_apart(bmp(), None, MOST_PIXELS)
        assert not slow.done()
        assert isinstance(slow.exception(), PictureSizeError)


def test_the_processes_are_told_no_secrets(pool: workers._Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MNISTRY_TOKEN", "a secret")
    monkeypatch.setenv("LANG", "C.UTF-8")
    unpack_apart(bmp(), None, MOST_PIXELS)
    (idle,) = pool._idle
    told = Path(f"/proc/{idle.process.pid}/environ")
    if not told.exists():
        pytest.skip("this system does not show what a process was told")
    names = {entry.partition(b"=")[0].decode() for entry in told.read_bytes().split(b"\0") if entry}
    assert {"PYTHONPATH", "LANG"} <= names <= {"PYTHONPATH", "OPENBLAS_NUM_THREADS", *workers._NEEDED}


def test_a_process_that_cannot_be_started_is_no_fault_of_the_picture(
    pool: workers._Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", fail)
    with pytest.raises(BusyError, match="cannot be decoded now: Cannot allocate memory"):
        unpack_apart(bmp(), None, MOST_PIXELS)


def test_many_threads(pool: workers._Pool) -> None:
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda _: unpack_apart(bmp(), None, MOST_PIXELS).image.tobytes(), range(60)))
    assert found == [IMAGE.tobytes()] * 60
    assert len(pool._idle) <= workers.PLACES


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_script_without_a_guard_and_its_children(tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('a file of the current folder was imported')")
    script = tmp_path / "script.py"
    script.write_text(
        "import os, sys\n"
        "sys.path.pop(0)\n"
        "from mnistry.data.decode import open_picture\n"
        "print(open_picture(sys.argv[1]).size, flush=True)\n"
        "if child := os.fork():\n"
        "    assert os.waitpid(child, 0)[1] == 0\n"
        "print(open_picture(sys.argv[1]).size, flush=True)\n"
    )
    (tmp_path / "page.bmp").write_bytes(bmp())
    command = [sys.executable, "-W", "error", str(script), "page.bmp"]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert result.stdout == "(40, 30)\n" * 3
    assert not result.stderr
