"""The table of recipes holds the tutorials' numbers, and a recipe survives JSON."""

import json
from dataclasses import replace

import pytest

from mnistry.errors import InvalidValueError, RunError, UnknownNameError
from mnistry.models import PerceptronConfig, RowLstmConfig, ScratchConfig
from mnistry.recipes import RECIPES, Recipe, find_recipe


def test_the_tutorials_numbers() -> None:
    softmax, summed, mlp, scratch, lstm = (
        RECIPES[name] for name in ("softmax", "softmax-sum", "mlp", "scratch", "lstm")
    )
    assert (softmax.batch_size, softmax.steps, softmax.learning_rate) == (100, 1000, 0.5)
    assert (summed.batch_size, summed.steps, summed.learning_rate) == (64, 2000, 0.001)
    assert (summed.loss, summed.reduction) == ("probability-cross-entropy", "sum")
    assert mlp.model == PerceptronConfig(hidden=(500,), initialization="truncated-normal", dropout=0)
    assert (mlp.batch_size, mlp.steps, mlp.learning_rate) == (200, 10_000, 0.1)
    assert (mlp.decay_rate, mlp.decay_steps, mlp.l2_penalty, mlp.averaging) == (0.99, 275, 1e-4, 0.99)
    assert (mlp.checkpoint_every, mlp.keep_checkpoints) == (1000, 5)
    assert scratch.model == ScratchConfig(hidden=512)
    assert (scratch.batch_size, scratch.order, scratch.validation) == (128, "file", 0)
    assert scratch.steps == 10 * 469  # 60,000 = 468 · 128 + 96
    assert lstm.model == RowLstmConfig(units=150)
    assert (lstm.batch_size, lstm.steps, lstm.optimizer, lstm.learning_rate) == (128, 7813, "adam", 1e-3)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_a_recipe_survives_json(recipe: Recipe) -> None:
    assert Recipe.from_json(json.loads(json.dumps(recipe.to_json()))) == recipe


def test_a_field_that_is_unknown_or_missing_is_named() -> None:
    values = RECIPES["softmax"].to_json()
    with pytest.raises(RunError, match="colour"):
        Recipe.from_json(values | {"colour": "blue"})
    del values["steps"]
    with pytest.raises(RunError, match="steps"):
        Recipe.from_json(values)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("batch_size", 0),
        ("steps", -1),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("momentum", 1.0),
        ("decay_rate", 0.0),
        ("l2_penalty", -1e-4),
        ("averaging", 1.0),
        ("label_smoothing", 1.0),
        ("shift", -1.0),
        ("rotation", float("nan")),
        ("stretch", float("inf")),
        ("validation", 1.5),
        ("validation", -1),
        ("log_every", 0),
        ("keep_checkpoints", 0),
        ("devices", 0),
    ],
)
def test_a_value_out_of_range_is_refused_by_name(name: str, value: float) -> None:
    with pytest.raises(InvalidValueError, match=f"{name} must be .*, not"):
        replace(RECIPES["softmax"], **{name: value})


def test_no_digit_is_taught_only_to_models_that_know_it() -> None:
    assert RECIPES["reader"].augmentation == "paper"
    with pytest.raises(
        InvalidValueError, match=r"augmentation must be none or affine for this model, which.*not paper"
    ):
        replace(RECIPES["lenet5"], augmentation="paper")
    replace(RECIPES["reader"], augmentation="none")


def test_an_unknown_recipe_suggests_the_nearest() -> None:
    assert find_recipe("mlp") is RECIPES["mlp"]
    with pytest.raises(UnknownNameError, match=r"'sofmax'.*Did you mean 'softmax'"):
        find_recipe("sofmax")
