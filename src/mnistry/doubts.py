"""What the form of a file leaves open, decided by what the shipped model reads."""

from dataclasses import replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES, Dataset, Doubt, Examples, content_hashes
from mnistry.data.image_form import ImageForm

SAMPLE = 200
"""Images of each part that are read."""
READ_WELL = 0.6
"""Share that must be read in the better way: if all are taken for one of two classes, half are right."""


def settle(dataset: Dataset, form: ImageForm) -> Dataset:
    """Decides what the form of a file leaves open, by what the shipped model reads; see `Doubt`.

    If it reads none of the ways well, pixels are taken as stored column by column, as the programs do whose
    files leave that open, and a label 10 for 0. What was decided stands in the notes.

    Args:
        dataset: as it was loaded.
        form: how its images were taken; who gives `transpose` has decided about the columns.
    """
    doubts = sorted(dataset.doubts - ({"columns first"} if form.transpose else set()))
    if not doubts:
        return dataset
    from mnistry.reading.classifier import Classifier

    classifier = Classifier.load()
    part = max((dataset.train, dataset.test), key=len)
    sample = part[np.sort(np.random.default_rng(0).permutation(len(part))[:SAMPLE])]
    ways = [frozenset(way) for count in range(len(doubts) + 1) for way in combinations(doubts, count)]

    def share(way: frozenset[Doubt]) -> float:
        taken = _other(sample, way)
        return share_right(classifier.logits(taken.images).argmax(axis=1) == taken.labels, taken.labels)

    shares = {way: share(way) for way in ways}
    best = max(ways, key=lambda way: shares[way])
    clear = shares[best] >= READ_WELL
    chosen = best if clear else frozenset(doubts) & {"columns first"}
    evidence = (
        f": so, the model that comes with mnistry reads {shares[chosen]:.0%} of {len(sample)} images right"
        + "".join(
            f", {shares[chosen ^ {doubt}]:.0%} {_OTHERWISE[doubt, doubt in chosen]}" for doubt in doubts
        )
        if clear
        else ", as is usual: the model that comes with mnistry cannot tell"
    )
    said = " and ".join(_TAKEN[doubt, doubt in chosen] for doubt in doubts)
    changed = replace(
        dataset,
        train=_other(dataset.train, chosen),
        validation=dataset.validation and _other(dataset.validation, chosen),
        test=_other(dataset.test, chosen),
        notes=(*dataset.notes, f"{said}{evidence}"),
        doubts=frozenset(),
    )
    return replace(changed, sha256=content_hashes(changed.train, changed.validation, changed.test))


_TAKEN: dict[tuple[Doubt, bool], str] = {
    ("columns first", True): "pixels are taken as stored column by column",
    ("columns first", False): "pixels are taken as stored row by row",
    ("label 10", True): "labels are taken as counted from 1",
    ("label 10", False): "the label 10 is taken for 0",
}
_OTHERWISE: dict[tuple[Doubt, bool], str] = {
    ("columns first", True): "row by row",
    ("columns first", False): "column by column",
    ("label 10", True): "with 10 for 0",
    ("label 10", False): "counted from 1",
}


def _other(part: Examples, way: frozenset[Doubt]) -> Examples:
    """Examples with what is in doubt taken in the other way."""
    images, labels = part.images, part.labels
    if "columns first" in way:
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    if "label 10" in way:
        labels = (labels + np.uint8(CLASSES - 1)) % np.uint8(CLASSES)
    return Examples(images, labels)


def share_right(right: NDArray[np.bool_], labels: NDArray[np.uint8]) -> float:
    """The share of images that are read right, the mean over their classes."""
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))
