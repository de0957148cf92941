"""No random number is used for two things."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.errors import KeyReuseError

from mnistry.models import CommitteeConfig, ConvNetConfig, ModelConfig, PerceptronConfig
from mnistry.recipes import RECIPES
from mnistry.training.augment.paper import on_paper
from mnistry.training.batches import batch_indices
from mnistry.training.state import initial_state
from mnistry.training.step import train_step

NET = ConvNetConfig(features=(2, 3), sizes=(5, 3), strides=(3, 2), dropout=0.3)


def test_the_checker_finds_a_key_that_is_used_twice() -> None:
    def twice(key: jax.Array) -> jax.Array:
        return jax.random.normal(key) + jax.random.uniform(key)

    with jax.debug_key_reuse(True), pytest.raises(KeyReuseError):
        jax.jit(twice).lower(jax.random.key(0))


def test_paper_uses_each_key_once() -> None:
    with jax.debug_key_reuse(True):
        jax.jit(on_paper).lower(jax.random.key(0), jnp.ones((100, 28, 28)), jnp.zeros(100, jnp.int32))


@pytest.mark.parametrize(
    ("model", "amounts"),
    [
        (PerceptronConfig(hidden=(4, 4), dropout=0.2), {"shift": 1.0}),
        (NET, {"shift": 1.0, "rotation": 5.0, "stretch": 0.1, "bend": 0.5}),
        (CommitteeConfig((NET, NET)), {"shift": 1.0}),
    ],
)
def test_a_step_uses_each_key_once(model: ModelConfig, amounts: dict[str, float]) -> None:
    recipe = replace(RECIPES["dash"], model=model, **amounts)
    state = initial_state(recipe, 0)
    arguments = (jnp.ones((4, 28, 28)), jnp.zeros(4, jnp.int32), jnp.ones(4, bool))
    with jax.debug_key_reuse(True):
        jax.jit(train_step, static_argnums=0).lower(recipe, state, *arguments)


def test_the_order_of_examples_and_the_initial_weights_come_from_other_numbers() -> None:
    """NumPy's generators of the seeds 3 and (3, 0) are the same."""
    order = batch_indices(0, 1, examples=1000, batch_size=1000, order="shuffled", seed=3)[0]
    assert (order == np.random.default_rng(3).permutation(1000)).mean() < 0.05
