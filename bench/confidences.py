"""Is the reader as often right as it says? Of digits read with a confidence of 0.9, nine of ten should be.

    python bench/confidences.py FOLDER ... [--model MODEL]

Each FOLDER holds pictures and their `labels.tsv`, as `mnistry evaluate-pictures` takes them. What was read is
aligned with the label, all lines of a picture as one string; a digit that the label has not is wrong. Prints
Markdown.
"""

from difflib import SequenceMatcher
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro

from mnistry.errors import PictureError
from mnistry.reading.labels import read_labels
from mnistry.reading.recognizer import Recognizer

EDGES = (0.25, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)


def right_ones(wanted: str, read: str) -> list[bool]:
    """For each character that was read, whether the label has it there.

    >>> right_ones("1234", "1334")
    [True, False, True, True]
    """
    right = [False] * len(read)
    for block in SequenceMatcher(None, wanted, read, autojunk=False).get_matching_blocks():
        right[block.b : block.b + block.size] = [True] * block.size
    return right


def main(folders: Annotated[tuple[Path, ...], tyro.conf.Positional], model: Path | None = None) -> None:
    recognizer = Recognizer.load(model)
    confidences, truth = list[float](), list[bool]()
    for folder in folders:
        for labelled in read_labels(folder):
            try:
                digits = recognizer.read(labelled.picture, min_confidence=0).digits
            except PictureError:
                continue
            wanted = "".join(labelled.lines).replace(" ", "")
            confidences += [digit.confidence for digit in digits]
            truth += right_ones(wanted, "".join(str(digit.digit) for digit in digits))
    said, right = np.array(confidences), np.array(truth)
    print("| confidence | digits read | it says | right |\n|---|---:|---:|---:|")
    for low, high in pairwise(EDGES):
        chosen = (said >= low) & (said < high)
        if chosen.any():
            says, does = said[chosen].mean(), right[chosen].mean()
            print(f"| {low:g} to {high:g} | {chosen.sum():,} | {says:.3f} | {does:.3f} |")
    print(f"| all | {len(said):,} | {said.mean():.3f} | {right.mean():.3f} |")


if __name__ == "__main__":
    tyro.cli(main, description=__doc__)
