"""What do files and requests that were made to stop the reader do to it?

    python bench/hostile.py [--only bars pipelining] [--json bench/results/hostile.json]

Makes them all, sends each to a service of its own, and gives each file to `mnistry read`. Meanwhile another
client, of another address, has ordinary pictures read. Prints Markdown: seconds until there is an answer,
the most memory that the processes took together, the answer, and the other client's 99th percentile. Fails
where one takes more than 10 seconds or 1 GB, or lets the other client wait for more than a second.
"""

import io
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Annotated, NamedTuple

import numpy as np
import tyro
from PIL import Image

from mnistry.atomic import write_text

ROOT = Path(__file__).resolve().parents[1]
MOST_SECONDS, MOST_MEGABYTES, MOST_P99 = 10.0, 1000.0, 1.0
GIVE_UP_SECONDS = 100
PIXELS = 50_000_000  # the service is told to take as many as the command
PIPELINES, PIPELINE_SECONDS = 100, 8
OCTETS = "application/octet-stream"
CHARSETS = ("utf-7", "punycode", "unicode_escape", "undefined")


@dataclass(frozen=True)
class Arguments:
    only: tuple[str, ...] = ()
    """Names of inputs; by default all."""
    source: Path = ROOT / "src"
    """The code that is tried, such as that of an older checkout."""
    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None
    """File for the figures."""


@dataclass(frozen=True)
class Row:
    """What one input did.

    Attributes:
        name: of the input.
        way: what it was given to, the service or the command.
        seconds: until there was an answer.
        megabytes: the most that all processes took together.
        answer: what came back.
        p99: seconds of the other client; None for the command.
    """

    name: str
    way: str
    seconds: float
    megabytes: float
    answer: str
    p99: float | None = None

    @property
    def held(self) -> bool:
        """Whether it stayed within all bounds, and no error was the service's own."""
        right = (
            self.seconds <= MOST_SECONDS and self.megabytes <= MOST_MEGABYTES and (self.p99 or 0) <= MOST_P99
        )
        return right and not self.answer.startswith("500") and "Traceback" not in self.answer


class Service(NamedTuple):
    """A service that runs."""

    process: subprocess.Popen[str]
    port: int


# Pictures: each function gives the bytes of a file.


def png(strokes: np.ndarray) -> bytes:
    """A PNG of dark strokes, bool `[height, width]`, on light paper; a bit a pixel."""
    file = io.BytesIO()
    Image.fromarray(~strokes).save(file, "png", optimize=True)
    return file.getvalue()


def bars(side: int = 2048) -> bytes:
    row, column = np.ogrid[:side, :side]
    return png((row % 28 < 20) & (column % 4 < 2))


def comb(side: int = 2048) -> bytes:
    row, column = np.ogrid[:side, :side]
    return png((row % 40 < 30) & ((column % 6 < 3) | (row % 40 < 3)))


def checkerboard(side: int = 7000) -> bytes:
    row, column = np.ogrid[:side, :side]
    return png((row // 32 + column // 32) % 2 == 0)


def noise(side: int = 7000) -> bytes:
    return png(np.random.default_rng(0).random((side, side)) < 0.5)


def scans(size: int = 1_900_000, side: int = 7000) -> bytes:
    """A progressive JPEG of blank paper whose last scan, which is short, comes again and again."""
    file = io.BytesIO()
    Image.new("L", (side, side), 255).save(file, "jpeg", progressive=True)
    content = file.getvalue()
    scan = content[content.rindex(b"\xff\xda") : -2]
    return content[:-2] + scan * ((size - len(content)) // len(scan)) + b"\xff\xd9"


def pages(count: int = 190_000) -> bytes:
    """A TIFF of many pages that share one pixel."""
    tags = [(256, 1), (257, 1), (258, 8), (259, 1), (262, 1), (273, 8), (278, 1), (279, 1)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    length = 2 + len(entries) + 4
    parts = [b"II*\0" + struct.pack("<I", 10) + b"\0\0"]
    for number in range(count):
        following = 10 + (number + 1) * length if number + 1 < count else 0
        parts.append(struct.pack("<H", len(tags)) + entries + struct.pack("<I", following))
    return b"".join(parts)


def odd_levels(side: int = 4400) -> bytes:
    """A PGM whose levels end at 254, which Pillow scales in Python."""
    return f"P5 {side} {side} 254\n".encode() + bytes(side * side)


def text_bomb(size: int = 60_000_000) -> bytes:
    """A PNG with twenty compressed texts of so many bytes each."""
    file = io.BytesIO()
    Image.new("L", (100, 100), 255).save(file, "png")
    content = file.getvalue()
    body = b"zTXt" + b"a\0\0" + zlib.compress(bytes(size), 9)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return content[:33] + 20 * chunk + content[33:]


PICTURES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "bars": ("png", bars),
    "comb": ("png", comb),
    "checkerboard": ("png", checkerboard),
    "noise": ("png", noise),
    "scans": ("jpg", scans),
    "pages": ("tif", pages),
    "levels": ("pgm", odd_levels),
    "texts": ("png", text_bomb),
}

# Requests: each function talks to a service and gives what came back.


def post(port: int, path: str, content: bytes, kind: str) -> str:
    """Sends a request, and gives the status and the start of the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=GIVE_UP_SECONDS)
    try:
        connection.request("POST", path, content, {"Content-Type": kind})
        response = connection.getresponse()
        body = response.read()
    except (OSError, HTTPException) as error:
        return f"none: {type(error).__name__}"
    finally:
        connection.close()
    try:
        told = json.loads(body)
        text = told.get("detail") or f"{len(told.get('digits', ()))} digits"
    except ValueError:
        text = body[:80].decode("latin-1")
    return f"{response.status}: {text[:120]} ({len(body):,} bytes)"


def pipelining(port: int) -> str:
    """Clients that ask and ask, and read nothing."""
    request = b"GET /docs HTTP/1.1\r\nHost: localhost\r\n\r\n" * 5000
    clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(PIPELINES)]
    for client in clients:
        client.setblocking(False)
    deadline = time.monotonic() + PIPELINE_SECONDS
    while time.monotonic() < deadline:
        for client in clients:
            with suppress(OSError):
                client.send(request)
        time.sleep(0.01)
    for client in clients:
        client.close()
    return "cut"


def empty_lists(port: int) -> str:
    return post(port, "/v1/classify", b'{"images": [' + b"[]," * 6_600_000 + b"[]]}", "application/json")


def nested_lists(port: int) -> str:
    return post(port, "/v1/classify", b'{"images": ' + b"[" * 19_900_000, "application/json")


def long_key(port: int) -> str:
    return post(port, "/v1/classify", b'{"' + b"a" * 19_900_000 + b'": 1}', "application/json")


def charsets(port: int) -> str:
    part = b'--x\r\nContent-Disposition: form-data; name="\\x"; filename="+\xff"\r\n\r\n7\r\n--x--\r\n'
    kind = "multipart/form-data; boundary=x; charset="
    answers = [post(port, "/v1/read", part, kind + charset) for charset in CHARSETS]
    return max(answers)


def cut_connections(port: int) -> str:
    content = bars()
    head = f"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(content)}\r\n\r\n".encode()
    for _ in range(50):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(head + content)
    return "cut"


def few_files(port: int) -> str:
    clients = []
    for _ in range(200):
        with suppress(OSError):
            clients.append(socket.create_connection(("127.0.0.1", port), 1))
    statuses = []
    for _ in range(5):
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        with suppress(OSError, HTTPException):
            connection.request("GET", "/")
            statuses.append(str(connection.getresponse().status))
        connection.close()
    for client in clients:
        client.close()
    return max(statuses, default="none")


REQUESTS: dict[str, Callable[[int], str]] = {
    "pipelining": pipelining,
    "empty lists": empty_lists,
    "nested lists": nested_lists,
    "long key": long_key,
    "charsets": charsets,
    "cut connections": cut_connections,
    "few files": few_files,
}


def main() -> None:
    arguments = tyro.cli(Arguments, description=__doc__)
    environment = os.environ | {"PYTHONPATH": str(arguments.source)}
    rows = []
    for name, (suffix, make) in PICTURES.items():
        if wanted(name, arguments):
            content = make()
            ask = partial(post, path="/v1/read", content=content, kind=OCTETS)
            rows.append(of_service(name, ask, environment))
            rows.append(of_command(name, content, suffix, environment))
    rows += [of_service(name, ask, environment) for name, ask in REQUESTS.items() if wanted(name, arguments)]
    if wanted("pipe", arguments):
        rows.append(of_command("pipe", None, "png", environment))
    print(report(rows))
    if arguments.json_file:
        results = {"cpu_count": os.cpu_count(), "rows": [asdict(row) for row in rows]}
        write_text(arguments.json_file, json.dumps(results, indent=1) + "\n")
    if not all(row.held for row in rows):
        raise SystemExit("not all stayed within the bounds")


def wanted(name: str, arguments: Arguments) -> bool:
    """Whether an input was asked for."""
    return not arguments.only or name in arguments.only


def of_service(name: str, ask: Callable[[int], str], environment: dict[str, str]) -> Row:
    """Asks a new service, while another client has pictures read."""
    print(f"{name}: the service", file=sys.stderr, flush=True)
    with serving(environment, 64 if name == "few files" else None) as service:
        took: list[float] = []
        stop = threading.Event()
        read_ordinary(service.port, took)  # it is ready
        took.clear()
        other = threading.Thread(target=keep_reading, args=[service.port, took, stop])  # reads once at least
        with watched(service.process.pid) as most:
            other.start()
            started = time.perf_counter()
            answer = ask(service.port)
            seconds = time.perf_counter() - started
            time.sleep(0.5)
            stop.set()
            other.join()
    # With few files, the other client is refused as well.
    p99 = None if name == "few files" else float(np.quantile(took, 0.99, method="higher"))
    if name == "pipelining":
        seconds = 0.0  # it is this script that stops
    return Row(name, "service", seconds, most[0], answer, p99)


def of_command(name: str, content: bytes | None, suffix: str, environment: dict[str, str]) -> Row:
    """Gives a file, or a pipe without a writer, to `mnistry read`."""
    print(f"{name}: the command", file=sys.stderr, flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"picture.{suffix}")
        if content is None:
            os.mkfifo(path)
        else:
            path.write_bytes(content)
        command = [sys.executable, "-m", "mnistry", "read", path.name]
        started = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        with watched(process.pid) as most:
            try:
                said, _ = process.communicate(timeout=GIVE_UP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                said, _ = process.communicate()
        seconds = time.perf_counter() - started
    answer = " ".join(said.split())
    return Row(name, "command", seconds, most[0], f"{process.returncode}: {answer[:160]}")


@contextmanager
def serving(environment: dict[str, str], files: int | None = None) -> Iterator[Service]:
    """A service on a free port, which may open only so many files."""
    command = [sys.executable, "-m", "mnistry", "serve", "--port", "0", "--pixels", str(PIXELS)]
    if files:
        command = ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh", *command]
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout
        try:
            line = process.stdout.readline()
            yield Service(process, int(line.split("http://127.0.0.1:")[1].split()[0]))
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        log.seek(0)
        if "Traceback" in (said := log.read()):
            print(said[-2000:], file=sys.stderr)


def read_ordinary(port: int, took: list[float]) -> None:
    """Has one ordinary picture read, by a client of another address; a refusal counts as a long time."""
    content = (ROOT / "examples" / "seven-marker.png").read_bytes()
    started = time.perf_counter()
    connection = HTTPConnection("127.0.0.1", port, timeout=GIVE_UP_SECONDS, source_address=("127.0.0.2", 0))
    status = 0
    with suppress(OSError, HTTPException):
        connection.request("POST", "/v1/read", content, {"Content-Type": "image/png"})
        response = connection.getresponse()
        response.read()
        status = response.status
    connection.close()
    took.append(time.perf_counter() - started if status == 200 else GIVE_UP_SECONDS)


def keep_reading(port: int, took: list[float], stop: threading.Event) -> None:
    """Has ordinary pictures read, twenty a second."""
    while True:
        read_ordinary(port, took)
        if stop.wait(0.05):
            break


@contextmanager
def watched(pid: int) -> Iterator[list[float]]:
    """The most memory, in megabytes, that a process and its children take together until the block ends."""
    most, stop = [0.0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.02):
            most[0] = max(most[0], resident(pid) / 1e6)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield most
    finally:
        stop.set()
        thread.join()


def resident(pid: int) -> int:
    """Bytes of a process and of all that it started."""
    total = 0
    with suppress(OSError):
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        total = pages * os.sysconf("SC_PAGE_SIZE")
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += sum(resident(int(child)) for child in (task / "children").read_text().split())
    return total


def report(rows: list[Row]) -> str:
    """The rows as a Markdown table."""
    lines = ["| input | way | seconds | MB | the other's p99, s | answer |", "|---|---|---:|---:|---:|---|"]
    for row in rows:
        p99 = "–" if row.p99 is None else f"{row.p99:.2f}"
        mark = "" if row.held else "**"
        cells = f"{mark}{row.seconds:.1f}{mark} | {row.megabytes:,.0f} | {p99} | {row.answer}"
        lines.append(f"| {row.name} | {row.way} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
