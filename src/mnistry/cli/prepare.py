"""`mnistry prepare`: how a picture becomes 28×28, as the tutorials' programs do it and as it is done here."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mnistry.atomic import replacing
from mnistry.cli.parsing import parsed
from mnistry.errors import InvalidValueError, PictureError
from mnistry.language import gettext
from mnistry.reading.preparations import Preparation, draw_preparations, preparations
from mnistry.reading.recognizer import Recognizer


@dataclass(frozen=True)
class Options:
    """Show how pictures of one digit become 28×28, in two ways, and what a model says of each.

    One way is that of the tutorials' programs: squeezed to 28×28, inverted, cut at 50. The other is that of
    `mnistry read`: the digit is found, boxed and centred as MNIST was. Drawn in NAME-prepared.png.
    """

    files: Annotated[tyro.conf.Positional[tuple[Path, ...]], tyro.conf.arg(metavar="PICTURE …")]
    """Pictures of one digit."""
    model: Annotated[Path | None, tyro.conf.arg(metavar="RUN|FILE.onnx")] = None
    """A run folder or an exported ONNX file; by default the model that comes with mnistry."""
    json: bool = False
    """Print one JSON object a line and picture."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry prepare` with what follows it, and returns the exit status: 2 if a picture failed."""
    off = (tyro.conf.FlagCreatePairsOff,)
    options = parsed(Options, args=arguments, prog="mnistry prepare", config=off)
    if not options.files:
        raise InvalidValueError("name at least one picture to prepare")
    recognizer = Recognizer.load(options.model)
    status = 0
    for file in options.files:
        try:
            both = preparations(recognizer, file)
        except PictureError as error:
            print(f"mnistry: {file}: {error}", file=sys.stderr)
            status = 2
            continue
        if options.json:
            print(json.dumps({"file": str(file), "ways": [way.to_json() for way in both]}), flush=True)
        else:
            print(f"{file}: {'; '.join(map(_said, both))}", flush=True)
        path = Path(f"{file.stem}-prepared.png")
        with replacing(path) as drawing:
            draw_preparations(both).save(drawing, format="PNG")
        drawn = gettext("{file}: both ways are drawn in {drawing}").format(file=file, drawing=path)
        print(f"mnistry: {drawn}", file=sys.stderr)
    return status


def _said(way: Preparation) -> str:
    answer = gettext("no digit") if way.digit is None else f"{way.digit} ({way.confidence:.3f})"
    more = gettext(", the first of {n}").format(n=way.digits) if way.digits > 1 else ""
    return f"{way.name}: {answer}{more}"
