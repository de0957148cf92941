"""`mnistry report --leaderboard`: all runs of a shared folder, measured anew on the same images."""

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import track

from mnistry import data as stored
from mnistry.data import Dataset
from mnistry.datasets import load
from mnistry.errors import MnistryError, RunError
from mnistry.evaluation.leaderboard import Entry, Leaderboard, write_leaderboard
from mnistry.reading.classifier import Classifier
from mnistry.runs import RunFolder, find_runs, read_run

LEADERBOARD = "leaderboard.html"


def leaderboard(folder: Path, output: Path, data: str | None, data_dir: Path | None) -> None:
    """Writes the page, and says where it is.

    Args:
        folder: the runs are in it and in all folders below.
        output: the page.
        data: whose test part is read; by default the data set that most of the runs were trained with.
        data_dir: a folder to look in first for it.

    Raises:
        RunError: there is no such folder, or no finished run in it.
        DataError: the data set cannot be found or read.
    """
    paths, left_out = find_runs(folder)
    runs = []
    for path in paths:
        try:
            run = read_run(path)
            if run.finished:
                runs.append(run)
            else:
                left_out[_name(path, folder)] = "it is not finished"
        except MnistryError as error:
            left_out[_name(path, folder)] = str(error)
    if not runs:
        raise RunError(
            f"{folder}: no finished run in it or below it; a run is a folder that `mnistry train` wrote"
        )
    dataset = load(data, data_dir) if data else _most_common(runs, data_dir)
    entries = []
    console = Console(stderr=True)
    for run in track(runs, "measuring", console=console, transient=True, disable=not console.is_terminal):
        name = _name(run.path, folder)
        try:
            entries.append(_measured(run, name, dataset))
        except MnistryError as error:
            left_out[name] = str(error)
    if not entries:
        raise RunError(f"{folder}: no run can be measured on {dataset.name}: {next(iter(left_out.values()))}")
    write_leaderboard(
        output, Leaderboard(f"Leaderboard: {folder.resolve().name}", dataset.name, entries, left_out)
    )
    for name, why in left_out.items():
        print(f"mnistry: {name}: not on the board: {why}", file=sys.stderr)
    print(f"{output}: {len(entries):,} {'run' if len(entries) == 1 else 'runs'}")


def _most_common(runs: Sequence[RunFolder], data_dir: Path | None) -> Dataset:
    """The data set that most runs were trained with, as it is on this machine."""
    sets = [tuple(sorted(run.data_sha256.items())) for run in runs]
    ((chosen, _),) = Counter(sets).most_common(1)
    run = runs[sets.index(chosen)]
    dataset = stored.load(run.data, data_dir or run.data_dir, form=run.image_form)
    if dataset.sha256 != run.data_sha256:
        raise RunError(
            f"{run.path}: the data set {run.data!r} on this machine is not the one that most runs were "
            "trained with (its SHA-256 differs). Name the one to measure with: `data`"
        )
    return dataset


def _measured(run: RunFolder, name: str, dataset: Dataset) -> Entry:
    """A run's model on the test images; what is strange about it is noted.

    Raises:
        RunError: it has no usable model, or one of other classes.
    """
    classifier = Classifier.load(run.path)
    if tuple(classifier.class_names) != tuple(dataset.class_names):
        raise RunError(
            f"its model learnt the classes {' '.join(classifier.class_names)}, and the data set has "
            f"{' '.join(dataset.class_names)}"
        )
    test = dataset.test
    right = classifier.logits(test.images).argmax(axis=1) == test.labels
    notes = []
    if run.data_sha256 != dataset.sha256:
        notes.append(f"trained with other data: {run.data}")
    elif (told := run.evaluation).correct != (found := int(right.sum())):
        notes.append(f"its folder says {told.correct:,} right of {told.n:,}, measured are {found:,}")
    return Entry(name, run.recipe_name, run.seed, right, tuple(notes))


def _name(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder)) if path != folder else path.resolve().name
