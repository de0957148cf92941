"""Validation figures are those of all held-out examples, whatever the batches."""

import jax
import numpy as np
import pytest
from jax.sharding import Mesh

from mnistry.data import Dataset
from mnistry.models import PerceptronConfig
from mnistry.recipes import RECIPES
from mnistry.training import validation
from mnistry.training.validation import Validation


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
    assert figures["validation_accuracy"] == (logits.argmax(axis=1) == examples.labels).mean()
    expected = -np.log(chances[np.arange(len(examples)), examples.labels]).mean()
    assert figures["validation_loss"] == pytest.approx(expected, rel=1e-5)
