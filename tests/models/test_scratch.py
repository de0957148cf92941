"""The network from arrays: its parts, its gradients by hand, and that the engine trains the same one."""

from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mnistry.data import Dataset
from mnistry.models.scratch import (
    Scratch,
    ScratchConfig,
    batches,
    fall,
    fit,
    gradient_step,
    gradients_by_hand,
    mean_cross_entropy,
    momentum_step,
    relu,
    relu_with_loops,
    softmax,
)
from mnistry.optimizers import make_optimizer
from mnistry.recipes import RECIPES
from mnistry.training import train
from mnistry.training.state import initial_state


@pytest.fixture
def model() -> Scratch:
    return ScratchConfig(hidden=12).build(np.random.default_rng(1))


@pytest.fixture
def batch() -> tuple[jax.Array, jax.Array]:
    images = jax.random.uniform(jax.random.key(2), (8, 28, 28))
    return images, jnp.array([0, 1, 2, 3, 4, 5, 6, 7])


@given(arrays(np.float32, (3, 5), elements=st.floats(-10, 10, width=32, allow_subnormal=False)))
def test_relu_with_loops_is_relu(x: np.ndarray) -> None:
    np.testing.assert_array_equal(relu_with_loops(x), relu(jnp.asarray(x)))


def test_the_initial_weights_are_as_the_tutorial_draws_them(model: Scratch) -> None:
    for layer in model.layers:
        assert 0 <= float(layer.W.min()) < float(layer.W.max()) < 0.1
        assert float(layer.W.mean()) == pytest.approx(0.05, abs=0.005)
        assert not layer.b.any()


def test_softmax_sums_to_one_and_does_not_overflow() -> None:
    np.testing.assert_allclose(
        softmax(jnp.array([[1000.0, 1000.0], [0.0, jnp.log(3.0)]])), [[0.5, 0.5], [0.25, 0.75]]
    )


def test_batches_come_in_file_order_with_the_short_one_last() -> None:
    found = [(x.tolist(), y.tolist()) for x, y in batches(np.arange(5), np.arange(5) * 10, 2)]
    assert found == [([0, 1], [0, 10]), ([2, 3], [20, 30]), ([4], [40])]


def test_the_hand_derived_gradient_is_the_automatic_one(
    model: Scratch, batch: tuple[jax.Array, jax.Array]
) -> None:
    automatic = jax.grad(mean_cross_entropy)(model, *batch)
    for ours, theirs in zip(
        jax.tree.leaves(gradients_by_hand(model, *batch)), jax.tree.leaves(automatic), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_the_hand_derived_gradient_is_the_slope_of_the_loss() -> None:
    with jax.enable_x64(True):
        model = jax.tree.map(
            lambda a: a.astype(jnp.float64), ScratchConfig(hidden=6).build(np.random.default_rng(0))
        )
        images = jax.random.uniform(jax.random.key(1), (4, 28, 28), jnp.float64)
        labels = jnp.array([1, 0, 9, 3])
        gradient = gradients_by_hand(model, images, labels)
        for layer, row, column in ((0, 400, 3), (0, 10, 5), (1, 2, 9), (1, 5, 0)):

            def loss(change: float, layer: int = layer, row: int = row, column: int = column) -> float:
                changed = replace(model.layers[layer], W=model.layers[layer].W.at[row, column].add(change))
                layers = tuple(changed if index == layer else old for index, old in enumerate(model.layers))
                return float(mean_cross_entropy(Scratch(layers), images, labels))

            slope = (loss(1e-6) - loss(-1e-6)) / 2e-6
            assert float(gradient.layers[layer].W[row, column]) == pytest.approx(slope, rel=1e-4, abs=1e-8)


def test_the_update_rules_are_the_optimizers(model: Scratch, batch: tuple[jax.Array, jax.Array]) -> None:
    """Three steps by the rules written here and by the engine's optimizers give the same weights."""
    for name, momentum in (("sgd", 0.0), ("momentum", 0.8)):
        optimizer = make_optimizer(name, lambda _: 0.05, momentum=momentum)  # type: ignore[arg-type]
        theirs, state = model, optimizer.init(model)
        ours, velocity = model, jax.tree.map(jnp.zeros_like, model)
        for _ in range(3):
            updates, state = optimizer.update(jax.grad(mean_cross_entropy)(theirs, *batch), state)
            theirs = jax.tree.map(lambda w, u: w + u, theirs, updates)
            gradient = jax.grad(mean_cross_entropy)(ours, *batch)
            if name == "sgd":
                ours = gradient_step(ours, gradient, 0.05)
            else:
                ours, velocity = momentum_step(ours, velocity, gradient, 0.05, momentum)
        for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(theirs), strict=True):
            np.testing.assert_allclose(a, b, atol=1e-6)


def test_the_engine_trains_what_this_file_trains(optdigits: Dataset, tmp_path: Path) -> None:
    config = ScratchConfig(hidden=32)
    recipe = replace(RECIPES["scratch"], model=config, steps=2 * 12)  # two epochs; 1437 = 11 · 128 + 29
    run = train(recipe, data="optdigits", runs=tmp_path, seed=4, log_every=1)
    start = initial_state(recipe, 4).model
    images = optdigits.train.images.astype(np.float32) / 255
    ours, losses = fit(
        start, images, optdigits.train.labels.astype(int), epochs=2, size=128, learning_rate=1e-3
    )
    np.testing.assert_allclose(losses, [row["loss"] for row in run.history()], rtol=1e-4)
    for a, b in zip(jax.tree.leaves(ours), jax.tree.leaves(run.model()), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_a_falling_apple() -> None:
    position, speed, acceleration = fall(3.0)
    assert position == pytest.approx(44.1)
    assert speed == pytest.approx(29.4)
    assert acceleration == pytest.approx(9.8)
