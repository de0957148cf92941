"""How near is training to what this machine can do?

    python bench/limit.py --data-dir FOLDER [--recipes mlp lstm dash] [--steps 400]

For every recipe: the arithmetic of its matrix products, the machine's own best rate of such products,
measured in the same run, the time that this arithmetic would take at that rate, all of it and without the
products with blank pixels, and the time that training takes, compilation left out. Rates count all products,
computed or left out: they are dense-equivalent. Pixels are counted as the data set has them, before any
augmentation. Writes `bench/results/limit.json` and prints the table. A share of 100 % cannot be had where
nothing is left out: there are pictures to be gathered, activations, normalisation and the update of the
weights besides.
"""

import json
import platform
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from arithmetic import measured_rates, multiply_adds
from mnistry.atomic import write_text
from mnistry.data import load
from mnistry.native.library import library
from mnistry.recipes import RECIPES

RESULTS = Path(__file__).parent / "results" / "limit.json"


@dataclass(frozen=True)
class Options:
    """Measure how near training is to the machine's limit."""

    data_dir: Path
    """Folder with MNIST."""
    recipes: tuple[str, ...] = tuple(
        name for name, recipe in RECIPES.items() if name != "record" and not recipe.reads_pages
    )
    """Recipes to measure; `record` is for a GPU."""
    steps: int = 400
    """Steps of each recipe."""
    repeats: int = 3
    """Runs of each recipe, of which the fastest counts, as it does for the machine."""


def main() -> None:
    """Measures, writes and prints."""
    options = tyro.cli(Options, description=__doc__)
    device, rates = measured_rates()
    ink = float(np.mean(load("mnist", options.data_dir, download=False).train.images != 0))
    rows = []
    for name in options.recipes:
        seconds = min(seconds_of(name, options.data_dir, options.steps) for _ in range(options.repeats))
        recipe = RECIPES[name]
        examples = recipe.batch_size * options.steps
        products = multiply_adds(recipe.model)
        operations = products.training_operations() * examples
        needed = products.training_operations(ink) * examples
        rows.append(
            {
                "recipe": name,
                "operations_per_image": products.training_operations(),
                "seconds": seconds,
                "images_per_second": examples / seconds,
                "gflops": operations / seconds / 1e9,
                "seconds_at_best_rate": operations / max(rates.values()) / 1e9,
                "seconds_without_blanks": needed / max(rates.values()) / 1e9,
                "share": operations / seconds / 1e9 / max(rates.values()),
            }
        )
        print(f"{name}: {rows[-1]['share']:.0%}", file=sys.stderr)
    machine = {
        "platform": platform.platform(),
        "device": device,
        "gflops_by_size": rates,
        "kernels": library().said,
        "ink": ink,
    }
    write_text(
        RESULTS, json.dumps({"machine": machine, "steps": options.steps, "rows": rows}, indent=1) + "\n"
    )
    print(table(rows, max(rates.values())))


def seconds_of(name: str, data_dir: Path, steps: int, *flags: str) -> float:
    """Trains a recipe for some steps in a process of its own: the seconds from the first step to the last."""
    count = str(steps)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mnistry", "train", name, "--json", "--runs", folder, *flags]
        command += ["--data-dir", str(data_dir), "--steps", count, "--log-every", count]
        command += ["--validate-every", count, "--checkpoint-every", count]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    return float(json.loads(done.stdout.splitlines()[-1])["train_seconds"])


def table(rows: list[dict[str, Any]], best: float) -> str:
    """The rows as Markdown."""
    lines = [
        f"This machine's best matrix product: {best:.0f} GFLOP/s in float32.",
        "",
        "| recipe | MFLOP an image | images a second | GFLOP/s | share of the best rate | seconds taken "
        "| at the best rate | without blank pixels |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        cells = (
            f"`{row['recipe']}`",
            f"{row['operations_per_image'] / 1e6:.2f}",
            f"{row['images_per_second']:,.0f}",
            f"{row['gflops']:.0f}",
            f"{row['share']:.0%}",
            *(f"{row[name]:.2f}" for name in ("seconds", "seconds_at_best_rate", "seconds_without_blanks")),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
