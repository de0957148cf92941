"""`mnistry sweep`: recipes, settings and seeds; the best on validation is chosen, and it alone is tested."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mnistry.cli.parsing import parsed
from mnistry.cluster.plan import parse_settings
from mnistry.cluster.sweep import Search, Sweep, sweep
from mnistry.evaluation.intervals import mean_and_sd
from mnistry.training import Interrupted


@dataclass(frozen=True)
class Options:
    """Train recipes with many settings and seeds. What is best on the validation part is chosen, and it
    alone is measured on the test part. The same command goes on with a sweep that was stopped."""

    recipes: Annotated[tyro.conf.Positional[tuple[str, ...]], tyro.conf.arg(metavar="RECIPE …")]
    """The recipes."""
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="FIELD=VALUE,VALUE …")] = ()
    """Values of a recipe's fields: `learning_rate=0.1,0.5`, `model.hidden=300,500`; for a search also
    `learning_rate=0.01..1.0`."""
    seeds: int = 1
    """Train each of them with so many seeds; it is their mean that is compared."""
    seed: int = 0
    """The first seed; it also decides what is drawn."""
    search: Search = "grid"
    """All combinations, or --trials of them: drawn at random, or proposed by Optuna from what was best so far
    (with --cluster; needs 'mnistry[optuna]')."""
    trials: int = 10
    """How many combinations of each recipe a search tries."""
    stop_early: bool = False
    """With --cluster: stop trials that are worse than others after as many steps (ASHA)."""
    data: str = "mnist"
    """A named data set, or the path of a folder or file of your own."""
    data_dir: Path | None = None
    """A folder to look in first for named data sets, before MNISTRY_DATA and the cache."""
    runs: Path = Path("sweep")
    """The folder in which each trial has a run folder; on a cluster, one that all machines see."""
    cluster: Annotated[str | None, tyro.conf.arg(metavar="ADDRESS|local")] = None
    """Where Ray runs trials side by side: a cluster's address, or on this machine; needs
    'mnistry[train,cluster]'. By default they are made one after the other, without Ray."""
    cores: int = 1
    """With --cluster: cores of each trial."""
    json: bool = False
    """Print one JSON object and nothing else on standard output."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry sweep` with what follows it, and returns the exit status."""
    config = (tyro.conf.FlagCreatePairsOff,)
    options = parsed(Options, args=arguments, prog="mnistry sweep", config=config)
    try:
        result = sweep(
            options.recipes,
            settings=parse_settings(options.set),
            seeds=options.seeds,
            seed=options.seed,
            search=options.search,
            trials=options.trials,
            stop_early=options.stop_early,
            data=options.data,
            data_dir=options.data_dir,
            runs=options.runs,
            cluster=options.cluster,
            cores=options.cores,
            on_trial=lambda said: print(f"mnistry: {said}", file=sys.stderr),
        )
    except Interrupted as stopped:
        print(f"mnistry: {options.runs}: stopped; the same command goes on", file=sys.stderr)
        return 128 + stopped.signal_number
    if options.json:
        print(json.dumps(_as_json(result)))
        return 0
    console = Console()
    console.print(_table(result))
    accuracies = [run.evaluation.accuracy for run in result.runs]
    seeds = f" over {len(accuracies)} seeds" if len(accuracies) > 1 else ""
    said = f"chosen: {result.chosen.label}: test accuracy {_figure(accuracies)}{seeds}"
    console.print(Text(said), soft_wrap=True)
    return 0


def _figure(accuracies: Sequence[float]) -> str:
    """Their mean, and the standard deviation of several."""
    if len(accuracies) < 2:
        return f"{accuracies[0]:.4f}" if accuracies else "–"
    spread = mean_and_sd(accuracies)
    return f"{spread.mean:.4f} ± {spread.sd:.4f}"


def _as_json(result: Sweep) -> dict[str, object]:
    return {
        "tried": [
            {
                "candidate": one.candidate.label,
                "runs": [str(path) for path in one.runs],
                "validation_accuracy": one.accuracies,
            }
            for one in result.tried
        ],
        "chosen": result.chosen.label,
        "test": [{"run": str(run.path), "accuracy": run.evaluation.accuracy} for run in result.runs],
    }


def _table(result: Sweep) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("candidate", overflow="fold")
    table.add_column("runs", justify="right")
    table.add_column("validation accuracy", justify="right")
    for one in result.tried:
        name = Text(one.candidate.label, "bold" if one.candidate == result.chosen else "")
        table.add_row(name, str(len(one.runs)), _figure(one.accuracies))
    return table
