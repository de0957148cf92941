"""What do two replicas behind nginx stand, and what do they gain against one?

    python bench/replicas.py [--seconds 5]

All on this machine: nginx (`apt install nginx-light`) with the configuration of deploy/nginx, wrk, and
replicas of `mnistry serve`, each with one worker. First the requests a second of one replica and of two; then
two under load while one is killed with SIGKILL and another takes its place: how many requests failed, and how
many went to the other replica because the killed one did not answer. Writes into docs/en/serving.md.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from mnistry.atomic import write_text
from service import Work, load_command, works

ROOT = Path(__file__).resolve().parents[1]
DOCS, RESULTS = ROOT / "docs" / "en" / "serving.md", ROOT / "bench" / "results" / "replicas.json"
START, END = "<!-- replicas: written by bench/replicas.py -->\n", "<!-- end of replicas -->"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONNECTIONS = 16
READY_SECONDS = 60


@dataclass(frozen=True)
class Options:
    """Measure replicas behind nginx."""

    seconds: int = 5
    """Of each measurement."""


def main() -> None:
    """Measures, writes and prints."""
    options = tyro.cli(Options, description=__doc__)
    if not NGINX or not shutil.which("wrk"):
        raise SystemExit("nginx and wrk are needed: apt install nginx-light wrk")
    kinds = {work.title: work for work in works("mnistry")}
    rows: list[dict[str, Any]] = []
    for title, work in kinds.items():
        for count in (1, 2):
            with (
                tempfile.TemporaryDirectory() as folder,
                some_replicas(count) as (ports, _),
                behind_nginx(Path(folder), ports) as (port, _),
            ):
                figures = under_load(port, work, options.seconds)
            rows.append({"work": title, "replicas": count, **figures})
            print(rows[-1], file=sys.stderr, flush=True)
    loss = killed_and_replaced(kinds["one image"], 3 * options.seconds)
    print(loss, file=sys.stderr)
    machine = {"cpu_count": os.cpu_count(), "load_average": os.getloadavg()[0]}
    write_text(RESULTS, json.dumps({"machine": machine, "rows": rows, "loss": loss}, indent=1) + "\n")
    before, _, rest = DOCS.read_text().partition(START)
    write_text(DOCS, f"{before}{START}{report(rows, loss)}\n{END}{rest.partition(END)[2]}")
    print(report(rows, loss))


def under_load(port: int, work: Work, seconds: int) -> dict[str, Any]:
    """Requests a second, and how many were refused or failed."""
    with load_command(port, work, CONNECTIONS, seconds) as (command, environment):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    return {
        "requests_per_second": round(figures["requests"] / figures["seconds"], 1),
        "p99_ms": round(figures["p99"], 1),
        **{name: figures[name] for name in ("requests", "refused", "failed")},
    }


def killed_and_replaced(work: Work, seconds: int) -> dict[str, Any]:
    """Kills a replica under load after a third of the time, and starts another in its place at once."""
    with tempfile.TemporaryDirectory() as folder, some_replicas(2) as (ports, replicas):

        def replace() -> None:
            time.sleep(seconds / 3)
            replicas[0].kill()
            replicas[0].wait()
            replicas[0] = replica(ports[0])

        with behind_nginx(Path(folder), ports) as (port, log):
            other = threading.Thread(target=replace)
            other.start()
            figures = under_load(port, work, seconds)
            other.join()
        lines = [line.split(" ", 2) for line in log.read_text().splitlines()]
    first, second = (f"127.0.0.1:{one}" for one in ports)
    retried = [place for place, (_, _, asked) in enumerate(lines) if asked == f"{first}, {second}"]
    return {
        **figures,
        "statuses": sorted({status for _, status, _ in lines}),
        "retried": len(retried),
        "answered_by_the_new_one": sum(asked == first for _, _, asked in lines[max(retried, default=0) :]),
    }


@contextlib.contextmanager
def some_replicas(count: int) -> Iterator[tuple[list[int], list[subprocess.Popen[bytes]]]]:
    """So many that are ready; yields their ports and the processes."""
    ports = free_ports(count)
    replicas = [replica(port) for port in ports]
    try:
        for port in ports:
            wait_until_ready(port)
        yield ports, replicas
    finally:
        for process in replicas:
            process.kill()
            process.wait()


def replica(port: int) -> subprocess.Popen[bytes]:
    """Starts one, which is told everything by its environment."""
    told = {"MNISTRY_PORT": str(port), "MNISTRY_NO_AUTH": "true", "MNISTRY_PROXY_HEADERS": "true"}
    told |= {"MNISTRY_ALLOWED_HOSTS": "digits.example", "MNISTRY_WORKERS": "1", "MNISTRY_TOKEN": ""}
    told |= {"PYTHONPATH": str(ROOT / "src")}
    return subprocess.Popen(
        [sys.executable, "-m", "mnistry", "serve"], env=os.environ | told, stdout=subprocess.DEVNULL
    )


@contextlib.contextmanager
def behind_nginx(folder: Path, replicas: list[int]) -> Iterator[tuple[int, Path]]:
    """nginx with the configuration that we give away, but for its port.

    Yields:
        Its port, and its log: on each line the id of a request, the status, and the replicas that were asked.
    """
    assert NGINX
    (port,) = free_ports(1)
    own = (ROOT / "deploy" / "nginx" / "mnistry.conf").read_text()
    (folder / "mnistry.conf").write_text(own.replace("listen 8080", f"listen 127.0.0.1:{port}"))
    servers = "".join(f"server 127.0.0.1:{one} max_fails=1 fail_timeout=1s;" for one in replicas)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"daemon off; {user} worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;"
        "events { worker_connections 512; } http {"
        f"log_format asked '$request_id $status $upstream_addr'; access_log {folder}/access.log asked;"
        + "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
        + f"upstream mnistry {{ {servers} keepalive 32; keepalive_timeout 5s; }} include mnistry.conf; }}"
    )
    process = subprocess.Popen([NGINX, "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        wait_until_ready(port)
        yield port, folder / "access.log"
    finally:
        process.terminate()
        process.wait(20)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens at."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in servers]


def wait_until_ready(port: int) -> None:
    """Waits until a replica, or one behind the proxy, can be asked."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            return
        except (OSError, urllib.error.URLError):
            time.sleep(0.05)
    raise SystemExit(f"nothing answers at port {port}")


def report(rows: list[dict[str, Any]], loss: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"| request, {CONNECTIONS} connections | one replica, requests a second | two replicas | gain |",
        "|---|---:|---:|---:|",
    ]
    for work in dict.fromkeys(row["work"] for row in rows):
        one, two = (row["requests_per_second"] for row in rows if row["work"] == work)
        lines.append(f"| {work} | {one:,.0f} | {two:,.0f} | {two / one:.2f}× |")
    return "\n".join(
        [
            *lines,
            "",
            f"Of {loss['requests']:,} requests while one of two replicas was killed and replaced, "
            f"{loss['failed'] + loss['refused']} failed; {loss['retried']} that the killed one did not "
            f"answer were answered by the other. The new one answered {loss['answered_by_the_new_one']:,}.",
        ]
    )


if __name__ == "__main__":
    main()
