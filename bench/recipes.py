"""Does each recipe reach what it should, be it what the tutorial's own program reaches?

    python bench/recipes.py --data-dir FOLDER [--seeds 10] [--recipes softmax mlp]

Trains every recipe with seeds 0, 1, … as a sweep that has nothing to choose, writes accuracies to
`bench/results/recipes.json` and `docs/recipes-table.md`, and exits with 1 where a mean lies outside its
range. Runs already in the file are not made again, so it can be stopped at any time; delete the file to
measure anew. With `--cluster`, Ray trains the seeds of a recipe side by side, on a core each, wherever there
are some. The table's seconds are those of `bench/limit.py`.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tyro

from arithmetic import multiply_adds
from limit import recipe_seconds, told
from mnistry.atomic import write_text
from mnistry.recipes import RECIPES, Recipe
from mnistry.runs import read_run

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "bench" / "results" / "recipes.json"
TABLE = ROOT / "docs" / "recipes-table.md"
# How far from the tutorial's figure a mean may lie; the file-order network varies more.
TOLERANCE = {"scratch": 0.015}


@dataclass(frozen=True)
class Options:
    """Measure every recipe over several seeds on MNIST, and write the book's table."""

    data_dir: Path
    """Folder with MNIST."""
    seeds: int = 10
    """Seeds a recipe, from 0 on."""
    cluster: str | None = None
    """Where Ray runs: an address, or `local`; by default one run after the other here."""
    runs: Path | None = None
    """A folder in which the runs are kept, so that one that is stopped goes on; all machines must see it."""
    recipes: tuple[str, ...] = tuple(name for name, recipe in RECIPES.items() if not recipe.reads_pages)
    """Recipes to measure; the table has all that were ever measured."""


def main() -> int:
    """Runs what is missing, writes the table, and says whether all means lie where they should."""
    options = tyro.cli(Options)
    results: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in options.recipes:
        measured = results.setdefault(name, {})
        wanted = [seed for seed in range(options.seeds) if str(seed) not in measured]
        # One sweep where seeds run side by side, else one for each, so that each is kept at once.
        parts = [(wanted[0], options.seeds - wanted[0])] if options.cluster and wanted else []
        for first, count in parts or [(seed, 1) for seed in wanted]:
            for seed, figures in run(name, first, count, options).items():
                if str(seed) not in measured:
                    measured[str(seed)] = figures
                    print(f"{name}, seed {seed}: {figures['accuracy']:.4f}", file=sys.stderr)
            RESULTS.parent.mkdir(exist_ok=True)
            write_text(RESULTS, json.dumps(results, indent=1) + "\n")
    write_text(TABLE, table(results))
    outside = [name for name in options.recipes if not within(RECIPES[name], results[name])]
    for name in outside:
        print(f"{name}: the mean lies outside of the tutorial's range", file=sys.stderr)
    return 1 if outside else 0


def run(name: str, first: int, count: int, options: Options) -> dict[int, dict[str, Any]]:
    """Trains so many seeds, in a process of its own, and gives what each reached on the test part."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.runs / f"{name}-from-{first}" if options.runs else Path(temporary)
        command = [sys.executable, "-m", "mnistry", "sweep", name]
        command += ["--seed", str(first), "--seeds", str(count), "--json"]
        command += ["--data-dir", str(options.data_dir), "--runs", str(folder)]
        command += ["--cluster", options.cluster] if options.cluster else []
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        found = {}
        for one in json.loads(done.stdout.splitlines()[-1])["test"]:
            finished = read_run(one["run"])
            measured = {"accuracy": finished.figures["accuracy"]}
            if "plain_weights" in finished.figures:
                measured["plain_accuracy"] = finished.figures["plain_weights"]["accuracy"]
            found[finished.seed] = measured
    return found


def within(recipe: Recipe, measured: dict[str, Any]) -> bool:
    """Whether the mean accuracies, of averaged and of plain weights, lie in the recipe's range."""
    if recipe.reaches is None:
        return True
    low, high = recipe.reaches
    # A recipe that should only reach a figure may exceed it.
    tolerance = 0.0 if high == 1 else TOLERANCE.get(recipe.name, 0.003)
    return all(
        low - tolerance <= statistics.mean(accuracies) <= high + tolerance
        for accuracies in (figures_of(measured), figures_of(measured, "plain_accuracy"))
        if accuracies
    )


def figures_of(measured: dict[str, Any], key: str = "accuracy") -> list[float]:
    """One figure of every seed that has it."""
    return [run[key] for run in measured.values() if key in run]


def table(results: dict[str, dict[str, Any]]) -> str:
    """The measured recipes as a Markdown table."""
    heads = (
        "recipe",
        "what it is",
        "parameters",
        "MFLOP",
        "seconds",
        "test accuracy, mean ± sd (n)",
        "expected",
    )
    lines = [f"| {' | '.join(heads)} |", "|---|---|---:|---:|---:|---:|---:|"]
    seconds = recipe_seconds()
    for name, measured in results.items():
        recipe = RECIPES[name]
        parameters = f"{recipe.model.build(np.random.default_rng(0)).parameters:,}"
        operations = f"{multiply_adds(recipe.model).operations / 1e6:.2g}"
        accuracies = figures_of(measured)
        accuracy = f"{statistics.mean(accuracies):.4f}"
        accuracy += f" ± {statistics.stdev(accuracies):.4f}" if len(measured) > 1 else ""
        accuracy += f" ({len(measured)})"
        if plain := figures_of(measured, "plain_accuracy"):
            accuracy += f"; plain weights {statistics.mean(plain):.4f}"
        time = told(seconds[name]) if name in seconds else "–"
        cells = (f"`{name}`", recipe.summary, parameters, operations, time, accuracy, _range(recipe))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _range(recipe: Recipe) -> str:
    if recipe.reaches is None:
        return "–"
    low, high = recipe.reaches
    if high == 1:
        return f"≥ {low:.3f}"
    return f"{low:.3f}" if low == high else f"{low:.3f}–{high:.3f}"


if __name__ == "__main__":
    sys.exit(main())
