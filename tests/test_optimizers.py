"""Schedules, averages and the penalty, worked by hand."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mnistry.errors import UnknownNameError
from mnistry.models.softmax import SoftmaxConfig
from mnistry.optimizers import l2_penalty, learning_rate_schedule, make_optimizer, moving_average
from mnistry.recipes import RECIPES
from mnistry.training.state import schedule_of


@pytest.mark.parametrize(
    ("step", "rate"),
    [(0, 0.1), (274, 0.1), (275, 0.099), (549, 0.099), (550, 0.1 * 0.99**2), (9999, 0.1 * 0.99**36)],
)
def test_the_perceptrons_stairs(step: int, rate: float) -> None:
    assert float(schedule_of(RECIPES["mlp"])(step)) == pytest.approx(rate, rel=1e-5)


def test_caffes_policy_inv_at_its_start_and_after_10_000_steps() -> None:
    schedule = schedule_of(RECIPES["caffe-lenet"])
    rates = [float(schedule(step)) for step in (0, 5000, 10_000)]
    assert rates == pytest.approx([0.01, 0.01 * 1.5**-0.75, 0.01 * 2**-0.75], rel=1e-5)


def test_rmsprop_by_hand() -> None:
    optimizer = make_optimizer("rmsprop", optax.constant_schedule(0.1), momentum=0)
    weight, square = 1.0, 0.0
    state = optimizer.init(jnp.array(weight))
    for gradient in (2.0, -1.0):
        update, state = optimizer.update(jnp.array(gradient), state)
        square = 0.9 * square + 0.1 * gradient**2
        assert float(update) == pytest.approx(-0.1 * gradient / np.sqrt(square + 1e-7), rel=1e-5)


def test_the_cosine_ends_at_zero() -> None:
    schedule = learning_rate_schedule("cosine", 0.2, steps=100, decay_rate=1, decay_steps=1)
    assert [float(schedule(step)) for step in (0, 50, 100)] == pytest.approx([0.2, 0.1, 0.0], abs=1e-7)


def test_momentum_by_hand() -> None:
    optimizer = make_optimizer("momentum", optax.constant_schedule(0.1), momentum=0.5)
    weight = jnp.array(1.0)
    state = optimizer.init(weight)
    for expected in (0.8, 0.5, 0.15):  # steps of 0.2, 0.3, 0.35 for a gradient of 2
        update, state = optimizer.update(jnp.array(2.0), state)
        weight = weight + update
        assert float(weight) == pytest.approx(expected)


def test_the_first_step_of_adam_is_the_learning_rate() -> None:
    optimizer = make_optimizer("adam", optax.constant_schedule(0.01), momentum=0)
    update, _ = optimizer.update(jnp.array(123.0), optimizer.init(jnp.array(0.0)))
    assert float(update) == pytest.approx(-0.01, rel=1e-4)


@pytest.mark.parametrize(
    ("updates", "decay"), [(1, 2 / 11), (10, 11 / 20), (890, 891 / 900), (891, 0.99), (10_000, 0.99)]
)
def test_the_average_has_a_short_memory_at_first(updates: int, decay: float) -> None:
    average = moving_average(jnp.array(1.0), jnp.array(0.0), jnp.array(updates), 0.99)
    assert float(average) == pytest.approx(decay, rel=1e-5)


def test_the_penalty_counts_weights_and_not_biases() -> None:
    import jax

    model = jax.tree.map(lambda a: jnp.full_like(a, 2.0), SoftmaxConfig().build(np.random.default_rng(0)))
    np.testing.assert_allclose(l2_penalty(model), 0.5 * 784 * 10 * 4)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no schedule 'cosin'\. Did you mean 'cosine'"):
        learning_rate_schedule("cosin", 0.1, steps=10, decay_rate=1, decay_steps=1)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match=r"no optimizer 'adamw'\. Did you mean 'adam'"):
        make_optimizer("adamw", optax.constant_schedule(0.1), momentum=0.9)  # type: ignore[arg-type]
