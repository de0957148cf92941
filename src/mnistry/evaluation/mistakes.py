"""The images that a model read wrong, the most confident answers first."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.errors import InvalidValueError
from mnistry.logits import softmax


@dataclass(frozen=True, eq=False)
class Mistake:
    """One image that was read wrong.

    Attributes:
        image: uint8[28, 28], ink is 255.
        label: the true class.
        probabilities: float[C], the model's.
        index: row of the image in its part of the data set.
    """

    image: NDArray[np.uint8]
    label: int
    probabilities: NDArray[np.floating[Any]]
    index: int

    @property
    def predicted(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def confidence(self) -> float:
        return float(self.probabilities.max())


def worst_mistakes(
    images: NDArray[np.uint8], labels: NDArray[Any], logits: NDArray[Any], count: int = 50
) -> list[Mistake]:
    """The wrong answers, the most confident first; among equals, in the order of the images.

    Args:
        images: uint8[n, 28, 28].
        labels: an integer type[n].
        logits: float[n, C].
        count: at most so many.

    Raises:
        InvalidValueError: the lengths differ, or a logit is not finite.
    """
    if not len(images) == len(labels) == len(logits):
        raise InvalidValueError(
            f"expected as many images as labels and rows of logits, found {len(images)}, {len(labels)} "
            f"and {len(logits)}."
        )
    chances = softmax(logits)
    # As in `Evaluation`, the answer is the largest logit: two logits may round to the same probability.
    wrong = np.flatnonzero(np.argmax(logits, axis=1) != labels)
    worst = wrong[np.argsort(-chances[wrong].max(axis=1), kind="stable")][:count]
    return [Mistake(images[i], int(labels[i]), chances[i], int(i)) for i in worst]
