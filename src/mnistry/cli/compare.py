"""`mnistry compare`: runs side by side."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import tyro
from rich.console import Console

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
    options = tyro.cli(Options, args=arguments, prog="mnistry compare")
    if len(options.runs) < 2:
        raise RunError("compare needs at least two run folders")
    runs = [read_run(path) for path in options.runs]
    evaluations = {str(run.path): run.evaluation for run in runs}
    test = None
    if len(runs) == 2 and runs[0].data_sha256 == runs[1].data_sha256:
        test = _mcnemar(runs[0], runs[1])
    if options.json:
        result = {
            "runs": [{"run": path, **evaluation.to_json()} for path, evaluation in evaluations.items()],
            "mcnemar": asdict(test) if test else None,
        }
        print(json.dumps(result))
    else:
        Console().print(render_comparison(evaluations, test))
    return 0


def _mcnemar(first: RunFolder, second: RunFolder) -> McNemar:
    """McNemar's test on the test images, which both models answer anew."""
    examples = first.load_data().test
    correct = [
        Classifier.load(run.path).logits(examples.images).argmax(axis=1) == examples.labels
        for run in (first, second)
    ]
    return mcnemar(*correct)
