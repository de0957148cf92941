"""The recognizer: what it loads, what it refuses, and that the shipped model is what its card says."""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.errors import RunError
from mnistry.evaluation.metrics import probabilities
from mnistry.reading.recognizer import NONE_SHIFT, SHIPPED_MODEL, SURE, VIEWS, Recognizer


def test_the_shipped_model_is_the_one_on_its_card() -> None:
    content = SHIPPED_MODEL.read_bytes()
    assert len(content) < 1_000_000
    assert hashlib.sha256(content).hexdigest() in SHIPPED_MODEL.with_suffix(".md").read_text()


def test_the_shipped_model_on_mnist(mnist: Dataset) -> None:
    answers = Recognizer.load().logits(mnist.test.images).argmax(axis=1)
    assert (answers == mnist.test.labels).mean() > 0.99


def test_any_number_of_images(optdigits: Dataset) -> None:
    recognizer = Recognizer.load()
    images = np.concatenate([optdigits.train.images, optdigits.test.images])[:1003]
    logits = recognizer.logits(images)
    assert logits.shape == (1003, 10)
    assert recognizer.logits(images[:0]).shape == (0, 10)
    np.testing.assert_allclose(recognizer.logits(images[5:6])[0], logits[5], atol=1e-4)


def test_what_is_unsure_is_looked_at_again(optdigits: Dataset) -> None:
    recognizer = Recognizer.load()
    images = optdigits.train.images[:1000]
    logits = recognizer.all_logits(images)
    first = probabilities(logits - NONE_SHIFT * (np.arange(12) >= 10))
    found = recognizer.probabilities(images)
    np.testing.assert_allclose(found.sum(axis=1), 1)
    sure = first.max(axis=1) >= SURE
    assert 0.5 < sure.mean() < 1
    np.testing.assert_array_equal(found[sure], first[sure])
    assert (found[~sure] >= first[~sure] / 5 - 1e-12).all()
    assert (np.abs(found[~sure] - first[~sure]).max(axis=1) > 0).all()
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


def test_a_file_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("hello")
    with pytest.raises(RunError, match=r"text\.onnx: not an ONNX model"):
        Recognizer.load(tmp_path / "text.onnx")
    with pytest.raises(RunError, match="no such model or run folder"):
        Recognizer.load(tmp_path / "absent.onnx")
    with pytest.raises(RunError, match=r"there is no model\.onnx in it.*--resume"):
        Recognizer.load(tmp_path)


def test_an_onnx_model_with_other_inputs(tmp_path: Path) -> None:
    from onnx import TensorProto, helper

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in ("x", "y")]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "other", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    (tmp_path / "other.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(RunError, match="expected the input images"):
        Recognizer.load(tmp_path / "other.onnx")
