"""How many requests a second, and how long does each take: `mnistry serve` against other ways to serve?

    python bench/service.py [--seconds 5] [--json bench/results/service.json]

All on this machine, client included: wrk (`apt install wrk`), one thread, over loopback. The same model,
one thread a call, behind `mnistry serve`, behind a plain FastAPI handler, and behind LitServe, which gathers
requests into batches too. Three kinds of requests: one 28×28 image to classify, 64 of them, and a drawn
digit of 280×280 pixels as PNG to read (which LitServe is not asked for). Prints Markdown.
"""

import base64
import io
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import tyro
from PIL import Image, ImageDraw

from mnistry.atomic import write_text
from mnistry.reading.recognizer import Recognizer
from peers.environments import REQUIREMENTS, interpreter

ServerName = Literal["mnistry", "fastapi", "litserve"]
ROOT = Path(__file__).resolve().parents[1]
SCRIPTS: dict[ServerName, str] = {"fastapi": "fastapi_plain.py", "litserve": "litserve_batches.py"}
WARM_UP = 1  # seconds
READY_SECONDS = 60
# One client asks for more at the same time here than one client should elsewhere.
FLAGS = ["--client-requests", "1024", "--requests", "1024"]

# Sends one body over and over; prints what was measured as JSON, times in milliseconds.
WRK = """
local file = io.open(os.getenv("BODY"), "rb")
wrk.method, wrk.body = "POST", file:read("*a")
wrk.headers["Content-Type"] = os.getenv("KIND")
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        '\\n{"requests": %d, "seconds": %f, "p50": %f, "p99": %f, "refused": %d, "failed": %d}\\n',
        summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout))
end
"""


@dataclass(frozen=True)
class Arguments:
    seconds: int = 5
    """Of each measurement, after a warm-up."""
    servers: tuple[ServerName, ...] = ("mnistry", "fastapi", "litserve")
    """What is measured."""
    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None
    """File for the figures."""


class Work(NamedTuple):
    """A kind of request."""

    title: str
    path: str
    kind: str
    body: bytes
    digits: int
    connections: tuple[int, ...]


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    if not shutil.which("wrk"):
        raise SystemExit("wrk is needed, the load generator: apt install wrk")
    rows = []
    for name in arguments.servers:
        with serving(name) as port:
            for work in works(name):
                for connections in work.connections:
                    measured = measure(port, work, connections, arguments.seconds)
                    rows.append({"server": name, "work": work.title, "connections": connections, **measured})
                    print(rows[-1], file=sys.stderr, flush=True)
    print(report(rows))
    if arguments.json_file:
        results = {"machine": machine(), "seconds": arguments.seconds, "rows": rows}
        write_text(arguments.json_file, json.dumps(results, indent=1) + "\n")


def works(name: ServerName) -> list[Work]:
    """What a server is asked for, in the form that it takes."""
    png = drawn_seven()
    seen = Recognizer.load().examine(io.BytesIO(png)).rows[0].digits[0].image.tobytes()
    found = []
    for title, digits in (("one image", 1), ("64 images", 64)):
        kind, body = "application/octet-stream", seen * digits
        if name == "litserve":
            body = json.dumps({"images": base64.b64encode(body).decode()}).encode()
            kind = "application/json"
        found.append(
            Work(title, "/v1/classify", kind, body, digits, (1, 8, 64, 256) if digits == 1 else (1, 8, 64))
        )
    if name != "litserve":
        found.append(Work("a drawn digit, PNG", "/v1/read", "image/png", png, 1, (1, 8, 64, 256)))
    return found


def drawn_seven() -> bytes:
    """A 7 as drawn with a finger on a canvas of 280×280 pixels."""
    canvas = Image.new("L", (280, 280), 255)
    ImageDraw.Draw(canvas).line([(80, 70), (200, 66), (150, 140), (120, 220)], 0, width=20, joint="curve")
    file = io.BytesIO()
    canvas.save(file, "png")
    return file.getvalue()


@contextmanager
def serving(name: ServerName) -> Iterator[int]:
    """Starts a server and gives its port once it answers."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    if name == "mnistry":
        command = [sys.executable, "-m", "mnistry", "serve", "--port", str(port), *FLAGS]
    else:
        script = ROOT / "bench" / "peers" / SCRIPTS[name]
        command = [str(interpreter("services")), str(script), str(port)]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    # A session of its own, as LitServe is several processes.
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        if not answers(port, process):
            log.seek(0)
            os.killpg(process.pid, signal.SIGKILL)
            raise SystemExit(f"{name} does not answer: {log.read()[-2000:]}")
    try:
        yield port
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Waits until a server answers; LitServe answers with 503 until its model is loaded."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5).close()
            return True
        except urllib.error.HTTPError as error:
            error.close()
            if error.code == 404:
                return True
        except OSError:
            pass
        time.sleep(0.1)
    return False


def measure(port: int, work: Work, connections: int, seconds: int) -> dict[str, Any]:
    """Requests and digits a second, and the median and 99th percentile of the times, in milliseconds."""
    for duration in (WARM_UP, seconds):
        with load_command(port, work, connections, duration) as (command, environment):
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    figures = json.loads(done.stdout.splitlines()[-1])
    if figures["refused"] or figures["failed"]:
        raise SystemExit(f"{work.title} at {connections} connections: not all was answered: {figures}")
    rate = figures["requests"] / figures["seconds"]
    return {
        "requests_per_second": round(rate, 1),
        "digits_per_second": round(rate * work.digits, 1),
        "p50_ms": round(figures["p50"], 2),
        "p99_ms": round(figures["p99"], 2),
    }


@contextmanager
def load_command(
    port: int, work: Work, connections: int, seconds: int
) -> Iterator[tuple[list[str], dict[str, str]]]:
    """The command that asks for so many seconds, and its environment; its last line is JSON."""
    with tempfile.TemporaryDirectory() as folder:
        script, body = Path(folder, "post.lua"), Path(folder, "body")
        script.write_text(WRK)
        body.write_bytes(work.body)
        load = ["wrk", "--threads", "1", "--connections", str(connections), "--timeout", "30s"]
        address = ["--script", str(script), f"http://127.0.0.1:{port}{work.path}"]
        environment = os.environ | {"BODY": str(body), "KIND": work.kind}
        yield [*load, "--duration", f"{seconds}s", *address], environment


def machine() -> dict[str, Any]:
    """Where this was measured."""
    return {
        "platform": platform.platform(),
        "cpu_count": os.cpu_count(),
        "load_average": os.getloadavg()[0],
        "peers": REQUIREMENTS["services"],
    }


def report(rows: list[dict[str, Any]]) -> str:
    """The figures as a Markdown table: digits a second, and p50 / p99 in milliseconds."""
    servers = list(dict.fromkeys(row["server"] for row in rows))
    lines = [
        "| request | connections | " + " | ".join(servers) + " |",
        "|---|---:|" + "---:|" * len(servers),
    ]
    for work, connections in dict.fromkeys((row["work"], row["connections"]) for row in rows):
        cells = []
        for server in servers:
            key = (server, work, connections)
            row = next((row for row in rows if (row["server"], row["work"], row["connections"]) == key), None)
            cells.append(
                f"{row['digits_per_second']:,.0f} ({row['p50_ms']:.1f} / {row['p99_ms']:.1f})" if row else "–"
            )
        lines.append(f"| {work} | {connections} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, "", "Digits a second; in brackets milliseconds, median / 99th percentile."])


if __name__ == "__main__":
    main()
