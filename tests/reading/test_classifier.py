"""The classifier: what it loads, what it refuses, and that the shipped model is what its card says."""

import hashlib
import json
import pickle
import re
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from mnistry.data import Dataset
from mnistry.errors import InvalidValueError, RunError
from mnistry.logits import softmax
from mnistry.reading.classifier import CLEAR, NONE_SHIFT, SHIPPED_MODEL, VIEWS, Classifier


def test_the_shipped_model_is_the_one_on_its_card() -> None:
    content = SHIPPED_MODEL.read_bytes()
    assert len(content) < 1_000_000
    assert hashlib.sha256(content).hexdigest() in SHIPPED_MODEL.with_suffix(".md").read_text()


def test_the_shipped_model_tells_how_it_is_used() -> None:
    session = onnxruntime.InferenceSession(SHIPPED_MODEL)
    told = session.get_modelmeta().custom_metadata_map
    assert told["licence"] == "MIT"
    assert told["training"] == "mnistry train reader --data mnist --seed 0"
    assert json.loads(told["class_names"]) == list("0123456789")
    assert "0 for paper and 255 for the strongest ink" in told["input"]


def test_the_shipped_model_on_mnist(mnist: Dataset) -> None:
    answers = Classifier.load().logits(mnist.test.images).argmax(axis=1)
    assert (answers == mnist.test.labels).mean() > 0.99


def test_any_number_of_images(optdigits: Dataset) -> None:
    classifier = Classifier.load()
    images = np.concatenate([optdigits.train.images, optdigits.test.images])[:1003]
    logits = classifier.logits(images)
    assert logits.shape == (1003, 10)
    assert classifier.logits(images[:0]).shape == (0, 10)
    np.testing.assert_allclose(classifier.logits(images[5:6])[0], logits[5], atol=1e-4)


def test_what_is_unclear_is_looked_at_again(optdigits: Dataset) -> None:
    classifier = Classifier.load()
    images = optdigits.train.images[:1000]
    logits = classifier.all_logits(images)
    first = softmax(logits - NONE_SHIFT * (np.arange(12) >= 10))
    found = classifier.probabilities(images)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    clear = first.max(axis=1) >= CLEAR
    assert 0.5 < clear.mean() < 1
    np.testing.assert_array_equal(found[clear], first[clear])
    assert (found[~clear] >= first[~clear] / 5 - 1e-12).all()
    assert (np.abs(found[~clear] - first[~clear]).max(axis=1) > 0).all()
    labels = optdigits.train.labels[:1000]
    right, right_at_first = ((chances[:, :10].argmax(axis=1) == labels).sum() for chances in (found, first))
    assert right >= right_at_first


def test_the_views_keep_the_middle_and_the_ink() -> None:
    blot = np.zeros((28, 28), np.uint8)
    blot[11:17, 11:17] = 200
    for view in VIEWS:
        middle = view @ [13.5, 13.5, 1]
        np.testing.assert_allclose(middle, [13.5, 13.5])
        seen = cv2.warpAffine(blot, view, (28, 28), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        share = np.linalg.det(view[:, :2]) * seen.sum() / blot.sum()
        assert share == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((28, 28), np.uint8), r"found uint8 of shape \[28, 28\].*images\[None\]"),
        (np.zeros((5, 784), np.uint8), r"images\.reshape\(-1, 28, 28\)\.$"),
        (np.zeros(784, np.uint8), r"images\.reshape\(-1, 28, 28\)\.$"),
        (np.zeros((5, 28, 28, 1), np.uint8), r"images\[\.\.\., 0\]"),
        (np.zeros((5, 1, 28, 28), np.uint8), r"images\[:, 0\]"),
        (np.zeros((5, 32, 32), np.uint8), r"read by Recognizer\.read"),
        (np.zeros((5, 28, 28)), r"found float64 .*mend it: values from 0 to 1 .*\(images \* 255\)\.round"),
        (np.zeros((5, 28, 28), bool), r"images\.astype\(np\.uint8\) \* 255"),
        (np.zeros((5, 28, 28), np.int64), r"by images\.astype\(np\.uint8\)\.$"),
        (np.zeros((28, 28), np.float32), r"images\[None\]; values from 0 to 1"),
        ([], r"found float64 of shape \[0\]"),
        (np.uint8(7), r"found uint8 of shape \[\]"),
    ],
)
def test_images_of_another_shape_or_type(images: np.ndarray, message: str) -> None:
    classifier = Classifier.load(threads=1)
    for method in (classifier.logits, classifier.all_logits, classifier.probabilities):
        with pytest.raises(InvalidValueError, match=r"expected uint8 of shape \[n, 28, 28\]") as caught:
            method(images)
        assert re.search(message, str(caught.value))


def test_the_cures_cure(optdigits: Dataset) -> None:
    classifier = Classifier.load(threads=1)
    images = optdigits.test.images[:3]
    expected = classifier.logits(images)
    real = images / 255
    np.testing.assert_array_equal(classifier.logits((real * 255).round().astype(np.uint8)), expected)
    np.testing.assert_array_equal(classifier.logits(images.reshape(3, 784).reshape(-1, 28, 28)), expected)
    assert classifier.probabilities(images[:0]).shape == (0, 12)


def test_it_can_be_pickled(optdigits: Dataset) -> None:
    images = optdigits.test.images[:50]
    classifier = Classifier.load(threads=1)
    again = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(again.logits(images), classifier.logits(images))


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(RunError, match=r"text\.onnx: not an ONNX model"):
        Classifier.load(tmp_path / "text.onnx")
    with pytest.raises(RunError, match="no such model or run folder"):
        Classifier.load(tmp_path / "absent.onnx")
    with pytest.raises(RunError, match=r"there is no model\.onnx in it.*`mnistry\.resume\("):
        Classifier.load(tmp_path)


def test_an_onnx_model_with_other_inputs(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "other", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "other.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(RunError, match=r"other\.onnx: expected the inputs \{'images': 'uint8'\}"):
        Classifier.load(tmp_path / "other.onnx")


@pytest.mark.parametrize(
    ("metadata", "names"),
    [
        (None, tuple("0123456789")),
        ('["O", "I", "c", "d", "e", "f", "g", "h", "ü", "(none)"]', (*"OIcdefghü", "(none)")),
        ("[1, 2]", "expected ten different names"),
        ('["a"', "its metadata are damaged"),
        ("7", "its metadata are damaged"),
    ],
)
def test_the_names_of_the_classes(tmp_path: Path, metadata: str | None, names: tuple[str, ...] | str) -> None:
    import onnx

    model = onnx.load(SHIPPED_MODEL)
    if metadata:
        onnx.helper.set_model_props(model, {"class_names": metadata})
    onnx.save(model, tmp_path / "named.onnx")
    if isinstance(names, str):
        with pytest.raises(RunError, match=rf"named\.onnx: .*{names}"):
            Classifier.load(tmp_path / "named.onnx")
        return
    classifier = Classifier.load(tmp_path / "named.onnx")
    assert classifier.class_names == names
    assert pickle.loads(pickle.dumps(classifier)).class_names == names
