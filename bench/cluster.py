"""What do many pictures cost, does memory stay flat, and is nothing lost when machines are killed?

    python bench/cluster.py [--counts 1000 10000 100000] [--kills 1000] [--no-trials]

Generates small pictures, and reads them as one process does, as `mnistry read --recursive` does on all cores,
and by Ray with two workers. Then it kills a node of two, and the driver, in the middle, and compares the
tables. At last it trains two runs one after the other on all cores, and side by side on one core each.

What is measured goes to `bench/results/cluster.json`; it exits with 1 where a table differs. Processor time
and the machine's load are told beside time: where others compute on it, too, time alone says little.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import tyro
from PIL import Image

from mnistry.atomic import write_text
from mnistry.data import load

RESULTS = Path(__file__).parent / "results" / "cluster.json"
MNISTRY = (sys.executable, "-m", "mnistry")
SIDE = 64  # pixels of a picture: too large to be taken for one of MNIST's, so that it is looked through
EVERY = 0.2  # seconds between two looks at the memory
TRIALS = {"mlp": 1000, "dash": 100, "lstm": 200}  # steps


@dataclass(frozen=True)
class Options:
    """Measure reading on a cluster of this machine, and what is left of it when parts of it are killed."""

    counts: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Pictures to read."""
    kills: int = 1_000
    """Pictures to read while a node or the driver is killed; 0: do not."""
    trials: bool = True
    """Compare trials side by side with trials one after the other, too."""


def main() -> int:
    """Measures, writes the results, and says whether all tables are the undisturbed one."""
    options = tyro.cli(Options)
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results["cores"] = os.cpu_count()
    for count in options.counts:
        results.setdefault("reading", {})[str(count)] = reading(count)
        keep(results)
    if options.kills:
        results["kills"] = kills(options.kills)
        keep(results)
    if options.trials:
        results["trials"] = {name: trials(name, steps) for name, steps in TRIALS.items()}
        keep(results)
    print(json.dumps(results, indent=1))
    return 0 if all(one["equal"] for one in results.get("kills", {}).values()) else 1


def keep(results: dict[str, Any]) -> None:
    """Writes what was measured so far."""
    RESULTS.parent.mkdir(exist_ok=True)
    write_text(RESULTS, json.dumps(results, indent=1) + "\n")


def reading(count: int) -> dict[str, Any]:
    """Pictures a second and memory in three ways, whose tables are the same."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        manifest = generate(place, count)
        read = [*MNISTRY, "read"]
        ways = {
            "one process": [*read, manifest, "--out", place / "one", "--workers", "1"],
            "all cores, --recursive --csv": [*read, place / "in", "--recursive", "--csv", place / "t.csv"],
            "Ray, two workers": [
                *(*read, manifest, "--out", place / "two"), "--cluster", "local", "--workers", "2"
            ],
        }  # fmt: skip
        found = {name: measured(command, count) for name, command in ways.items()}
        assert rows_of(place / "one") == rows_of(place / "two")
        return found


def generate(place: Path, count: int) -> Path:
    """Pictures of a digit each, a thousand in a folder, and a manifest of them."""
    images = load("optdigits").test.images
    uris = []
    for number in range(count):
        name = f"in/{number // 1000:04}/{number:08}.png"
        picture = np.full((SIDE, SIDE), 255, np.uint8)
        picture[18:46, 18:46] -= images[number % len(images)]
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / name)
        uris.append(name)
    manifest = place / "list.parquet"
    pyarrow.parquet.write_table(pa.table({"uri": uris}), manifest)
    return manifest


def measured(command: Sequence[object], count: int) -> dict[str, Any]:
    """Runs a command; its time, processor time and largest memory, with all processes that it starts."""
    load_before, start = os.getloadavg()[0], time.monotonic()
    process = subprocess.Popen([str(word) for word in command], stderr=subprocess.DEVNULL)
    spent: dict[int, float] = {}
    largest = 0
    while process.poll() is None:
        memory = 0
        for number in descendants(process.pid):
            seconds, bytes_of_it = use_of(number)
            spent[number] = max(spent.get(number, 0.0), seconds)
            memory += bytes_of_it
        largest = max(largest, memory)
        time.sleep(EVERY)
    seconds = time.monotonic() - start
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}")
    return {
        "seconds": round(seconds, 1),
        "pictures_a_second": round(count / seconds, 1),
        "processor_seconds": round(sum(spent.values()), 1),
        "processor_milliseconds_a_picture": round(1000 * sum(spent.values()) / count, 2),
        "largest_memory_mb": round(largest / 1e6),
        "load_before": load_before,
    }


def descendants(root: int) -> list[int]:
    """A process and all that it started."""
    parents: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        parents.setdefault(int(after_name[1]), []).append(int(path.parent.name))
    found, waiting = [], [root]
    while waiting:
        number = waiting.pop()
        found.append(number)
        waiting += parents.get(number, [])
    return found


def use_of(number: int) -> tuple[float, int]:
    """Processor time, and memory of a process; what it shares with others counts in parts."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        lines = Path(f"/proc/{number}/smaps_rollup").read_text().splitlines()
        kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return seconds, 1024 * kilobytes
    except (OSError, StopIteration):
        return 0.0, 0


def rows_of(table: Path) -> list[dict[str, Any]]:
    """The rows of a table in the order of their URIs."""
    rows: list[dict[str, Any]] = pyarrow.dataset.dataset(table).to_table().to_pylist()
    return sorted(rows, key=lambda row: str(row["uri"]))


def kills(count: int) -> dict[str, Any]:
    """Reads on a cluster of two nodes, of which one is killed in the middle, or the driver."""
    from ray.cluster_utils import Cluster

    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        manifest = generate(place, count)
        read = [str(word) for word in (*MNISTRY, "read", manifest, "--workers", "2", "--rows", count // 20)]
        subprocess.run([*read, "--out", str(place / "whole")], check=True)
        nodes: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 3, "include_dashboard": False})
        second = nodes.add_node(num_cpus=1)
        read += ["--cluster", nodes.address]
        try:
            driver = begun([*read, "--out", str(place / "driver")], place / "driver")
            driver.send_signal(signal.SIGKILL)
            driver.wait()
            before = len(list((place / "driver").glob("*.parquet")))
            subprocess.run([*read, "--out", str(place / "driver"), "--resume"], check=True)
            driver = begun([*read, "--out", str(place / "node")], place / "node")
            nodes.remove_node(second, allow_graceful=False)
            files = len(list((place / "node").glob("*.parquet")))
            if driver.wait():
                raise RuntimeError("the driver failed after a node was killed")
        finally:
            nodes.shutdown()
        whole = rows_of(place / "whole")
        return {
            "driver": {"files_then": before, "rows": count, "equal": rows_of(place / "driver") == whole},
            "node": {"files_then": files, "rows": count, "equal": rows_of(place / "node") == whole},
        }


def begun(command: Sequence[str], table: Path) -> "subprocess.Popen[bytes]":
    """A driver whose table has a quarter of its files."""
    driver = subprocess.Popen(command)
    while len(list(table.glob("*.parquet"))) < 5:
        if driver.poll() is not None:
            raise RuntimeError("the driver ended before it was killed")
        time.sleep(0.05)
    return driver


def trials(name: str, steps: int) -> dict[str, float]:
    """Time of two runs, one after the other on all cores, and side by side on one core each."""
    with tempfile.TemporaryDirectory() as folder:
        command = [*MNISTRY, "train", name, "--data", "optdigits", "--steps", str(steps), "--runs", folder]
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([*command, "--seed", "9"], check=True, **quiet)  # what is compiled is kept

        def run(seed: int, environment: dict[str, str]) -> None:
            subprocess.run(
                [*command, "--seed", str(seed)],
                env=os.environ | environment,
                check=True,
                **quiet,
            )

        found = {}
        for way, environment in (("after_another", {}), ("side_by_side", {"NPROC": "1", "PJRT_NPROC": "1"})):
            started, used = time.monotonic(), os.times()
            threads = [threading.Thread(target=run, args=(seed, environment)) for seed in (0, 1)]
            for thread in threads:
                thread.start()
                if way == "after_another":
                    thread.join()
            for thread in threads:
                thread.join()
            after = os.times()
            found[f"{way}_seconds"] = round(time.monotonic() - started, 1)
            spent = after.children_user + after.children_system - used.children_user - used.children_system
            found[f"{way}_processor_seconds"] = round(spent, 1)
        return found


if __name__ == "__main__":
    sys.exit(main())
