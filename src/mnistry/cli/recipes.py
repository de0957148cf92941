"""`mnistry recipes`: the table of recipes."""

from dataclasses import dataclass

import tyro
from rich.console import Console
from rich.table import Table

from mnistry.recipes import RECIPES


@dataclass(frozen=True)
class Options:
    """List the recipes."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry recipes` with what follows it, and returns the exit status."""
    tyro.cli(Options, args=arguments, prog="mnistry recipes")
    table = Table("recipe", "batch × steps", "what it is", box=None, pad_edge=False)
    for recipe in RECIPES.values():
        table.add_row(recipe.name, f"{recipe.batch_size} × {recipe.steps:,}", recipe.summary)
    Console().print(table)
    return 0
