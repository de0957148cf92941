"""The classifier: images of 28×28 in, probabilities out, by any model that was exported as ONNX."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from mnistry.data.classes import CLASS_NAMES, checked_names
from mnistry.data.dataset import DIGITS, SIDE
from mnistry.errors import DataError, InvalidValueError
from mnistry.logits import softmax
from mnistry.reading.onnx_files import OnnxModel

SHIPPED_MODEL = Path(__file__).parent / "classifier.onnx"
BATCH = 256  # images in one call: larger ones leave the cache
NONE_SHIFT = 1.0  # nats: training shows more of what is no digit than lines do
CLEAR = 0.99  # what is less probable is looked at again
GUESS = 0.02  # probability of "no digit", and of "several", for a model that does not know these classes


def _view(turn: float, width: float, height: float) -> NDArray[np.float64]:
    """An image turned (degrees) and stretched (factors): where each pixel comes from, float64 `[2, 3]`."""
    cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    matrix = np.array([[cos / width, sin / width], [-sin / height, cos / height]])
    middle = np.full(2, (SIDE - 1) / 2)
    return np.column_stack([matrix, middle - matrix @ middle])


VIEWS = (_view(8, 1, 1), _view(-8, 1, 1), _view(0, 0.85, 1), _view(0, 0.9, 0.9))
"""How an image is looked at again: turned either way, narrower, smaller."""


def _seen(image: NDArray[np.uint8], view: NDArray[np.float64]) -> NDArray[np.uint8]:
    seen = cv2.warpAffine(image, view, (SIDE, SIDE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    return np.asarray(seen, np.uint8)


class Classifier(OnnxModel):
    """A model that tells which digit an image of 28×28 shows. It can be pickled.

    Attributes:
        class_names: what the classes are called; digits, unless the model learnt something else.

    >>> classifier = Classifier.load()
    >>> classifier.probabilities(np.zeros((3, 28, 28), np.uint8)).shape
    (3, 12)
    """

    SHIPPED = SHIPPED_MODEL

    def __init__(self, model: bytes, *, threads: int = 0) -> None:
        """
        Args:
            model: the bytes of an ONNX file with `images`, uint8 `[batch, 28, 28]`, in and `logits`,
                float32 `[batch, classes]` or, where it knows two classes more, `[batch, classes + 2]`, out.
            threads: of computation for each call; 0 takes one for each core. The answers are the same.

        Raises:
            ValueError: it is no such file.
        """
        super().__init__(model, {"images": "uint8"}, "logits", threads=threads)
        self.class_names = _class_names(self._metadata)

    def logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The logits of the ten digits, float32 `[n, 10]`, of MNIST-like images; or of the model's classes.

        Args:
            images: uint8 `[n, 28, 28]`, 0 is paper and 255 the strongest ink.

        Raises:
            InvalidValueError: images of another shape or type.
        """
        return self.all_logits(images)[:, : len(self.class_names)]

    def all_logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As `logits`, float32 `[n, 12]` where the model knows "no digit" and "several", its last classes."""
        images = checked_images(images)
        parts = [
            self._session.run(["logits"], {"images": np.ascontiguousarray(images[start : start + BATCH])})[0]
            for start in range(0, max(len(images), 1), BATCH)
        ]
        return np.concatenate(parts)

    def probabilities(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """The probabilities of the classes, of "no digit" and of "several", float64 `[n, classes + 2]`.

        Those of an image that is not clear are the means over the image as it is and a little turned,
        narrowed and shrunk. A model without the two last classes has a small constant probability for each.

        Raises:
            InvalidValueError: images of another shape or type.
        """
        found = self.at_first_sight(images)
        unclear = np.flatnonzero(found.max(axis=1, initial=0) < CLEAR)
        if len(unclear):
            views = [_seen(image, view) for view in VIEWS for image in images[unclear]]
            again = self.at_first_sight(np.stack(views)).reshape(len(VIEWS), len(unclear), -1)
            found[unclear] = (found[unclear] + again.sum(axis=0)) / (1 + len(VIEWS))
        return found

    def at_first_sight(self, images: NDArray[np.uint8]) -> NDArray[np.float64]:
        """As `probabilities`, of each image as it is alone: faster, and a little less often right."""
        logits = self.all_logits(images)
        if logits.shape[1] > (known := len(self.class_names)):
            return softmax(logits - NONE_SHIFT * (np.arange(logits.shape[1]) >= known))
        return np.pad(softmax(logits) * (1 - 2 * GUESS), ((0, 0), (0, 2)), constant_values=GUESS)


def _class_names(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """The names that a model's file keeps; older ones keep none."""
    if CLASS_NAMES not in metadata:
        return DIGITS
    try:
        return checked_names([str(name) for name in json.loads(metadata[CLASS_NAMES])], CLASS_NAMES)
    except (DataError, ValueError, TypeError) as error:
        raise ValueError(f"its metadata are damaged: {error}") from error


def checked_images(images: NDArray[Any]) -> NDArray[np.uint8]:
    """The images as an array, if they are uint8 `[n, 28, 28]`.

    Raises:
        InvalidValueError: they are not; says how to make them so.
    """
    images = np.asarray(images)
    if images.dtype == np.uint8 and images.shape[1:] == (SIDE, SIDE):
        return images
    cures = []
    if images.shape[1:] != (SIDE, SIDE):
        cures.append(_reshaping(images.shape))
    if images.dtype == np.bool:
        cures.append("bool becomes uint8 by images.astype(np.uint8) * 255")
    elif images.dtype.kind == "f":
        cures.append("values from 0 to 1 become uint8 by (images * 255).round().astype(np.uint8)")
    elif images.dtype != np.uint8:
        cures.append("values from 0 to 255 become uint8 by images.astype(np.uint8)")
    raise InvalidValueError(
        f"images: expected uint8 of shape [n, {SIDE}, {SIDE}], 0 for paper and 255 for the strongest ink; "
        f"found {images.dtype} of shape {list(images.shape)}. To mend it: {'; '.join(cures)}."
    )


def _reshaping(shape: tuple[int, ...]) -> str:
    match shape:
        case (28, 28):
            return "one image becomes a batch of one by images[None]"
        case (784,) | (_, 784):
            return "flat images get their rows by images.reshape(-1, 28, 28)"
        case (_, 28, 28, 1):
            return "the axis of the one colour goes by images[..., 0]"
        case (_, 1, 28, 28):
            return "the axis of the one colour goes by images[:, 0]"
        case _:
            return "pictures of any other size and kind are read by Recognizer.read"
