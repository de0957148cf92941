"""`mnistry report`: one run or several as one HTML file that stands alone."""

import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.progress import track

from mnistry.cli.parsing import parsed
from mnistry.data import Dataset
from mnistry.errors import InvalidValueError, RunError
from mnistry.evaluation.report import write_report
from mnistry.evaluation.subjects import Report
from mnistry.export.arrays import read_arrays
from mnistry.language import gettext, ngettext
from mnistry.runs import REPORT, WEIGHTS
from mnistry.training.reporting import recipe_labels, subject
from mnistry.training.run import Run


@dataclass(frozen=True)
class Options:
    """Write one HTML file on one run or several; those of one recipe are taken together over their seeds."""

    runs: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="RUN …")]
    """The run folders."""
    output: Annotated[Path | None, tyro.conf.arg(metavar="FILE.html")] = None
    """Where to write it; by default report.html, of one run in its folder, of several in this one."""
    digit: Annotated[tuple[int, ...], tyro.conf.arg(metavar="ROW …")] = ()
    """Rows of test images, counted from 0, to show what decided on them."""
    leaderboard: Annotated[Path | None, tyro.conf.arg(metavar="FOLDER")] = None
    """Rank all finished runs in and below this folder, each measured anew, in FOLDER/leaderboard.html."""
    data: str | None = None
    """With --leaderboard: the data set to measure with; by default that of most of the runs."""
    data_dir: Path | None = None
    """With --leaderboard: a folder to look in first for it, before MNISTRY_DATA and the cache."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry report` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry report")
    if options.leaderboard:
        return _leaderboard(options.leaderboard, options)
    if options.data or options.data_dir:
        raise InvalidValueError(
            "--data and --data-dir go with --leaderboard; a report uses the runs' own data"
        )
    if not options.runs:
        raise InvalidValueError("name at least one run folder to report on")
    paths = list({path.resolve(): path for path in options.runs}.values())  # each folder once
    output = _output(options) or (paths[0] / REPORT if len(paths) == 1 else Path(REPORT))
    runs = [Run.open(path) for path in paths]
    for run in runs:
        _ = run.figures  # raises where the run is not finished, before anything is loaded
        if problem := run.metrics.read()[1]:
            print(f"mnistry: {problem}", file=sys.stderr)
    dataset = common_data(runs)
    count = len(runs[0].measured_part(dataset))
    for row in options.digit:
        if not 0 <= row < count:
            raise InvalidValueError(
                f"--digit must be the row of an image of the {runs[0].measured_on} part, 0 to {count - 1:,}, "
                f"not {row}"
            )
    report = _report(runs, dataset, options.digit)
    write_report(output, report)
    what = ngettext("{n} run", "{n} runs", len(runs)).format(n=len(runs))
    print(f"{output}: {what}, {output.stat().st_size / 1e6:.2f} MB")
    return 0


def _leaderboard(folder: Path, options: Options) -> int:
    from mnistry.cli.leaderboard import LEADERBOARD, leaderboard

    if options.runs or options.digit:
        raise InvalidValueError(
            "--leaderboard takes all runs of its folder: it goes with no RUN and no --digit"
        )
    leaderboard(folder, _output(options) or folder / LEADERBOARD, options.data, options.data_dir)
    return 0


def _output(options: Options) -> Path | None:
    """Where to write, if that was said. Raises `InvalidValueError` where nothing can be written there."""
    output = options.output
    if output and (output.is_dir() or not output.parent.is_dir()):
        raise InvalidValueError(f"--output {output}: expected a file in a folder that exists")
    return output


def common_data(runs: Sequence[Run]) -> Dataset:
    """The data set of the first run, whose test part is that of all of them.

    Raises:
        DataError: a data set cannot be found or read.
        RunError: it is not the same any more, or a run was tested on other images.
    """
    first, *others = runs
    for run in others:
        if not first.same_test_part(run):
            raise RunError(
                f"{first.path} was measured on the test part of {first.data}, {run.path} on that of "
                f"{run.data}, which holds other images: they cannot be compared. Write one report for each "
                "data set"
            )
    return first.load_data()


def _report(runs: Sequence[Run], dataset: Dataset, digits: Sequence[int]) -> Report:
    labels, measured = recipe_labels(runs), runs[0].measured_part(dataset)
    for (label, seed), count in Counter(zip(labels, (run.seed for run in runs), strict=True)).items():
        if count > 1:
            print(f"mnistry: {label}: {count} runs have the seed {seed}; each is counted", file=sys.stderr)
    subjects = []
    console = Console(stderr=True)
    labelled = list(zip(runs, labels, strict=True))
    quiet = not console.is_terminal or len(runs) == 1
    for run, label in track(labelled, "measuring", console=console, transient=True, disable=quiet):
        classifier = run.classifier()
        one = subject(
            run,
            dataset,
            recipe=label,
            classifier=classifier,
            logits=classifier.logits(measured.images),
            arrays=read_arrays(run.path / WEIGHTS),
            figures=run.figures,
        )
        subjects.append(one)
    return Report(_title(runs, labels), subjects, measured, runs[0].measured_on, dataset.class_names, digits)


def _title(runs: Sequence[Run], labels: Sequence[str]) -> str:
    if len(runs) == 1:
        return gettext("{name}, seed {seed}").format(name=runs[0].recipe.name, seed=runs[0].seed)
    recipes = list(dict.fromkeys(labels))
    return ", ".join(recipes) if len(recipes) <= 3 else gettext("{n} recipes").format(n=len(recipes))
