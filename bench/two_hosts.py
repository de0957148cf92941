"""Does training over two hosts stand a bad network? Two network namespaces, with delay and loss between them.

    sudo python bench/two_hosts.py [--milliseconds 5] [--loss 0.01] [--recipe softmax] [--steps 200]

Each namespace has a name and an address of its own, as a host has. All packets between them go through this
program, which holds them back and drops some; Linux's own way, `tc qdisc … netem`, is not in every kernel.
Trains over both, compares the weights with those of one process, and writes the times. Then trains again and
cuts the link without a word: tells when, how and with which words each host ends. Needs root and `ip`.
"""

import contextlib
import fcntl
import json
import os
import random
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from mnistry.export.arrays import read_arrays

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
HOSTS = ("host-a", "host-b")
ADDRESSES = ("10.77.0.1", "10.77.0.2")
NAMESPACES = ("mnistry-a", "mnistry-b")


@dataclass(frozen=True)
class Options:
    """Train over two network namespaces."""

    milliseconds: float = 5
    """Delay each way."""
    loss: float = 0.01
    """Share of the packets that are dropped."""
    recipe: str = "softmax"
    """What to train."""
    steps: int = 200
    """Steps of it."""
    data: str = "optdigits"
    """Its data."""


class Link:
    """Moves packets between two TUN devices, late, and not all of them."""

    def __init__(self, options: Options) -> None:
        self._options, self.cut, self.packets, self.dropped = options, False, 0, 0
        self._ends = [os.open("/dev/net/tun", os.O_RDWR) for _ in HOSTS]
        for number, end in enumerate(self._ends):
            name = f"mnistry{number}".encode()
            fcntl.ioctl(end, TUNSETIFF, struct.pack("16sH", name, IFF_TUN | IFF_NO_PI))

    def start(self) -> None:
        """Begins, in threads."""
        for source, target in (self._ends, self._ends[::-1]):
            waiting: deque[tuple[float, bytes]] = deque()
            some = threading.Semaphore(0)
            for work in (self._take, self._give):
                end = source if work == self._take else target
                threading.Thread(target=work, args=(end, waiting, some), daemon=True).start()

    def _take(self, end: int, waiting: deque[tuple[float, bytes]], some: threading.Semaphore) -> None:
        chance = random.Random(end)
        while True:
            packet = os.read(end, 65536)
            self.packets += 1
            if self.cut or chance.random() < self._options.loss:
                self.dropped += 1
                continue
            waiting.append((time.monotonic() + self._options.milliseconds / 1000, packet))
            some.release()

    def _give(self, end: int, waiting: deque[tuple[float, bytes]], some: threading.Semaphore) -> None:
        while True:
            some.acquire()
            due, packet = waiting.popleft()
            time.sleep(max(0.0, due - time.monotonic()))
            with contextlib.suppress(OSError):
                os.write(end, packet)


@contextlib.contextmanager
def two_hosts(options: Options) -> Iterator[Link]:
    """Makes the namespaces and the link between them, and removes them."""
    files = [Path("/etc/netns") / namespace for namespace in NAMESPACES]
    try:
        for namespace, folder in zip(NAMESPACES, files, strict=True):
            ip("netns", "add", namespace)
            folder.mkdir(parents=True)
            lines = (f"{address} {host}" for address, host in zip(ADDRESSES, HOSTS, strict=True))
            (folder / "hosts").write_text("127.0.0.1 localhost\n" + "\n".join(lines) + "\n")
        link = Link(options)
        for number, namespace in enumerate(NAMESPACES):
            ip("link", "set", f"mnistry{number}", "netns", namespace)
            ip("-n", namespace, "address", "add", f"{ADDRESSES[number]}/24", "dev", f"mnistry{number}")
            for device in ("lo", f"mnistry{number}"):
                ip("-n", namespace, "link", "set", device, "up")
        link.start()
        yield link
    finally:
        for namespace, folder in zip(NAMESPACES, files, strict=True):
            subprocess.run(["ip", "netns", "delete", namespace], check=False)
            shutil.rmtree(folder, ignore_errors=True)


def ip(*words: str) -> None:
    """Runs `ip`."""
    subprocess.run(["ip", *words], check=True)


def start(options: Options, folder: Path, port: int, steps: int) -> list[subprocess.Popen[str]]:
    """Starts a process on each host."""
    found = []
    for number, namespace in enumerate(NAMESPACES):
        train = [sys.executable, "-m", "mnistry", "train", options.recipe, "--data", options.data]
        train += ["--steps", str(steps), "--coordinator", f"{HOSTS[0]}:{port}", "--processes", "2"]
        train += ["--process", str(number), "--runs", str(folder / HOSTS[number])]
        inside = f"hostname {HOSTS[number]} && exec {shlex.join(train)}"
        found.append(
            subprocess.Popen(
                ["ip", "netns", "exec", namespace, "unshare", "--uts", "sh", "-c", inside],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    return found


def main() -> None:
    """Trains, compares, cuts the link, tells."""
    options = tyro.cli(Options, description=__doc__)
    told: dict[str, Any] = {"milliseconds": options.milliseconds, "loss": options.loss}
    with tempfile.TemporaryDirectory() as name, two_hosts(options) as link:
        folder = Path(name)
        alone = [sys.executable, "-m", "mnistry", "train", options.recipe, "--data", options.data]
        alone += ["--steps", str(options.steps), "--runs", str(folder / "alone")]
        subprocess.run(alone, check=True, capture_output=True)
        for process in start(options, folder, 5001, options.steps):
            _, said = process.communicate(timeout=500)
            if process.returncode:
                raise SystemExit(said)
        run = f"{options.recipe}-1"
        ours, one = (read_arrays(folder / where / run / "model.safetensors") for where in (HOSTS[0], "alone"))
        told["largest_difference"] = max(float(np.abs(ours[key] - one[key]).max()) for key in one)
        told["largest_weight"] = max(float(np.abs(array).max()) for array in one.values())
        for where in (HOSTS[0], "alone"):
            evaluation = json.loads((folder / where / run / "evaluation.json").read_text())
            told[f"{where}_milliseconds_a_step"] = 1000 * evaluation["train_seconds"] / options.steps
        told["packets"], told["dropped"] = link.packets, link.dropped
        told["host-b_wrote"] = (folder / HOSTS[1]).exists()

        pair = start(options, folder, 5002, 10**6)
        metrics = folder / HOSTS[0] / f"{options.recipe}-2" / "metrics.jsonl"
        while not metrics.exists() and all(process.poll() is None for process in pair):
            time.sleep(0.1)
        link.cut, cut = True, time.monotonic()
        waiting = dict(enumerate(pair))
        ends: dict[str, Any] = {}
        while waiting and time.monotonic() - cut < 60:
            for number, process in list(waiting.items()):
                if process.poll() is not None:
                    seconds = round(time.monotonic() - cut, 1)
                    _, said = waiting.pop(number).communicate()
                    ends[HOSTS[number]] = {
                        "seconds": seconds,
                        "status": process.returncode,
                        "said": [line for line in said.splitlines() if line.startswith("mnistry:")][-1],
                    }
            time.sleep(0.05)
        told["after_the_link_was_cut"] = ends
        for process in waiting.values():
            process.kill()
    print(json.dumps(told, indent=1))


if __name__ == "__main__":
    main()
