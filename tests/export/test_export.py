"""What is handed on computes what was trained, for every model and every format."""

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import safetensors.numpy

from mnistry.data import Dataset
from mnistry.errors import ExportError, UnknownNameError
from mnistry.export import files
from mnistry.export.agreement import checked_difference, trained_logits
from mnistry.export.arrays import named_arrays, read_safetensors, safetensors_bytes
from mnistry.export.files import export
from mnistry.export.onnx import to_onnx
from mnistry.models import FoldedModel
from mnistry.models.softmax import SoftmaxConfig
from mnistry.reading.classifier import Classifier
from mnistry.recipes import RECIPES, Recipe

# The others have the models of some of these, but for numbers; the network of `record` takes half a minute.
UNIQUE = [
    pytest.param(recipe, marks=pytest.mark.slow if recipe.name == "record" else ())
    for recipe in RECIPES.values()
    if recipe.name not in ("softmax-sum", "mlp-fast", "mile", "extra") and not recipe.reads_pages
]


def trained_somehow(recipe: Recipe) -> FoldedModel:
    """Weights of the right shapes, none of them zero, so that nothing can hide behind a zero."""
    random = np.random.default_rng(7)
    model = recipe.model.build(random).folded(random.uniform(size=(1, 4, 28, 28)).astype("f4"))
    return jax.tree.map(lambda a: a + jnp.asarray(random.normal(0, 0.03, a.shape), jnp.float32), model)


@pytest.mark.parametrize("recipe", UNIQUE, ids=lambda recipe: recipe.name)
def test_every_model_in_every_format_agrees(
    recipe: Recipe, tmp_path: Path, optdigits: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "CHECKED_IMAGES", 50)
    model = trained_somehow(recipe)
    for to in get_args(files.Format):
        path = tmp_path / f"model.{to}"
        difference = export(model, to, path)
        assert difference < (2e-3 if recipe.name == "scratch" else 1e-4)  # whose logits are in the hundreds
    images = optdigits.train.images[:50]
    answers = Classifier.load(tmp_path / "model.onnx").logits(images).argmax(axis=1)
    expected = np.asarray(trained_logits(model, images))[:, :10].argmax(axis=1)
    assert (answers == expected).mean() >= 0.995
    arrays = safetensors.numpy.load_file(tmp_path / "model.safetensors")
    with np.load(tmp_path / "model.npz") as npz:
        for name, array in named_arrays(model).items():
            np.testing.assert_array_equal(arrays[name], array)
            np.testing.assert_array_equal(npz[name], array)


def test_what_is_compared_is_computed_exactly_on_an_accelerator_too() -> None:
    model = SoftmaxConfig().build(np.random.default_rng(0))
    program = str(jax.make_jaxpr(trained_logits)(model, jnp.zeros((1, 28, 28), jnp.uint8)))
    products = [line for line in program.splitlines() if "precision=" in line]
    assert products
    assert all("HIGHEST" in line for line in products)


def test_a_disagreement_is_an_error_and_nothing_is_written(optdigits: Dataset, tmp_path: Path) -> None:
    model = SoftmaxConfig().build(np.random.default_rng(0))
    images = optdigits.test.images[:10]
    logits = np.zeros((10, 10), np.float32)
    assert checked_difference(model, images, logits, "model.onnx") == 0
    for wrong in (2e-4, np.nan):
        logits[3, 4] = wrong
        with pytest.raises(ExportError, match=r"model\.onnx: its logits differ"):
            checked_difference(model, images, logits, "model.onnx")


def test_a_wrong_weight_in_the_onnx_file_is_found(optdigits: Dataset) -> None:
    model = trained_somehow(RECIPES["lstm"])
    swapped = replace(model, recurrent=model.recurrent[:, ::-1])  # type: ignore[attr-defined]
    images = optdigits.test.images[:10]
    with pytest.raises(ExportError):
        checked_difference(model, images, Classifier(to_onnx(swapped)).logits(images), "model.onnx")


def test_the_same_model_gives_the_same_bytes() -> None:
    model = trained_somehow(RECIPES["lenet5"])
    assert to_onnx(model) == to_onnx(model)


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"no format 'onx'\. Did you mean 'onnx'"):
        export(SoftmaxConfig().build(np.random.default_rng(0)), "onx", tmp_path / "m")  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


def test_the_same_arrays_and_metadata_give_the_same_bytes(tmp_path: Path) -> None:
    arrays = {"a": np.arange(3, dtype=np.float32), "b": np.zeros((), np.int32)}
    names = [f"ü {digit}" for digit in range(10)]
    contents = {safetensors_bytes(arrays, names, run="ab", other="c") for _ in range(30)}
    assert len(contents) == 1
    (tmp_path / "a.safetensors").write_bytes(contents.pop())
    back, metadata = read_safetensors(tmp_path / "a.safetensors")
    assert {name: array.tolist() for name, array in back.items()} == {"a": [0, 1, 2], "b": 0}
    assert json.loads(metadata["class_names"]) == names
    assert (metadata["run"], metadata["other"]) == ("ab", "c")
    assert safetensors.numpy.load_file(tmp_path / "a.safetensors")["a"].tolist() == [0, 1, 2]
