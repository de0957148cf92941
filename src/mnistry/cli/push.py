"""`mnistry push`: a run as a repository of the Hugging Face Hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mnistry.cli.parsing import parsed
from mnistry.hub import push


@dataclass(frozen=True)
class Options:
    """Put a finished run into a repository of the Hugging Face Hub: weights, ONNX, figures, and a model card.

    Log in first, by `hf auth login` or a token in HF_TOKEN.
    """

    run: tyro.conf.Positional[Path]
    """The run folder."""
    repo: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="USER/NAME")]
    """The repository; it is made where there is none."""
    licence: str | None = None
    """The licence of the weights, as the Hub calls it, such as `mit`."""
    private: bool = False
    """A new repository is seen by its owner alone."""
    message: str = "A run of mnistry"
    """The message of the commit."""
    endpoint: str | None = None
    """The address of another Hub than huggingface.co."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry push` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry push")
    print(
        push(
            options.run,
            options.repo,
            licence=options.licence,
            private=options.private,
            message=options.message,
            endpoint=options.endpoint,
        )
    )
    return 0
