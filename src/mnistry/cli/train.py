"""`mnistry train`: a recipe, its fields as flags, and a run folder at the end."""

import atexit
import json
import shlex
import sys
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import tyro

from mnistry.cli.parsing import parsed
from mnistry.cli.translated import spoken
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.errors import InvalidValueError, MnistryError, RunError, UnknownNameError, nearest
from mnistry.evaluation.intervals import mean_and_sd
from mnistry.fields import names_of
from mnistry.language import gettext
from mnistry.recipes import RECIPES, Recipe, find_recipe
from mnistry.training import Interrupted, Run, TrainingProgress, joining, processes, resume, train
from mnistry.training.progress import ShownPart
from mnistry.training.teaching.told import told

NOTHING_LEARNT = 1  # exit status: the run is whole, but what is built on it would be of no use

USAGE = """usage: mnistry train RECIPE [flags]
       mnistry train --resume RUN [--steps N] [--print-every N] [--accuracy-every N] [--json]
       mnistry train … --coordinator HOST:PORT --processes N --process I    one of N that train together

Trains a recipe, measures it on the test part, and keeps everything in a new folder of `runs`.
Every field of a recipe is a flag: `mnistry train RECIPE --help` lists them.

Exit status 1: done, but nothing was learnt; the reason is told, and kept in evaluation.json.

recipes: {recipes}
"""


@dataclass(frozen=True)
class Output:
    """What is shown."""

    print_every: int = 0
    """Print the loss of the first batch, of every so many-th and of the last; 0: do not. Where each epoch
    goes through the file, they are counted from batch 0 on in each."""
    accuracy_every: int = 0
    """Print the accuracy every so many steps, besides the recipe's validation; 0: do not."""
    accuracy_on: ShownPart = "validation"
    """The part that `--accuracy-every` measures."""
    accuracy_images: int = 0
    """How many images `--accuracy-every` measures, each time the next ones of the part; 0: all of it."""
    json: bool = False
    """Print one JSON object as the last line of standard output."""

    def progress(self) -> TrainingProgress:
        """What shows it."""
        return TrainingProgress(
            print_every=self.print_every,
            accuracy_every=self.accuracy_every,
            accuracy_on=self.accuracy_on,
            accuracy_images=self.accuracy_images,
        )


PATHS = ("path", "runs", "data", "data_dir", "init_from")
"""Arguments of training that may be paths."""


@dataclass(frozen=True)
class Processes:
    """One process of several, on one host or many, that train together. SLURM says all three itself."""

    coordinator: str | None = None
    """HOST:PORT, the same for all: the host of process 0, and a port that is free there. In a network that
    you trust: whoever reaches it takes part."""
    processes: int | None = None
    """How many there are; 1: this one alone, whatever SLURM says."""
    process: int | None = None
    """Which of them this one is, from 0; process 0 writes the run folder."""
    cluster: str | None = None
    """Let Ray start all --processes: `local`, on this machine, or the address of a cluster."""

    def join(self) -> None:
        """Makes this process one of several, where that is what was said."""
        if self.cluster is not None:
            if (self.processes or 0) < 1 or (self.coordinator, self.process) != (None, None):
                raise InvalidValueError(
                    f"`cluster={self.cluster!r}` needs `processes=N`, and neither `coordinator` nor `process`"
                )
            return
        given = (self.coordinator, self.processes, self.process)
        if given == (None, 1, None) or (given == (None, None, None) and not joining.slurm_says_several()):
            return
        joining.join(*given, say=_say)

    def trained(self, call: "partial[Run]", progress: TrainingProgress) -> Run:
        """The run that a call makes, here or on a cluster, where paths are to mean the same."""
        if self.cluster is None:
            return call(progress=progress)
        from mnistry.cluster.training import train_over

        assert self.processes
        _say(f"{self.processes} processes on the cluster {self.cluster}; the first one writes the run folder")
        given = {name: Path(value) for name, value in call.keywords.items() if name in PATHS and value}
        whole = {name: path.absolute() for name, path in given.items() if name == "runs" or path.exists()}
        path = train_over(self.cluster, self.processes, partial(call, **whole))
        if not path.exists():
            raise RunError(f"{path}: the run is finished, on the host of the first process, and not here")
        return Run.open(path)


def _say(text: str) -> None:
    print(f"mnistry: {spoken(text)}", file=sys.stderr, flush=True)


ALONE = Processes()


@dataclass(frozen=True)
class TrainOptions(Output):
    """What a run is given besides its recipe."""

    data: str | None = None
    """A named data set, or the path of a folder or file of your own; by default `mnist`, and for what reads
    pages the handwriting that they are drawn with, which is fetched if it is not there."""
    data_dir: Path | None = None
    """A folder to look in first for named data sets, before MNISTRY_DATA and the cache."""
    runs: Path = Path("runs")
    """The folder in which the run gets a new folder of its own."""
    seed: int = 0
    """Decides the initial weights, the order of examples, and dropout."""
    seeds: int = 1
    """Train so many seeds, from `--seed` on, and report mean and standard deviation."""
    epochs: float | None = None
    """Passes over the training part, in place of `--steps`."""
    init_from: Path | None = None
    """A run folder whose trained weights are the initial ones."""
    together: Annotated[Processes, tyro.conf.arg(name="")] = ALONE
    images: Annotated[ImageForm, tyro.conf.arg(name="")] = AS_MNIST
    check_images: bool = True
    """Make sure that digits of your own are not read far better inverted, transposed or scaled."""
    recipe: Annotated[Recipe, tyro.conf.arg(name="")] = RECIPES["softmax"]


@dataclass(frozen=True)
class ResumeOptions(Output):
    """Go on with a run that was stopped, or that is to have more steps."""

    resume: tyro.conf.Positional[Path] = Path()
    """The run folder."""
    steps: int | None = None
    """How many steps it is to have in all, such as twice those that it has made."""
    together: Annotated[Processes, tyro.conf.arg(name="")] = ALONE


def main(arguments: list[str]) -> int:
    """Runs `mnistry train` with what follows it, and returns the exit status."""
    try:
        status = _trained(arguments)
    except Interrupted as stopped:
        _say(str(stopped))
        status = 128 + stopped.signal_number
    except BaseException as error:
        if processes.count() > 1:
            # The others may wait for this one, so it does not wait for them; after all is said.
            atexit.register(joining.leave_at_once, _status(error))
        raise
    joining.leave(status)
    return status


def _trained(arguments: list[str]) -> int:
    if any(argument.split("=")[0] == "--resume" for argument in arguments):
        rest = [word.removeprefix("--resume=") for word in arguments if word != "--resume"]
        again = parsed(ResumeOptions, args=rest, prog="mnistry train --resume")
        again.together.join()
        going_on = partial(resume, path=again.resume, steps=again.steps)
        run = again.together.trained(going_on, again.progress())
        return _report([run], as_json=again.json)
    if not arguments or arguments[0].startswith("-"):
        print(
            gettext(USAGE).format(recipes=", ".join(RECIPES)),
            end="",
            file=sys.stdout if arguments else sys.stderr,
        )
        return 0 if arguments[:1] in (["-h"], ["--help"]) else 2
    recipe = find_recipe(arguments[0])
    given = _given(arguments[1:], recipe)
    options = parsed(
        TrainOptions,
        args=arguments[1:],
        prog=f"mnistry train {recipe.name}",
        description=recipe.summary,
        default=TrainOptions(recipe=recipe),
        config=(tyro.conf.AvoidSubcommands,),
    )
    if options.seeds < 1:
        raise InvalidValueError(f"`seeds` must be at least 1, not {options.seeds}")
    options.together.join()
    # A flag counts even if it repeats the recipe's value: one without effect is to be refused.
    changes = {name: getattr(options.recipe, name) for name in given if name in _fields(recipe)}
    runs = []
    for seed in range(options.seed, options.seed + options.seeds):
        start = partial(
            train,
            recipe,
            data=options.data,
            data_dir=options.data_dir,
            seed=seed,
            runs=options.runs,
            init_from=options.init_from,
            epochs=options.epochs,
            **options.images.to_json(),
            check_images=options.check_images,
            **changes,
        )
        runs.append(options.together.trained(start, options.progress()))
    return _report(runs, as_json=options.json)


def _status(error: BaseException) -> int:
    """That with which the command will end."""
    if isinstance(error, KeyboardInterrupt):
        return 130
    return 2 if isinstance(error, MnistryError | OSError) else 1


def _fields(instance: Any) -> dict[str, Any]:
    """The annotations of a dataclass's fields, by name."""
    return get_type_hints(type(instance))


def _given(arguments: list[str], recipe: Recipe) -> set[str]:
    """The fields that flags were given for; of `--model.hidden` that is `model`.

    Raises:
        UnknownNameError: a value is none of those that its field knows; the nearest is suggested.
        InvalidValueError: an unknown flag that is like a known one, which is suggested.
    """
    values = _fields(recipe) | {f"model.{name}": hint for name, hint in _fields(recipe.model).items()}
    values |= _fields(TrainOptions()) | _fields(AS_MNIST) | _fields(ALONE)
    known = {*values, "help"}
    found = set()
    for place, word in enumerate(arguments):
        if not word.startswith("--"):
            continue
        flag, separator, value = word.removeprefix("--").partition("=")
        name = flag.replace("-", "_")
        name = name.removeprefix("no_") if values.get(name.removeprefix("no_")) is bool else name
        found.add(name.split(".")[0])
        if not separator:
            value = "".join(arguments[place + 1 : place + 2])
        if (names := names_of(values.get(name))) and value not in names:
            raise UnknownNameError(name, value, names)
        if name not in known and (meant := nearest(name, known)):
            raise InvalidValueError(
                f"there is no flag --{flag}. Did you mean `{meant}`? All are told by: "
                f"mnistry train {recipe.name} --help"
            )
    return found


def _report(runs: list[Run], *, as_json: bool) -> int:
    """Prints what came of the runs, and returns the exit status; of several processes the first one does."""
    if not processes.is_first():
        return 0
    status = NOTHING_LEARNT if any(run.nothing_learnt for run in runs) else 0
    if runs[0].recipe.reads_pages:
        for run in runs:
            if run.pictures:
                print(told(run))
                continue
            figures = run.figures
            what, share = "digits {} are found and read right", figures.get("recall")
            if share is None:  # a verifier, which is shown where they are
                what, share = "places {} are told right", figures["accuracy"]
            told_right = what.format("on pages by other writers")
            print(f"{run.path}: {share:.4f} of {figures['n']:,} {told_right}")
        return status
    results = [_result(run) for run in runs]
    if len(runs) == 1:
        summary: dict[str, Any] = results[0]
    else:
        spread = mean_and_sd([result["test"]["accuracy"] for result in results])
        summary = {
            "recipe": runs[0].recipe.name,
            "seeds": [run.seed for run in runs],
            "test": {"accuracy": spread.mean, "sd": spread.sd, "n": len(runs)},
            "runs": results,
        }
    if as_json:
        print(json.dumps(summary))
        return status
    for run in runs:
        low, high = run.evaluation.accuracy_interval
        print(
            gettext(
                "{run}: test accuracy {accuracy:.4f} (95 %: {low:.4f} to {high:.4f}), {errors:,} of {n:,} "
                "wrong; see {report}"
            ).format(
                run=run.path,
                accuracy=run.evaluation.accuracy,
                low=low,
                high=high,
                errors=run.evaluation.errors,
                n=run.evaluation.n,
                report=run.path / "report.html",
            )
        )
    command = f"tensorboard --logdir {shlex.quote(str(runs[0].path.parent))}"
    missing = "" if find_spec("tensorboard") else " (pip install 'mnistry[tensorboard]')"
    look = gettext("curves, weights, mistakes and the graph: {command}").format(command=command)
    print(f"{look}{missing}", file=sys.stderr)
    if len(runs) > 1:
        said = gettext("mean ± sd over {n} seeds: {mean:.4f} ± {sd:.4f}")
        print(said.format(n=len(runs), mean=spread.mean, sd=spread.sd))
    return status


def _result(run: Run) -> dict[str, Any]:
    evaluation = run.evaluation
    return {
        "run": str(run.path),
        "recipe": run.recipe.name,
        "seed": run.seed,
        "steps": run.figures["steps"],
        "train_seconds": run.figures["train_seconds"],
        "nothing_learnt": run.nothing_learnt,
        "test": {"accuracy": evaluation.accuracy, "correct": evaluation.correct, "n": evaluation.n},
    }
