"""Writes a trained verifier as ONNX.

The file takes `patches`: uint8 `[batch, 48, 48]`, as `mnistry.reading.verifier` cuts them out, and gives
`probabilities`: float32 `[batch, 11]`, of the ten digits and of what is none.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper

from mnistry.export.onnx import IR_VERSION, OPSET, Graph
from mnistry.models.model import CLASSES
from mnistry.models.verifier import PATCH, STRIDES, FoldedVerifier
from mnistry.reading.flatten import LEVEL, STEP


def verifier_to_onnx(model: FoldedVerifier) -> bytes:
    """The verifier as the bytes of an ONNX file."""
    graph = Graph()
    grey = graph.add("Cast", "patches", to=TensorProto.FLOAT)
    level, step = graph.constant(np.float32(LEVEL)), graph.constant(np.float32(STEP))
    x = graph.add("Div", graph.add("Sub", grey, level), step)
    x = graph.add("SpaceToDepth", graph.add("Unsqueeze", x, graph.constant(np.array([1]))), blocksize=2)
    for weights, stride in zip(model.convolutions, STRIDES, strict=True):
        # XLA's padding is the same on both sides, whatever the stride.
        y = graph.add("Relu", graph.convolution(x, weights, padding=1, stride=stride))
        keeps = stride == 1 and weights.kernel.shape[2] == weights.kernel.shape[3]
        x = graph.add("Add", x, y) if keeps else y
    # The weights expect the channels last, as they were trained.
    x = graph.reshape(graph.add("Transpose", x, perm=[0, 2, 3, 1]), -1, model.hidden.weight.shape[0])
    x = graph.add("Relu", graph.linear(x, model.hidden.weight, model.hidden.bias))
    told = graph.add("Softmax", graph.linear(x, model.output.weight, model.output.bias), axis=1)
    graph.nodes.append(helper.make_node("Identity", [told], ["probabilities"]))
    proto = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "mnistry",
            [helper.make_tensor_value_info("patches", TensorProto.UINT8, ["batch", PATCH, PATCH])],
            [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["batch", CLASSES + 1])],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="mnistry",
    )
    onnx.checker.check_model(proto, full_check=True)
    content: bytes = proto.SerializeToString()
    return content
