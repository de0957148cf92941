"""`mnistry evaluate`: the figures of a trained model, as a table, as JSON, as pictures."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import tyro
from rich.console import Console

from mnistry.data import Dataset, Examples, load
from mnistry.errors import DataError
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import worst_mistakes
from mnistry.evaluation.text import render_table
from mnistry.reading.classifier import Classifier
from mnistry.training.run import Run, split_for

Part = Literal["test", "validation", "train", "all"]


@dataclass(frozen=True)
class Options:
    """Measure a trained model."""

    run: tyro.conf.Positional[Path]
    """The run folder."""
    data: str | None = None
    """Another data set than the run's own: a name, or the path of a folder or file."""
    data_dir: Path | None = None
    """A folder to look in first for named data sets, before MNISTRY_DATA and the cache."""
    part: Part = "test"
    """Which part: as the run divided its data, or `all` of a data set."""
    json: bool = False
    """Print one JSON object and nothing else on standard output."""
    pictures: Path | None = None
    """Write confusion matrix, reliability, figures by class (SVG, PNG) and the worst mistakes (PNG) here."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry evaluate` with what follows it, and returns the exit status."""
    options = tyro.cli(Options, args=arguments, prog="mnistry evaluate")
    run = Run.open(options.run)
    classifier = Classifier.load(run.path)
    if options.data is None and options.data_dir is None:
        dataset = run.load_data()
    else:
        dataset = load(options.data or run.data, options.data_dir)
    for note in dataset.notes:
        print(f"mnistry: {dataset.name}: {note}", file=sys.stderr)
    examples = part_of(run, dataset, options.part, options.data_dir)
    logits = classifier.logits(examples.images)
    evaluation = Evaluation.of(logits, examples.labels)
    if options.json:
        result = {"run": str(run.path), "data": dataset.name, "part": options.part, **evaluation.to_json()}
        print(json.dumps(result))
    else:
        print(f"{run.path} on the {options.part} part of {dataset.name} ({dataset.source})", file=sys.stderr)
        Console().print(render_table(evaluation, dataset.class_names))
    if options.pictures:
        from mnistry.evaluation.pictures import write_pictures

        mistakes = worst_mistakes(examples.images, examples.labels, logits)
        for path in write_pictures(options.pictures, evaluation, dataset.class_names, mistakes):
            print(path, file=sys.stderr)
    return 0


def part_of(run: Run, dataset: Dataset, part: Part, data_dir: Path | None = None) -> Examples:
    """One part of a data set, divided as the run divided its own.

    Raises:
        DataError: the part is empty.
    """
    if part == "all":
        parts = [one for one in (dataset.train, dataset.validation, dataset.test) if one is not None]
        examples = Examples(
            np.concatenate([one.images for one in parts]), np.concatenate([one.labels for one in parts])
        )
    elif part == "test":
        examples = dataset.test
    else:
        divided = split_for(run.recipe, dataset, seed=run.seed, data_dir=data_dir or run.data_dir)
        examples = divided.validation if part == "validation" else divided.train
    if not len(examples):
        raise DataError(f"{dataset.name}: there are no images in the {part} part")
    return examples
