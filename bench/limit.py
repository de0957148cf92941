"""How near is training to what this machine can do?

    python bench/limit.py --data-dir FOLDER [--recipes mlp lstm dash] [--steps 400]

For every recipe: the arithmetic of its matrix products, the machine's own best rate of such products,
measured in the same run, the time that this arithmetic would take at that rate, all of it and without the
products with blank pixels, and the time that training takes, compilation left out. A few steps are measured;
the table's seconds are of all the recipe's steps at that pace. Rates count all products, computed or left
out: they are dense-equivalent. Pixels are counted as the data set has them, before any augmentation. Writes
`bench/results/limit.json` and prints the table. A share of 100 % cannot be had where nothing is left out:
there are pictures to be gathered, activations, normalisation and the update of the weights besides.
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
NOTHING_LEARNT = 1
"""The exit status of a training that came to its end without learning anything, as a short one may."""


@dataclass(frozen=True)
class Options:
    """Measure how near training is to the machine's limit."""

    data_dir: Path
    """Folder with MNIST."""
    recipes: tuple[str, ...] = tuple(name for name, recipe in RECIPES.items() if not recipe.reads_pages)
    """Recipes to measure."""
    not_trained: tuple[str, ...] = ("record",)
    """Of them, those of which only the arithmetic is told; by default those for a GPU."""
    steps: int = 400
    """Steps of each recipe."""
    repeats: int = 3
    """Runs of each recipe, of which the fastest counts, as it does for the machine."""
    out: Path = RESULTS
    """File for the numbers."""


def main() -> None:
    """Measures, writes and prints."""
    options = tyro.cli(Options, description=__doc__)
    device, rates = measured_rates()
    ink = float(np.mean(load("mnist", options.data_dir, download=False).train.images != 0))
    rows = []
    for name in options.recipes:
        seconds = None
        if name not in options.not_trained:
            seconds = min(seconds_of(name, options.data_dir, options.steps) for _ in range(options.repeats))
        rows.append(row(name, options.steps, seconds, max(rates.values()), ink))
        share = rows[-1]["share"]
        print(f"{name}: {'not trained' if share is None else f'{share:.0%}'}", file=sys.stderr)
    machine = {
        "platform": platform.platform(),
        "device": device,
        "gflops_by_size": rates,
        "kernels": library().said,
        "ink": ink,
    }
    results = {"machine": machine, "steps": options.steps, "rows": rows}
    write_text(options.out, json.dumps(results, indent=1) + "\n")
    print(table(rows, options.steps, max(rates.values())))


def row(name: str, steps: int, seconds: float | None, best: float, ink: float) -> dict[str, Any]:
    """What some steps of a recipe took, and what their arithmetic takes at the machine's best rate.

    Args:
        name: the recipe.
        steps: that were taken.
        seconds: that they took; None if they were not taken.
        best: GFLOP/s.
        ink: the share of pixels that are not blank.
    """
    recipe = RECIPES[name]
    examples = recipe.batch_size * steps
    products = multiply_adds(recipe.model)
    operations = products.training_operations() * examples
    needed = products.training_operations(ink) * examples
    return {
        "recipe": name,
        "operations_per_image": products.training_operations(),
        "recipe_steps": recipe.steps,
        "seconds": seconds,
        "images_per_second": seconds and examples / seconds,
        "gflops": seconds and operations / seconds / 1e9,
        "seconds_at_best_rate": operations / best / 1e9,
        "seconds_without_blanks": needed / best / 1e9,
        "share": seconds and operations / seconds / 1e9 / best,
    }


def seconds_of(name: str, data_dir: Path, steps: int, *flags: str) -> float:
    """Trains a recipe for some steps in a process of its own: the seconds from the first step to the last."""
    count = str(steps)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mnistry", "train", name, "--json", "--runs", folder, *flags]
        command += ["--data-dir", str(data_dir), "--steps", count, "--log-every", count]
        command += ["--validate-every", count, "--checkpoint-every", count]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, NOTHING_LEARNT):
        raise SystemExit(done.stderr)
    return float(json.loads(done.stdout.splitlines()[-1])["train_seconds"])


def recipe_seconds() -> dict[str, float]:
    """The seconds of each whole recipe at the pace that was measured last."""
    measured = json.loads(RESULTS.read_text())
    return {
        one["recipe"]: of_recipe(one, "seconds", measured["steps"])
        for one in measured["rows"]
        if one["seconds"] is not None
    }


def of_recipe(row: dict[str, Any], key: str, steps: int) -> float:
    """The seconds that so many steps have in a row, of all the recipe's steps."""
    return float(row[key] * row["recipe_steps"] / steps)


def table(rows: list[dict[str, Any]], steps: int, best: float) -> str:
    """The rows, of so many steps each, as Markdown."""
    lines = [
        f"This machine's best matrix product: {best:.0f} GFLOP/s in float32.",
        "",
        "| recipe | MFLOP an image | images a second | GFLOP/s | share of the best rate | whole recipe, s "
        "| its arithmetic at the best rate, s | the same without blank pixels, s |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in rows:
        measured = ("–",) * 4
        if one["seconds"] is not None:
            measured = (
                f"{one['images_per_second']:,.0f}",
                f"{one['gflops']:.0f}",
                f"{one['share']:.0%}",
                told(of_recipe(one, "seconds", steps)),
            )
        cells = (
            f"`{one['recipe']}`",
            f"{one['operations_per_image'] / 1e6:.2f}",
            *measured,
            told(of_recipe(one, "seconds_at_best_rate", steps)),
            told(of_recipe(one, "seconds_without_blanks", steps)),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def told(seconds: float) -> str:
    """Seconds in two digits, from a hundred on whole ones."""
    return f"{seconds:,.0f}" if seconds >= 100 else f"{seconds:.2g}"


if __name__ == "__main__":
    main()
