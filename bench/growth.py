"""How time and memory grow with images, with the batch, and with nets that are trained together.

    python bench/growth.py --data-dir FOLDER

One pass of `dash` over 10,000 to 600,000 images (MNIST's, repeated; each time shifted anew); over 51,200
images in batches of 32 to 8,192; and over 6,400 images by each of 1 to 32 nets in one committee. Every point
is a process of its own, of which the seconds of training and the largest memory count. Writes
`bench/results/growth.json`, draws `docs/growth.png`, and prints the exponents: the slopes of the logarithms,
1 where twice as much takes twice as long.
"""

import json
import multiprocessing
import resource
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import tyro
from matplotlib import pyplot as plt
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from mnistry import load, train
from mnistry.atomic import write_text
from mnistry.models import CommitteeConfig
from mnistry.recipes import RECIPES, Recipe

ROOT = Path(__file__).parent.parent
DASH = RECIPES["dash"]
AXES = {
    "images": (10_000, 30_000, 60_000, 200_000, 600_000),
    "images in a batch": (32, 128, 512, 2048, 8192),
    "nets together": (1, 2, 4, 8, 16, 32),
}


@dataclass(frozen=True)
class Options:
    """Measure how time and memory grow."""

    data_dir: Path
    """Folder with MNIST."""


@dataclass(frozen=True)
class Point:
    """One process."""

    axis: str
    size: int
    seconds: float
    megabytes: float


def main() -> None:
    """Measures, writes, draws and prints."""
    options = tyro.cli(Options, description=__doc__)
    points = []
    for axis, sizes in AXES.items():
        for size in sizes:
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as executor:
                points.append(executor.submit(measure, axis, size, options.data_dir).result())
            print(points[-1], file=sys.stderr)
    found = [point.__dict__ for point in points]
    write_text(ROOT / "bench" / "results" / "growth.json", json.dumps(found, indent=1) + "\n")
    draw(points)
    for axis in AXES:
        for what in ("seconds", "megabytes"):
            print(f"{what} against {axis}: exponent {exponent(points, axis, what):.2f}")


def measure(axis: str, size: int, data_dir: Path) -> Point:
    """Trains once, in this process."""
    digits = load("mnist", data_dir)
    recipe, images = recipe_for(axis, size)
    rows = np.arange(images) % len(digits.train)
    with tempfile.TemporaryDirectory() as folder:
        repeated = Path(folder) / "repeated.npz"
        np.savez(
            repeated,
            x_train=digits.train.images[rows],
            y_train=digits.train.labels[rows],
            x_test=digits.test.images[:1000],
            y_test=digits.test.labels[:1000],
        )
        run = train(recipe, data=repeated, runs=Path(folder) / "runs")
        seconds = run.history()[-1]["seconds"]
    return Point(axis, size, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def recipe_for(axis: str, size: int) -> tuple[Recipe, int]:
    """What is trained, and on how many images."""
    recipe = replace(DASH, validation=0)
    if axis == "images":
        images = size
    elif axis == "images in a batch":
        recipe, images = replace(recipe, batch_size=size), 51_200
    else:
        members = CommitteeConfig((DASH.model,) * size)  # type: ignore[arg-type]
        recipe, images = replace(recipe, model=members, batch_size=128 * size), 6_400 * size
    steps = max(1, round(images / recipe.batch_size))
    return replace(recipe, steps=steps, log_every=steps, validate_every=steps, checkpoint_every=steps), images


def exponent(points: Sequence[Point], axis: str, what: str) -> float:
    """The slope of a line through the logarithms."""
    chosen = [point for point in points if point.axis == axis]
    sizes = np.log([point.size for point in chosen])
    return float(np.polyfit(sizes, np.log([getattr(point, what) for point in chosen]), 1)[0])


def draw(points: Sequence[Point]) -> None:
    """Two rows of small plots: seconds and memory against each axis."""
    figure, rows = plt.subplots(2, len(AXES), figsize=(10, 5), layout="constrained", sharex="col")
    for plots, what, name in zip(rows, ("seconds", "megabytes"), ("seconds", "memory, MB"), strict=True):
        for axes, axis in zip(plots, AXES, strict=True):
            chosen = [point for point in points if point.axis == axis]
            sizes = [point.size for point in chosen]
            axes.plot(sizes, [getattr(point, what) for point in chosen], "o-", color="#3a54ba")
            axes.set(xscale="log", yscale="log", title=f"exponent {exponent(points, axis, what):.2f}")
            axes.set_xticks(sizes, [f"{size:,}" for size in sizes], fontsize=7)
            axes.set_xticks([], minor=True)
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
            axes.yaxis.set_minor_locator(NullLocator())
            axes.tick_params(axis="y", labelsize=7)
            axes.title.set_fontsize(9)
            axes.grid(color="#e7e7e3", linewidth=0.8)
            axes.spines[["top", "right"]].set_visible(False)
        plots[0].set_ylabel(name)
    for axes, axis in zip(rows[-1], AXES, strict=True):
        axes.set_xlabel(axis)
    figure.savefig(ROOT / "docs" / "growth.png", dpi=150)


if __name__ == "__main__":
    main()
