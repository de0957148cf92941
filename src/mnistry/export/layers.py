"""The layers of a model, with what each gives and how many numbers it learns: read off the exported graph."""

from dataclasses import dataclass
from math import prod

import onnx

_NAMES = {
    "Conv": "convolution",
    "Gemm": "dense",
    "LSTM": "LSTM",
    "MaxPool": "max-pooling",
    "GlobalAveragePool": "mean of all places",
    "Relu": "ReLU",
    "LeakyRelu": "leaky ReLU",
    "Mean": "mean of the members",
}


@dataclass(frozen=True)
class Layer:
    """One layer of a model.

    Attributes:
        name: what it is, such as `convolution 3×3`.
        output: the shape of what it gives for one image, channels last; None for a size that depends on the
            picture.
        parameters: how many numbers it learns.
    """

    name: str
    output: tuple[int | None, ...]
    parameters: int


def layers_of(content: bytes) -> list[Layer]:
    """The layers of a model, in order, from the bytes of its ONNX file.

    What only scales, reshapes or reorders is left out, and normalisation, which is folded into the weights.
    """
    graph = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(content)).graph
    shapes = {
        value.name: tuple(size.dim_value or None for size in value.type.tensor_type.shape.dim)
        for value in (*graph.value_info, *graph.output)
    }
    weights = {constant.name: tuple(constant.dims) for constant in graph.initializer}
    for node in graph.node:  # what is stored in half precision
        if node.op_type == "Cast" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
    return [_layer(node, shapes, weights) for node in graph.node if node.op_type in _NAMES]


def _layer(
    node: onnx.NodeProto,
    shapes: dict[str, tuple[int | None, ...]],
    weights: dict[str, tuple[int, ...]],
) -> Layer:
    learnt = [weights[name] for name in node.input if name in weights]
    parameters = sum(prod(shape) for shape in learnt)
    name = _NAMES[node.op_type]
    if node.op_type == "Conv":
        features, channels, height, width = learnt[0]
        separately = "of each channel " if channels == 1 < features and _attribute(node, "group") > 1 else ""
        name += f" {separately}{height}×{width}"
    if node.op_type == "MaxPool":
        name += " 2×2"
    if node.op_type == "LSTM":
        parameters -= prod(learnt[-1]) // 2  # ONNX has a second bias, which is zero
        return Layer(name, (shapes[node.output[1]][-1],), parameters)
    _, *sizes = shapes[node.output[0]]
    return Layer(name, (*sizes[1:], sizes[0]), parameters)


def _attribute(node: onnx.NodeProto, name: str) -> int:
    return next((int(attribute.i) for attribute in node.attribute if attribute.name == name), 1)
