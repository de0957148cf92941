"""The sets of labelled pictures that readers are measured on."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np

import disturbances
from mnistry.data import Dataset, Examples, load
from mnistry.reading.labels import Labelled, read_labels

SetName = Literal[
    "single",
    "semeion",
    "mnist",
    "pages",
    "documents",
    "forms",
    "photo-strings",
    "cheques",
    "non-digits",
    "disturbed",
]
SETS: tuple[SetName, ...] = get_args(SetName)

SEMEION = "semeion.data"


@dataclass(frozen=True)
class Sets:
    """All sets, each made when it is asked for.

    Attributes:
        pictures: folder of `single`, `pages`, `documents`, `photo-strings`, `cheques` and `semeion.data`, and
            maybe `forms`.
        data_dir: folder with MNIST.
        handwriting: folder of handwriting, for non-digits; None looks for it beside MNIST.
        made: folder for the pictures that are drawn.
    """

    pictures: Path
    data_dir: Path
    handwriting: Path | None
    made: Path

    @cached_property
    def mnist(self) -> Dataset:
        """MNIST."""
        return load("mnist", self.data_dir)

    def has(self, name: SetName) -> bool:
        """Whether there is such a set; only that of forms may be missing."""
        return name != "forms" or (self.pictures / name).is_dir()

    def read(self, name: SetName) -> tuple[Labelled, ...]:
        """The pictures of a set.

        Raises:
            DataError: it is not there, or not as it should be.
        """
        if name == "semeion":
            return semeion(self.pictures / SEMEION)
        if name == "mnist":
            return as_pictures(self.mnist.test)
        if name == "non-digits":
            # Here, as the processes whose memory is measured import this file, and these load JAX.
            import non_digits
            from mnistry.data.handwriting import find_handwriting
            from mnistry.training.pages.sources import Sources

            handwriting = find_handwriting(self.handwriting or "handwriting", self.data_dir)
            writers = Sources.read(handwriting, self.data_dir, held_out=True)
            non_digits.make(self.made / name, 0, writers)
            return read_labels(self.made / name)
        if name == "disturbed":
            disturbances.make(read_labels(self.pictures / "pages"), self.made / name)
            return read_labels(self.made / name)
        return read_labels(self.pictures / name)


def as_pictures(examples: Examples) -> tuple[Labelled, ...]:
    """Digits as arrays, white on black."""
    return tuple(
        Labelled(str(row), image, (str(label),))
        for row, (image, label) in enumerate(zip(examples.images, examples.labels, strict=True))
    )


def semeion(path: Path) -> tuple[Labelled, ...]:
    """Semeion's 1,593 scanned digits, 16×16 pixels black on white: 256 bits a row, then ten of the class."""
    rows = [line.replace(",", " ").split()[:266] for line in path.read_text().splitlines()]
    table = np.array([row for row in rows if row], float)
    images = (255 * (1 - table[:, :256])).astype(np.uint8).reshape(-1, 16, 16)
    labels = table[:, 256:].argmax(axis=1)
    return tuple(
        Labelled(str(row), image, (str(label),))
        for row, (image, label) in enumerate(zip(images, labels, strict=True))
    )


def some_of_each_kind(pictures: Sequence[Labelled], limit: int) -> tuple[Labelled, ...]:
    """At most so many pictures of each kind, evenly chosen, in their order."""
    by_kind: dict[str, list[int]] = {}
    for number, one in enumerate(pictures):
        by_kind.setdefault(one.kind, []).append(number)
    chosen = (numbers[:: -(-len(numbers) // limit)] for numbers in by_kind.values())
    return tuple(pictures[number] for number in sorted(number for numbers in chosen for number in numbers))


def digest_of_pictures(pictures: Iterable[Labelled]) -> str:
    """SHA-256 of what the pictures are and what is to be read in them."""
    digest = hashlib.sha256()
    for one in pictures:
        content = (
            one.picture.read_bytes() if isinstance(one.picture, Path) else np.asarray(one.picture).tobytes()
        )
        for part in (repr((one.name, one.lines, one.kind)).encode(), content):
            digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
