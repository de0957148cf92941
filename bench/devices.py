"""Does it pay to share each batch between two devices, on the same two cores?

    python bench/devices.py --data-dir FOLDER [--recipes mlp lstm dash] [--steps 400]

Trains every recipe with one device, whose matrix products use both cores, and with two, each of which has
half of every batch; in turns, each in a process of its own. Writes `bench/results/devices.json` and prints
the medians and the gain. That both ways give the same weights is tested in `tests/training`.
"""

import json
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tyro

from limit import seconds_of
from mnistry.atomic import write_text

RESULTS = Path(__file__).parent / "results" / "devices.json"
DEVICES = (1, 2)


@dataclass(frozen=True)
class Options:
    """Measure what a second device gains."""

    data_dir: Path
    """Folder with MNIST."""
    recipes: tuple[str, ...] = ("softmax", "mlp", "lstm", "mlp-deep", "lenet5", "dash", "mile", "tiny")
    """Recipes to measure."""
    steps: int = 300
    """Steps of each recipe."""
    repeats: int = 3
    """Runs with each number of devices, in turns; their medians count."""


def main() -> None:
    """Measures, writes and prints."""
    options = tyro.cli(Options, description=__doc__)
    rows: list[dict[str, Any]] = []
    for name in options.recipes:
        seconds: dict[int, list[float]] = {count: [] for count in DEVICES}
        for _ in range(options.repeats):
            for count in DEVICES:
                flags = ("--devices", str(count))
                seconds[count].append(seconds_of(name, options.data_dir, options.steps, *flags))
        medians = {count: 1e3 * statistics.median(seconds[count]) / options.steps for count in DEVICES}
        rows.append({"recipe": name, "seconds": seconds, "milliseconds_a_step": medians})
        print(f"{name}: {medians}", file=sys.stderr)
    write_text(RESULTS, json.dumps({"steps": options.steps, "rows": rows}, indent=1) + "\n")
    print(table(rows))


def table(rows: list[dict[str, Any]]) -> str:
    """The rows as Markdown."""
    lines = ["| recipe | one device, ms a step | two devices | gain |", "|---|---:|---:|---:|"]
    for row in rows:
        one, two = (row["milliseconds_a_step"][count] for count in DEVICES)
        lines.append(f"| `{row['recipe']}` | {one:.2f} | {two:.2f} | {one / two:.2f}× |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
