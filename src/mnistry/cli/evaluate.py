"""`mnistry evaluate`: the figures of a trained model, as a table, as JSON, as pictures."""

import json
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, get_args

import numpy as np
import tyro
from numpy.typing import NDArray
from rich.console import Console

from mnistry.cli.parsing import parsed
from mnistry.data import Dataset, Examples
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.data.writers import read_writers
from mnistry.datasets import load
from mnistry.errors import CheckpointError, DataError, InvalidValueError, RunError, UnknownNameError
from mnistry.evaluation.by_writer import ByWriter
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import worst_mistakes
from mnistry.evaluation.text import render_table
from mnistry.inference import in_classes_of
from mnistry.language import gettext, part_name
from mnistry.reading.classifier import Classifier
from mnistry.runs import CHECKPOINTS, RECIPE
from mnistry.training.checkpoint import checkpoints
from mnistry.training.run import Run
from mnistry.training.saved import SavedModels, checkpoint_of, new_checkpoints

Part = Literal["test", "validation", "train", "all"]


@dataclass(frozen=True)
class Options:
    """Measure a trained model, or one that is being trained."""

    source: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="RUN")]
    """A run folder, one of its checkpoints (runs/mlp-1/checkpoints/step-00001000.safetensors), or an ONNX
    file that mnistry wrote. Of a run that is not finished, its newest checkpoint is measured."""
    checkpoint: Annotated[int | None, tyro.conf.arg(metavar="STEP")] = None
    """Measure the run's checkpoint of this step."""
    follow: Annotated[float | None, tyro.conf.arg(metavar="SECONDS")] = None
    """Look every so many seconds, and measure each new checkpoint, until the run ends: a line for each."""
    data: str | None = None
    """Another data set than the run's own: a name, or the path of a folder or file. Of an ONNX file outside
    of a run folder, `mnist` by default."""
    data_dir: Path | None = None
    """A folder to look in first for named data sets, before MNISTRY_DATA and the cache."""
    images: Annotated[ImageForm, tyro.conf.arg(name="")] = AS_MNIST
    check_images: bool = True
    """Make sure that digits of `--data` are not read far better inverted, transposed or scaled."""
    part: Part = "test"
    """Which part: as the run divided its data, or `all` of a data set."""
    by: Literal["writer"] | None = None
    """Show the mistakes by writer and by group of writers (students, census staff) too; of MNIST and QMNIST,
    with QMNIST's tables of labels."""
    json: bool = False
    """Print one JSON object and nothing else on standard output; with `--follow` one a line."""
    pictures: Path | None = None
    """Write confusion matrix, reliability, figures by class (SVG, PNG) and the worst mistakes (PNG) here."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry evaluate` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry evaluate")
    run, step = _run_and_step(options)
    if options.follow is not None:
        if run is None or step is not None or options.pictures or options.by:
            raise InvalidValueError(
                f"`follow={options.follow:g}` measures the checkpoints of a run folder as they come: it goes "
                "with no file, `checkpoint`, `pictures` or `by`"
            )
        if not 0 < options.follow <= threading.TIMEOUT_MAX:
            raise InvalidValueError(f"`follow` must be above 0 seconds, not {options.follow:g}")
        return _follow(run, options)
    if run is not None and (step is not None or (options.source.is_dir() and not run.finished)):
        classifier, step = _from_checkpoint(run, step)
        if options.checkpoint is None and options.source.is_dir():
            state = gettext("in training") if run.in_training else gettext("stopped")
            said = gettext(
                "{run}: {state}, not finished: measured is its newest checkpoint, of step {step:,} of "
                "{steps:,}"
            ).format(run=run.path, state=state, step=step, steps=run.steps)
            print(f"mnistry: {said}{_averaged(run)}", file=sys.stderr)
    else:
        whole = run is not None and options.source.is_dir()
        classifier = run.classifier() if run and whole else Classifier.load(options.source)
    dataset = _dataset(run, options)
    written = _writers(dataset, options) if options.by else None
    examples, class_names = _examples(run, dataset, classifier, options)
    logits = classifier.logits(examples.images)
    evaluation = Evaluation.of(logits, examples.labels)
    by_writer = written and ByWriter.of(logits, examples.labels, *written)
    if options.json:
        subject = _subject(run, step, options) | {"data": dataset.name, "part": options.part}
        more = {"by_writer": by_writer.to_json()} if by_writer else {}
        print(json.dumps({**subject, "class_names": class_names, **evaluation.to_json(), **more}))
    else:
        print(
            gettext("{model} on the {part} part of {data} ({source})").format(
                model=options.source,
                part=part_name(options.part),
                data=dataset.name,
                source=dataset.source,
            ),
            file=sys.stderr,
        )
        Console().print(render_table(evaluation, class_names))
        if by_writer:
            Console().print(by_writer.render())
    if options.pictures:
        from mnistry.evaluation.pictures import write_pictures

        mistakes = worst_mistakes(examples.images, examples.labels, logits)
        for path in write_pictures(options.pictures, evaluation, class_names, mistakes):
            print(path, file=sys.stderr)
    return 0


def _writers(dataset: Dataset, options: Options) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Who wrote each image of the part, and NIST's series.

    Raises:
        InvalidValueError: the part is one that the run chose, or the data set has no table of writers.
        DataError: the table is not to be found, or is another one.
    """
    if options.part not in ("test", "all"):
        raise InvalidValueError(f"`by='writer'` goes with `part='test'` or all, not with {options.part}")
    parts: tuple[Literal["train", "test"], ...] = ("train", "test") if options.part == "all" else ("test",)
    tables = [read_writers(dataset, part, options.data_dir) for part in parts]
    return (
        np.concatenate([table.writers for table in tables]),
        np.concatenate([table.series for table in tables]),
    )


def _run_and_step(options: Options) -> tuple[Run | None, int | None]:
    """The run that is meant, and the step whose checkpoint is.

    Raises:
        RunError: there is no such run or file, or the file is none of those that can be measured.
        InvalidValueError: a step for what is no run folder.
    """
    source = options.source
    if source.is_dir() or not (source.exists() or source.suffix == ".onnx"):
        return Run.open(source), options.checkpoint
    if options.checkpoint is not None:
        raise InvalidValueError(
            f"`checkpoint={options.checkpoint}` goes with a run folder, and {source} is a file"
        )
    if source.suffix == ".onnx":
        return Run.open(source.parent) if (source.parent / RECIPE).exists() else None, None
    folder = source.absolute().parent
    steps = [step for step, path in checkpoints(folder).items() if path.name == source.name]
    if not steps or folder.name != CHECKPOINTS:
        raise RunError(
            f"{source}: expected a run folder, a checkpoint in its folder {CHECKPOINTS} (such as "
            "step-00001000.safetensors), or an .onnx file"
        )
    return Run.open(folder.parent), steps[0]


def _from_checkpoint(run: Run, step: int | None) -> tuple[Classifier, int]:
    step, path = checkpoint_of(run, step)
    return SavedModels(run, run.load_data()).classifier(path), step


def _averaged(run: Run) -> str:
    return gettext(", with its averaged weights") if run.recipe.averaging else ""


def _subject(run: Run | None, step: int | None, options: Options) -> dict[str, str | int]:
    subject: dict[str, str | int] = {"run": str(run.path)} if run else {"model": str(options.source)}
    return subject if step is None else subject | {"step": step}


def _follow(run: Run, options: Options) -> int:
    """Measures the checkpoints of a run as they come, and returns the exit status."""
    assert options.follow is not None
    saved = SavedModels(run, run.load_data())
    dataset = _dataset(run, options)
    examples: Examples | None = None
    step = 0
    print(
        gettext(
            "following {run} on the {part} part of {data}{averaged}; it saves a checkpoint every {every:,} "
            "steps"
        ).format(
            run=run.path,
            part=part_name(options.part),
            data=dataset.name,
            averaged=_averaged(run),
            every=run.recipe.checkpoint_every,
        ),
        file=sys.stderr,
    )
    for step, path in new_checkpoints(run, options.follow):
        try:
            classifier = saved.classifier(path)
        except CheckpointError as error:
            if path.exists():  # else newer ones have taken its place meanwhile
                print(f"mnistry: {error}", file=sys.stderr)
            continue
        if examples is None:
            examples, _ = _examples(run, dataset, classifier, options)
        evaluation = Evaluation.of(classifier.logits(examples.images), examples.labels)
        if options.json:
            subject = _subject(run, step, options) | {"data": dataset.name, "part": options.part}
            print(json.dumps({**subject, **evaluation.to_json()}), flush=True)
        else:
            low, high = evaluation.accuracy_interval
            print(
                gettext(
                    "step {step:,} of {steps:,}: {part} accuracy {accuracy:.4f} "
                    "(95 %: {low:.4f} to {high:.4f}), {errors:,} of {n:,} wrong"
                ).format(
                    step=step,
                    steps=run.steps,
                    part=part_name(options.part),
                    accuracy=evaluation.accuracy,
                    low=low,
                    high=high,
                    errors=evaluation.errors,
                    n=evaluation.n,
                ),
                flush=True,
            )
    if examples is None:
        raise RunError(f"{run.path}: nobody trains it, and it has no checkpoint that can be measured")
    stopped = gettext("stopped at step {step:,} of {steps:,}; nobody trains it")
    ended = gettext("finished") if run.finished else stopped.format(step=step, steps=run.steps)
    print(f"{run.path}: {ended}", file=sys.stderr)
    return 0


def _dataset(run: Run | None, options: Options) -> Dataset:
    """The data set to measure on; what its user should know is told.

    Raises:
        InvalidValueError: it is said how its images are stored, though the run knows.
    """
    if options.data is not None or run is None:
        form = options.images.to_json()
        data = options.data or "mnist"
        dataset = load(data, options.data_dir, **form, check_images=options.check_images)
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
    return dataset


def _examples(
    run: Run | None, dataset: Dataset, classifier: Classifier, options: Options
) -> tuple[Examples, tuple[str, ...]]:
    examples = part_of(run, dataset, options.part, options.data_dir)
    examples, class_names, told = in_classes_of(classifier, examples, dataset.class_names)
    if told:
        print(f"mnistry: {told}", file=sys.stderr)
    return examples, class_names


def part_of(run: Run | None, dataset: Dataset, part: Part, data_dir: Path | None = None) -> Examples:
    """One part of a data set, divided as the run divided its own.

    Raises:
        UnknownNameError: there is no such part.
        InvalidValueError: it is for a run to say how the data are divided, and there is none.
        DataError: the part is empty.
    """
    if part == "all":
        parts = [one for one in (dataset.train, dataset.validation, dataset.test) if one is not None]
        examples = Examples(
            np.concatenate([one.images for one in parts]), np.concatenate([one.labels for one in parts])
        )
    elif part == "test":
        examples = dataset.test
    elif part in ("validation", "train") and run is None:
        raise InvalidValueError(
            f"`part={part!r}` is for a model in its run folder, which tells how the data were divided; "
            "without one there are `part='test'` and `part='all'`"
        )
    elif part in ("validation", "train"):
        assert run is not None
        divided = run.divided(dataset, data_dir)
        examples = {"validation": divided.validation, "train": divided.train}[part]
    else:
        raise UnknownNameError("part", part, get_args(Part))
    if not len(examples):
        raise DataError(f"{dataset.name}: there are no images in the {part} part")
    return examples
