"""`mnistry bench`: what the recipes reach on this machine, and how fast."""

import json
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import numpy as np
from rich.console import Console
from rich.table import Table

from mnistry.cli.parsing import parsed
from mnistry.errors import InvalidValueError
from mnistry.recipes import Recipe, find_recipe
from mnistry.training import Interrupted, TrainingProgress, train


@dataclass(frozen=True)
class Options:
    """Train recipes on this machine, and print what they reach and how long they take.

    The seconds are those from the first step to the last; compiling comes before, writing the run after.
    The runs are not kept.
    """

    recipes: tuple[str, ...] = ("softmax", "mlp-fast", "dash", "mile")
    """Recipes to train; `mnistry recipes` lists them."""
    seeds: int = 3
    """Runs of each recipe, with the seeds 0, 1, …"""
    data: str = "mnist"
    """A named data set, or the path of a folder or file of your own."""
    data_dir: Path | None = None
    """A folder to look in first for named data sets, before MNISTRY_DATA and the cache."""
    json: bool = False
    """Print one JSON object and nothing else on standard output."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry bench` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry bench")
    if options.seeds < 1:
        raise InvalidValueError(f"`seeds` must be at least 1, not {options.seeds}")
    recipes = [find_recipe(name) for name in options.recipes]
    rows: list[dict[str, Any]] = []
    try:
        for recipe in recipes:
            rows.append(_measured(recipe, options, f"{len(rows) + 1} of {len(recipes)}"))
    except Interrupted as stopped:
        print(f"mnistry: interrupted; {len(rows)} of {len(recipes)} recipes were measured", file=sys.stderr)
        _show(rows, as_json=options.json)
        return 128 + stopped.signal_number
    _show(rows, as_json=options.json)
    return 0


def _measured(recipe: Recipe, options: Options, place: str) -> dict[str, Any]:
    accuracies, seconds = [], []
    for seed in range(options.seeds):
        progress = TrainingProgress()
        progress.note(f"{recipe.name} ({place}), seed {seed} ({seed + 1} of {options.seeds})")
        with tempfile.TemporaryDirectory() as runs:
            run = train(
                recipe, data=options.data, data_dir=options.data_dir, seed=seed, runs=runs, progress=progress
            )
            accuracies.append(run.evaluation.accuracy)
            seconds.append(run.figures["train_seconds"])
    median = statistics.median(seconds)
    return {
        "recipe": recipe.name,
        "parameters": recipe.model.build(np.random.default_rng(0)).parameters,
        "seconds": median,
        "images_per_second": recipe.steps * recipe.batch_size / median,
        "accuracy": statistics.mean(accuracies),
        "sd": statistics.stdev(accuracies) if options.seeds > 1 else None,
        "n": options.seeds,
    }


def _show(rows: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"device": str(jax.devices()[0]), "recipes": rows}))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("recipe", "parameters", "seconds", "images a second", "test accuracy, mean ± sd (n)"):
        table.add_column(name, justify="left" if name == "recipe" else "right")
    for row in rows:
        spread = "" if row["sd"] is None else f" ± {row['sd']:.4f}"
        table.add_row(
            row["recipe"],
            f"{row['parameters']:,}",
            f"{row['seconds']:.2f}",
            f"{row['images_per_second']:,.0f}",
            f"{row['accuracy']:.4f}{spread} ({row['n']})",
        )
    Console().print(table)
