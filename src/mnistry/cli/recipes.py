"""`mnistry recipes`: the table of recipes, or one of them with the layers of its model."""

import json
from dataclasses import asdict, dataclass

import jax.numpy as jnp
import numpy as np
import tyro
from rich.console import Console
from rich.table import Table

from mnistry.cli.parsing import parsed
from mnistry.export.layers import Layer, layers_of
from mnistry.export.onnx import to_onnx
from mnistry.language import gettext
from mnistry.models import Model
from mnistry.recipes import RECIPES, Recipe, find_recipe


@dataclass(frozen=True)
class Options:
    """List the recipes, or show one: its layers with shapes and parameters, and its values."""

    recipe: tyro.conf.Positional[str | None] = None
    """The recipe to show."""
    json: bool = False
    """Print one JSON object and nothing else on standard output."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry recipes` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry recipes", config=(tyro.conf.FlagCreatePairsOff,))
    if options.recipe is not None:
        return _show(find_recipe(options.recipe), as_json=options.json)
    if options.json:
        print(json.dumps({"recipes": [recipe.to_json() for recipe in RECIPES.values()]}))
        return 0
    heads = (gettext("recipe"), gettext("batch × steps"), gettext("what it is"))
    table = Table(*heads, box=None, pad_edge=False)
    for recipe in RECIPES.values():
        table.add_row(recipe.name, f"{recipe.batch_size} × {recipe.steps:,}", gettext(recipe.summary))
    Console().print(table)
    return 0


def _show(recipe: Recipe, *, as_json: bool) -> int:
    """Prints a recipe, and returns the exit status."""
    parameters, layers = layers_of_recipe(recipe)
    if as_json:
        shown = {**recipe.to_json(), "parameters": parameters, "layers": [asdict(layer) for layer in layers]}
        print(json.dumps(shown))
        return 0
    console = Console()
    console.print(f"{recipe.name}: {gettext(recipe.summary)}\n", highlight=False)
    if layers:
        table = Table(gettext("layer"), box=None, pad_edge=False)
        table.add_column(gettext("gives"), justify="right")
        table.add_column(gettext("parameters"), justify="right")
        table.add_row(gettext("image"), "28×28", "")
        for layer in layers:
            gives = "×".join("?" if size is None else f"{size}" for size in layer.output)
            table.add_row(layer.name, gives, f"{layer.parameters:,}" if layer.parameters else "")
        table.add_row(gettext("all"), "", f"{parameters:,}")
        console.print(table)
    else:
        console.print(f"It reads whole pages, with {parameters:,} parameters.", highlight=False)
    console.print()
    values = Table(box=None, pad_edge=False, show_header=False)
    for name, value in recipe.to_json().items():
        if name not in ("name", "summary", "model"):
            values.add_row(name.replace("_", " "), "–" if value is None else str(value))
    console.print(values)
    return 0


def layers_of_recipe(recipe: Recipe) -> tuple[int, list[Layer]]:
    """How many numbers a recipe's model learns, and its layers; none where it reads pages."""
    model = recipe.model.build(np.random.default_rng(0))
    if not isinstance(model, Model):
        return model.parameters, []
    return model.parameters, layers_of(to_onnx(model.folded(jnp.zeros((1, 1, 28, 28)))))
