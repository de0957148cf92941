"""A few processes that decode pictures, each of which can be killed: started when first needed.

`multiprocessing` and what builds on it import the caller's main module again, so that a script without a
guard would run twice; these processes run `pixels.worker` alone.
"""

import atexit
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from PIL import Image

from mnistry import errors
from mnistry.errors import BusyError, PictureError, PictureSizeError
from mnistry.pixels.contents import Contents
from mnistry.pixels.pdf import DPI
from mnistry.pixels.unpacked import Unpacked

SECONDS = 4
"""Of computing for one picture; the largest that is read takes one or two."""
MOST_SECONDS = 6
"""Until a picture whose turn has come is given up, on a machine that has other things to do."""
PLACES = 2 * (os.cpu_count() or 1)
"""Processes that decode at the same time: more than cores, as a few that take long shall leave room."""
MEMORY = 800_000_000
"""Bytes of address space of each process; 200 MB are the pixels of the largest picture."""
_NEEDED = ("LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "SYSTEMROOT")


Answer = tuple[dict[str, Any], bytes]
"""What was told of a picture, and its pixels."""


class _Worker:
    """One process."""

    def __init__(self) -> None:
        start = f"from mnistry.pixels.worker import main; main({SECONDS}, {MEMORY})"
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-c", start],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # libraries write there
            env=environment(),
            start_new_session=True,  # Ctrl-C is for the caller
        )

    def answer(self, asked: dict[str, Any], content: bytes, deadline: float) -> Answer:
        """Has a picture decoded, or a document looked into.

        Raises:
            PictureError: as `unpack`.
            EOFError: the process has ended.
        """
        requests, answers = self.process.stdin, self.process.stdout
        if requests is None or answers is None:
            raise EOFError
        timer = threading.Timer(max(0.0, deadline - time.monotonic()), self.process.kill)
        timer.start()
        try:
            try:
                requests.write(json.dumps(asked).encode() + b"\n")
                requests.write(content)
                requests.flush()
            except OSError as error:
                raise EOFError from error
            if not (line := answers.readline()).endswith(b"\n"):
                raise EOFError
            told = json.loads(line)
            if "error" in told:
                raise getattr(errors, told["error"])(told["text"])
            pixels = answers.read(told["bytes"])
            if len(pixels) < told["bytes"]:
                raise EOFError
        finally:
            timer.cancel()
            timer.join()  # it does not kill who has begun on another picture
        return told, pixels

    def end(self) -> None:
        """Ends the process, whatever it does."""
        self.process.kill()
        with self.process:  # closes the pipes and waits
            pass


def environment() -> dict[str, str]:
    """What a worker is told of its surroundings: no secrets, as a picture may get the better of a decoder."""
    kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    path = os.pathsep.join(filter(None, sys.path))  # what can be imported here can be there
    return {**kept, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}  # threads take address space


class _Pool:
    """The workers of a process, at most as many as there are places."""

    def __init__(self) -> None:
        self._places = threading.BoundedSemaphore(PLACES)
        self._idle: list[_Worker] = []

    def answer(self, asked: dict[str, Any], source: Path | bytes, deadline: float | None) -> Answer:
        """Has a worker that is free answer, or waits for one.

        Raises:
            PictureError: as `unpack`, or it took too long.
            BusyError: no worker was free in time, or the machine cannot start one.
        """
        content = source if isinstance(source, bytes) else b""
        if isinstance(source, bytes):
            asked = {**asked, "bytes": len(source)}
        else:
            asked = {**asked, "path": os.path.abspath(source)}  # noqa: PTH100 - links stay, `..` is no other
        wait = None if deadline is None else max(0.0, deadline - time.monotonic())
        if not self._places.acquire(timeout=wait):
            raise BusyError("other pictures take all the time there is to decode.")
        latest = time.monotonic() + MOST_SECONDS
        try:
            worker = self._free()
            try:
                until = latest if deadline is None else min(latest, deadline)
                found = worker.answer(asked, content, until)
            except PictureError:
                self._idle.append(worker)
                raise
            except BaseException:
                worker.end()
                raise
            self._idle.append(worker)
        except EOFError as error:
            raise PictureSizeError(
                f"the picture takes longer than {SECONDS} seconds to decode, or too much memory. Make it "
                "smaller, or save it as PNG."
            ) from error
        except OSError as error:  # the machine has no memory or files left for another process
            raise BusyError(f"the picture cannot be decoded now: {error.strerror or error}.") from error
        finally:
            self._places.release()
        return found

    def end(self) -> None:
        """Ends the workers that have nothing to do."""
        while self._idle:
            self._idle.pop().end()

    def _free(self) -> _Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.process.poll() is None:
                return worker
            worker.end()
        return _Worker()


_pools = [_Pool()]


def unpack_apart(
    source: Path | bytes,
    longest_side: int | None,
    most_pixels: int,
    deadline: float | None = None,
    *,
    page: int | None = None,
    dpi: float = DPI,
) -> Unpacked:
    """As `unpack`, in a process of its own, within bounds of time and memory. To be used by any thread.

    Args:
        source: a file or its content.
        longest_side: see `unpack`.
        most_pixels: see `unpack`.
        deadline: the value of `time.monotonic` at which the picture is given up.
        page: see `unpack`.
        dpi: see `unpack`.

    Raises:
        PictureError: as `unpack`, or it takes too long.
        BusyError: no worker is free in time, or the machine cannot start one.
    """
    asked = {"longest_side": longest_side, "most_pixels": most_pixels, "page": page, "dpi": dpi}
    told, pixels = _pools[-1].answer(asked, source, deadline)
    image = Image.frombuffer(told["mode"], told["stored"], pixels, "raw", told["mode"], 0, 1)
    return Unpacked(image, tuple(told["size"]), told["frames"], told["pages"])


def contents_apart(source: Path | bytes, most_pages: int, deadline: float | None = None) -> Contents | None:
    """As `contents`, in the same way. Raises what `unpack_apart` does."""
    found = _pools[-1].answer({"most_pages": most_pages}, source, deadline)[0]["contents"]
    return None if found is None else [(index, name) for index, name in found]


atexit.register(lambda: _pools[-1].end())
if hasattr(os, "register_at_fork"):  # the workers of a process are not those of its children
    os.register_at_fork(after_in_child=lambda: _pools.append(_Pool()))
