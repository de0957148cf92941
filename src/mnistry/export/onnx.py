"""Writes a trained model as ONNX, the format that all reading of pictures runs.

The exported model takes MNIST's own bytes, `images`: uint8 `[batch, 28, 28]`, scales them itself, and
gives `logits`: float32 `[batch, 10]`, or `[batch, 12]` of a model that knows
"no digit" and "several" too, its last classes.
"""

from collections.abc import Mapping, Sequence
from functools import partial, reduce
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from mnistry.data.dataset import DIGITS
from mnistry.errors import ExportError
from mnistry.export.metadata import NOTHING, metadata
from mnistry.export.own import own_to_onnx
from mnistry.models import (
    FoldedCommittee,
    FoldedConvNet,
    FoldedModel,
    FoldedSeparableNet,
    LeNet5,
    OwnNet,
    Perceptron,
    PooledNet,
    RowLstm,
    Scratch,
    SoftmaxRegression,
)
from mnistry.models.conv import MOVES, Convolution
from mnistry.models.layers import PIXELS, SIDE, Linear
from mnistry.models.separable import LEAK
from mnistry.models.upright import LITTLE, NARROWEST, STEEPEST, USUAL_WIDTH, WIDEST
from mnistry.reading.flatten import LEVEL, STEP

OPSET = 17
IR_VERSION = 8  # what runtimes since 2022 read


class Graph:
    """Collects the nodes and constants of an ONNX graph; every method returns the name of its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, operator: str, *inputs: str, **attributes: Any) -> str:
        return self.add_all(operator, *inputs, outputs=1, **attributes)[0]

    def add_all(self, operator: str, *inputs: str, outputs: int, **attributes: Any) -> Sequence[str]:
        names = [f"{operator.lower()}_{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, inputs, names, **attributes))
        return names

    def constant(self, value: Any) -> str:
        """Weights that float16 holds exactly are stored so, and become float32 when the file is loaded."""
        array = np.asarray(value)
        with np.errstate(over="ignore"):
            half = array.astype(np.float16)
        is_half = array.dtype == np.float32 and array.ndim > 1 and np.array_equal(half, array)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(half if is_half else array, name))
        return self.add("Cast", name, to=TensorProto.FLOAT) if is_half else name

    def blocks(self, pages: str) -> str:
        """Grey levels, uint8 `[batch, height, width]`, as deviations, each 2×2 block as four channels."""
        grey = self.add("Cast", pages, to=TensorProto.FLOAT)
        level, step = self.constant(np.float32(LEVEL)), self.constant(np.float32(STEP))
        x = self.add("Div", self.add("Sub", grey, level), step)
        return self.add("SpaceToDepth", self.add("Unsqueeze", x, self.constant(np.array([1]))), blocksize=2)

    def proto(
        self, result: str, taken: tuple[str, Sequence[int | str]], given: tuple[str, Sequence[int | str]]
    ) -> onnx.ModelProto:
        """The model that these nodes make.

        Args:
            result: what it gives.
            taken: name and shape of what goes in, uint8.
            given: name and shape of what comes out, float32.
        """
        self.nodes.append(helper.make_node("Identity", [result], [given[0]]))
        return helper.make_model(
            helper.make_graph(
                self.nodes,
                "mnistry",
                [helper.make_tensor_value_info(taken[0], TensorProto.UINT8, taken[1])],
                [helper.make_tensor_value_info(given[0], TensorProto.FLOAT, given[1])],
                self.constants,
            ),
            producer_name="mnistry",
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
        )

    def linear(self, x: str, weight: Any, bias: Any) -> str:
        return self.add("Gemm", x, self.constant(weight), self.constant(bias))

    def reshape(self, x: str, *shape: int) -> str:
        return self.add("Reshape", x, self.constant(np.array(shape, np.int64)))

    def image(self, scaled: str) -> str:
        return self.reshape(scaled, -1, 1, SIDE, SIDE)

    def convolution(
        self, x: str, layer: Convolution, *, padding: int = 0, stride: int = 1, dilation: int = 1
    ) -> str:
        kernel = np.transpose(layer.kernel, (3, 2, 0, 1))  # ours is [h, w, channels, features]
        weights = self.constant(kernel), self.constant(layer.bias)
        return self.add(
            "Conv", x, *weights, pads=[padding] * 4, strides=[stride] * 2, dilations=[dilation] * 2
        )

    def pointwise(self, x: str, layer: Linear) -> str:
        """A linear layer at every place of `[batch, features, height, width]`."""
        kernel = np.transpose(layer.weight)[:, :, None, None]
        return self.add("Conv", x, self.constant(kernel), self.constant(layer.bias))

    def max_pool(self, x: str) -> str:
        return self.add("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])

    def pooled(self, x: str) -> str:
        return self.add("Relu", self.max_pool(x))


def to_onnx(
    model: FoldedModel, class_names: Sequence[str] = DIGITS, told: Mapping[str, str] = NOTHING
) -> bytes:
    """The model as the bytes of an ONNX file, which keeps the names of the ten classes in its metadata.

    Args:
        model: the model.
        class_names: what its ten classes are called.
        told: what else its metadata tell; see `mnistry.export.metadata`.

    Raises:
        ExportError: a kind of model that has no ONNX form here.
    """
    proto = own_to_onnx(model, OPSET) if isinstance(model, OwnNet) else _proto(model)
    helper.set_model_props(proto, {**metadata(class_names), **told})
    onnx.checker.check_model(proto)
    content: bytes = proto.SerializeToString()
    return content


def _proto(model: FoldedModel) -> onnx.ModelProto:
    graph = Graph()
    scaled = graph.add(
        "Div", graph.add("Cast", "images", to=TensorProto.FLOAT), graph.constant(np.float32(255))
    )
    match model:
        case SoftmaxRegression():
            logits = _dense(graph, scaled, [(model.output.weight, model.output.bias)])
        case Perceptron():
            logits = _dense(graph, scaled, [(layer.weight, layer.bias) for layer in model.layers])
        case Scratch():
            logits = _dense(graph, scaled, [(layer.W, layer.b) for layer in model.layers])
        case RowLstm():
            logits = _row_lstm(graph, scaled, model)
        case LeNet5():
            x = graph.convolution(graph.image(scaled), model.first, padding=2)
            x = graph.pooled(graph.convolution(graph.pooled(x), model.second))
            logits = _dense_after(graph, x, model.dense)
        case PooledNet():
            logits = _pooled_net(graph, scaled, model)
        case FoldedConvNet():
            logits = _conv_net(graph, scaled, model)
        case FoldedSeparableNet():
            logits = _separable_net(graph, scaled, model)
        case FoldedCommittee():
            answers = [_conv_net(graph, scaled, member) for member in model.members]
            logits = graph.add("Mean", *(graph.add("LogSoftmax", answer, axis=1) for answer in answers))
        case _:
            raise ExportError(f"a {type(model).__name__} has no ONNX form")
    one_image = jax.ShapeDtypeStruct((1, SIDE, SIDE), jnp.float32)
    classes = jax.eval_shape(model, one_image).shape[1]
    return graph.proto(logits, ("images", ["batch", SIDE, SIDE]), ("logits", ["batch", classes]))


def _dense(graph: Graph, images: str, layers: Sequence[tuple[Any, Any]]) -> str:
    x = graph.reshape(images, -1, PIXELS)
    for weight, bias in layers[:-1]:
        x = graph.add("Relu", graph.linear(x, weight, bias))
    return graph.linear(x, *layers[-1])


def _row_lstm(graph: Graph, images: str, model: RowLstm) -> str:
    def gates(x: Any) -> np.ndarray:
        """From our order of gates (input, candidate, forget, output) to ONNX's (i, o, f, c)."""
        i, j, f, o = np.split(np.asarray(x), 4, axis=-1)
        return np.concatenate([i, o, f, j], axis=-1)

    units = model.recurrent.shape[0]
    bias = np.array(model.input.bias)
    bias[2 * units : 3 * units] += 1  # the forget bias
    rows = graph.add("Transpose", images, perm=[1, 0, 2])
    _, last = graph.add_all(
        "LSTM",
        rows,
        graph.constant(gates(model.input.weight).T[None]),
        graph.constant(gates(model.recurrent).T[None]),
        graph.constant(np.concatenate([gates(bias), np.zeros_like(bias)])[None]),
        outputs=2,
        hidden_size=units,
    )
    hidden = graph.reshape(last, -1, units)
    return graph.linear(hidden, model.output.weight, model.output.bias)


def _pooled_net(graph: Graph, images: str, model: PooledNet) -> str:
    x = graph.image(images)
    for layer, pool in zip(model.convolutions, model.pools, strict=True):
        x = graph.convolution(x, layer)
        x = graph.max_pool(x) if pool == 2 else x
        x = graph.add("Relu", x) if model.relu else x
    return _dense_after(graph, x, model.dense)


def _conv_net(graph: Graph, images: str, model: FoldedConvNet) -> str:
    views = model.config.views
    x = graph.image(images if views == 1 else _moved(graph, images))
    for layer, (stride, residual) in zip(model.convolutions, model.config.layers, strict=True):
        margin = len(layer.kernel) // 2 if residual else 0
        y = graph.add("Relu", graph.convolution(x, layer, stride=stride, padding=margin))
        x = graph.add("Add", x, y) if residual else y
    logits = _dense_after(graph, x, [model.output])
    if views == 1:
        return logits
    told = graph.reshape(graph.add("LogSoftmax", logits, axis=1), views, -1, model.output.bias.size)
    return graph.add("ReduceMean", told, axes=[0], keepdims=0)


def _moved(graph: Graph, images: str) -> str:
    """All views of the images, one after the other, as of `mnistry.models.conv.moved`."""
    padded = graph.add("Pad", images, graph.constant(np.array([0, 1, 1, 0, 1, 1], np.int64)))
    axes = graph.constant(np.array([1, 2], np.int64))
    views = [
        graph.add(
            "Slice",
            padded,
            graph.constant(np.array([1 - down, 1 - right], np.int64)),
            graph.constant(np.array([1 - down + SIDE, 1 - right + SIDE], np.int64)),
            axes,
        )
        for down, right in MOVES
    ]
    return graph.add("Concat", *views, axis=0)


def _separable_net(graph: Graph, images: str, model: FoldedSeparableNet) -> str:
    if model.upright:
        images = _set_upright(graph, images)
    x = graph.max_pool(graph.convolution(graph.image(images), model.first))
    x = graph.add("LeakyRelu", x, alpha=LEAK)
    for layer in model.separable:
        channels = layer.depthwise.shape[-1]
        kernel = np.transpose(layer.depthwise, (2, 0, 1))[:, None]
        x = graph.add("Conv", x, graph.constant(kernel), group=channels)
        x = graph.convolution(x, Convolution(layer.pointwise[None, None], layer.bias))
        x = graph.add("LeakyRelu", x, alpha=LEAK)
    x = graph.reshape(graph.add("GlobalAveragePool", x), -1, len(model.output.weight))
    return graph.linear(x, model.output.weight, model.output.bias)


def _set_upright(graph: Graph, images: str) -> str:
    """The layer of `mnistry.models.upright`, step by step as there."""

    def number(value: float) -> str:
        return graph.constant(np.float32(value))

    def total(x: str) -> str:
        return graph.add("ReduceSum", x, graph.constant(np.array([1, 2], np.int64)))

    def product(*factors: str) -> str:
        return reduce(partial(graph.add, "Mul"), factors)

    def mean(*factors: str) -> str:
        return graph.add("Div", total(product(images, *factors)), mass)

    places = np.arange(SIDE, dtype=np.float32)
    rows, columns = graph.constant(places[None, :, None]), graph.constant(places[None, None, :])
    mass = graph.add("Max", total(images), number(LITTLE))
    down = graph.add("Sub", rows, mean(rows))
    middle = mean(columns)
    across = graph.add("Sub", columns, middle)
    slant = graph.add("Div", mean(down, across), graph.add("Max", mean(down, down), number(LITTLE)))
    slant = graph.add("Clip", slant, number(-STEEPEST), number(STEEPEST))
    lean = product(slant, down)
    straight = graph.add("Sub", across, lean)
    spread = graph.add("Sqrt", graph.add("Max", mean(straight, straight), number(LITTLE)))
    scale = graph.add("Div", spread, number(USUAL_WIDTH))
    scale = graph.add("Clip", scale, number(NARROWEST), number(WIDEST))
    source = graph.add("Sum", middle, product(scale, across), lean)
    left = graph.add("Clip", graph.add("Floor", source), number(-1), number(SIDE))
    share = graph.add("Clip", graph.add("Sub", source, left), number(0), number(1))
    padded = graph.add("Pad", images, graph.constant(np.array([0, 0, 1, 0, 0, 2], np.int64)))
    index = graph.add("Cast", graph.add("Add", left, number(1)), to=TensorProto.INT64)
    following = graph.add("Add", index, graph.constant(np.int64(1)))
    lefts, rights = (graph.add("GatherElements", padded, place, axis=2) for place in (index, following))
    return graph.add("Add", lefts, product(graph.add("Sub", rights, lefts), share))


def _dense_after(graph: Graph, x: str, layers: Sequence[Linear]) -> str:
    """Dense layers after convolutions."""
    # The weights expect the channels last, as they were trained.
    x = graph.reshape(graph.add("Transpose", x, perm=[0, 2, 3, 1]), -1, layers[0].weight.shape[0])
    for layer in layers[:-1]:
        x = graph.add("Relu", graph.linear(x, layer.weight, layer.bias))
    return graph.linear(x, layers[-1].weight, layers[-1].bias)
