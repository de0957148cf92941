"""The table of recipes holds the tutorials' numbers, and a recipe survives JSON."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.data.convert import write
from mnistry.errors import InvalidValueError, RunError, UnknownNameError
from mnistry.models import PerceptronConfig, RowLstmConfig, ScratchConfig
from mnistry.recipe import NEEDS, Recipe
from mnistry.recipes import RECIPES, find_recipe, own_values
from mnistry.training import train


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
    with pytest.raises(InvalidValueError, match=f"`{name}` must be .*, not"):
        replace(RECIPES["softmax"], **{name: value})


def test_no_digit_is_taught_only_to_models_that_know_it() -> None:
    assert RECIPES["classifier"].augmentation == "paper"
    with pytest.raises(
        InvalidValueError, match=r"`augmentation` must be none or affine for this model, which.*not paper"
    ):
        replace(RECIPES["lenet5"], augmentation="paper")
    replace(RECIPES["classifier"], augmentation="none")


def test_an_unknown_recipe_suggests_the_nearest() -> None:
    assert find_recipe("mlp") is RECIPES["mlp"]
    with pytest.raises(UnknownNameError, match=r"'sofmax'.*Did you mean 'softmax'"):
        find_recipe("sofmax")


@pytest.mark.parametrize(
    ("name", "value", "meant"),
    [
        ("optimizer", "adamw", "adam"),
        ("schedule", "cosin", "cosine"),
        ("loss", "crossentropy", "cross-entropy"),
        ("loss", "mse", "squared-error"),
        ("reduction", "avg", None),
        ("order", "shuffle", "shuffled"),
        ("augmentation", "afine", "affine"),
        ("split", "randm", "random"),
    ],
)
def test_a_name_that_a_field_does_not_know_is_refused_and_the_nearest_suggested(
    name: str, value: str, meant: str | None
) -> None:
    with pytest.raises(UnknownNameError, match=f"there is no {name} '{value}'") as refused:
        replace(RECIPES["softmax"], **{name: value})
    assert (f"Did you mean '{meant}'" in str(refused.value)) == (meant is not None)


def test_values_of_other_types_are_refused_and_lists_become_tuples() -> None:
    model = PerceptronConfig(hidden=[300, np.int64(100)])  # type: ignore[arg-type, list-item]
    assert model == PerceptronConfig(hidden=(300, 100))
    assert hash(replace(RECIPES["mlp"], model=model))
    assert replace(RECIPES["mlp"], steps=np.int64(5)).steps == 5
    for value in (5.5, "5", True, None):
        with pytest.raises(InvalidValueError, match=f"`steps` must be a whole number, not {value!r}"):
            replace(RECIPES["mlp"], steps=value)
    with pytest.raises(InvalidValueError, match="`half_precision` must be True or False, not 1"):
        replace(RECIPES["mlp"], half_precision=1)
    for hidden in (300, (300.5,), "300"):
        with pytest.raises(InvalidValueError, match=r"`model\.hidden` must be whole numbers, such as"):
            PerceptronConfig(hidden=hidden)  # type: ignore[arg-type]
    with pytest.raises(UnknownNameError, match=r"no model\.initialization 'He'.*Did you mean 'he'"):
        PerceptronConfig(initialization="He")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="`model` must be "):
        replace(RECIPES["mlp"], model="mlp")


def test_a_field_of_the_model_given_as_one_of_the_recipe_is_told_where_it_belongs() -> None:
    with pytest.raises(InvalidValueError) as refused:
        RECIPES["mlp"].changed(hidden=(300, 100))
    said = str(refused.value)
    assert "`hidden` is a field of the recipe's model" in said
    assert f"model={PerceptronConfig(hidden=(300, 100))!r}" in said
    with pytest.raises(UnknownNameError, match=r"no field of a recipe 'lr'\. Did you mean 'learning_rate'"):
        RECIPES["mlp"].changed(lr=0.1)


WITHOUT_EFFECT = {
    "momentum": 0.99,
    "decay_rate": 0.5,
    "decay_steps": 9,
    "gamma": 1e-3,
    "power": 0.5,
    "shift": 4.0,
    "rotation": 9.0,
    "stretch": 0.1,
    "bend": 0.5,
    "split": "random",
    "loss": "squared-error",
    "reduction": "sum",
    "label_smoothing": 0.1,
    "l2_penalty": 0.1,
    "order": "file",
    "augmentation": "affine",
    "validation": 10,
    "also": ("pendigits",),
    "devices": 2,
}


@pytest.mark.parametrize("name", NEEDS)
def test_what_would_have_no_effect_says_what_it_needs(name: str) -> None:
    need, value = NEEDS[name], WITHOUT_EFFECT[name]
    recipe = RECIPES["reader"] if need.field == "model" else replace(RECIPES["softmax"], validation=0)
    with pytest.raises(InvalidValueError, match=f"`{name}=.*has no effect: it needs .*{need.field}"):
        recipe.changed(**{name: value})
    with pytest.raises(InvalidValueError, match="has no effect"):
        recipe.changed(**{name: getattr(recipe, name)}), "also where it is what it was"
    made = replace(recipe, **{name: value})
    assert name in own_values(made)
    with pytest.raises(InvalidValueError, match="has no effect"):
        train(made, data="optdigits")
    enough = {
        "optimizer": "momentum",
        "schedule": "inv" if name in ("gamma", "power") else "staircase",
        "augmentation": "affine",
        "validation": 10,
        "model": PerceptronConfig(),
    }[need.field]
    assert getattr(recipe.changed(**{name: value, need.field: enough}), name) == value


def test_what_a_recipe_of_the_table_has_may_lose_its_effect() -> None:
    """Who leaves the augmentation out need not undo its amounts."""
    without = RECIPES["marathon"].changed(augmentation="none")
    without.require_effect(own_values(without))
    assert not {"shift", "rotation"} & set(own_values(without))
    steady = replace(RECIPES["record"], schedule="constant", learning_rate=2e-3)
    steady.require_effect(own_values(steady))


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_no_recipe_of_the_table_has_a_value_without_effect(recipe: Recipe) -> None:
    recipe.require_effect(own_values(replace(recipe, name="another")))


def test_images_that_are_only_shifted_are_so_by_whole_pixels() -> None:
    with pytest.raises(InvalidValueError, match=r"`shift` must be a whole number of pixels.*not 0\.4"):
        replace(RECIPES["dash"], shift=0.4)
    assert replace(RECIPES["dash"], shift=0.4, rotation=5.0).shift == 0.4


def test_data_with_a_validation_part_of_its_own_are_not_divided(optdigits: Dataset, tmp_path: Path) -> None:
    write(replace(optdigits, validation=optdigits.test[:50]), tmp_path / "digits", "idx")
    for changes in ({"validation": 0.2}, {"split": "random"}):
        with pytest.raises(InvalidValueError, match="has no effect: digits has a validation part of its own"):
            train("softmax", data=tmp_path / "digits", runs=tmp_path / "runs", **changes)


def test_steps_and_epochs_at_once_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="`epochs=1` and `steps=100` both say how long to train"):
        train("softmax", data="optdigits", epochs=1, steps=100)


def test_paper_needs_batches_in_random_order() -> None:
    with pytest.raises(InvalidValueError, match="`order` must be shuffled for the augmentation paper"):
        replace(RECIPES["classifier"], order="file")
