"""What a run gives where a text prints numbers, and which of it falls out of the bands that are kept."""

from typing import Any

import mnistry
from book.printed import ACCURACY, PRINTED, band, ours
from mnistry.data import Dataset


def measured(
    recipe: str, seed: int, data: Dataset, last: int | None = None, **changes: Any
) -> dict[str, float]:
    """What a run gives where the text prints a number, by step.

    Args:
        recipe, seed, data, changes: of the run.
        last: after which step it ends, without an accuracy; by default the recipe's last.
    """
    steps = [number.step for number in PRINTED if number.recipe == recipe and isinstance(number.step, int)]
    trainer = mnistry.Trainer(recipe, data=data, seed=seed, check_images=False, **changes)
    losses = trainer.steps(last)
    found = {str(step): float(losses[step - 1]) for step in steps if step <= len(losses)}
    if last is None:
        found[ACCURACY] = trainer.evaluate().accuracy
    return found


def outside(
    recipe: str, seed: int, data: Dataset, last: int | None = None, **changes: Any
) -> tuple[list[str], int]:
    """Where a run is outside of the bands, and of how many numbers; arguments are as of `measured`."""
    found, kept = measured(recipe, seed, data, last, **changes), ours()[recipe]
    bands = {step: band(kept[step]) for step in found}
    return [step for step, (low, high) in bands.items() if not low <= found[step] <= high], len(found)
