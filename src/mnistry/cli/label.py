"""`mnistry label`: a page on which one labels pictures of one's own, by keyboard."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mnistry.cli.parsing import parsed
from mnistry.data.decode import MOST_PIXELS
from mnistry.errors import InvalidValueError
from mnistry.service.limits import Limits
from mnistry.service.server import serve


@dataclass(frozen=True)
class Options:
    """Label pictures of your own in the browser, one after the other, by keyboard.

    What the reader reads is suggested: Enter accepts it, or type over it. `-` says that there are no digits,
    the arrow keys skip and go back. Each label is written into the folder's labels.tsv at once; other columns
    and lines stay as they are. It begins with the first picture that has no label, and so goes on later.

    `mnistry teach` and `mnistry evaluate-pictures` take the folder. Only this machine is served.
    """

    folder: tyro.conf.Positional[Path]
    """A folder of pictures, or with a folder `images` of them."""
    model: Annotated[Path | None, tyro.conf.arg(metavar="RUN|FILE.onnx")] = None
    """What suggests: a run folder or an exported ONNX file; else the model that comes with mnistry."""
    port: int = 0
    """0: a free one."""
    no_browser: bool = False
    """Print the address, and open no browser."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry label` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry label", config=(tyro.conf.FlagCreatePairsOff,))
    if not 0 <= options.port <= 65535:
        raise InvalidValueError(f"--port must be from 0 to 65535, not {options.port}")
    serve(
        host="127.0.0.1",
        port=options.port,
        model=options.model,
        runs=Path("runs"),
        limits=Limits(upload_mb=100, pixels=MOST_PIXELS),
        to_label=options.folder,
        open_page=not options.no_browser,
    )
    return 0
