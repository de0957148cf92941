"""Writes models of one's own as ONNX, by jax2onnx."""

import logging
import warnings

import jax
import jax.numpy as jnp
import onnx

from mnistry.errors import ExportError
from mnistry.models import OwnNet
from mnistry.models.layers import SIDE


def own_to_onnx(model: OwnNet, opset: int) -> onnx.ModelProto:
    """A model of one's own with the inputs and outputs of `mnistry.export.onnx`.

    Raises:
        ExportError: jax2onnx is not installed, or does not know an operation of the model.
    """
    try:
        import jax2onnx
    except ImportError as error:
        raise ExportError(
            "models of one's own become ONNX by jax2onnx, which is not installed: pip install 'mnistry[own]'"
        ) from error
    images = jax.ShapeDtypeStruct(jax.export.symbolic_shape(f"batch, {SIDE}, {SIDE}"), jnp.uint8)
    log = logging.getLogger("onnx_ir")
    level = log.level
    try:
        log.setLevel(logging.ERROR)  # it warns of what it leaves out by itself
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            proto: onnx.ModelProto = jax2onnx.to_onnx(
                lambda pixels: model(pixels.astype(jnp.float32) / 255),
                [images],
                model_name="mnistry",
                opset=opset,
                input_names=["images"],
                output_names=["logits"],
            )
        onnx.checker.check_model(proto)
    except Exception as error:  # of any class, from JAX, jax2onnx or ONNX
        first = str(error).strip().splitlines()[:1]
        raise ExportError(f"jax2onnx cannot write it: {type(error).__name__}: {''.join(first)}") from error
    finally:
        log.setLevel(level)
    return proto
