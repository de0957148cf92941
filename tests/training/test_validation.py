"""Validation figures are those of all held-out examples, whatever the batches."""

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from mnistry.data import Dataset
from mnistry.data.split import Split
from mnistry.errors import InvalidValueError
from mnistry.models import PerceptronConfig
from mnistry.recipes import RECIPES
from mnistry.training import validation
from mnistry.training.progress import TrainingProgress
from mnistry.training.validation import Part, Validation
from mnistry.training.watching import part_to_show


@pytest.mark.parametrize("batch", [1000, 100, 7])
def test_figures_are_the_same_for_any_batch_size(
    optdigits: Dataset, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(validation, "BATCH", batch)
    model = PerceptronConfig(hidden=(9,)).build(np.random.default_rng(0))
    examples = optdigits.test
    logits = np.asarray(model(examples.images.astype(np.float32) / 255), np.float64)
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    mesh = Mesh(np.array(jax.devices()[:1]), ("batch",))
    figures = Validation(RECIPES["softmax"], examples, examples, mesh).figures(model)
    right = logits.argmax(axis=1) == examples.labels
    assert figures["validation_accuracy"] == figures["train_accuracy"] == right.mean()
    expected = -np.log(chances[np.arange(len(examples)), examples.labels]).mean()
    assert figures["validation_loss"] == pytest.approx(expected, rel=1e-5)
    part = Part(examples, mesh, batch=200)
    assert [part.batch(model, number) for number in range(3)] == [
        (right[:200].mean(), 200),
        (right[200:].mean(), 160),
        (right[:200].mean(), 200),
    ]


def test_without_a_validation_part_the_training_images_are_measured_alone(optdigits: Dataset) -> None:
    model = PerceptronConfig(hidden=(9,)).build(np.random.default_rng(0))
    mesh = Mesh(np.array(jax.devices()[:1]), ("batch",))
    measure = Validation(RECIPES["softmax"], optdigits.train[:0], optdigits.train, mesh)
    measure.compile(model)
    assert set(measure.figures(model)) == {"train_accuracy"}
    progress = TrainingProgress(accuracy_every=5)
    nothing = Split(optdigits.train, optdigits.train[:0], optdigits.test)
    with pytest.raises(InvalidValueError, match="`accuracy_on='validation'` has nothing to measure"):
        part_to_show(progress, nothing)
