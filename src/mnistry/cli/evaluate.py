"""`mnistry evaluate`: the figures of a trained model, as a table, as JSON, as pictures."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
import tyro
from rich.console import Console

from mnistry.data import Dataset, Examples
from mnistry.data.classes import relabelled
from mnistry.data.dataset import DIGITS
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.datasets import load
from mnistry.errors import DataError, InvalidValueError, UnknownNameError
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
    images: Annotated[ImageForm, tyro.conf.arg(name="")] = AS_MNIST
    check_images: bool = True
    """Make sure that digits of `--data` are not read far better inverted, transposed or scaled."""
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
    if options.data is not None:
        form = options.images.to_json()
        dataset = load(options.data, options.data_dir, **form, check_images=options.check_images)
    elif options.images != AS_MNIST:
        raise InvalidValueError(
            f"{options.images.arguments()} needs `data`: the run knows how its own images are stored"
        )
    elif options.data_dir is not None:
        dataset = load(run.data, options.data_dir, **run.image_form.to_json(), check_images=False)
    else:
        dataset = run.load_data()
    for note in dataset.notes:
        print(f"mnistry: {dataset.name}: {note}", file=sys.stderr)
    examples = part_of(run, dataset, options.part, options.data_dir)
    examples, class_names = _in_classes_of(classifier, examples, dataset)
    logits = classifier.logits(examples.images)
    evaluation = Evaluation.of(logits, examples.labels)
    if options.json:
        result = {"run": str(run.path), "data": dataset.name, "part": options.part}
        print(json.dumps({**result, "class_names": class_names, **evaluation.to_json()}))
    else:
        print(f"{run.path} on the {options.part} part of {dataset.name} ({dataset.source})", file=sys.stderr)
        Console().print(render_table(evaluation, class_names))
    if options.pictures:
        from mnistry.evaluation.pictures import write_pictures

        mistakes = worst_mistakes(examples.images, examples.labels, logits)
        for path in write_pictures(options.pictures, evaluation, class_names, mistakes):
            print(path, file=sys.stderr)
    return 0


def _in_classes_of(
    classifier: Classifier, examples: Examples, dataset: Dataset
) -> tuple[Examples, tuple[str, ...]]:
    """The examples, with their labels in the order of the model's classes, and the names of these classes.

    Where one side has no names but the digits, labels are compared by number, and a warning says so.

    Raises:
        DataError: a class of the examples is none of the model's.
    """
    own, models = dataset.class_names, classifier.class_names
    if own != models and DIGITS not in (own, models):
        return relabelled(examples, own, models), models
    if own != models:
        names, whose = (own, "the data's") if models == DIGITS else (models, "the model's")
        print(
            f"mnistry: only {whose} classes have names ({', '.join(names)}): labels are compared by number",
            file=sys.stderr,
        )
        return examples, names
    return examples, own


def part_of(run: Run, dataset: Dataset, part: Part, data_dir: Path | None = None) -> Examples:
    """One part of a data set, divided as the run divided its own.

    Raises:
        UnknownNameError: there is no such part.
        DataError: the part is empty.
    """
    if part == "all":
        parts = [one for one in (dataset.train, dataset.validation, dataset.test) if one is not None]
        examples = Examples(
            np.concatenate([one.images for one in parts]), np.concatenate([one.labels for one in parts])
        )
    elif part == "test":
        examples = dataset.test
    elif part in ("validation", "train"):
        divided = split_for(run.recipe, dataset, seed=run.seed, data_dir=data_dir or run.data_dir)
        examples = {"validation": divided.validation, "train": divided.train}[part]
    else:
        raise UnknownNameError("part", part, get_args(Part))
    if not len(examples):
        raise DataError(f"{dataset.name}: there are no images in the {part} part")
    return examples
