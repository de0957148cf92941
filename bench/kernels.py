"""What do the compiled kernels gain, a step?

    python bench/kernels.py --data-dir FOLDER [--recipes mlp lstm] [--steps 50] [--rounds 20]

For recipes with kernels: so many steps in plain JAX and as many with kernels, in turn, in one process.
Prints the medians, their ratio, and the ratio of the processor time of all threads, which other work on the
machine disturbs less. Plain JAX has as many devices as the recipe asks for.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro

from mnistry.data import Examples, load
from mnistry.native.library import VARIABLE
from mnistry.recipes import RECIPES, Recipe
from mnistry.training.devices import make_mesh, on_devices
from mnistry.training.loop import image_steps
from mnistry.training.state import initial_state


@dataclass(frozen=True)
class Options:
    """Measure steps with compiled kernels against steps without."""

    data_dir: Path
    """Folder with MNIST."""
    recipes: tuple[str, ...] = (
        "mlp",
        "scratch",
        "first-look",
        "lstm",
        "mlp-deep",
        "mlp-fast",
        "lenet5",
        "dash",
        "mile",
    )
    """Recipes to measure; the others with kernels have nets as mile's, and take longer."""
    steps: int = 50
    """Steps a round, at most 50."""
    rounds: int = 20
    """Rounds of each way."""


def main() -> None:
    """Measures and prints."""
    options = tyro.cli(Options, description=__doc__)
    train = load("mnist", options.data_dir, download=False).train
    print("| recipe | plain JAX, ms a step | with kernels | times as fast | times less processor time |")
    print("|---|---:|---:|---:|---:|")
    for name in options.recipes:
        ways = [steps_of(RECIPES[name], train, options.steps, kernels) for kernels in ("none", "auto")]
        seconds = np.array([[measured(way) for way in ways] for _ in range(options.rounds)])
        (plain, plain_busy), (quick, quick_busy) = np.median(seconds, axis=0) / options.steps * 1e3
        cells = (f"{plain:.3f}", f"{quick:.3f}", f"{plain / quick:.2f}", f"{plain_busy / quick_busy:.2f}")
        print(f"| `{name}` | {' | '.join(cells)} |", flush=True)


def steps_of(recipe: Recipe, train: Examples, count: int, kernels: str) -> Callable[[], None]:
    """Makes so many steps at each call, going on from the last one; all is compiled."""
    os.environ[VARIABLE] = kernels
    mesh = make_mesh(recipe, print)
    run = image_steps(recipe, train, mesh, seed=0)
    state = on_devices(initial_state(recipe, 0), mesh)

    def go_on() -> None:
        nonlocal state
        state, _ = run(state, int(state.step), count)

    go_on()
    return go_on


def measured(way: Callable[[], None]) -> tuple[float, float]:
    """The seconds that it takes, and those of the processor, of all threads together."""
    wall, busy = time.perf_counter(), time.process_time()
    way()
    return time.perf_counter() - wall, time.process_time() - busy


if __name__ == "__main__":
    main()
