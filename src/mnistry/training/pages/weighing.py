"""How much each piece of evidence speaks for a digit: learnt on pages by writers who wrote none for training.

So the reader's confidence is a probability: of what it is sure of to nine tenths, nine of ten are digits.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from mnistry.reading.detector import PLAIN, Detector
from mnistry.reading.judging import VERIFIER, certainty, evidence
from mnistry.reading.scales import distinct
from mnistry.reading.verifier import Verifier, patch_at
from mnistry.training.pages.score import ANYTHING, NO_DIGIT, places_on, true_digits
from mnistry.training.pages.targets import Batch

TRUSTED = 0.5
"""Share of the weights that are learnt with the verifier's word; the rest is learnt without. It knows drawn
pages better than real ones, where it does not deserve all the weight that it gets here."""
SHRINKAGE = 1e-3
"""Weight of the squares of the weights, so that they stay finite where all is told apart."""
STEPS = 30


def weigh(detector: Detector, verifier: Verifier, batches: Iterable[Batch]) -> NDArray[np.float64]:
    """The weights of the evidence, float64 `[4]`, by logistic regression over all that is found on pages.

    A detector that finds nothing keeps the plain ones.

    Args:
        detector: finds digits on them.
        verifier: takes a second look at them.
        batches: pages by writers whose pages the detector has not learnt from.
    """
    rows, digits = list[NDArray[np.float64]](), list[bool]()
    for batch in batches:
        for page, heat, counts in zip(batch.images, batch.heat, batch.counts, strict=True):
            places = places_on(detector, page)
            if not places:
                continue
            patches = [patch_at(page, one.x, one.y, one.width, one.height) for one in places]
            verified = verifier.probabilities(np.stack(patches))
            kept = distinct(places, certainty(places, verified))
            found = [places[number] for number in kept]
            truth = true_digits(found, heat, counts)
            matters = [digit != ANYTHING for digit in truth]
            rows.append(evidence(found, verified[kept])[matters])
            digits += [digit != NO_DIGIT for digit in truth if digit != ANYTHING]
    if not digits:
        return PLAIN
    whole, is_digit = np.concatenate(rows), np.array(digits)
    without = whole.copy()
    without[:, VERIFIER] = 0
    learnt = [logistic_regression(some, is_digit) for some in (whole, without)]
    return TRUSTED * learnt[0] + (1 - TRUSTED) * learnt[1]


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
