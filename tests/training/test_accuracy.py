"""Whole recipes on real MNIST: what one seed must reach."""

from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from mnistry.data import Dataset
from mnistry.losses import example_losses
from mnistry.recipes import RECIPES
from mnistry.training import train
from mnistry.training.state import initial_state

# One seed lies within about three standard deviations of the mean over seeds.
LEAST = {
    "softmax": 0.908,
    "softmax-sum": 0.908,
    "softmax-squared": 0.9,
    "first-look": 0.975,
    "cnn": 0.987,
    "caffe-lenet": 0.987,
    "mlp": 0.974,
    "scratch": 0.795,
    "lstm": 0.982,
    "mlp-deep": 0.98,
    "lenet5": 0.989,
    "mlp-fast": 0.979,
    "dash": 0.989,
    "mile": 0.994,
    "marathon": 0.995,
    "tiny": 0.988,
    "committee": 0.996,
    "classifier": 0.99,
}


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", LEAST)
def test_a_whole_recipe_reaches_what_it_should(name: str, mnist: Dataset, tmp_path: Path) -> None:
    run = train(name, seed=100, runs=tmp_path)
    assert run.evaluation.accuracy > LEAST[name]


def test_every_recipe_that_needs_no_gpu_and_only_mnist_is_trained_in_whole() -> None:
    assert set(RECIPES) - set(LEAST) == {"record", "extra", "reader", "verifier"}


@pytest.mark.slow
def test_the_record_recipe_learns_in_a_few_steps(mnist: Dataset, tmp_path: Path) -> None:
    """On a CPU the whole of it would take days."""
    run = train("record", seed=0, runs=tmp_path, steps=12, log_every=1)
    losses = [row["loss"] for row in run.history()]
    assert losses[0] > 2
    assert losses[-1] < 1.5


def test_the_first_tutorial_reaches_what_it_should(mnist: Dataset, tmp_path: Path) -> None:
    run = train("softmax", seed=100, runs=tmp_path)
    assert run.evaluation.accuracy > LEAST["softmax"]
    assert run.evaluation.n == 10_000


def test_the_losses_of_the_summed_tutorial(mnist: Dataset, tmp_path: Path) -> None:
    """The loss of the batch is about 117 at step 10 and about 20 after 2,000 steps."""
    run = train("softmax-sum", seed=1, runs=tmp_path, log_every=10)
    losses = {row["step"]: row["loss"] for row in run.history()}
    assert losses[10] == pytest.approx(117, abs=12)
    last = [losses[step] for step in range(1900, 2001, 10)]
    assert 12 < sum(last) / len(last) < 26


def test_the_first_loss_of_the_network_from_scratch(mnist: Dataset) -> None:
    recipe, images = RECIPES["scratch"], jnp.asarray(mnist.train.images[:128], jnp.float32) / 255
    assert recipe.batch_size == 128
    logits = initial_state(recipe, 0).model(images, jax.random.key(0))
    assert 3 < example_losses(recipe.loss, logits, jnp.asarray(mnist.train.labels[:128])).mean() < 6


@pytest.mark.slow
def test_the_losses_of_the_network_from_scratch(mnist: Dataset, tmp_path: Path) -> None:
    """After ten epochs a batch costs about 0.7."""
    run = train("scratch", seed=0, runs=tmp_path, log_every=469)
    (first_epoch, *_, last_epoch) = (row["mean_loss"] for row in run.history())
    assert 2 < first_epoch < 6
    assert last_epoch == pytest.approx(0.7, abs=0.1)
    assert run.evaluation.accuracy == pytest.approx(0.815, abs=0.025)
