"""How a run is cut into pieces, between which Python wakes up."""

from collections.abc import Iterator
from dataclasses import dataclass

from mnistry.recipes import Recipe

MOST_ROWS = 2**24  # row numbers that one interval may take: 64 MB


@dataclass(frozen=True)
class Interval:
    """Steps that the compiled loop makes in one go, and what is due after them.

    Attributes:
        first: the steps made before.
        last: the steps made after.
        log: whether a row of metrics is due.
        validate: whether the model is to be measured for that row.
        checkpoint: whether the state is to be saved.
        show: whether the accuracy is to be shown.
    """

    first: int
    last: int
    log: bool
    validate: bool
    checkpoint: bool
    show: bool

    def __len__(self) -> int:
        return self.last - self.first


def longest(recipe: Recipe) -> int:
    """The largest number of steps of an interval of the recipe."""
    return min(recipe.log_every, recipe.steps, max(1, MOST_ROWS // recipe.batch_size))


def intervals(
    recipe: Recipe, step: int, *, until: int | None = None, show_every: int = 0
) -> Iterator[Interval]:
    """The intervals after `step`.

    Args:
        recipe: says when what is due.
        step: the steps made.
        until: the last step; by default the recipe's.
        show_every: the steps after which the accuracy is to be shown; 0: never.
    """
    until = recipe.steps if until is None else until
    while step < until:
        every = (recipe.log_every, recipe.validate_every, recipe.checkpoint_every)
        stops = (*every, show_every) if show_every else every
        last = min(until, step + longest(recipe), *(step - step % each + each for each in stops))
        end = last == recipe.steps
        log, validate, checkpoint = (end or last % each == 0 for each in every)
        show = show_every > 0 and last % show_every == 0
        yield Interval(step, last, log or validate, validate, checkpoint, show)
        step = last
