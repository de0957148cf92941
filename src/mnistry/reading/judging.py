"""Which places are digits, and which: by the detector, the line, and a second look."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES
from mnistry.reading.cutting import Cut
from mnistry.reading.detector import Box, Detection

LEAST, DOUBTED = 1e-3, 1e-2
"""No probability of which digit it is is taken for smaller, and none that it is one: the networks are not
that sure when they are wrong."""
SECOND = 0.5
"""Weight of the verifier's and the classifier's log probabilities beside the detector's: all see one ink."""
ITS_SHARE, ALONE = 0.1, 0.5
"""Weight of the classifier's log probability of a digit, whichever, beside that of all evidence: what is cut
out among others may have lost parts; of a lone digit it has seen all."""
UNSEEN, DOUBT = 2, 0.2
"""Neighbours that each place is thought to have beside those that are seen, and the probability that one of
them is a digit: it is what speaks for a place that has no other."""
LEVEL, ALIKE, NEAR = 0.5, 0.6, 5.0
"""A neighbour in the line lies at most so many heights higher or lower, is at least so high as a share of the
other, and its middle is at most so many heights away."""
EVIDENCE, VERIFIER = 4, 2
"""Pieces of evidence, and which of them is the verifier's word."""
LOOKED_AGAIN = 0.1
"""Weight of the verifier's log odds beside the detector's, where two places share a box and one stays."""


@dataclass(frozen=True, eq=False)
class Found:
    """A place that may be a digit, judged.

    Attributes:
        place: where it is.
        cut: what stands there.
        probabilities: float64 `[10]`; what is missing to 1 is the probability that it is none.
    """

    place: Detection
    cut: Cut
    probabilities: NDArray[np.float64]

    @property
    def image(self) -> NDArray[np.uint8]:
        """As the classifier saw it, uint8 `[28, 28]`."""
        return self.cut.image

    @property
    def box(self) -> Box:
        """Its ink's own box on the page: left, top, right, bottom."""
        return self.cut.box

    @property
    def present(self) -> float:
        """The probability that it is a digit, whichever."""
        return float(self.probabilities.sum())


def evidence(
    found: list[Detection], verified: NDArray[np.float64], *, lone: bool = False
) -> NDArray[np.float64]:
    """What speaks for each place to be a digit.

    Args:
        found: the places.
        verified: float64 `[n, 11]`, see `Verifier.probabilities`.
        lone: whether it is a picture of one digit; that has no neighbour to wait for.

    Returns:
        float64 `[n, 4]`: the log odds of the detector's confidence, of how many neighbours in the line are
        digits, of the verifier's probability that it is one, and 1.
    """
    own, looked = _log_odds_of(found, verified)
    both = (own + looked) / 2
    line = both if lone else _log_odds(_digits_beside(found, 1 / (1 + np.exp(-both))))
    return np.column_stack([own, line, looked, np.ones(len(own))])


def certainty(found: list[Detection], verified: NDArray[np.float64]) -> NDArray[np.float64]:
    """How sure it is that each place is a digit, float64 `[n]`; see `mnistry.reading.scales.distinct`.

    Args: as of `evidence`.
    """
    own, looked = _log_odds_of(found, verified)
    return own + LOOKED_AGAIN * looked


def _log_odds_of(
    found: list[Detection], verified: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """That each place is a digit: as the detector says, and as the verifier, float64 `[n]` each."""
    return _log_odds(np.array([digit.confidence for digit in found])), _log_odds(1 - verified[:, CLASSES])


def _digits_beside(found: list[Detection], chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of each place's neighbours in the line that are digits, float64 `[n]`: among letters, what
    looks like a digit is a letter. `chances` are the probabilities that each place is one."""
    x, y, height = np.array([(digit.x, digit.y, digit.height) for digit in found]).T
    larger, smaller = np.maximum.outer(height, height), np.minimum.outer(height, height)
    beside = np.abs(np.subtract.outer(y, y)) < LEVEL * larger
    beside &= np.abs(np.subtract.outer(x, x)) < NEAR * larger
    beside &= smaller > ALIKE * larger
    np.fill_diagonal(beside, val=False)
    return np.asarray((beside @ chances + UNSEEN * DOUBT) / (beside.sum(axis=1) + UNSEEN))


def _log_odds(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    chances = np.clip(chances, DOUBTED, 1 - DOUBTED)
    return np.asarray(np.log(chances / (1 - chances)))


def judged(
    found: list[Detection],
    cuts: list[Cut],
    verified: NDArray[np.float64],
    opinions: NDArray[np.float64],
    weights: NDArray[np.float64],
    *,
    trust: float | None = None,
    lone: bool = False,
) -> list[Found]:
    """The places with their probabilities.

    Args:
        found: the places.
        cuts: what stands there.
        verified: float64 `[n, 11]`, the verifier's probabilities for the places.
        opinions: float64 `[n, 12]`, the classifier's for the images of what stands there.
        weights: float64 `[4]`, of the evidence; see `mnistry.training.pages.weighing`.
        trust: weight of the classifier's opinion; at `inf` it alone says which digit it is. Without one it is
            `SECOND`, and which a lone digit is, the classifier says, as far as it knows any.
        lone: whether it is a picture of one digit.
    """
    if not found:
        return []
    known = np.clip(opinions[:, :CLASSES].sum(axis=1), DOUBTED, 1)
    share = ALONE if lone else ITS_SHARE
    present = (1 + np.exp(-evidence(found, verified, lone=lone) @ weights)) ** (share - 1) * known**share
    first = np.array([digit.probabilities for digit in found]) + LEAST
    first *= (verified[:, :CLASSES] + LEAST) ** SECOND
    second = opinions[:, :CLASSES] + LEAST
    weight = SECOND if trust is None else trust
    if lone and (trust is None or np.isinf(trust)):  # the classifier has learnt to tell them
        which = second + (1 - known)[:, None] * first / first.sum(axis=1, keepdims=True)
    elif np.isfinite(weight):
        which = first * second**weight
    else:
        which = second
    which *= (present / which.sum(axis=1))[:, None]
    return [Found(*one) for one in zip(found, cuts, which, strict=True)]
