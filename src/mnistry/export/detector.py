"""Writes a trained page detector as ONNX.

The file takes `pages`: uint8 `[batch, height, width]`, as `mnistry.reading.flatten` makes them, with sides
that are multiples of 8, and gives `found`: float32 `[batch, 13, height / 4, width / 4]`: the probabilities
that the middle of each digit is there, and that digits are there which are too small to be told; the
its height and width in pixels.
"""

import json

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper

from mnistry.export.onnx import Graph
from mnistry.models.conv import Convolution
from mnistry.models.detector import COARSE_DILATIONS, OUTPUTS, USUAL_SIZE, FoldedDetector
from mnistry.models.model import CLASSES
from mnistry.reading.detector import TRUST, WEIGHTS


def detector_to_onnx(model: FoldedDetector, evidence: NDArray[np.float64] | None = None) -> bytes:
    """The detector as the bytes of an ONNX file.

    Args:
        model: the detector.
        evidence: weights of what speaks for a digit, see `mnistry.training.pages.weighing`; kept as metadata.
    """
    graph = Graph()

    def layer(x: str, weights: Convolution, stride: int = 1, dilation: int = 1) -> str:
        return graph.add(
            "Relu", graph.convolution(x, weights, padding=dilation, stride=stride, dilation=dilation)
        )

    def added(x: str, more: str) -> str:
        return graph.add("Add", x, more)

    x = graph.blocks("pages")
    x = layer(layer(x, model.stem[0]), model.stem[1])
    x = layer(x, model.stem[2], stride=2)
    for weights in model.fine:
        x = added(x, layer(x, weights))
    y = layer(x, model.down, stride=2)
    for weights, dilation in zip(model.coarse, COARSE_DILATIONS, strict=True):
        y = added(y, layer(y, weights, dilation=dilation))
    up = graph.pointwise(y, model.up)
    nearest = {"mode": "nearest", "nearest_mode": "floor", "coordinate_transformation_mode": "asymmetric"}
    scales = graph.constant(np.array([1, 1, 2, 2], np.float32))
    x = added(x, graph.add("Resize", up, "", scales, **nearest))
    for weights in model.merged:
        x = added(x, layer(x, weights))
    logits, sizes = graph.add_all(
        "Split",
        graph.pointwise(x, model.output),
        graph.constant(np.array([CLASSES + 1, 2])),
        outputs=2,
        axis=1,
    )
    pixels = graph.add("Mul", graph.add("Exp", sizes), graph.constant(np.float32(USUAL_SIZE)))
    found = graph.add("Concat", graph.add("Sigmoid", logits), pixels, axis=1)
    taken = "pages", ["batch", "height", "width"]
    proto = graph.proto(found, taken, ("found", ["batch", OUTPUTS, "rows", "columns"]))
    if evidence is not None:
        helper.set_model_props(proto, {WEIGHTS: json.dumps([round(float(weight), 4) for weight in evidence])})
    onnx.checker.check_model(proto, full_check=True)
    content: bytes = proto.SerializeToString()
    return content


def with_trust(content: bytes, trust: float) -> bytes:
    """The same detector with another weight of the classifier's opinion, see `mnistry.reading.judging`."""
    proto = onnx.load_model_from_string(content)
    known = {prop.key: prop.value for prop in proto.metadata_props}
    helper.set_model_props(proto, {**known, TRUST: str(trust)})
    changed: bytes = proto.SerializeToString()
    return changed
