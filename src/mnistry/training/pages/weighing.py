"""How much each piece of evidence speaks for a digit: learnt on pages by writers who wrote none for training.

So the reader's confidence is a probability: of what it is sure of to nine tenths, nine of ten are digits.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mnistry.reading.classifier import Classifier
from mnistry.reading.cutting import cut
from mnistry.reading.detector import PLAIN, Detector
from mnistry.reading.judging import evidence
from mnistry.reading.scales import each_once
from mnistry.training.pages.score import ANYTHING, NO_DIGIT, places_on, true_digits
from mnistry.training.pages.targets import Batch

SHRINKAGE = 1e-3
"""Weight of the squares of the weights, so that they stay finite where all is told apart."""
STEPS = 30


def weigh(detector: Detector, classifier: Classifier, batches: Iterable[Batch]) -> NDArray[np.float64]:
    """The weights of the evidence, float64 `[4]`, by logistic regression over all that is found on pages.

    A detector that finds nothing keeps the plain ones.

    Args:
        detector: finds digits on them.
        classifier: the second opinion.
        batches: pages by writers whose pages the detector has not learnt from.
    """
    rows, digits = list[NDArray[np.float64]](), list[bool]()
    for batch in batches:
        for page, heat, counts in zip(batch.images, batch.heat, batch.counts, strict=True):
            found = each_once(places_on(detector, page))
            truth = true_digits(found, heat, counts)
            if not found:
                continue
            grey = page.astype(np.float32) / 255
            opinions = classifier.probabilities(np.stack([cut(grey, one.box).image for one in found]))
            matters = [digit != ANYTHING for digit in truth]
            rows.append(evidence(found, opinions)[matters])
            digits += [digit != NO_DIGIT for digit in truth if digit != ANYTHING]
    if not digits:
        return PLAIN
    return logistic_regression(np.concatenate(rows), np.array(digits))


def logistic_regression(rows: NDArray[np.float64], truth: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The weights that make the truth likeliest, by Newton's method.

    Args:
        rows: float64 `[n, k]`.
        truth: bool `[n]`.

    Returns:
        float64 `[k]`: the log odds of a row are its product with them.
    """
    weights = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        chances = 1 / (1 + np.exp(-rows @ weights))
        gradient = rows.T @ (chances - truth) / len(rows) + SHRINKAGE * weights
        spread = (chances * (1 - chances))[:, None]
        curvature = (rows * spread).T @ rows / len(rows) + SHRINKAGE * np.eye(len(weights))
        weights -= np.linalg.solve(curvature, gradient)
    return weights
