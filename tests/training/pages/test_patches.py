"""Patches: each batch is decided by its number alone, and shows what it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.models.verifier import PATCH
from mnistry.reading.flatten import LEVEL
from mnistry.training.pages import patches as module
from mnistry.training.pages.drawing import first_batches
from mnistry.training.pages.patches import PatchBatch, Patches, PatchSources, patch_loss


@pytest.fixture(scope="module")
def few(handwriting_is_read_once: None) -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "POOL", 3)
        patch.setattr(module, "PAGES", 1)
        yield patch


@pytest.fixture(scope="module")
def drawn(real_data: Path, few: pytest.MonkeyPatch) -> tuple[Patches, PatchSources]:
    patches = Patches(real_data / "handwriting", real_data, 5, 40)
    return patches, patches.sources()


def test_a_batch_is_decided_by_its_number_alone(drawn: tuple[Patches, PatchSources], drawn_here: Any) -> None:
    patches, _ = drawn
    first = list(first_batches(patches, 3))
    with drawn_here(patches) as batches:
        again = batches.batch(2)
    np.testing.assert_array_equal(again.images, first[2].images)
    np.testing.assert_array_equal(again.labels, first[2].labels)
    assert not np.array_equal(first[0].images, first[1].images)


def test_each_place_is_seen_in_one_batch_alone(drawn: tuple[Patches, PatchSources]) -> None:
    patches, _ = drawn
    batches = list(first_batches(patches, 6))
    seen = [{image.tobytes() for image in batch.images} for batch in batches]
    assert sum(map(len, seen)) == len(set().union(*seen)) > 60


def test_a_batch_has_the_size_it_should_have_and_digits_are_ink(drawn: tuple[Patches, PatchSources]) -> None:
    patches, sources = drawn
    (batch,) = first_batches(patches, 1)
    assert batch.images.shape == (40, PATCH, PATCH)
    assert batch.images.dtype == np.uint8
    assert batch.labels.dtype == np.int32
    everything = patches.group(sources, 0, 30)
    assert set(everything.labels.tolist()) == set(range(11))
    ink = abs(everything.images.astype(int) - LEVEL).max(axis=(1, 2))
    assert (ink[everything.labels < 10] > 20).all()


def test_the_loss_is_the_mean_cross_entropy() -> None:
    logits = np.random.default_rng(0).normal(0, 1, (6, 11)).astype(np.float32)
    labels = np.array([0, 3, 10, 9, 1, 10], np.int32)
    batch = PatchBatch(np.zeros((6, PATCH, PATCH), np.uint8), labels)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    expected = -np.log(chances[np.arange(6), labels]).mean()
    assert float(patch_loss(lambda images: jnp.asarray(logits), batch)) == pytest.approx(expected, rel=1e-5)
