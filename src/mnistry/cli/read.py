"""`mnistry read`: the digit in each picture."""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from mnistry.errors import PictureError
from mnistry.reading.recognizer import Recognizer


@dataclass(frozen=True)
class Options:
    """Read the digit in each picture, any size, dark on light or light on dark."""

    files: tyro.conf.Positional[tuple[Path, ...]]
    """The pictures."""
    model: Path | None = None
    """A run folder or an exported ONNX file; by default the model that comes with mnistry."""
    json: bool = False
    """Print one JSON object a line and file."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry read` with what follows it, and returns the exit status: 2 where a file failed."""
    options = tyro.cli(Options, args=arguments, prog="mnistry read")
    if not options.files:
        raise PictureError("name at least one picture to read")
    recognizer = Recognizer.load(options.model)
    status = 0
    for file in options.files:
        try:
            reading = recognizer.read(file)
        except PictureError as error:
            status = 2
            if options.json:
                print(json.dumps({"file": str(file), "error": str(error)}))
            else:
                print(f"mnistry: {file}: {error}", file=sys.stderr)
            continue
        if options.json:
            print(json.dumps({"file": str(file), **reading.to_json()}))
        else:
            confidence = min(digit.confidence for digit in reading.digits)
            print(f"{file}: {' '.join(reading.lines)} (confidence {confidence:.3f})")
    return status
