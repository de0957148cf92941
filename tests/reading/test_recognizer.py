"""The recognizer: what it loads, what it refuses, and that the shipped model is what its card says."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.errors import RunError
from mnistry.reading.recognizer import SHIPPED_MODEL, Recognizer


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
