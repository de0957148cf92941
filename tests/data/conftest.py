import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from mnistry.data import Dataset, Examples, idx
from mnistry.data.catalog import Entry, File
from mnistry.data.dataset import DIGITS

NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@pytest.fixture(autouse=True)
def no_folders_but_the_tests(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither the user's data nor the user's cache may decide a test."""
    monkeypatch.delenv("MNISTRY_DATA", raising=False)
    monkeypatch.setenv("MNISTRY_CACHE", str(tmp_path / "cache"))


def random_examples(count: int, seed: int) -> Examples:
    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (count, 28, 28), np.uint8)
    return Examples(images, np.arange(count, dtype=np.uint8) % 10)


@pytest.fixture
def small() -> Dataset:
    """23 training and 11 test examples of noise."""
    return Dataset("small", random_examples(23, 0), random_examples(11, 1), DIGITS, "made up", {})


@pytest.fixture
def contents(small: Dataset) -> dict[str, bytes]:
    """The four IDX files of `small`, by name."""
    arrays = (small.train.images, small.train.labels, small.test.images, small.test.labels)
    return {name: idx.encode(array) for name, array in zip(NAMES, arrays, strict=True)}


@pytest.fixture
def entry(contents: dict[str, bytes]) -> Entry:
    """A catalogue entry for `small` that knows the SHA-256 of each content and has no mirror."""
    return Entry(
        name="small",
        title="noise",
        homepage="",
        licence="",
        citation="",
        counts=(23, 11),
        files=tuple(File(name, hashlib.sha256(content).hexdigest()) for name, content in contents.items()),
    )


@pytest.fixture
def put(contents: dict[str, bytes]) -> Callable[..., None]:
    """Writes the files of `small` into a folder, compressed or plain."""

    def put(folder: Path, *, packed: bool = True) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            if packed:
                (folder / f"{name}.gz").write_bytes(gzip.compress(content))
            else:
                (folder / name).write_bytes(content)

    return put


@dataclass
class Mirror:
    """A server on this machine that answers as it is told, and remembers what it was asked for."""

    address: str
    files: dict[str, bytes] = field(default_factory=dict)
    behaviour: str = "good"
    asked: list[str] = field(default_factory=list)
    sent: int = 0


@pytest.fixture
def start_mirror() -> Iterator[Callable[..., Mirror]]:
    servers = []

    def start(files: dict[str, bytes], behaviour: str = "good") -> Mirror:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.lstrip("/")
                mirror.asked.append(name)
                if mirror.behaviour.isdigit():
                    self.send_error(int(mirror.behaviour))
                    return
                if name not in mirror.files:
                    self.send_error(404)
                    return
                content = mirror.files[name]
                self.send_response(200)
                if mirror.behaviour != "endless":
                    self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                if mirror.behaviour == "cut":
                    self.wfile.write(content[: len(content) // 2])
                elif mirror.behaviour == "slow":
                    self.wfile.write(content[:1])
                    self.wfile.flush()
                    stop.wait(5)
                elif mirror.behaviour in ("endless", "drip"):
                    step, pause = (content, 0.0) if mirror.behaviour == "endless" else (b"1", 0.02)
                    with suppress(OSError):
                        while not stop.wait(pause):
                            self.wfile.write(step)
                            mirror.sent += len(step)
                else:
                    self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                pass

        stop = threading.Event()
        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append((server, stop))
        mirror = Mirror(f"http://127.0.0.1:{server.server_port}/", files, behaviour)
        return mirror

    yield start
    for server, stop in servers:
        stop.set()
        server.shutdown()
        server.server_close()
