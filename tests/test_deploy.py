"""The files in deploy/: `serve` knows what they say, and two replicas behind nginx lose no request."""

import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml

from mnistry.cli.environment import from_environment, variables
from mnistry.cli.serve import TOKEN, Options

DEPLOY = Path(__file__).parents[1] / "deploy"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((DEPLOY / name).read_text()))


def image_environment() -> dict[str, str]:
    text = (DEPLOY / "Dockerfile").read_text()
    return dict(re.findall(r"(MNISTRY_[A-Z_]+)=(\S+)", text.partition("ENV ")[2]))


def compose_environment() -> dict[str, str]:
    """That of a replica, where the user set no more than the token."""
    given = documents("compose.yaml")[0]["services"]["mnistry"]["environment"]
    default = re.compile(r"\$\{\w+:-(\w+)\}")
    return {name: default.sub(r"\1", text) for name, text in given.items()} | {TOKEN: "secret"}


def pod() -> dict[str, Any]:
    return dict(documents("kubernetes.yaml")[0]["spec"]["template"]["spec"])


def kubernetes_environment() -> dict[str, str]:
    return {item["name"]: item.get("value", "secret") for item in pod()["containers"][0]["env"]}


@pytest.mark.parametrize("environment", [{}, compose_environment(), kubernetes_environment()])
def test_serve_starts_with_what_they_say(environment: dict[str, str]) -> None:
    told = image_environment() | environment
    assert told.keys() <= {*variables(Options), TOKEN}
    options = from_environment(Options, told)
    options.check(told.get(TOKEN, "secret"))
    assert options.host == "0.0.0.0"
    assert (options.log, options.json_log) == (True, True)
    if environment:
        assert options.proxy_headers
        assert options.allowed_hosts


def test_ports_and_times_fit_together() -> None:
    options = from_environment(Options, image_environment())
    container = pod()["containers"][0]
    assert container["ports"][0]["containerPort"] == options.port
    assert pod()["enableServiceLinks"] is False
    assert pod()["terminationGracePeriodSeconds"] > options.limits.seconds + 5
    assert f"server mnistry:{options.port} resolve" in (DEPLOY / "nginx" / "compose.conf").read_text()
    proxy = (DEPLOY / "nginx" / "mnistry.conf").read_text()
    assert int(re.findall(r"proxy_read_timeout (\d+)s", proxy)[0]) > options.limits.seconds
    assert int(re.findall(r"client_max_body_size (\d+)m", proxy)[0]) == options.limits.upload_mb
    kept = re.findall(r"keepalive_timeout (\d+)s", (DEPLOY / "nginx" / "compose.conf").read_text())
    assert int(kept[0]) < options.limits.head_seconds
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
    for copied in re.findall(r"^COPY (?!--)(.+) \S+$", (DEPLOY / "Dockerfile").read_text(), re.MULTILINE):
        for name in copied.split():
            assert f"!{name}\n" in ignored
            assert (DEPLOY.parent / name).exists()


def free_ports(count: int) -> list[int]:
    servers = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in servers]
    for server in servers:
        server.close()
    return ports


def replica(port: int) -> subprocess.Popen[bytes]:
    told = {"MNISTRY_PORT": str(port), "MNISTRY_NO_AUTH": "true", "MNISTRY_PROXY_HEADERS": "true"}
    told |= {"MNISTRY_ALLOWED_HOSTS": "digits.example", "MNISTRY_WORKERS": "1", "MNISTRY_TOKEN": ""}
    return subprocess.Popen(
        [sys.executable, "-m", "mnistry", "serve"], env=os.environ | told, stdout=subprocess.DEVNULL
    )


def wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx2.get(f"http://127.0.0.1:{port}/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.05)
    raise AssertionError(f"nothing answers at port {port}")


@contextmanager
def behind_nginx(folder: Path, port: int, replicas: list[int]) -> Iterator[Path]:
    """nginx with the configuration that we give away, but for its port; yields its log of requests."""
    own = (DEPLOY / "nginx" / "mnistry.conf").read_text().replace("listen 8080", f"listen 127.0.0.1:{port}")
    (folder / "mnistry.conf").write_text(own)
    servers = "".join(f"server 127.0.0.1:{one} max_fails=1 fail_timeout=1s;" for one in replicas)
    (folder / "nginx.conf").write_text(
        f"daemon off; user root; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;"
        "events { worker_connections 512; } http {"
        f"log_format short '$status $upstream_addr'; access_log {folder}/access.log short;"
        + "".join(
            f"{kind}_temp_path {folder}/{kind};"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        + f"upstream mnistry {{ {servers} keepalive 32; keepalive_timeout 5s; }} include mnistry.conf; }}"
    )
    assert NGINX
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        wait_until_ready(port)
        yield folder / "access.log"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.skipif(NGINX is None, reason="nginx is not installed: apt install nginx-light")
def test_a_replica_is_killed_and_replaced_and_no_request_fails(tmp_path: Path) -> None:
    port, *ports = free_ports(3)
    replicas = [replica(one) for one in ports]
    stop, statuses = threading.Event(), []

    def ask() -> None:
        with httpx2.Client(headers={"Host": "digits.example"}, timeout=30) as client:
            while not stop.is_set():
                kind = {"Content-Type": "application/octet-stream"}
                answer = client.post(f"http://127.0.0.1:{port}/v1/classify", content=bytes(784), headers=kind)
                statuses.append(answer.status_code)

    try:
        for one in ports:
            wait_until_ready(one)
        with behind_nginx(tmp_path, port, ports) as log:
            clients = [threading.Thread(target=ask) for _ in range(4)]
            for client in clients:
                client.start()
            time.sleep(0.5)
            replicas[0].kill()
            replicas[0].wait()
            time.sleep(0.5)
            replicas[0] = replica(ports[0])
            wait_until_ready(ports[0])
            time.sleep(1.5)  # nginx looks again after a second
            stop.set()
            for client in clients:
                client.join(30)
        assert len(statuses) > 20
        assert set(statuses) == {200}
        answered = [line.split(" ", 1)[1] for line in log.read_text().splitlines()]
        first, second = (f"127.0.0.1:{one}" for one in ports)
        retried = f"{first}, {second}"
        assert retried in answered
        assert first in answered[answered.index(retried) :], "the new replica was asked for nothing"
    finally:
        stop.set()
        for process in replicas:
            process.kill()
            process.wait()
