"""Who may ask, and how much: hosts, sites, tokens, and the bounds on one client, on all, and on bodies."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from starlette.testclient import TestClient

from mnistry.errors import InvalidValueError
from mnistry.reading.recognizer import Recognizer
from mnistry.service.api import create_app
from mnistry.service.limits import Limits

Refusal = Callable[..., dict[str, Any]]

PNG = {"Content-Type": "image/png"}
OCTETS = {"Content-Type": "application/octet-stream"}


def app_client(limits: Limits | None = None, *, token: str = "", hosts: tuple[str, ...] = ()) -> TestClient:
    app = create_app(limits=limits, token=token, hosts=hosts)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


@contextmanager
def held_up(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, seven: bytes, requests: int
) -> Iterator[None]:
    """So many requests to read are under way until the block ends; then all are answered."""
    begun, go_on = threading.Semaphore(0), threading.Event()
    examine = Recognizer.examine

    def slow(self: Recognizer, picture: Any, **named: Any) -> Any:
        begun.release()
        assert go_on.wait(20)
        return examine(self, picture, **named)

    monkeypatch.setattr(Recognizer, "examine", slow)
    with ThreadPoolExecutor(requests) as threads:
        answers = [
            threads.submit(client.post, "/v1/read", content=seven, headers=PNG) for _ in range(requests)
        ]
        try:
            assert all(begun.acquire(timeout=20) for _ in answers)
            yield
        finally:
            go_on.set()
        assert [answer.result().status_code for answer in answers] == [200] * requests


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:80", "127.8.8.8", "[::1]:8000"])
def test_this_machines_names_are_answered(client: TestClient, host: str) -> None:
    assert client.get("/v1/models", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "192.168.1.2", "[::1", "", "a@b"])
def test_other_names_are_not(client: TestClient, refused: Refusal, host: str) -> None:
    refused(client.get("/v1/models", headers={"Host": host}), 400, "own machine")


def test_a_service_for_others_answers_to_any_name() -> None:
    with app_client(hosts=("*",)) as client:
        assert client.get("/v1/models", headers={"Host": "digits.example"}).status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("digits.example", 200),
        ("DIGITS.example:443", 200),
        ("a.b.school.example", 200),
        ("localhost", 200),
        ("school.example", 400),
        ("evilschool.example", 400),
        ("digits.example.evil", 400),
        ("", 400),
    ],
)
def test_it_answers_to_the_names_it_is_given(host: str, status: int) -> None:
    with app_client(hosts=("digits.example", "*.school.example")) as client:
        assert client.get("/v1/models", headers={"Host": host}).status_code == status


def test_whether_it_runs_may_be_asked_by_any_name(client: TestClient) -> None:
    for path in ("/healthz", "/readyz"):  # Kubernetes asks by address
        assert client.get(path, headers={"Host": "10.42.0.7:8000"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost"},
    ],
)
def test_pages_of_other_sites_may_not_post(
    client: TestClient, refused: Refusal, headers: dict[str, str]
) -> None:
    refused(client.post("/v1/classify", content=bytes(784), headers=OCTETS | headers), 403, "other sites")


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy"}],
)
def test_our_page_and_programs_may_post(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/v1/classify", content=bytes(784), headers=OCTETS | headers)
    assert answer.status_code == 200


def test_the_token(refused: Refusal) -> None:
    with app_client(token="open-sesame") as client:
        for path in ("/healthz", "/readyz", "/docs", "/openapi.json", "/page/nothing"):
            assert client.get(path).status_code in (200, 404)
        for path in ("/v1/models", "/metrics", "/v1/nothing"):
            for wrong in ("", "Bearer", "Bearer open-sesam", "Basic open-sesame", "Bearer öpen-sesame"):
                answer = client.get(path, headers={"Authorization": wrong.encode()})
                refused(answer, 401, "Bearer TOKEN")
                assert answer.headers["www-authenticate"] == "Bearer"
        right = {"Authorization": "bearer open-sesame"}
        assert client.get("/v1/models", headers=right).status_code == 200
        assert client.get("/metrics", headers=right).status_code == 200


def test_one_client_may_not_have_all(refused: Refusal, seven: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    limits = Limits(client_requests=3, workers=3)
    with app_client(limits) as client, held_up(client, monkeypatch, seven, 3):
        answer = client.post("/v1/classify", content=bytes(784), headers=OCTETS)
        refused(answer, 429, "3 requests of yours")
        assert answer.headers["retry-after"] == "1"
        assert client.get("/healthz").status_code == 200
        assert "mnistry_requests_under_way 3.0" in client.get("/metrics").text


def test_over_its_bound_the_service_is_busy(
    refused: Refusal, seven: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(requests=2, workers=2)
    with app_client(limits) as client, held_up(client, monkeypatch, seven, 2):
        answer = client.post("/v1/classify", content=bytes(784), headers=OCTETS)
        refused(answer, 503, "2 requests are under way")
        assert answer.headers["retry-after"] == "1"


def test_pictures_of_one_client_do_not_wait_for_those_of_another(
    seven: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(limits=Limits(workers=1))
    with (
        TestClient(app, base_url="http://localhost", client=("10.0.0.1", 1)) as one,
        ThreadPoolExecutor(1) as thread,
    ):
        other = TestClient(app, base_url="http://localhost", client=("10.0.0.2", 1))
        with held_up(one, monkeypatch, seven, 1):
            monkeypatch.undo()
            second = thread.submit(one.post, "/v1/read", content=seven, headers=PNG)
            for _ in range(3):
                assert other.post("/v1/read", content=seven, headers=PNG).json()["lines"] == ["7"]
            assert not second.done()
        assert second.result().json()["lines"] == ["7"]


def test_the_bodies_of_all_are_bounded(
    refused: Refusal, seven: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits = Limits(memory_mb=1, workers=1)
    with app_client(limits) as client, held_up(client, monkeypatch, seven, 1):
        assert f"mnistry_held_bytes {float(len(seven))}" in client.get("/metrics").text
        refused(client.post("/v1/read", content=bytes(999_999), headers=PNG), 503, "holds as many")
        assert client.post("/v1/classify", content=bytes(784), headers=OCTETS).status_code == 200
    with app_client(limits) as client:  # what was held is given back with each answer
        for _ in range(3):
            refused(client.post("/v1/read", content=bytes(999_999), headers=PNG), 415)
        assert "mnistry_held_bytes 0.0" in client.get("/metrics").text


@pytest.mark.parametrize("path", ["/v1/read", "/v1/explain", "/v1/classify"])
def test_a_body_that_is_too_large(refused: Refusal, path: str) -> None:
    with app_client(Limits(upload_mb=1)) as client:
        refused(client.post(path, content=bytes(1_000_001), headers=OCTETS), 413, "1 MB")
        refused(client.post(path, content=(bytes(1000) for _ in range(1001)), headers=OCTETS), 413, "1 MB")
        refused(client.post("/v1/read", files={"a": bytes(1_000_001)}), 413, "1 MB")


def test_what_the_log_shows_of_a_path_is_bounded(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "mnistry.service.access")
    with app_client() as client:
        client.get("/" + "a" * 9000)
    (line,) = caplog.messages
    assert "404" in line
    assert len(line) < 300


def test_limits_are_checked() -> None:
    for limits, part in [
        (Limits(files=0), "`files` must be more than 0"),
        (Limits(upload_seconds=float("nan")), "`upload_seconds`"),
        (Limits(pixels=60_000_000), "at most 50,000,000"),
    ]:
        with pytest.raises(InvalidValueError, match=part):
            limits.check()
