"""Writes a trained verifier as ONNX.

The file takes `patches`: uint8 `[batch, 48, 48]`, as `mnistry.reading.verifier` cuts them out, and gives
`probabilities`: float32 `[batch, 11]`, of the ten digits and of what is none.
"""

import onnx

from mnistry.export.onnx import Graph
from mnistry.models.model import CLASSES
from mnistry.models.verifier import PATCH, STRIDES, FoldedVerifier


def verifier_to_onnx(model: FoldedVerifier) -> bytes:
    """The verifier as the bytes of an ONNX file."""
    graph = Graph()
    x = graph.blocks("patches")
    for weights, stride in zip(model.convolutions, STRIDES, strict=True):
        # XLA's padding is the same on both sides, whatever the stride.
        y = graph.add("Relu", graph.convolution(x, weights, padding=1, stride=stride))
        keeps = stride == 1 and weights.kernel.shape[2] == weights.kernel.shape[3]
        x = graph.add("Add", x, y) if keeps else y
    # The weights expect the channels last, as they were trained.
    x = graph.reshape(graph.add("Transpose", x, perm=[0, 2, 3, 1]), -1, model.hidden.weight.shape[0])
    x = graph.add("Relu", graph.linear(x, model.hidden.weight, model.hidden.bias))
    told = graph.add("Softmax", graph.linear(x, model.output.weight, model.output.bias), axis=1)
    proto = graph.proto(told, ("patches", ["batch", PATCH, PATCH]), ("probabilities", ["batch", CLASSES + 1]))
    onnx.checker.check_model(proto, full_check=True)
    content: bytes = proto.SerializeToString()
    return content
