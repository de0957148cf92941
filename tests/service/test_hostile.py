"""Small forms of what `bench/hostile.py` sends: each is answered, and soon."""

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from starlette.testclient import TestClient

from mnistry.errors import BusyError

OCTETS = {"Content-Type": "application/octet-stream"}


@pytest.fixture(scope="module")
def hostile() -> ModuleType:
    path = Path(__file__).parents[2] / "bench" / "hostile.py"
    spec = importlib.util.spec_from_file_location("hostile", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["hostile"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("name", "sizes", "status", "part"),
    [
        ("bars", (900,), 200, "lines"),
        ("comb", (900,), 200, "lines"),
        ("checkerboard", (800,), 200, None),
        ("noise", (600,), 200, None),
        ("scans", (60_000, 1000), 413, "scans"),
        ("pages", (5000,), 413, "more than 32 pages"),
        ("odd_levels", (300,), 200, None),
        ("text_bomb", (2_000_000,), 422, "too large"),
    ],
)
def test_a_picture_that_was_made_to_take_long(
    client: TestClient, hostile: ModuleType, name: str, sizes: tuple[int, ...], status: int, part: str | None
) -> None:
    make: Callable[..., bytes] = getattr(hostile, name)
    content = make(*sizes)
    started = time.monotonic()
    answer = client.post("/v1/read", content=content, headers=OCTETS)
    assert answer.status_code == status, answer.text
    assert part is None or part in answer.text
    assert time.monotonic() - started < 30


def test_a_picture_whose_turn_does_not_come_may_be_sent_again(
    client: TestClient, hostile: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise BusyError("other pictures take all the time there is to decode.")

    monkeypatch.setattr("mnistry.data.decode.unpack_apart", refuse)
    answer = client.post("/v1/read", content=hostile.odd_levels(100), headers=OCTETS)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert answer.json()["detail"] == (
        "Other pictures take all the time there is to decode. Try again in a second."
    )


def test_the_bench_knows_what_is_not_held(hostile: ModuleType) -> None:
    row: Any = hostile.Row
    assert row("a", "service", 1.0, 200.0, "200: 1 digits", 0.1).held
    for bad in (
        row("a", "service", 11.0, 200.0, "200: 1 digits", 0.1),
        row("a", "service", 1.0, 2000.0, "200: 1 digits", 0.1),
        row("a", "service", 1.0, 200.0, "200: 1 digits", 1.1),
        row("a", "service", 1.0, 200.0, "500: The service failed", 0.1),
        row("a", "command", 1.0, 200.0, "1: Traceback (most recent call last)"),
    ):
        assert not bad.held


def test_requests_that_were_made_to_take_much(server: Any, hostile: ModuleType) -> None:
    before = server.resident_mb()
    assert hostile.empty_lists(server.port).startswith("413")
    assert hostile.nested_lists(server.port).startswith("413")
    assert hostile.long_key(server.port).startswith("422")
    assert hostile.charsets(server.port).startswith("415")
    assert server.resident_mb() - before < 150
