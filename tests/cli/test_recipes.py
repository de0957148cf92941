"""The recipes are listed, and each is shown with its layers."""

import json
from collections.abc import Callable
from subprocess import CompletedProcess

import numpy as np
import pytest

from mnistry.cli.recipes import layers_of_recipe
from mnistry.recipes import RECIPES

Command = Callable[..., CompletedProcess[str]]


def test_the_layers_of_the_tutorials_convolutional_net(mnistry: Command) -> None:
    said = mnistry("recipes", "cnn").stdout
    rows = [line.split() for line in said.splitlines()]
    for row in (
        ["image", "28×28"],
        ["convolution", "3×3", "26×26×32", "320"],
        ["max-pooling", "2×2", "13×13×32"],
        ["convolution", "3×3", "11×11×64", "18,496"],
        ["convolution", "3×3", "3×3×64", "36,928"],
        ["dense", "64", "36,928"],
        ["dense", "10", "650"],
        ["all", "93,322"],
        ["batch", "size", "32"],
    ):
        assert row in rows, said


def test_caffes_lenet_as_json(mnistry: Command) -> None:
    shown = json.loads(mnistry("recipes", "caffe-lenet", "--json").stdout)
    assert (shown["parameters"], shown["learning_rate"], shown["schedule"]) == (431_080, 0.01, "inv")
    learning = [layer for layer in shown["layers"] if layer["parameters"]]
    assert [layer["parameters"] for layer in learning] == [520, 25_050, 400_500, 5_010]
    assert learning[1]["output"] == [8, 8, 50]


@pytest.mark.parametrize("name", [name for name in RECIPES if name != "record"])
def test_the_layers_of_every_recipe_have_all_its_parameters(name: str) -> None:
    parameters, layers = layers_of_recipe(RECIPES[name])
    assert parameters == RECIPES[name].model.build(np.random.default_rng(0)).parameters
    if not RECIPES[name].reads_pages:
        assert sum(layer.parameters for layer in layers) == parameters
        assert layers[-1].output in ((10,), (12,))


def test_the_list_and_a_name_that_is_none(mnistry: Command, refused: Callable[..., None]) -> None:
    listed = json.loads(mnistry("recipes", "--json").stdout)["recipes"]
    assert [recipe["name"] for recipe in listed] == list(RECIPES)
    assert all(name in mnistry("recipes").stdout for name in RECIPES)
    refused(mnistry("recipes", "cn"), "there is no recipe 'cn'")
