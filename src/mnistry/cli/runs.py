"""`mnistry runs`: the runs of a folder, filtered and sorted, without loading a model."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mnistry.cli.parsing import parsed
from mnistry.errors import InvalidValueError, RunError, UnknownNameError
from mnistry.evaluation.intervals import wilson_interval
from mnistry.runs import EVALUATION, RECIPE, MeasuredOn, by_number, find_runs, read_run

_PIPED_WIDTH = 200  # a pipe has no width of its own; nothing is to be wrapped there

Sort = Literal["name", "accuracy", "date", "seconds", "steps", "parameters"]


@dataclass(frozen=True)
class Options:
    """List the runs of a folder."""

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FOLDER")] = Path("runs")
    """The folder that holds the run folders."""
    recursive: bool = False
    """Look in the folders below it too, such as those of a class; what is no run is passed over."""
    recipe: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """Only runs of this recipe."""
    state: Literal["any", "done", "training", "stopped"] = "any"
    """Only runs that are done, that a process trains now, or that stopped before their last step."""
    sort: Sort = "name"
    """`name`: by number; `accuracy`: the best first; `date`: the newest first; else the largest first."""
    limit: Annotated[int | None, tyro.conf.arg(metavar="N")] = None
    """Show at most so many."""
    json: bool = False
    """Print one JSON object and nothing else on standard output."""


@dataclass(frozen=True)
class Summary:
    """One run, in one line. What an unfinished run does not have yet is None.

    Attributes:
        run: its folder.
        recipe: the name of its recipe.
        seed: its seed.
        data: name or path of its data set.
        state: `done`, `training` while a process trains it, or `stopped` before its last step.
        step: the last one that was logged.
        steps: those of the recipe.
        part: what it is measured on; `validation` where the test part was left unopened.
        accuracy: on that part.
        wilson_95: the accuracy's 95 % interval.
        parameters: how many numbers the model has.
        nothing_learnt: why its model is of no use, where it answers no better than always the same.
        seconds: of training.
        date: when it was started.
    """

    run: str
    recipe: str
    seed: int
    data: str
    state: Literal["done", "training", "stopped"]
    step: int
    steps: int
    part: MeasuredOn
    accuracy: float | None
    wilson_95: tuple[float, float] | None
    parameters: int | None
    nothing_learnt: str | None
    seconds: float
    date: str


def main(arguments: list[str]) -> int:
    """Runs `mnistry runs` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry runs", config=(tyro.conf.FlagCreatePairsOff,))
    if options.limit is not None and options.limit < 1:
        raise InvalidValueError(f"--limit must be at least 1, not {options.limit}")
    every, broken = summaries(options.folder, recursive=options.recursive)
    chosen = _chosen(every, options)
    if options.json:
        problems = [{"run": name, "problem": problem} for name, problem in broken.items()]
        print(json.dumps({"runs": [asdict(one) for one in chosen], "broken": problems}))
        return 0
    console = Console()
    if not console.is_terminal:
        console = Console(width=_PIPED_WIDTH)
    if chosen:
        console.print(_table(chosen, options.folder))
    said = f"{len(every):,} {'run' if len(every) == 1 else 'runs'} in {options.folder}"
    said += f", {len(chosen):,} of them shown" if len(chosen) < len(every) else ""
    console.print(Text(said, "dim"))
    if broken and not every and not options.recursive:
        console.print(Text("--recursive lists the runs in the folders below this one"))
    for name, problem in broken.items():
        console.print(Text.assemble((f"{name} cannot be listed: ", "bold red"), problem), soft_wrap=True)
    return 0


def summaries(folder: Path, *, recursive: bool = False) -> tuple[list[Summary], dict[str, str]]:
    """The runs of a folder in the order of their numbers, and an error for each that cannot be read.

    Args:
        folder: where they are.
        recursive: take those of the folders below it, too; then what is no run is no error.

    Raises:
        RunError: there is no such folder, or it is a run itself.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: there is no such folder of runs")
    if (folder / RECIPE).exists():
        raise RunError(f"{folder}: this is one run; name the folder that holds the runs: {folder.parent}")
    if recursive:
        paths, broken = find_runs(folder)
    else:
        inside = (path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
        paths, broken = sorted(inside, key=by_number), {}
    found = []
    for path in paths:
        try:
            found.append(_summary(path))
        except RunError as error:
            broken[str(path)] = str(error)
    return found, broken


def _summary(path: Path) -> Summary:
    folder = read_run(path)
    figures = folder.figures if folder.finished else None
    try:
        last = folder.metrics.last() if figures is None else {}
        started = datetime.fromtimestamp((path / RECIPE).stat().st_mtime)
        return Summary(
            run=str(path),
            recipe=folder.recipe_name,
            seed=folder.seed,
            data=folder.data,
            state="done" if figures else "training" if folder.in_training else "stopped",
            step=int(figures["steps"] if figures else last.get("step", 0)),
            steps=folder.steps,
            part=folder.measured_on,
            accuracy=figures["correct"] / figures["n"] if figures else None,
            wilson_95=wilson_interval(figures["correct"], figures["n"]) if figures else None,
            parameters=folder.parameters(),
            nothing_learnt=folder.nothing_learnt if figures else None,
            seconds=float(figures["train_seconds"] if figures else last.get("seconds", 0.0)),
            date=started.isoformat(" ", "seconds"),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise RunError(f"{path / EVALUATION}: damaged: {reason}") from error
    except OSError as error:
        raise RunError(f"{error.filename}: {error.strerror}") from error


def _chosen(every: list[Summary], options: Options) -> list[Summary]:
    """The runs that the flags select, in the order that they ask for.

    Raises:
        UnknownNameError: no run is of the recipe that was asked for.
    """
    recipes = sorted({one.recipe for one in every})
    if options.recipe is not None and options.recipe not in recipes:
        raise UnknownNameError(f"run in {options.folder} of the recipe", options.recipe, recipes)
    chosen = [
        one for one in every if options.recipe in (None, one.recipe) and options.state in ("any", one.state)
    ]
    if options.sort != "name":
        chosen.sort(key=_SORT_KEYS[options.sort], reverse=True)
    return chosen[: options.limit]


# Runs that do not have the value yet come last.
_SORT_KEYS: dict[str, Callable[[Summary], Any]] = {
    "accuracy": lambda one: -1.0 if one.accuracy is None else one.accuracy,
    "date": lambda one: one.date,
    "seconds": lambda one: one.seconds,
    "steps": lambda one: one.step,
    "parameters": lambda one: one.parameters or 0,
}


def _table(chosen: list[Summary], folder: Path) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    # Narrow columns break at their spaces; these widths fit into the 80 characters of a terminal.
    for name in ("run", "recipe"):
        table.add_column(name, overflow="fold")
    for name, width in (("seed", 4), ("test accuracy (95%)", 13), ("parameters", 10), ("time", 8)):
        table.add_column(name, justify="right", min_width=width)
    table.add_column("started", min_width=10)
    table.add_column("state")
    for one in chosen:
        accuracy = "–"
        if one.accuracy is not None and one.wilson_95:
            low, high = one.wilson_95
            accuracy = f"{one.accuracy:.2%} ({100 * low:.2f}–{100 * high:.2f})"
            accuracy += " validation" if one.part == "validation" else ""
        done = Text(f"done: {one.step:,} steps")
        if one.nothing_learnt:
            done.append(", nothing learnt", "bold red")
        colour = "yellow" if one.state == "stopped" else ""
        on_the_way = Text(f"{one.state}: {one.step:,} of {one.steps:,}", colour)
        table.add_row(
            Text(str(Path(one.run).relative_to(folder))),
            Text(one.recipe),
            str(one.seed),
            accuracy,
            "–" if one.parameters is None else f"{one.parameters:,}",
            _time(one.seconds),
            one.date[:16],
            done if one.state == "done" else on_the_way,
        )
    return table


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{minutes // 60}:{minutes % 60:02} h" if minutes >= 60 else f"{minutes}:{rest:02} min"
