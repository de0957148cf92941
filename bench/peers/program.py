"""What the peer programs share: their command line and the line of JSON they end with."""

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path

from mnist_files import Mnist, read_mnist

# A recipe is given the digits, the number of steps and the batch size; it returns the seconds that
# training took and the share of the 10,000 test digits that it then got right.
Recipe = Callable[[Mnist, int, int], tuple[float, float]]


def main(recipes: Mapping[str, Recipe], description: str) -> None:
    """Trains the recipe that the command line names and prints the outcome as the last line."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("recipe", choices=recipes)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the four MNIST .gz files")
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--batch-size", type=int, required=True)
    arguments = parser.parse_args()
    mnist = read_mnist(arguments.data_dir)
    seconds, accuracy = recipes[arguments.recipe](mnist, arguments.steps, arguments.batch_size)
    print(json.dumps({"train_seconds": seconds, "test": {"accuracy": accuracy}}))
