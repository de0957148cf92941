"""What the tests of the service share: the application in this process, and the command as another one."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import onnx
import pytest
from PIL import Image
from starlette.testclient import TestClient

from mnistry.reading.classifier import SHIPPED_MODEL
from mnistry.service.api import create_app

from .constant import always

EXAMPLES = Path(__file__).parents[2] / "examples"

Refusal = Callable[..., dict[str, Any]]


@dataclass(frozen=True)
class Server:
    """`mnistry serve` as a process."""

    process: subprocess.Popen[str]
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def resident_mb(self) -> float:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) / 1024

    def metric(self, name: str) -> float:
        lines = httpx2.get(f"{self.address}/metrics").text.splitlines()
        return sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(name))


@contextmanager
def serving(*flags: object, command: str = "serve", **environment: str) -> Iterator[Server]:
    words = [sys.executable, "-m", "mnistry", command, "--port", "0", *map(str, flags)]
    process = subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ | environment
    )
    assert process.stdout
    assert process.stderr
    try:
        said = process.stdout.readline()
        assert "http://127.0.0.1:" in said, process.stderr.read()
        yield Server(process, int(said.split("http://127.0.0.1:")[1].split()[0]))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="session")
def model_of_parts() -> bytes:
    """The shipped model as if it had learnt classes that are called `part a` to `part j`."""
    model = onnx.load(SHIPPED_MODEL)
    names = [f"part {letter}" for letter in "abcdefghij"]
    onnx.helper.set_model_props(model, {"class_names": json.dumps(names)})
    return onnx.ModelProto.SerializeToString(model)


@pytest.fixture(scope="session")
def model_of_threes() -> bytes:
    """An ONNX model to which everything is a three."""
    return always(3)


@pytest.fixture(scope="session")
def start() -> Callable[..., AbstractContextManager[Server]]:
    """Starts `mnistry serve`, or another command, with flags on a free port."""
    return serving


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A service with all defaults, for many tests."""
    with serving() as server:
        yield server


@pytest.fixture(scope="session")
def client() -> Iterator[TestClient]:
    """The application with all defaults in this process."""
    with TestClient(create_app(), base_url="http://localhost") as client:
        yield client


@pytest.fixture(scope="session")
def seven() -> bytes:
    """A picture of a 7."""
    return (EXAMPLES / "seven-marker.png").read_bytes()


@pytest.fixture(scope="session")
def big_picture() -> Callable[[int, int, str], bytes]:
    """Makes a picture whose file is small, however large it says that it is."""

    def make(width: int, height: int, suffix: str) -> bytes:
        file = io.BytesIO()
        if suffix in ("gif", "bmp"):  # only the head says so
            Image.new("L", (10, 10), 255).save(file, suffix)
            start, size = (6, 2) if suffix == "gif" else (18, 4)
            sides = b"".join(side.to_bytes(size, "little") for side in (width, height))
            return file.getvalue()[:start] + sides + file.getvalue()[start + 2 * size :]
        more = {"compression": "group4"} if suffix == "tiff" else {}
        Image.new("1", (width, height), 1).save(file, suffix, **more)
        return file.getvalue()

    return make


@pytest.fixture(scope="session")
def refused() -> Refusal:
    """Asserts that a response is a problem object of a status, and gives it."""

    def check(response: Any, status: int, *parts: str) -> dict[str, Any]:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        problem: dict[str, Any] = response.json()
        assert set(problem) == {"type", "title", "status", "detail"}
        assert problem["status"] == status
        for part in parts:
            assert part in problem["detail"]
        return problem

    return check
