"""What an ONNX file says of itself: key by key, text."""

import json
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from mnistry.data.classes import CLASS_NAMES

INPUT = (
    "uint8 [batch, 28, 28], 0 for paper and 255 for the strongest ink; the model divides by 255 itself. As "
    "MNIST was made: the tight box of a digit's ink scaled into 20×20 with its aspect kept, its centre of "
    "mass on pixel 14 of 28×28"
)
OUTPUT = "float32 [batch, classes]: logits; their softmax are the probabilities of the classes, in this order"
LICENCE = "licence"
NOT_STATED = "not stated"
NOTHING: Mapping[str, str] = MappingProxyType({})


def metadata(class_names: Sequence[str]) -> dict[str, str]:
    """What every model's file tells: its classes, what goes in and what comes out."""
    return {
        CLASS_NAMES: json.dumps(list(class_names), ensure_ascii=False),
        "input": INPUT,
        "output": OUTPUT,
        LICENCE: NOT_STATED,
    }
