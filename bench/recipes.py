"""Does each recipe reach what it should, be it what the tutorial's own program reaches?

    python bench/recipes.py --data-dir FOLDER [--seeds 10] [--recipes softmax mlp]

Trains every recipe with seeds 0, 1, …, writes accuracies and seconds to `bench/results/recipes.json` and
`docs/recipes-table.md`, and exits with 1 where a mean lies outside its range. Runs already in the file
are not made again, so it can be stopped at any time; delete the file to measure anew.
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
from mnistry.atomic import write_text
from mnistry.recipes import RECIPES, Recipe

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
    recipes: tuple[str, ...] = tuple(name for name, recipe in RECIPES.items() if not recipe.reads_pages)
    """Recipes to measure; the table has all that were ever measured."""


def main() -> int:
    """Runs what is missing, writes the table, and says whether all means lie where they should."""
    options = tyro.cli(Options)
    results: dict[str, dict[str, Any]] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in options.recipes:
        for seed in range(options.seeds):
            measured = results.setdefault(name, {})
            if str(seed) not in measured:
                measured[str(seed)] = run(name, seed, options.data_dir)
                RESULTS.parent.mkdir(exist_ok=True)
                write_text(RESULTS, json.dumps(results, indent=1) + "\n")
                print(f"{name}, seed {seed}: {measured[str(seed)]['accuracy']:.4f}", file=sys.stderr)
    write_text(TABLE, table(results))
    outside = [name for name in options.recipes if not within(RECIPES[name], results[name])]
    for name in outside:
        print(f"{name}: the mean lies outside of the tutorial's range", file=sys.stderr)
    return 1 if outside else 0


def run(name: str, seed: int, data_dir: Path) -> dict[str, Any]:
    """Trains one seed in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "mnistry", "train", name, "--seed", str(seed)]
        command += ["--data-dir", str(data_dir), "--runs", folder, "--json"]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        result = json.loads(done.stdout.splitlines()[-1])
        figures = json.loads((Path(result["run"]) / "evaluation.json").read_text())
    measured = {"accuracy": figures["accuracy"], "seconds": figures["train_seconds"]}
    if "plain_weights" in figures:
        measured["plain_accuracy"] = figures["plain_weights"]["accuracy"]
    return measured


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
        seconds = figures_of(measured, "seconds")
        time = f"{statistics.median(seconds):.1f}" if seconds else "–"
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
