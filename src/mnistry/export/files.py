"""Writes a trained model to a file of its own, checked against the model it came from."""

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args

import jax.numpy as jnp
import numpy as np
import safetensors.numpy

from mnistry.atomic import write_bytes
from mnistry.data import load
from mnistry.data.classes import CLASS_NAMES
from mnistry.data.dataset import DIGITS
from mnistry.errors import UnknownNameError
from mnistry.export.agreement import checked_difference, trained_logits
from mnistry.export.arrays import named_arrays, safetensors_bytes, with_arrays
from mnistry.export.metadata import NOTHING
from mnistry.export.onnx import to_onnx
from mnistry.models import FoldedModel
from mnistry.reading.classifier import Classifier

Format = Literal["onnx", "safetensors", "npz"]

CHECKED_IMAGES = 1000


def export(
    model: FoldedModel,
    to: Format,
    path: Path,
    class_names: Sequence[str] = DIGITS,
    told: Mapping[str, str] = NOTHING,
) -> float:
    """Writes the model to `path` and returns the largest difference of its logits from the model's.

    The bytes to be written are read back and run on 1,000 of the bundled digits first. What the ten classes
    are called goes with them: in the metadata of ONNX and safetensors, and as an array in npz; so does what
    else is `told`, in the former two.

    Raises:
        UnknownNameError: there is no such format.
        ExportError: the logits differ by more than 1e-4; nothing is written.
        OSError: the file cannot be written.
    """
    images = load("optdigits").train.images[:CHECKED_IMAGES]
    arrays = named_arrays(model)
    match to:
        case "onnx":
            content = to_onnx(model, class_names, told)
            exported = Classifier(content).all_logits(images)
        case "safetensors":
            content = safetensors_bytes(arrays, class_names, **told)
            exported = _logits(model, safetensors.numpy.load(content), images)
        case "npz":
            content = _npz(arrays, class_names)
            with np.load(io.BytesIO(content)) as file:
                read_back = {name: file[name] for name in file.files if name != CLASS_NAMES}
            exported = _logits(model, read_back, images)
        case _:
            raise UnknownNameError("format", to, get_args(Format))
    difference = checked_difference(model, images, exported, str(path))
    write_bytes(path, content)
    return difference


def _npz(arrays: dict[str, np.ndarray], class_names: Sequence[str]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays, **{CLASS_NAMES: np.array(class_names)})  # type: ignore[arg-type]
    return file.getvalue()


def _logits(model: FoldedModel, arrays: dict[str, np.ndarray], images: np.ndarray) -> np.ndarray:
    """The logits of the model with the arrays that were read back."""
    return np.asarray(trained_logits(with_arrays(model, arrays), jnp.asarray(images)))
