"""`mnistry predict`: the class of each image of a file, as a table."""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from numpy.typing import NDArray

from mnistry.atomic import write_text
from mnistry.cli.parsing import parsed
from mnistry.data.unlabelled import Unlabelled, read_unlabelled
from mnistry.errors import InvalidValueError
from mnistry.inference import SHIPPED, classifier_of
from mnistry.logits import softmax


@dataclass(frozen=True)
class Options:
    """Predict the class of each image, as a table.

    Of the rows of a CSV file, of arrays and of IDX images: `ImageId,Label`, numbered from 1, as Kaggle takes
    it. Of pictures: `file`, `label`, and the probability of each class.
    """

    model: Annotated[tyro.conf.Positional[str], tyro.conf.arg(metavar="RUN")]
    """A run folder, an ONNX file, or `shipped`, the model that comes with mnistry."""
    images: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="FILE")]
    """A .csv, .npy or .npz file, IDX images, a picture, or a folder or archive of pictures; of a folder with
    a test.csv, as competitions give out, that file."""
    csv: Annotated[Path | None, tyro.conf.arg(metavar="OUT.csv")] = None
    """Where to write the table; by default, standard output."""
    probabilities: bool = False
    """Write the probability of each class of rows, too."""
    full_scale: float | None = None
    """The pixel value of the strongest ink in arrays, if it is neither 255 nor, where none is above it, 1."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry predict` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry predict")
    if options.csv is not None and (options.csv.is_dir() or not options.csv.absolute().parent.is_dir()):
        raise InvalidValueError(f"`csv={str(options.csv)!r}`: expected a file in a folder that exists")
    classifier = classifier_of(options.model if options.model == SHIPPED else Path(options.model))
    found = read_unlabelled(options.images, full_scale=options.full_scale)
    for note in found.notes:
        print(f"mnistry: {options.images}: {note}", file=sys.stderr)
    table = io.StringIO(newline="")
    with_probabilities = options.probabilities or found.names is not None
    rows = _rows(found, softmax(classifier.logits(found.images)), classifier.class_names, with_probabilities)
    csv.writer(table, lineterminator="\n").writerows(rows)
    if options.csv is None:
        print(table.getvalue(), end="")
    else:
        write_text(options.csv, table.getvalue())
        print(f"{options.csv}: {len(found.images):,} predictions", file=sys.stderr)
    return 0


def _rows(
    found: Unlabelled, probabilities: NDArray[np.float64], names: Sequence[str], with_probabilities: bool
) -> Iterator[Sequence[object]]:
    """The head of the table and its rows."""
    head = ["ImageId", "Label"] if found.names is None else ["file", "label"]
    yield [*head, *(f"probability_{name}" for name in names if with_probabilities)]
    of_rows = range(1, len(probabilities) + 1)
    for name, row in zip(found.names or of_rows, probabilities, strict=True):
        shown = [f"{one:.6f}" for one in row] if with_probabilities else []
        yield [name, names[int(row.argmax())], *shown]
