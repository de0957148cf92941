"""What a sweep tries: recipes with settings, each with several seeds; and which of them is chosen."""

import ast
import itertools
import math
import random
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mnistry.errors import InvalidValueError
from mnistry.recipes import Recipe, find_recipe, own_values


@dataclass(frozen=True)
class Range:
    """The numbers between two, evenly on a logarithmic scale where both are above zero."""

    low: float
    high: float

    @property
    def logarithmic(self) -> bool:
        """Whether it spans orders of magnitude."""
        return self.low > 0

    @property
    def whole(self) -> bool:
        """Whether its numbers are whole."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def drawn(self, draw: random.Random) -> float:
        """One of them."""
        low, high = (math.log(self.low), math.log(self.high)) if self.logarithmic else (self.low, self.high)
        value = draw.uniform(low, high)
        value = math.exp(value) if self.logarithmic else value
        return round(value) if self.whole else value


Values = tuple[Any, ...] | Range
"""What a field may be set to."""


@dataclass(frozen=True)
class Candidate:
    """A recipe with some of its fields set; it is chosen or not by all of its seeds together.

    Attributes:
        recipe: what is trained.
        settings: the fields that the sweep set, for people.
    """

    recipe: Recipe
    settings: tuple[tuple[str, Any], ...] = ()

    @property
    def label(self) -> str:
        """Such as `softmax learning_rate=0.1`."""
        return " ".join([self.recipe.name, *(f"{name}={value}" for name, value in self.settings)])


def parse_settings(given: Iterable[str]) -> dict[str, Values]:
    """The values of fields, as they are written on the command line.

    Args:
        given: each `FIELD=VALUE,VALUE,…` or `FIELD=LOW..HIGH`.

    Raises:
        InvalidValueError: one is of neither form, or a field is set twice.

    >>> parse_settings(["learning_rate=0.1,0.5", "optimizer=sgd,adam", "model.hidden=(300,100),500"])
    {'learning_rate': (0.1, 0.5), 'optimizer': ('sgd', 'adam'), 'model.hidden': ((300, 100), 500)}
    >>> parse_settings(["learning_rate=0.01..1.0"])
    {'learning_rate': Range(low=0.01, high=1.0)}
    """
    found: dict[str, Values] = {}
    for text in given:
        name, separator, values = text.partition("=")
        name = name.strip().replace("-", "_")
        if not separator or not name or not values:
            raise InvalidValueError(f"`set={text!r}`: expected FIELD=VALUE,VALUE or FIELD=LOW..HIGH")
        if name in found:
            raise InvalidValueError(f"`set={text!r}`: {name} is set twice; give all of its values in one")
        low, dots, high = values.partition("..")
        if dots:
            ends = _value(low), _value(high)
            if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
                raise InvalidValueError(f"`set={text!r}`: a range goes from a number to a number")
            if not ends[0] < ends[1]:
                raise InvalidValueError(f"`set={text!r}`: a range goes from a smaller number to a larger one")
            found[name] = Range(*ends)
        else:
            found[name] = tuple(map(_value, _parts(values)))
    return found


def _parts(values: str) -> list[str]:
    """What stands between commas that are in no brackets."""
    parts, depth = [""], 0
    for sign in values:
        depth += (sign in "([") - (sign in ")]")
        if sign == "," and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return parts


def _value(text: str) -> Any:
    text = text.strip()
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text  # a name, such as adam


def grid(recipes: Sequence[str], settings: Mapping[str, Values]) -> list[Candidate]:
    """All combinations of the settings, for each recipe.

    Raises:
        MnistryError: there is no such recipe or field, or a value is not usable.
    """
    ranges = [name for name, values in settings.items() if isinstance(values, Range)]
    if ranges:
        raise InvalidValueError(
            f"{', '.join(ranges)}: a grid needs single values. Ranges are for `search='random'` and "
            "`search='optuna'`"
        )
    columns = [
        [(name, value) for value in values]
        for name, values in settings.items()
        if not isinstance(values, Range)
    ]
    return [candidate(recipe, dict(chosen)) for recipe in recipes for chosen in itertools.product(*columns)]


def drawn(
    recipes: Sequence[str], settings: Mapping[str, Values], *, trials: int, seed: int
) -> list[Candidate]:
    """So many combinations for each recipe, drawn at random; the same for the same seed.

    Raises: as `grid`.
    """
    draw = random.Random(seed)
    every = [
        candidate(
            recipe,
            {
                name: values.drawn(draw) if isinstance(values, Range) else draw.choice(values)
                for name, values in settings.items()
            },
        )
        for recipe in recipes
        for _ in range(trials)
    ]
    return list(dict.fromkeys(every))


def candidate(name: str, settings: Mapping[str, Any]) -> Candidate:
    """A recipe with these fields; one of its model is written `model.hidden`.

    Raises: as `grid`.
    """
    recipe = find_recipe(name)
    if recipe.reads_pages:
        raise InvalidValueError(
            f"{name} learns from pages that are drawn while it trains, and has no part for validation: a "
            "sweep takes recipes of single images"
        )
    changes = {field: value for field, value in settings.items() if not field.startswith("model.")}
    of_model = {
        field.removeprefix("model."): value for field, value in settings.items() if field not in changes
    }
    try:
        if of_model:
            changes["model"] = replace(recipe.model, **of_model)
        recipe = recipe.changed(**changes)
        recipe.require_effect(own_values(recipe))
    except TypeError as error:
        raise InvalidValueError(f"{name}: {error}") from error
    return Candidate(recipe, tuple(settings.items()))


def best(figures: Mapping[Candidate, Sequence[float]]) -> Candidate:
    """The candidate with the best mean figure; of equal ones, the first.

    >>> one, two = grid(["softmax"], {"learning_rate": (0.1, 0.5)})
    >>> best({one: [0.90, 0.91], two: [0.93, 0.89]}).label
    'softmax learning_rate=0.5'
    """
    return max(figures, key=lambda one: statistics.mean(figures[one]))
