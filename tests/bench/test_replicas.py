"""Two replicas behind nginx, with the configuration that we give away, lose no request when one is killed."""

import threading
import time
from pathlib import Path

import httpx2
import pytest

import replicas

KIND = {"Content-Type": "application/octet-stream"}


def after(asked: str, log: Path) -> list[str]:
    """Who was asked, in the order of nginx's log, from the first time on that it was these."""
    found = [line.split(" ", 2)[2] for line in log.read_text().splitlines()]
    return found[found.index(asked) :] if asked in found else []


@pytest.mark.skipif(replicas.NGINX is None, reason="nginx is not installed: apt install nginx-light")
def test_a_replica_is_killed_and_replaced_and_no_request_fails(tmp_path: Path) -> None:
    stop, statuses, ids = threading.Event(), list[int](), set[str]()
    with (
        replicas.some_replicas(2) as (ports, processes),
        replicas.behind_nginx(tmp_path, ports) as (port, log),
    ):
        first, second = (f"127.0.0.1:{one}" for one in ports)
        retried = f"{first}, {second}"

        def ask() -> None:
            with httpx2.Client(headers={"Host": "digits.example"}, timeout=30) as client:
                while not stop.is_set():
                    address = f"http://127.0.0.1:{port}/v1/classify"
                    answer = client.post(address, content=bytes(784), headers=KIND)
                    statuses.append(answer.status_code)
                    ids.add(answer.headers["x-request-id"])

        clients = [threading.Thread(target=ask) for _ in range(4)]
        for client in clients:
            client.start()
        try:
            time.sleep(0.5)
            processes[0].kill()
            processes[0].wait()
            time.sleep(0.5)
            processes[0] = replicas.replica(ports[0])
            replicas.wait_until_ready(ports[0])
            deadline = time.monotonic() + 30  # nginx looks again after a second
            while first not in after(retried, log) and time.monotonic() < deadline:
                time.sleep(0.1)
        finally:
            stop.set()
            for client in clients:
                client.join(30)
        asked = after(retried, log)
        logged = {line.split(" ", 1)[0] for line in log.read_text().splitlines()}
    assert len(statuses) > 20
    assert set(statuses) == {200}
    assert ids <= logged, "the proxy's ids come back"
    assert asked, "none was tried again"
    assert first in asked, "the new replica was asked for nothing"
