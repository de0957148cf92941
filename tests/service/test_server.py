"""The service as a process, through real sockets: slow and rude clients, bombs, and being stopped."""

import contextlib
import io
import json
import select
import signal
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from PIL import Image

from mnistry.reading.classifier import SHIPPED_MODEL

Start = Callable[..., AbstractContextManager[Any]]

OCTETS = "Content-Type: application/octet-stream"
KIND = dict([OCTETS.split(": ")])


def talk(port: int, *parts: bytes | float, timeout: float = 20) -> bytes:
    """Sends parts, pauses for numbers, and gives all that comes back until the service hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout) as client:
        try:
            for part in parts:
                if isinstance(part, bytes):
                    client.sendall(part)
                else:
                    time.sleep(part)
        except (BrokenPipeError, ConnectionResetError):
            pass
        answer = b""
        try:
            while new := client.recv(65536):
                answer += new
        except ConnectionResetError:
            pass
        return answer


def head(*lines: str, path: str = "/v1/classify") -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: localhost", OCTETS, *lines, "", ""]).encode()


def status_and_problem(answer: bytes) -> tuple[int, dict[str, Any]]:
    top, _, body = answer.partition(b"\r\n\r\n")
    assert b"application/problem+json" in top
    problem: dict[str, Any] = json.loads(body[: body.index(b"}") + 1])
    assert problem["status"] == int(top.split()[1])
    return problem["status"], problem


def page_picture(digits: int = 6) -> bytes:
    """A page that takes some time to read."""
    rng = np.random.default_rng(0)
    picture = np.full((1200, 1600), 250, np.uint8)
    seven = np.array(Image.open(Path(__file__).parents[2] / "examples" / "seven-marker.png").convert("L"))
    small = np.array(Image.fromarray(seven).resize((60, 80)))
    for n in range(digits):
        y, x = 40 + 140 * (n // 10), 40 + 150 * (n % 10) + int(rng.integers(10))
        picture[y : y + 80, x : x + 60] = np.minimum(picture[y : y + 80, x : x + 60], small)
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "png")
    return file.getvalue()


def test_chunks_are_taken_as_one_body(server: Any) -> None:
    chunk = f"{392:x}\r\n".encode() + bytes(392) + b"\r\n"
    answer = talk(
        server.port, head("Transfer-Encoding: chunked", "Connection: close"), chunk, 0.05, chunk, b"0\r\n\r\n"
    )
    assert answer.startswith(b"HTTP/1.1 200")


def test_a_body_that_says_that_it_is_too_large_is_not_awaited(server: Any) -> None:
    begin = time.monotonic()
    answer = talk(server.port, head("Content-Length: 90000000", "Connection: close", "Expect: 100-continue"))
    assert status_and_problem(answer)[0] == 413
    assert b"100 Continue" not in answer
    assert time.monotonic() - begin < 15


def test_a_body_that_grows_too_large_is_refused_and_its_rest_dropped(server: Any) -> None:
    before = server.resident_mb()
    chunk = f"{1_000_000:x}\r\n".encode() + bytes(1_000_000) + b"\r\n"
    answer = talk(server.port, head("Transfer-Encoding: chunked", "Connection: close"), *[chunk] * 120)
    assert not answer or status_and_problem(answer)[0] == 413  # cut where it is still sent
    polite = httpx2.post(
        f"{server.address}/v1/classify", content=bytes(21_000_000), headers=dict([OCTETS.split(": ")])
    )
    assert polite.status_code == 413
    assert server.resident_mb() - before < 80
    assert server.metric("mnistry_held_bytes") == 0


def test_a_slow_body_is_given_up(start: Start) -> None:
    with start("--upload-seconds", 0.5) as server:
        answer = talk(server.port, head("Content-Length: 784"), b"1", 0.3, b"2", 0.4)
        assert status_and_problem(answer)[0] == 408
        assert b"connection: close" in answer.lower()
        assert server.metric("mnistry_requests_under_way") == 0


def test_a_head_that_never_ends_is_refused(server: Any) -> None:
    start = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
    assert status_and_problem(talk(server.port, start, b"A: " + bytes([65]) * 100_000))[0] == 431
    assert status_and_problem(talk(server.port, start, *[b"A: b\r\n" * 1000] * 20))[0] == 431
    trailers = head("Transfer-Encoding: chunked") + b"0\r\n"
    answer = talk(server.port, trailers, *[b"A: b\r\n" * 1000] * 20)
    assert answer.count(b"HTTP/1.1 431") == 1


def test_a_head_that_does_not_come_is_not_awaited_for_ever(start: Start) -> None:
    with start("--head-seconds", 0.3) as server:
        assert talk(server.port) == b""
        assert status_and_problem(talk(server.port, b"GET / HTTP/1.1\r\nHost"))[0] == 408
        whole = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        answer = talk(server.port, whole, 0.1, b"GET / HT")
        assert answer.startswith(b"HTTP/1.1 200")
        assert b"HTTP/1.1 408" in answer


def test_a_client_that_does_not_take_its_answers_is_cut(start: Start) -> None:
    part = f'--x\r\nContent-Disposition: form-data; name="a"; filename="{"b" * 3900}"\r\n\r\n\r\n'
    form = 32 * part.encode() + b"--x--\r\n"  # the answer names all files, and so is long
    request = (
        "POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(form)}\r\n\r\n"
    ).encode() + form
    with start("--seconds", 1) as server, socket.socket() as client:

        def answered() -> float:
            return server.metric('mnistry_requests_total{route="/v1/read"')

        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", server.port))
        cut = select.poll()
        cut.register(client, 0)
        sent, deadline = 0, time.monotonic() + 60
        while not cut.poll(0) and time.monotonic() < deadline:  # until the buffers between them are full
            client.sendall(request)
            sent += 1
            while answered() < sent and not cut.poll(10):
                pass
        assert cut.poll(0)
        assert sent > 1
        assert server.metric("mnistry_requests_under_way") == 0


@pytest.mark.parametrize(
    "request_ahead",
    [
        b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n",
        head("Content-Length: 784") + bytes(784),
        head("Content-Length: 4", path="/v1/read?seen=1") + b"none",
    ],
)
def test_clients_that_send_ahead_and_read_nothing_take_no_memory(server: Any, request_ahead: bytes) -> None:
    assert talk(server.port, request_ahead[:-1] + request_ahead[-1:], b"GET")[:9] == b"HTTP/1.1 "
    before = server.resident_mb()
    clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(40)]
    ahead = request_ahead * (1_000_000 // len(request_ahead))
    for client in clients:
        client.setblocking(False)
    deadline = time.monotonic() + 1
    while time.monotonic() < deadline:
        for client in clients:
            with contextlib.suppress(OSError):
                client.send(ahead)
    assert server.resident_mb() - before < 40
    assert httpx2.get(f"{server.address}/healthz").status_code == 200
    for client in clients:
        client.close()


def test_of_requests_sent_ahead_the_first_is_answered_and_the_connection_ended(server: Any) -> None:
    answer = talk(server.port, (head("Content-Length: 784") + bytes(784)) * 3)
    assert answer.count(b"HTTP/1.1 200") == 1
    assert b"connection: close" in answer.lower()
    assert b"probabilities" in answer
    early = talk(
        server.port,
        head("Content-Length: 90000000", "Connection: close"),
        b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n",
    )
    assert status_and_problem(early)[0] == 413


def test_a_connection_whose_last_answer_is_not_taken_is_given_up(start: Start) -> None:
    """Though the answer fits into the buffers of both sides, it shall not be kept for ever."""
    last = b"GET /docs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with start("--head-seconds", 0.5, "--connections", 8) as server:
        clients = [socket.socket() for _ in range(7)]
        for client in clients:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(("127.0.0.1", server.port))
            client.sendall(last)
        time.sleep(1.5)
        assert [httpx2.get(f"{server.address}/healthz").status_code for _ in range(8)] == [200] * 8
        for client in clients:
            client.close()


def test_what_is_not_http_is_refused(server: Any) -> None:
    assert status_and_problem(talk(server.port, b"\x16\x03\x01 hello\r\n\r\n"))[0] == 400


def test_cut_connections_leave_nothing_behind(start: Start, seven: bytes) -> None:
    picture = page_picture()
    part = b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n' + seven + b"\r\n"
    form = 8 * part + b"--x--\r\n"
    form_head = f"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(form)}\r\n"
    kinds = [
        head("Content-Length: 784") + bytes(100),
        head("Content-Length: 784000") + bytes(784_000),
        head(f"Content-Length: {len(picture)}", path="/v1/read") + picture,
        head(f"Content-Length: {len(picture)}", path="/v1/explain") + picture,
        form_head.encode() + b"Content-Type: multipart/form-data; boundary=x\r\n\r\n" + form,
        b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n",
    ]
    reset = struct.pack("ii", 1, 0)  # linger for no time: whatever is under way is dropped
    with start() as server:
        for number in range(36):
            client = socket.create_connection(("127.0.0.1", server.port))
            client.sendall(kinds[number % len(kinds)])
            if number % 4 == 0:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
            time.sleep(0.02 * (number % 3))
            client.close()
        deadline = time.monotonic() + 20
        while server.metric("mnistry_requests_under_way") and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.metric("mnistry_requests_under_way") == 0
        assert server.metric("mnistry_held_bytes") == 0
        server.process.terminate()
        assert server.process.wait(20) == 0
        assert server.process.stderr.read() == ""


def test_connections_are_bounded(start: Start) -> None:
    with start("--connections", 5) as server:
        clients = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(5)]
        answer = talk(server.port, timeout=5)
        assert status_and_problem(answer)[0] == 503
        assert b"Retry-After: 1" in answer
        for client in clients:
            client.close()
        time.sleep(0.1)
        assert httpx2.get(f"{server.address}/healthz").status_code == 200


@pytest.mark.parametrize("files", [64, 2000])
def test_with_few_file_descriptors_all_is_answered_or_refused(
    start: Start, seven: bytes, files: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    popen = subprocess.Popen

    def poor(command: list[str], **named: Any) -> Any:
        return popen(["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command], **named)

    monkeypatch.setattr(subprocess, "Popen", poor)
    with start("--workers", 2) as server, contextlib.ExitStack() as stack:
        for _ in range(files):
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 1))
        statuses = set()
        for path in ("/", "/page/page.js", "/docs", "/healthz", "/v1/models"):
            statuses.add(talk(server.port, f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())[9:12])
        assert statuses == {b"503"}
        stack.close()
        time.sleep(0.2)
        files_of_a_form = [("a", seven + bytes(1_500_000))] * 8
        assert httpx2.get(f"{server.address}/").status_code == 200
        assert httpx2.post(f"{server.address}/v1/read", files=files_of_a_form).status_code == 200
        server.process.terminate()
        assert server.process.wait(20) == 0
        log = server.process.stderr.read().splitlines()
    assert len(log) == (files == 64)
    assert all("connections at the same time instead of 1000" in line for line in log)


def test_bombs_take_no_memory(server: Any, big_picture: Callable[[int, int, str], bytes]) -> None:
    assert httpx2.get(f"{server.address}/readyz").status_code == 200
    before = server.resident_mb()
    for suffix in ("png", "gif", "tiff"):
        content = big_picture(14_000, 14_000, suffix)
        answer = httpx2.post(f"{server.address}/v1/read", content=content, headers=dict([OCTETS.split(": ")]))
        assert answer.status_code == 413
    assert server.resident_mb() - before < 60


def test_what_was_begun_is_answered_when_it_is_stopped(start: Start) -> None:
    picture = page_picture()
    with (
        start("--seconds", 60) as server,
        httpx2.Client(limits=httpx2.Limits(max_connections=50), timeout=60) as client,
    ):

        def read(_: int) -> int:
            return client.post(
                f"{server.address}/v1/read", content=picture, headers={"Content-Type": "image/png"}
            ).status_code

        with ThreadPoolExecutor(20) as threads:
            answers = [threads.submit(read, n) for n in range(20)]
            while server.metric("mnistry_requests_under_way") < 17:
                time.sleep(0.01)
            server.process.send_signal(signal.SIGTERM)
            assert [answer.result() for answer in answers] == [200] * 20
        assert server.process.wait(20) == 0
        assert server.process.stderr.read() == ""


def test_a_picture_that_takes_long_stops_nobody_else_and_not_the_end(start: Start, seven: bytes) -> None:
    slow = b"P5 4400 4400 254\n" + bytes(4400 * 4400)  # such levels are scaled in Python
    file = io.BytesIO()
    Image.open(io.BytesIO(seven)).convert("L").save(file, "gif")
    gif = file.getvalue()
    with start("--seconds", 3) as server, ThreadPoolExecutor(8) as threads:
        address = f"{server.address}/v1/read"
        late = [
            threads.submit(httpx2.post, address, content=slow, headers=KIND, timeout=30) for _ in range(8)
        ]
        time.sleep(0.5)
        with httpx2.Client(transport=httpx2.HTTPTransport(local_address="127.0.0.2"), timeout=30) as other:
            for content in [seven, gif] * 3:  # a GIF, too, is decoded in a process of its own
                assert other.post(address, content=content, headers=KIND).json()["lines"] == ["7"]
        assert not any(answer.done() for answer in late)
        assert {answer.result().status_code for answer in late} <= {413, 503}
        begun = threads.submit(httpx2.post, address, content=slow, headers=KIND, timeout=30)
        time.sleep(0.5)
        stopped = time.monotonic()
        server.process.terminate()
        assert server.process.wait(20) == 0
        assert time.monotonic() - stopped < 15
        assert begun.result().status_code in (413, 503)
        assert "Traceback" not in server.process.stderr.read()


def test_a_request_that_comes_as_it_is_stopped_is_answered_or_not_taken(start: Start) -> None:
    """Clients that keep asking on new connections: each is answered whole, or never let in."""
    request = head("Content-Length: 784", "Connection: close") + bytes(784)
    answered, cut, stopping = [], [], threading.Event()

    def ask(port: int) -> None:
        while not stopping.is_set():
            try:
                answer = talk(port, request)
            except OSError:  # nobody listens any more
                return
            (answered if answer.startswith(b"HTTP/1.1 200") and b"probabilities" in answer else cut).append(
                answer
            )

    with start() as server:
        threads = [threading.Thread(target=ask, args=[server.port]) for _ in range(8)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        server.process.terminate()
        assert server.process.wait(20) == 0
        stopping.set()
        for thread in threads:
            thread.join()
    assert len(answered) > 100
    assert len([answer for answer in cut if answer]) == 0


def test_a_model_is_replaced_under_load(start: Start, tmp_path: Path) -> None:
    model = tmp_path / "model.onnx"
    model.write_bytes(SHIPPED_MODEL.read_bytes())
    statuses: list[int] = []
    done = threading.Event()

    with start("--model", model) as server:

        def ask() -> None:
            with httpx2.Client() as client:
                while not done.is_set():
                    answer = client.post(
                        f"{server.address}/v1/classify",
                        content=bytes(784),
                        headers=dict([OCTETS.split(": ")]),
                    )
                    statuses.append(answer.status_code)

        threads = [threading.Thread(target=ask) for _ in range(4)]
        for thread in threads:
            thread.start()
        for content in (b"broken", SHIPPED_MODEL.read_bytes()):
            time.sleep(1.1)
            new = tmp_path / "new"
            new.write_bytes(content)
            new.replace(model)
        time.sleep(1.1)
        done.set()
        for thread in threads:
            thread.join()
        assert len(statuses) > 100
        assert set(statuses) == {200}
        server.process.terminate()
        log = server.process.stderr.read()
    assert log.count("serves on") == 1
    assert log.count("was replaced") == 1


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_memory_stays_flat(start: Start) -> None:
    """The same 200 requests of all kinds, fifteen times: after a warm-up nothing grows."""
    picture = page_picture()
    sizes = []
    with (
        start("--client-requests", 100) as server,
        ThreadPoolExecutor(16) as threads,
        httpx2.Client() as client,
    ):

        def ask(n: int) -> int:
            path, body = [
                ("/v1/classify", bytes(784 * (1 + n % 64))),
                ("/v1/read?seen=1", picture),
                ("/v1/read", picture[: n * 97]),
                ("/v1/nothing", b"x"),
            ][n % 4]
            return client.post(
                f"{server.address}{path}", content=body, headers=dict([OCTETS.split(": ")]), timeout=60
            ).status_code

        for _ in range(15):
            assert set(threads.map(ask, range(200))) <= {200, 404, 415, 422}
            sizes.append(server.resident_mb())
    assert max(sizes[5:]) < min(sizes[4:6]) + 25, sizes


def test_head_and_body_of_an_answer_come_together(server: Any) -> None:
    # Else a proxy hands on the head of an answer whose replica is killed, and can ask no other one.
    with socket.create_connection(("127.0.0.1", server.port), 20) as client:
        for _ in range(20):
            client.sendall(head("Content-Length: 784") + bytes(784))
            before, _, body = client.recv(65536).partition(b"\r\n\r\n")
            assert before.startswith(b"HTTP/1.1 200")
            assert json.loads(body)["digits"]
