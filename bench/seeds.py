"""How much does what a recipe reaches depend on the seed? Many seeds at once, where an accelerator has room.

    python bench/seeds.py --data-dir FOLDER --recipe marathon --seeds 20 [--json FILE] [--part validation]

The steps are those of `mnistry train`, with the same initial weights, batches and random keys for each seed;
the models are computed side by side, their convolutions as products of patches, which an accelerator makes of
many models at once. `--part validation` holds a sixth of the training images back, by their writers, and
leaves the test part unopened: for who has yet to choose. Prints how many images each seed reads wrong.
"""

import json
import statistics
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import jax
import jax.numpy as jnp
import numpy as np
import tyro

import mnistry.models.conv
from mnistry.atomic import write_text
from mnistry.datasets import load
from mnistry.export.agreement import trained_logits
from mnistry.models.layers import convolve_patches
from mnistry.recipes import Recipe, find_recipe
from mnistry.training.batches import batch_indices
from mnistry.training.folding import folding_batches, for_use
from mnistry.training.loop import run_steps
from mnistry.training.run import split_for
from mnistry.training.state import State, initial_state

STEPS_AT_ONCE, IMAGES_AT_ONCE = 500, 2000
HELD_BACK = 1 / 6


@dataclass(frozen=True)
class Options:
    """Train many seeds of a recipe side by side, and measure each."""

    data_dir: Path
    """Folder with MNIST."""
    recipe: str
    """Its name."""
    seeds: int = 20
    """How many, from 0 on."""
    part: Literal["test", "validation"] = "test"
    """What they are measured on."""
    json_file: Annotated[Path | None, tyro.conf.arg(name="json")] = None
    """File for the figures."""


def main() -> None:
    options = tyro.cli(Options)
    recipe = find_recipe(options.recipe)
    if options.part == "validation":
        recipe = recipe.changed(validation=HELD_BACK, split="writer")
    mnistry.models.conv.convolve = convolve_patches  # type: ignore[attr-defined]
    wrong, images = wrong_of_seeds(recipe, options)
    mean, spread = statistics.mean(wrong), statistics.stdev(wrong) if len(wrong) > 1 else 0.0
    device = jax.devices()[0].device_kind
    print(f"{recipe.name}, {len(wrong)} seeds on {device}, wrong of {images:,} images: {wrong}")
    print(f"{100 * (1 - mean / images):.3f} ± {100 * spread / images:.3f} %")
    if options.json_file:
        figures = {
            "recipe": recipe.name,
            "device": device,
            "part": options.part,
            "images": images,
            "wrong": wrong,
        }
        write_text(options.json_file, json.dumps(figures) + "\n")


def wrong_of_seeds(recipe: Recipe, options: Options) -> tuple[list[int], int]:
    """How many images the model of each seed reads wrong, and of how many."""
    split = split_for(recipe, load("mnist", options.data_dir), seed=0, data_dir=options.data_dir)
    seeds = range(options.seeds)
    state = jax.tree.map(lambda *each: jnp.stack(each), *(initial_state(recipe, seed) for seed in seeds))
    images, labels = jnp.asarray(split.train.images), jnp.asarray(split.train.labels)
    several = jax.vmap(partial(run_steps, recipe), in_axes=(0, None, None, 0, None))
    made = jax.jit(several, donate_argnums=0)
    for first in range(0, recipe.steps, STEPS_AT_ONCE):
        count = min(STEPS_AT_ONCE, recipe.steps - first)
        rows = [
            batch_indices(
                first,
                count,
                examples=len(split.train),
                batch_size=recipe.batch_size,
                order=recipe.order,
                seed=seed,
            )
            for seed in seeds
        ]
        state, losses = made(state, images, labels, jnp.asarray(np.stack(rows)), count)
        print(f"{first + count:,} steps, loss {float(losses.mean()):.4f}", file=sys.stderr)

    measured = split.test if options.part == "test" else split.validation
    seen = folding_batches(recipe, split.train)

    def wrong(state: State) -> int:
        model = for_use(recipe, state.final_model, seen)
        parts = range(0, len(measured), IMAGES_AT_ONCE)
        images = (measured.images[part : part + IMAGES_AT_ONCE] for part in parts)
        found = [trained_logits(model, each).argmax(axis=1) for each in images]
        return int((np.concatenate(found) != measured.labels).sum())

    return [wrong(jax.tree.map(lambda each, seed=seed: each[seed], state)) for seed in seeds], len(measured)


if __name__ == "__main__":
    main()
