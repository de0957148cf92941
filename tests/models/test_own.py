"""Models of one's own, as the engine takes them."""

import json
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.errors import InvalidValueError, RunError
from mnistry.losses import OwnLoss, UndefinedLoss, example_losses
from mnistry.models.own import OwnModel, OwnNet, UndefinedModel
from mnistry.recipes import RECIPES, Recipe


class Net(eqx.Module):
    layer: eqx.nn.Linear
    dropout: eqx.nn.Dropout
    places: jax.Array  # whole numbers: not trained

    def __init__(self, rate: float, *, key: jax.Array) -> None:
        self.layer = eqx.nn.Linear(784, 10, use_bias=False, key=key)
        self.dropout = eqx.nn.Dropout(rate)
        self.places = jnp.arange(784)[::-1]

    def __call__(self, images: jax.Array, key: jax.Array | None) -> jax.Array:
        rows = images.reshape(len(images), -1)[:, self.places]
        return jax.vmap(self.layer)(self.dropout(rows, key=key))


class NetConfig(OwnModel):
    rate: float = 0.5
    sizes: tuple[int, ...] = (3, 4)

    def network(self, key: jax.Array) -> Any:
        return Net(self.rate, key=key)


class Given(OwnModel):
    """Whatever it is given by the test, under its name."""

    name: str

    def network(self, key: jax.Array) -> Any:
        return {
            "no network": 3,
            "no weights": lambda images, key: jnp.zeros((len(images), 10)),
            "nine": jax.tree_util.Partial(
                lambda w, images, key: jnp.zeros((len(images), 9)) + w, jnp.zeros(1)
            ),
            "several": jax.tree_util.Partial(lambda w, images, key: (w, w), jnp.zeros(1)),
        }[self.name]


class Squares(OwnLoss):
    power: float = 2.0

    def __call__(self, logits: jax.Array, targets: jax.Array) -> jax.Array:
        return (jnp.abs(jax.nn.softmax(logits) - targets) ** self.power).sum(axis=-1)


class Mean(OwnLoss):
    def __call__(self, logits: jax.Array, targets: jax.Array) -> jax.Array:
        return logits.mean()


@pytest.fixture
def net() -> OwnNet:
    return NetConfig().build(np.random.default_rng(0))


def test_floats_are_trained_and_all_else_is_constant(net: OwnNet) -> None:
    assert net.parameters == 7840
    assert [leaf.shape for leaf in jax.tree.leaves(net)] == [(10, 784)]
    again, other = (NetConfig(rate).build(np.random.default_rng(0)) for rate in (0.5, 0.25))
    assert jax.tree.structure(net) == jax.tree.structure(again)
    assert hash(net.constants) == hash(again.constants)
    assert jax.tree.structure(net) != jax.tree.structure(other)


def test_dropout_is_on_with_a_key_and_off_in_use(net: OwnNet) -> None:
    images = jnp.asarray(np.random.default_rng(0).uniform(size=(4, 28, 28)), jnp.float32)
    folded = net.folded(images[None])
    expected = images.reshape(4, -1)[:, ::-1] @ np.asarray(net.weights.layer.weight).T
    np.testing.assert_allclose(folded(images), expected, atol=1e-5)
    np.testing.assert_array_equal(folded.weights.layer.weight, net.weights.layer.weight)
    assert np.abs(net(images, jax.random.key(0)) - expected).max() > 1e-2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no network", "Given.network must return what can be called with images and a key, not int"),
        ("no weights", "function holds no weights: expected JAX arrays of floats"),
        ("nine", r"Given: .*must give logits float32 \[2, 10\], found float32 \[2, 9\]"),
        ("several", r"Given: .*must give logits float32 \[2, 10\], found None"),
    ],
)
def test_what_is_no_model(name: str, said: str) -> None:
    with pytest.raises(InvalidValueError, match=said):
        Given(name).build(np.random.default_rng(0))


def test_fields_are_checked_and_kept() -> None:
    with pytest.raises(InvalidValueError, match=r"`model\.rate` must be a number, not 'much'"):
        NetConfig(rate="much")  # type: ignore[arg-type]
    recipe = RECIPES["softmax"].changed(model=NetConfig(0.25, [5]), loss=Squares(1.5))  # type: ignore[arg-type]
    values = json.loads(json.dumps(recipe.to_json()))
    assert values["model"]["fields"] == {"rate": 0.25, "sizes": [5]}
    assert Recipe.from_json(values) == recipe
    assert hash(Recipe.from_json(values)) == hash(recipe)


def test_a_class_that_is_not_defined_can_be_told_of_and_not_used() -> None:
    values = json.loads(json.dumps(RECIPES["softmax"].changed(model=NetConfig(), loss=Squares()).to_json()))
    values["model"]["class"] = values["loss"]["class"] = "elsewhere:Gone"
    recipe = Recipe.from_json(values)
    assert isinstance(recipe.model, UndefinedModel)
    assert isinstance(recipe.loss, UndefinedLoss)
    assert hash(recipe) is not None
    assert json.loads(json.dumps(recipe.to_json())) == values
    for use in (
        lambda: recipe.model.build(np.random.default_rng(0)),
        lambda: example_losses(recipe.loss, jnp.zeros((2, 10)), jnp.zeros(2, int)),
    ):
        with pytest.raises(RunError, match="elsewhere:Gone is a class that this process has not defined"):
            use()


@pytest.mark.parametrize("name", ["__main__:NetConfig", f"{NetConfig.__module__}:NetConfig"])
def test_a_class_that_moved_out_of_a_script_is_found(name: str) -> None:
    values = RECIPES["softmax"].changed(model=NetConfig(0.125)).to_json()
    values["model"]["class"] = name
    assert Recipe.from_json(values).model == NetConfig(0.125)


def test_nothing_but_what_derives_from_it_is_found() -> None:
    values = RECIPES["softmax"].changed(model=NetConfig()).to_json()
    values["model"] |= {"class": "subprocess:Popen", "fields": {"args": "true"}}
    assert isinstance(Recipe.from_json(values).model, UndefinedModel)


def test_a_loss_of_ones_own() -> None:
    logits = jnp.array([[0.0, 2.0, 0.0], [1.0, 0.0, 0.0]])
    labels = jnp.array([1, 2])
    np.testing.assert_allclose(
        example_losses(Squares(), logits, labels), example_losses("squared-error", logits, labels), rtol=1e-6
    )
    with pytest.raises(InvalidValueError, match=r"Mean must give the loss of each example, of shape \[2\]"):
        example_losses(Mean(), logits, labels)
