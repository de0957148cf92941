"""`predict` and `evaluate`, for runs, files and the shipped model."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import mnistry
from mnistry.data import Dataset
from mnistry.errors import DataError, InvalidValueError, RunError
from mnistry.inference import evaluate, predict, predict_proba
from mnistry.reading.classifier import Classifier
from mnistry.recipes import RECIPES
from mnistry.training import Run, resume, train

FEW = replace(RECIPES["softmax"], steps=40, checkpoint_every=20)


@pytest.fixture(scope="module")
def of_arrays(optdigits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Trained on arrays: floats, flat."""
    images, labels = optdigits.train.images.reshape(-1, 784) / 255, optdigits.train.labels.astype(float)
    return train(FEW, data=(images, labels), runs=tmp_path_factory.mktemp("runs"))


def test_every_kind_of_model_predicts(of_arrays: Run, optdigits: Dataset) -> None:
    images = optdigits.test.images
    classifier = Classifier.load(of_arrays.path)
    expected = classifier.logits(images).argmax(axis=1)
    for model in (of_arrays, of_arrays.path, str(of_arrays.path), of_arrays.path / "model.onnx", classifier):
        np.testing.assert_array_equal(predict(model, images), expected)
    probabilities = predict_proba(of_arrays, images.reshape(-1, 784) / 255)
    assert probabilities.shape == (360, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_array_equal(probabilities.argmax(axis=1), expected)
    assert (predict("shipped", images) == optdigits.test.labels).mean() > 0.9
    assert predict("shipped", images[:0]).tolist() == []


def test_classes_with_names_are_told_by_name(optdigits: Dataset, tmp_path: Path) -> None:
    names = np.array(["even", "odd"])[optdigits.train.labels % 2]
    run = train(FEW, data=(optdigits.train.images, names), check_images=False, runs=tmp_path)
    found = predict(run, optdigits.test.images)
    assert set(found) == {"even", "odd"}
    truth = np.array(["even", "odd"])[optdigits.test.labels % 2]
    assert evaluate(run, (optdigits.test.images, truth)).accuracy == pytest.approx((found == truth).mean())
    # The numbers of classes are their places among the names: odd before even means nothing else.
    with pytest.raises(DataError, match="the model's classes are even, odd; the images have others: prime"):
        evaluate(run, (optdigits.test.images, np.where(truth == "odd", "prime", "even")))


def test_all_of_other_arrays_is_measured_and_of_its_own_the_part_kept_for_the_test(
    of_arrays: Run, optdigits: Dataset
) -> None:
    test, own = optdigits.test, (optdigits.train.images, optdigits.train.labels)
    assert evaluate(of_arrays, (test.images, test.labels)).n == 360
    assert evaluate(of_arrays.path, own).to_json() == of_arrays.evaluation.to_json()
    assert of_arrays.evaluation.n == len(optdigits.train) // 7
    assert evaluate(of_arrays.path / "model.onnx", own).n == len(optdigits.train), "a file knows no data"
    assert evaluate(of_arrays, optdigits).n == evaluate(of_arrays, "optdigits").n == 360
    assert evaluate("shipped", (own, (test.images, test.labels))).n == 360


def test_the_folder_keeps_hashes_and_shapes_and_asks_for_the_same(of_arrays: Run, optdigits: Dataset) -> None:
    again = Run.open(of_arrays.path)
    assert again.data == "arrays"
    assert again.data_shapes == {"train": [1232, 28, 28], "test": [205, 28, 28]}
    assert set(again.data_sha256) == {"train", "test"}
    assert "X float64 [1437, 784], y float64 [1437]" in again.description["data"]["source"]
    with pytest.raises(RunError, match=r"given as values: .*X float64 \[1437, 784\].*Give the same again"):
        evaluate(again)
    with pytest.raises(RunError, match="Give the same again"):
        resume(again.path)
    with pytest.raises(RunError, match="the data are not those that this run was started with"):
        resume(again.path, data=(optdigits.train.images[::-1], optdigits.train.labels[::-1]))
    assert not list(of_arrays.path.parent.glob("softmax-2"))


def test_it_is_resumed_with_the_same_to_the_bit(of_arrays: Run, optdigits: Dataset, tmp_path: Path) -> None:
    from shutil import copytree

    copy = copytree(of_arrays.path, tmp_path / "copy")
    for name in ("evaluation.json", "model.onnx", "trainable.safetensors", "model.safetensors"):
        (copy / name).unlink()
    (copy / "checkpoints" / "step-00000040.safetensors").unlink()
    resumed = resume(copy, data=(optdigits.train.images, optdigits.train.labels))
    for name in ("model.onnx", "trainable.safetensors"):
        assert (copy / name).read_bytes() == (of_arrays.path / name).read_bytes()
    assert resumed.evaluation.to_json() == of_arrays.evaluation.to_json()


def test_a_loaded_data_set_may_be_given(optdigits: Dataset, tmp_path: Path) -> None:
    run = train(FEW, data=replace(optdigits, train=optdigits.train[:700]), runs=tmp_path)
    assert run.evaluation.n == 360
    assert run.data == "optdigits"
    assert run.data_shapes["train"] == [700, 28, 28]
    with pytest.raises(RunError, match="Give the same again"):
        run.load_data()
    named = train(FEW, data="optdigits", runs=tmp_path)
    assert evaluate(named).to_json() == named.evaluation.to_json()
    with pytest.raises(RunError, match="the run knows where its data are: optdigits"):
        resume(named.path, data=optdigits)


def test_what_is_asked_wrongly(tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="`data` is missing"):
        evaluate("shipped")
    with pytest.raises(RunError, match="there is no such model or run folder"):
        predict(tmp_path / "nowhere", np.zeros((1, 28, 28)))
    with pytest.raises(DataError, match="there are no images"):
        evaluate("shipped", (np.zeros((0, 28, 28)), np.zeros(0, int)))
    with pytest.raises(InvalidValueError, match="`data` must be its path"):
        mnistry.train("reader", data=(np.zeros((9, 28, 28)), np.zeros(9, int)), runs=tmp_path)
