"""A model for tests of what the service does with models, not of what they answer."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def always(digit: int, classes: int = 10) -> bytes:
    """A model that answers with one digit, whatever it is shown."""
    weight = np.zeros((784, classes), np.float32)
    bias = np.eye(classes, dtype=np.float32)[digit] * 9
    nodes = [
        helper.make_node("Cast", ["images"], ["float"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["float"], ["flat"]),
        helper.make_node("Gemm", ["flat", "weight", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "always",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", classes])],
        [numpy_helper.from_array(weight, "weight"), numpy_helper.from_array(bias, "bias")],
    )
    opset = [helper.make_opsetid("", 17)]
    return onnx.ModelProto.SerializeToString(helper.make_model(graph, opset_imports=opset, ir_version=9))
