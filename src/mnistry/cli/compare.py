"""`mnistry compare`: runs side by side."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro
from rich.console import Console

from mnistry.cli.parsing import parsed
from mnistry.errors import RunError
from mnistry.evaluation.compare import McNemar, mcnemar
from mnistry.evaluation.text import render_comparison
from mnistry.reading.classifier import Classifier
from mnistry.runs import RunFolder, read_run


@dataclass(frozen=True)
class Options:
    """Lay runs side by side; for two runs on the same data, with McNemar's test."""

    runs: tyro.conf.Positional[tuple[Path, ...]]
    """The run folders."""
    json: bool = False
    """Print one JSON object and nothing else on standard output."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry compare` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry compare")
    if len(options.runs) < 2:
        raise RunError("compare needs at least two run folders")
    runs = [read_run(path) for path in options.runs]
    evaluations = {str(run.path): run.evaluation for run in runs}
    test, note = None, _other_data(runs)
    if note is None and len(runs) == 2:
        test = _mcnemar(runs[0], runs[1])
    if options.json:
        result = {
            "runs": [{"run": str(run.path), "data": run.data, **run.evaluation.to_json()} for run in runs],
            "mcnemar": asdict(test) if test else None,
            "note": note,
        }
        print(json.dumps(result))
    else:
        Console().print(render_comparison(evaluations, test, note))
    return 0


def _other_data(runs: Sequence[RunFolder]) -> str | None:
    """What to tell of runs that were not all measured on the same images; None where they were."""
    others = [run for run in runs[1:] if not runs[0].same_test_part(run)]
    if not others:
        return None
    parts = [f"{run.path}: {run.data}, {run.evaluation.n:,} images" for run in (runs[0], *others)]
    return (
        f"These were measured on different test parts ({'; '.join(parts)}): their figures cannot be "
        "compared, and McNemar's test, which needs the same images, does not apply."
    )


def _mcnemar(first: RunFolder, second: RunFolder) -> McNemar:
    """McNemar's test on the images that both were measured on, which both models answer anew."""
    examples = first.measured_part(first.load_data())
    correct = [
        Classifier.load(run.path).logits(examples.images).argmax(axis=1) == examples.labels
        for run in (first, second)
    ]
    return mcnemar(*correct)
