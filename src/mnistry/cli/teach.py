"""`mnistry teach`: a reader that learns from labelled pictures of its user."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mnistry.cli.parsing import parsed
from mnistry.cli.translated import spoken
from mnistry.training import Interrupted, TrainingProgress
from mnistry.training.teaching.start import SHIPPED
from mnistry.training.teaching.teach import RECIPE, teach
from mnistry.training.teaching.told import told


@dataclass(frozen=True)
class Options:
    """Teach the reader a hand or a kind of paper, by some hundred pictures, in minutes.

    The folder has a labels.tsv as for `mnistry evaluate-pictures`: columns parted by tabs and a header line;
    the columns `file`, then `digits` or `lines` (`|` between lines, a space between groups), and any others.
    Single digits or whole lines; where in a picture the digits are, the reader finds out itself.

    Every fifth picture is kept apart, to tell what was gained and what was lost. After Ctrl-C:
    mnistry train --resume RUN. To read with it: mnistry read --model RUN.
    """

    folder: tyro.conf.Positional[Path]
    """The folder."""
    init_from: Annotated[str, tyro.conf.arg(name="from", metavar="RUN|shipped")] = SHIPPED
    """The reader that is taught: a run folder, or the one that comes with mnistry."""
    runs: Path = Path("runs")
    """The folder in which the run gets a new folder of its own."""
    data_dir: Path | None = None
    """A folder to look in first for the handwriting that pages are drawn with, before MNISTRY_DATA and the
    cache; it is fetched if it is not there."""
    steps: int = RECIPE.steps
    """Updates of the weights."""
    learning_rate: float = RECIPE.learning_rate
    """The highest learning rate."""
    seed: int = 0
    """Decides the pages."""
    json: bool = False
    """Print evaluation.json as one line, and nothing else on standard output."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry teach` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry teach", config=(tyro.conf.FlagCreatePairsOff,))
    try:
        run = teach(
            options.folder,
            init_from=options.init_from,
            data_dir=options.data_dir,
            seed=options.seed,
            runs=options.runs,
            progress=TrainingProgress(),
            steps=options.steps,
            learning_rate=options.learning_rate,
        )
    except Interrupted as stopped:
        print(f"mnistry: {spoken(str(stopped))}", file=sys.stderr)
        return 128 + stopped.signal_number
    print(json.dumps({"run": str(run.path), **run.figures}) if options.json else told(run))
    return 0
