"""From which batch on does a second host pay? The cost of adding up the gradients against that of a step.

    python bench/allreduce.py --data-dir FOLDER [--recipes mlp dash lstm] [--repeats 30]

Measures for each recipe the seconds of a step of one process at two sizes of a batch, which give those of an
image; and of one all-reduce of as many numbers as the recipe has parameters, between two processes over
loopback. Both are the shortest of several, as others may use the machine. What a network adds is computed:
two messages to and fro, and the bytes. A second host takes half of the images of a step and adds an
all-reduce:
it pays where that half takes longer. Writes `bench/results/allreduce.json` and the table in docs.
"""

import json
import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
import tyro
from jax.sharding import Mesh, PartitionSpec

from mnistry.atomic import write_text
from mnistry.training import Trainer, joining, processes
from mnistry.training.devices import SHARED, on_devices

RESULTS = Path(__file__).parent / "results" / "allreduce.json"
DOCS = Path(__file__).parents[1] / "docs" / "en" / "cluster-training.md"
START, END = "<!-- allreduce: written by bench/allreduce.py -->\n", "<!-- end of allreduce -->"
# Round trip in seconds, bytes a second.
NETWORKS = {"10 Gbit/s, 0.1 ms": (1e-4, 1.25e9), "1 Gbit/s, 0.3 ms": (3e-4, 1.25e8), "Wi-Fi": (5e-3, 1.2e7)}
STEPS = 10  # of one measurement


@dataclass(frozen=True)
class Options:
    """Measure what a second host costs and gains."""

    data_dir: Path
    """Folder with MNIST."""
    recipes: tuple[str, ...] = ("mlp", "dash", "lstm")
    """Recipes to measure."""
    repeats: int = 10
    """Measurements of which the shortest counts."""
    process: int | None = None
    """Set by this program for the two that it starts."""
    port: int = 0
    """As well."""
    numbers: tuple[int, ...] = ()
    """As well."""


def main() -> None:
    """Measures, writes and prints."""
    options = tyro.cli(Options, description=__doc__)
    if options.process is not None:
        reduce(options)
        return
    rows: list[dict[str, Any]] = []
    for name in options.recipes:
        few, many = (step_seconds(options, name, batch) for batch in (128, 512))
        rows.append(
            {
                "recipe": name,
                "parameters": parameters(name),
                "step_of_128": few,
                "step_of_512": many,
                "image": (many - few) / 384,
            }
        )
        print(rows[-1], file=sys.stderr, flush=True)
    for row, seconds in zip(rows, between_two([row["parameters"] for row in rows], options), strict=True):
        row["allreduce"] = seconds
    machine = {"cpu_count": os.cpu_count(), "load_average": os.getloadavg()[0]}
    write_text(RESULTS, json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")
    before, _, rest = DOCS.read_text().partition(START)
    write_text(DOCS, f"{before}{START}{table(rows)}\n{END}{rest.partition(END)[2]}")
    print(table(rows))


def parameters(name: str) -> int:
    """How many numbers a recipe's model has."""
    from mnistry.recipes import RECIPES

    model = RECIPES[name].model.build(np.random.default_rng(0))
    return sum(leaf.size for leaf in jax.tree.leaves(model))


def step_seconds(options: Options, name: str, batch: int) -> float:
    """The shortest seconds of a step of one process."""
    steps = STEPS * (options.repeats + 1)
    trainer = Trainer(
        name,
        data="mnist",
        data_dir=options.data_dir,
        batch_size=batch,
        steps=steps,
        log_every=STEPS,
        validate_every=steps,
    )
    trainer.steps(STEPS)  # compiles
    found = []
    for _ in range(options.repeats - 1):
        started = time.perf_counter()
        trainer.steps(STEPS)
        found.append((time.perf_counter() - started) / STEPS)
    return min(found)


def between_two(numbers: list[int], options: Options) -> list[float]:
    """The shortest seconds of an all-reduce of so many numbers between two processes."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = [
        subprocess.Popen(
            [
                *(sys.executable, __file__, "--data-dir", ".", "--process", str(process)),
                *("--port", str(port), "--repeats", str(options.repeats), "--numbers", *map(str, numbers)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        for process in (0, 1)
    ]
    said = [process.communicate(timeout=500)[0] for process in started]
    found: list[float] = json.loads(said[0].splitlines()[-1])
    return found


def reduce(options: Options) -> None:
    """One of the two processes; the first one prints the seconds."""
    joining.join(f"127.0.0.1:{options.port}", 2, options.process, say=lambda text: None)
    mesh = Mesh(np.array(jax.devices()), (SHARED,))
    found = []
    for count in options.numbers:
        parts = on_devices(np.ones((2, count), np.float32), mesh, SHARED)
        add = jax.jit(
            jax.shard_map(
                lambda part: jax.lax.fori_loop(0, STEPS, lambda _, one: jax.lax.psum(one, SHARED) / 2, part),
                mesh=mesh,
                in_specs=PartitionSpec(SHARED),
                out_specs=PartitionSpec(SHARED),
                check_vma=False,
            )
        )
        seconds = []
        for _ in range(options.repeats):
            processes.wait_for_others()
            started = time.perf_counter()
            total = jax.block_until_ready(add(parts))
            seconds.append((time.perf_counter() - started) / STEPS)
        assert np.all(np.asarray(total.addressable_data(0)) == 1)
        found.append(min(seconds))
    if processes.is_first():
        print(json.dumps(found), flush=True)
    joining.leave(0)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    names = ["loopback", *NETWORKS]
    lines = [
        "| recipe | parameters | step of 128, ms | an image, µs | all-reduce over loopback, ms | "
        + " | ".join(f"pays from, {name}" for name in names)
        + " |",
        "|---|---:|---:|---:|---:|" + "---:|" * len(names),
    ]
    for row in rows:
        costs = [row["allreduce"]]
        for trip, speed in NETWORKS.values():
            # Each of two hosts sends half of the numbers and gets them back added up, twice.
            costs.append(row["allreduce"] + 2 * trip + 4 * row["parameters"] / speed)
        pays = " | ".join(f"{2 * cost / row['image']:,.0f}" for cost in costs)
        lines.append(
            f"| `{row['recipe']}` | {row['parameters']:,} | {1e3 * row['step_of_128']:.2f} | "
            f"{1e6 * row['image']:.1f} | {1e3 * row['allreduce']:.2f} | {pays} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
