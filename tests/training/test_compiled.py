"""Steps with compiled kernels lead to the weights of plain ones; a run keeps which of them made it."""

import shutil
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.models import (
    CommitteeConfig,
    ConvNetConfig,
    LeNet5Config,
    PerceptronConfig,
    RowLstmConfig,
    ScratchConfig,
)
from mnistry.native.library import VARIABLE
from mnistry.recipes import RECIPES, Recipe
from mnistry.training import TrainingProgress, resume, train
from mnistry.training.compiled import compiled_step, has_kernels
from mnistry.training.devices import make_mesh
from mnistry.training.loop import image_steps
from mnistry.training.state import State, initial_state

from .stopping import as_if_killed

NARROW = {
    "mlp": PerceptronConfig(hidden=(50,)),
    "scratch": ScratchConfig(hidden=40),
    "mlp-deep": PerceptronConfig(hidden=(70, 20), initialization="he", dropout=0.2),
    "mlp-fast": PerceptronConfig(hidden=(50,), initialization="he"),
    "first-look": PerceptronConfig(hidden=(60,), initialization="glorot"),
    "lstm": RowLstmConfig(units=20),
    "lenet5": LeNet5Config(),
    "dash": ConvNetConfig(features=(5, 20), sizes=(6, 3), strides=(2, 1)),
    "marathon": ConvNetConfig((5, 12, 12), (6, 3, 3), (2, 1, 1), residual=(2,)),
    "committee": CommitteeConfig(
        (ConvNetConfig((4,), (3,), (3,)), ConvNetConfig((6, 5), (4, 3), (2, 2), dropout=0.3))
    ),
}
ALIKE = ("mile", "extra", "record", "classifier")  # to dash
FEW = replace(
    RECIPES["mlp"], model=NARROW["mlp"], steps=40, log_every=5, validate_every=20, checkpoint_every=20
)
FEW_BY_ADAM = FEW.changed(optimizer="adam", learning_rate=1e-3)
FEW_CONVOLVED = replace(
    FEW_BY_ADAM, name="lenet5", model=LeNet5Config(), averaging=0.0, l2_penalty=0.0, batch_size=10
)
FEW_NORMALISED = replace(FEW_CONVOLVED, name="dash", model=NARROW["dash"], learning_rate=1e-5)


def recipe_of(name: str) -> Recipe:
    return replace(RECIPES[name], model=NARROW.get(name, RECIPES[name].model), devices=1)


def test_these_are_all_recipes_that_have_kernels() -> None:
    recipes = [name for name, recipe in RECIPES.items() if has_kernels(recipe.model)]
    assert sorted(recipes) == sorted([*NARROW, *ALIKE])


def test_an_lstm_needs_no_second_device_for_its_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiled_step(RECIPES["lstm"], make_mesh(RECIPES["lstm"], pytest.fail))
    told: list[str] = []
    monkeypatch.setenv(VARIABLE, "none")
    assert make_mesh(RECIPES["lstm"], told.append).size == 2 - len(told)


def steps_of(recipe: Recipe, optdigits: Dataset) -> tuple[State, np.ndarray]:
    """Twenty steps, in file order with a short batch among them, and their losses.

    Only four where batches are normalised: each step doubles what rounding makes of the weights.
    """
    steps = image_steps(recipe, optdigits.train, make_mesh(recipe, pytest.fail), seed=0)
    normalised = isinstance(recipe.model, ConvNetConfig | CommitteeConfig)
    return steps(initial_state(recipe, 3), 0, 4 if normalised else 20)


# Every optimizer, with all that a step can have besides: L2, an average, moments.
WAYS = {
    **{name: recipe_of(name) for name in NARROW},
    **{
        # What takes long to compile left out.
        name: recipe_of(name).changed(rotation=0.0, stretch=0.0, bend=0.0)
        for name in ("marathon", "committee")
    },
    "mlp by Adam": recipe_of("mlp").changed(optimizer="adam", learning_rate=1e-3),
    "scratch with momentum": recipe_of("scratch").changed(optimizer="momentum"),
}


@pytest.mark.parametrize("name", WAYS)
def test_some_steps_lead_to_the_same_weights(
    monkeypatch: pytest.MonkeyPatch, optdigits: Dataset, name: str
) -> None:
    recipe = WAYS[name]
    assert compiled_step(recipe, make_mesh(recipe, pytest.fail))
    found, losses = steps_of(recipe, optdigits)
    monkeypatch.setenv(VARIABLE, "none")
    assert not compiled_step(recipe, make_mesh(recipe, pytest.fail))
    expected, plain_losses = steps_of(recipe, optdigits)
    np.testing.assert_allclose(losses, plain_losses, rtol=1e-5)
    # Adam makes whole steps of gradients that are nothing but rounding.
    atol = 1e-6 if recipe.optimizer in ("sgd", "momentum") else 2e-5
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, atol=atol)


def test_batches_that_can_be_short_are_normalised_in_plain_jax() -> None:
    recipe = recipe_of("dash")
    mesh = make_mesh(recipe, pytest.fail)
    assert compiled_step(recipe, mesh)
    assert not compiled_step(recipe.changed(order="file"), mesh)


# All keep the same state with kernels and without, so one that begins without them stands for all.
@pytest.mark.parametrize(
    ("kernels", "recipe"),
    [
        pytest.param("auto", FEW, id="auto-sgd"),
        pytest.param("none", FEW_BY_ADAM, id="none-adam"),
        pytest.param("auto", FEW_BY_ADAM, id="auto-adam"),
        pytest.param("auto", FEW_CONVOLVED, id="auto-convolutions"),
        pytest.param("auto", FEW_NORMALISED, id="auto-normalised"),
    ],
)
def test_a_run_keeps_which_steps_it_made_and_can_go_on_with_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kernels: str, recipe: Recipe
) -> None:
    monkeypatch.setenv(VARIABLE, kernels)
    run = train(recipe, data="optdigits", runs=tmp_path)
    assert run.description.get("kernels") == (None if kernels == "none" else "compiled")
    copy = as_if_killed(run.path, tmp_path / "stopped", step=20)

    progress = Said()
    same = resume(copy, progress=progress)
    assert (same.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()
    assert not progress.warned

    shutil.rmtree(copy)
    copy = as_if_killed(run.path, tmp_path / "stopped", step=20)
    monkeypatch.setenv(VARIABLE, "auto" if kernels == "none" else "none")
    other = resume(copy, progress=progress)
    (said,) = progress.warned
    assert ("without compiled kernels, goes on with" in said) == (kernels == "none")
    for a, b in zip(jax.tree.leaves(other.model()), jax.tree.leaves(run.model()), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6 if recipe is FEW else 2e-5)


class Said(TrainingProgress):
    """Keeps what is warned of."""

    def __init__(self) -> None:
        super().__init__(silent=True)
        self.warned: list[str] = []

    def warn(self, text: str) -> None:
        self.warned.append(text)
