"""How a trained model is used: as ONNX, or, where one's own model has no such form, by JAX."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from mnistry.errors import ExportError
from mnistry.export.agreement import checked_difference, trained_logits
from mnistry.export.metadata import NOTHING
from mnistry.export.onnx import to_onnx
from mnistry.models import FoldedModel, OwnNet
from mnistry.reading.classifier import BATCH, Classifier, checked_images


class JaxClassifier(Classifier):
    """A trained model in the place of its ONNX file, computed by JAX: slower to start, the same answers."""

    def __init__(self, model: FoldedModel, class_names: Sequence[str]) -> None:
        self._trained, self.class_names = model, tuple(class_names)

    def __reduce__(self) -> tuple[Any, ...]:
        return JaxClassifier, (self._trained, self.class_names)

    def all_logits(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """See `Classifier`."""
        images = checked_images(images)
        parts = []
        for start in range(0, max(len(images), 1), BATCH):
            rows = images[start : start + BATCH]
            # Always as many rows, so that it compiles once.
            padded = np.concatenate([rows, np.zeros((BATCH - len(rows), *rows.shape[1:]), np.uint8)])
            parts.append(np.asarray(trained_logits(self._trained, jnp.asarray(padded)))[: len(rows)])
        return np.concatenate(parts)


class Usable(NamedTuple):
    """A trained model, made ready for use.

    Attributes:
        classifier: answers as the trained model does.
        onnx: the bytes of its file, or None where there is no such form.
        difference: the largest difference of the ONNX form's logits from the trained model's, on the images.
        why_not: why there is no ONNX form.
    """

    classifier: Classifier
    onnx: bytes | None
    difference: float | None
    why_not: str | None


def usable(
    model: FoldedModel,
    class_names: Sequence[str],
    images: NDArray[np.uint8],
    what: str,
    told: Mapping[str, str] = NOTHING,
) -> Usable:
    """Makes a trained model ready for use, checked on images uint8 `[n, 28, 28]`.

    Args:
        model: the model.
        class_names: what its ten classes are called.
        images: the images.
        what: the exported file, for error messages.
        told: what else its metadata tell.

    Raises:
        ExportError: a model of mnistry's own, whose ONNX form does not agree with it.
    """
    try:
        content = to_onnx(model, class_names, told)
        classifier = Classifier(content)
        difference = checked_difference(model, images, classifier.all_logits(images), what)
        return Usable(classifier, content, difference, None)
    except (ExportError, ValueError) as error:
        if not isinstance(model, OwnNet):
            raise
        return Usable(JaxClassifier(model, class_names), None, None, str(error))
