"""Patches: what the detector finds on drawn pages, cut out, and what really stands there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import Array
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES
from mnistry.models import Verifier
from mnistry.reading.detector import Detector
from mnistry.reading.flatten import LEVEL
from mnistry.reading.verifier import PATCH, patch_at
from mnistry.training.pages.page import draw_page
from mnistry.training.pages.score import ANYTHING, NO_DIGIT, places_on, true_digits
from mnistry.training.pages.sources import Sources
from mnistry.training.pages.targets import Batch, as_deviations, batch_of

PAGES = 8
"""Pages that are drawn for each batch; they hold about two hundred places, some more than it takes."""
POOL = 64
"""The places on the pages of a batch are dealt out over so many, so that none is of one hand."""
ASIDE, LARGER = 0.06, 0.12
"""Deviations of a digit's box from the true one, as a share of its height: those that the detector misses, or
sees badly, are to be known too."""
OF_BATCH, OF_PAGE = 3, 4
"""Streams of random numbers."""


@dataclass(frozen=True, eq=False)
class PatchBatch:
    """Patches and what they show.

    Attributes:
        images: uint8 `[n, 48, 48]`.
        labels: int32 `[n]`: the digit, or 10 for what is none.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int32]


jax.tree_util.register_dataclass(PatchBatch)


class PatchSources(NamedTuple):
    """What patches are made with: handwriting, and the detector that finds places."""

    sources: Sources
    detector: Detector


@dataclass(frozen=True)
class Patches:
    """Which patches are drawn; a batch is decided by its number alone.

    Attributes: see `mnistry.training.pages.drawing.Pages`; `batch_size` counts patches.
    """

    folder: Path
    data_dir: Path | None
    seed: int
    batch_size: int
    held_out: bool = False

    def sources(self) -> PatchSources:
        """Reads what they are drawn with."""
        sources = Sources.read(self.folder, self.data_dir, held_out=self.held_out)
        return PatchSources(sources, Detector.load(threads=1))

    def piece(self, sources: PatchSources, number: int) -> PatchBatch:
        """All places on the pages of a group."""
        return self.group(sources, number, PAGES)

    def needed(self, number: int) -> range:
        """The groups whose places are dealt out to the batch: its own, and those after it."""
        return range(number, number + POOL)

    def batch(self, number: int, pieces: Mapping[int, PatchBatch]) -> PatchBatch:
        """A part of the places of each group."""
        # Each place is dealt to one batch alone: seen twice, it would be remembered, not understood.
        dealt = [(group, slice(of - number, None, POOL)) for of, group in pieces.items()]
        images = np.concatenate([group.images[part] for group, part in dealt])
        labels = np.concatenate([group.labels[part] for group, part in dealt])
        order = np.random.default_rng((self.seed, number, OF_BATCH)).permutation(len(images))
        chosen = np.resize(order, self.batch_size)  # some of them twice where there are too few
        return PatchBatch(images[chosen], labels[chosen])

    def group(self, sources: PatchSources, number: int, pages: int) -> PatchBatch:
        """All places on so many pages."""
        examples = [
            example
            for page in range(number * pages, (number + 1) * pages)
            for example in self._of_page(sources, page)
        ]
        images = np.array([image for image, _ in examples], np.uint8).reshape(-1, PATCH, PATCH)
        return PatchBatch(images, np.array([label for _, label in examples], np.int32))

    def _of_page(self, sources: PatchSources, number: int) -> Iterator[tuple[NDArray[np.uint8], int]]:
        """What the detector finds on a page, and each digit in a box that is a little wrong."""
        page = draw_page(sources.sources, self.seed, number)
        yield from places_of(sources.detector, batch_of([page]))
        random = np.random.default_rng((self.seed, number, OF_PAGE))
        for x, y, width, height, digit in page.digits[page.digits[:, 4] >= 0].tolist():
            across, down, larger = random.normal(0, 1, 3)
            size = np.exp(LARGER * larger)
            middle = x + ASIDE * height * across, y + ASIDE * height * down
            yield patch_at(page.image, *middle, width * size, height * size), int(digit)


def places_of(detector: Detector, batch: Batch) -> Iterator[tuple[NDArray[np.uint8], int]]:
    """What the detector finds on the pages of a batch, cut out, and what really stands there."""
    for image, heat, counts in zip(batch.images, batch.heat, batch.counts, strict=True):
        found = places_on(detector, image)
        for one, digit in zip(found, true_digits(found, heat, counts), strict=True):
            if digit != ANYTHING:
                label = CLASSES if digit == NO_DIGIT else digit
                yield patch_at(image, one.x, one.y, one.width, one.height), label


def some_places_of(detector: Detector, batch: Batch, count: int, random: np.random.Generator) -> PatchBatch:
    """So many of what the detector finds on the pages of a batch; empty paper where it finds nothing."""
    found = list(places_of(detector, batch)) or [(np.full((PATCH, PATCH), LEVEL, np.uint8), CLASSES)]
    chosen = random.integers(len(found), size=count)
    images = np.stack([found[number][0] for number in chosen])
    return PatchBatch(images, np.array([found[number][1] for number in chosen], np.int32))


def patch_loss(model: Verifier, batch: PatchBatch) -> Array:
    """The mean cross-entropy, float32 `[]`."""
    logits = model(as_deviations(batch.images))
    losses = optax.softmax_cross_entropy_with_integer_labels(logits, jnp.asarray(batch.labels))
    return jnp.mean(losses)
