"""How much arithmetic a recipe must do, and how fast this machine does matrix products at best."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import onnx

from mnistry.export.onnx import to_onnx
from mnistry.models import ConvNetConfig, Model, ModelConfig


class MultiplyAdds(NamedTuple):
    """Multiply-adds in the matrix products of one example's forward pass.

    Backward, each product costs its size twice more, for the gradients of its weights and of its input;
    products with the picture need no gradient of their input.
    """

    with_picture: int
    with_hidden: int
    members: int

    @property
    def operations(self) -> int:
        """Floating-point operations of one image, forward; a multiply-add is two."""
        return 2 * (self.with_picture + self.with_hidden)

    def training_operations(self, ink: float = 1.0) -> int:
        """Those of one example in training, forward and backward; of a committee, one member sees it.

        Args:
            ink: the share of pixels that are not blank, if products with the others are left out.
        """
        return int(2 * (2 * ink * self.with_picture + 3 * self.with_hidden)) // self.members


def multiply_adds(config: ModelConfig) -> MultiplyAdds:
    """Those of a model, counted in the graph that is exported.

    A convolution is counted as places × window × channels in × channels out, whatever way it is computed.
    """
    if isinstance(config, ConvNetConfig):
        config = replace(config, views=1)  # as it is trained
    model = config.build(np.random.default_rng(0))
    assert isinstance(model, Model), "a page is no single image"
    folded = model.folded(jnp.zeros((1, 1, 28, 28)))
    graph = onnx.shape_inference.infer_shapes(onnx.load_model_from_string(to_onnx(folded))).graph
    # Weights are constants, or, where they are stored in half precision, what a node makes of them.
    shapes = {constant.name: list(constant.dims) for constant in graph.initializer} | {
        value.name: [size.dim_value for size in value.type.tensor_type.shape.dim]
        for value in (*graph.value_info, *graph.output)
    }
    of_picture = {"images"}  # and what is the picture in another shape
    with_picture = with_hidden = 0
    for node in graph.node:
        if node.op_type in ("Conv", "Gemm", "LSTM"):
            kernel = shapes[node.input[1]]
            if node.op_type == "Conv":
                places = int(np.prod(shapes[node.output[0]][2:]))
                cost = places * int(np.prod(kernel))
            elif node.op_type == "Gemm":
                cost = int(np.prod(kernel))
            else:  # 28 rows; the first one's hidden values are zeros that need no product: 4 % too many
                cost = 28 * int(np.prod(kernel))
                with_hidden += 28 * int(np.prod(shapes[node.input[2]]))
            if node.input[0] in of_picture:
                with_picture += cost
            else:
                with_hidden += cost
        elif node.input[0] in of_picture:
            of_picture.update(node.output)
    return MultiplyAdds(with_picture, with_hidden, model.shares)


def measured_rates() -> tuple[str, dict[int, float]]:
    """`matrix_product_rates`, in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        return executor.submit(matrix_product_rates).result()


def matrix_product_rates() -> tuple[str, dict[int, float]]:
    """JAX's device, and the best of twenty GFLOP/s of a product of two n×n float32 matrices, by n."""
    product = jax.jit(jnp.matmul)
    rates = {}
    for n in (512, 1024, 2048):
        matrix = jax.random.uniform(jax.random.key(n), (n, n))
        product(matrix, matrix).block_until_ready()
        fastest = float("inf")
        for _ in range(20):
            start = time.perf_counter()
            product(matrix, matrix).block_until_ready()
            fastest = min(fastest, time.perf_counter() - start)
        rates[n] = 2 * n**3 / fastest / 1e9
    return str(jax.devices()[0]), rates
