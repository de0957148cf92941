"""`mnistry pull`: a run from a repository of the Hugging Face Hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mnistry.cli.parsing import parsed
from mnistry.hub import pull


@dataclass(frozen=True)
class Options:
    """Get a run that was pushed to the Hugging Face Hub, checked, as a run folder."""

    repo: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="USER/NAME")]
    """The repository."""
    runs: Path = Path("runs")
    """The folder in which the run gets a folder of the repository's name."""
    revision: str | None = None
    """A branch, tag or commit; by default the newest."""
    endpoint: str | None = None
    """The address of another Hub than huggingface.co."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry pull` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry pull")
    run = pull(options.repo, runs=options.runs, revision=options.revision, endpoint=options.endpoint)
    print(
        f"{run.path}: {run.recipe_name}, test accuracy {run.evaluation.accuracy:.4f} of {run.evaluation.n:,}"
    )
    return 0
