"""What the peer programs share: their command line and the line of JSON they end with."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from mnist_files import Mnist, read_mnist


class Outcome(NamedTuple):
    """What a program tells at its end."""

    train_seconds: float
    """From the first step to the last; without `compile_seconds`, where these are told."""
    accuracy: float
    """Share of the 10,000 test digits that are right after training."""
    compile_seconds: float | None = None
    """What tracing and compiling took, where a program can tell them from steps."""


# A recipe is given the digits, the number of steps and the batch size.
Recipe = Callable[[Mnist, int, int], Outcome]


def main(recipes: Mapping[str, Recipe], description: str) -> None:
    """Trains the recipe that the command line names and prints the outcome as the last line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("recipe", choices=recipes)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the four MNIST .gz files")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    arguments = parser.parse_args()
    mnist = read_mnist(arguments.data_dir)
    outcome = recipes[arguments.recipe](mnist, arguments.steps, arguments.batch_size)
    answer = {"train_seconds": outcome.train_seconds, "test": {"accuracy": outcome.accuracy}}
    if outcome.compile_seconds is not None:
        answer["compile_seconds"] = outcome.compile_seconds
    print(json.dumps(answer))
