"""What a classifier got right: sums and counts first, ratios last.

An `Evaluation` holds only what can be added, so the figures are the same for any batch size, and a
last, shorter batch weighs what it should.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mnistry.data.dataset import CLASSES
from mnistry.errors import InvalidValueError, RunError
from mnistry.evaluation.intervals import wilson_interval
from mnistry.logits import checked_logits, log_softmax

BINS = 15
"""Equal-width bins of confidence, as many as in Guo et al. (2017)."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Sums and counts over evaluated images; add two of them to get that of both parts together.

    `f1`, `precision` and `recall` are 0 where they are 0 / 0 (a class that never occurs, or is never
    predicted), as with scikit-learn's `zero_division=0`. Ratios of an empty evaluation raise
    `InvalidValueError`.

    Attributes:
        confusion: int64[C, C], how many images of the class of the row were read as that of the column.
        negative_log_likelihood_sum: -log p(label), in nats, summed over the images.
        bin_counts: int64[15], images whose top-1 confidence is in the bin ((i / 15, (i + 1) / 15]).
        bin_correct: int64[15], how many of those were read right.
        bin_confidence_sums: float64[15], their confidences summed.

    Raises:
        InvalidValueError: shapes or counts that contradict each other.

    Examples:
        >>> logits = np.log(np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]]))
        >>> part = Evaluation.of(logits, np.array([0, 1, 1]), classes=2)
        >>> part.confusion.tolist(), part.correct, round(part.accuracy, 3)
        ([[1, 0], [1, 1]], 2, 0.667)
        >>> (part + part).n
        6
    """

    confusion: NDArray[np.int64]
    negative_log_likelihood_sum: float
    bin_counts: NDArray[np.int64]
    bin_correct: NDArray[np.int64]
    bin_confidence_sums: NDArray[np.float64]

    def __post_init__(self) -> None:
        shape, bins = self.confusion.shape, (self.bin_counts, self.bin_correct, self.bin_confidence_sums)
        if len(shape) != 2 or shape[0] != shape[1] or shape[0] == 0:
            raise InvalidValueError(f"confusion: expected a square matrix, found the shape {shape}.")
        if any(array.shape != (BINS,) for array in bins):
            raise InvalidValueError(
                f"reliability bins: expected {BINS} of them, found {[array.shape for array in bins]}."
            )
        if (
            min(self.confusion.min(), self.bin_correct.min(), self.bin_confidence_sums.min()) < 0
            or (self.bin_correct > self.bin_counts).any()
            or self.bin_counts.sum() != self.n
            or self.bin_correct.sum() != self.correct
            or not math.isfinite(self.negative_log_likelihood_sum)
            or not np.isfinite(self.bin_confidence_sums).all()
        ):
            raise InvalidValueError("evaluation: the confusion matrix and the bins contradict each other.")

    @classmethod
    def of(cls, logits: NDArray[Any], labels: NDArray[Any], classes: int | None = None) -> Self:
        """Evaluates one batch; no images at all give the neutral element of addition.

        Args:
            logits: float[n, classes], of any size; the prediction is the largest, the first if several.
            labels: an integer type[n], each below `classes`.
            classes: number of classes; by default ten, or as many as there are logits, if these are more.

        Raises:
            InvalidValueError: shapes that do not fit, a label out of range, a logit that is not finite.
        """
        labels = np.asarray(labels)
        if classes is None:
            classes = max((CLASSES, *np.shape(logits)[-1:]))
        logits = checked_logits(logits, (len(labels), classes))
        if labels.ndim != 1 or labels.dtype.kind not in "iu":
            raise InvalidValueError(
                f"labels: expected integers[n], found {labels.dtype}{list(labels.shape)}; "
                "give class numbers, not one-hot vectors."
            )
        if len(labels) and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
            raise InvalidValueError(
                f"labels: expected 0 to {classes - 1}, found {labels.min()} to {labels.max()}; "
                f"is the model made for these {classes} classes?"
            )
        log_probabilities = log_softmax(logits)
        rows, labels = np.arange(len(labels)), labels.astype(np.int64)
        predicted = logits.argmax(axis=1)
        confidence = np.exp(log_probabilities[rows, predicted])
        bins = np.clip(np.ceil(confidence * BINS).astype(np.int64) - 1, 0, BINS - 1)
        return cls(
            np.bincount(labels * classes + predicted, minlength=classes**2).reshape(classes, classes),
            # The exactly rounded sum does not depend on the order of the images.
            -math.fsum(log_probabilities[rows, labels]) + 0.0,
            np.bincount(bins, minlength=BINS),
            np.bincount(bins[predicted == labels], minlength=BINS),
            np.bincount(bins, weights=confidence, minlength=BINS).astype(np.float64),
        )

    def __add__(self, other: "Evaluation") -> "Evaluation":
        """The evaluation of both parts together.

        Raises:
            InvalidValueError: the two have different numbers of classes.
        """
        if self.classes != other.classes:
            raise InvalidValueError(
                f"evaluations of {self.classes} and of {other.classes} classes cannot be added."
            )
        return Evaluation(
            self.confusion + other.confusion,
            self.negative_log_likelihood_sum + other.negative_log_likelihood_sum,
            self.bin_counts + other.bin_counts,
            self.bin_correct + other.bin_correct,
            self.bin_confidence_sums + other.bin_confidence_sums,
        )

    @property
    def classes(self) -> int:
        return len(self.confusion)

    @property
    def n(self) -> int:
        """How many images were evaluated."""
        return int(self.confusion.sum())

    @property
    def correct(self) -> int:
        return int(np.trace(self.confusion))

    @property
    def errors(self) -> int:
        return self.n - self.correct

    @property
    def accuracy(self) -> float:
        return self.correct / self._some()

    @property
    def accuracy_interval(self) -> tuple[float, float]:
        """The accuracy's 95 % confidence interval of E. B. Wilson (1927), which holds near 100 % too."""
        return wilson_interval(self.correct, self._some())

    @property
    def support(self) -> NDArray[np.int64]:
        """int64[C], how many images there are of each class."""
        support: NDArray[np.int64] = self.confusion.sum(axis=1)
        return support

    @property
    def precision(self) -> NDArray[np.float64]:
        """float64[C], of the images read as the class, the part that is of it."""
        return _ratio(self.confusion.diagonal(), self.confusion.sum(axis=0))

    @property
    def recall(self) -> NDArray[np.float64]:
        """float64[C], of the images of the class, the part that is read as it."""
        return _ratio(self.confusion.diagonal(), self.support)

    @property
    def f1(self) -> NDArray[np.float64]:
        """float64[C], the harmonic mean of precision and recall."""
        return _ratio(2 * self.confusion.diagonal(), self.confusion.sum(axis=0) + self.support)

    @property
    def macro(self) -> dict[str, float]:
        """Precision, recall and F1, each the plain mean over all classes."""
        return {name: float(getattr(self, name).mean()) for name in ("precision", "recall", "f1")}

    @property
    def negative_log_likelihood(self) -> float:
        """Mean of -log p(label), in nats."""
        return self.negative_log_likelihood_sum / self._some()

    @property
    def calibration_error(self) -> float:
        """Expected calibration error over 15 equal-width bins, 0 to 1.

        The mean over the images of |accuracy - confidence| of their bin. Source: Guo, Pleiss, Sun and
        Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
        """
        return float(np.abs(self.bin_correct - self.bin_confidence_sums).sum()) / self._some()

    def to_json(self) -> dict[str, Any]:
        """Everything as plain numbers, lists and dicts, for `json.dump`; `from_json` reads it back."""
        columns = zip(self.precision, self.recall, self.f1, self.support, strict=True)
        bins = zip(self.bin_counts, self.bin_correct, self.bin_confidence_sums, strict=True)
        return {
            "accuracy": self.accuracy,
            "correct": self.correct,
            "n": self.n,
            "wilson_95": list(self.accuracy_interval),
            "negative_log_likelihood": self.negative_log_likelihood,
            "calibration_error": self.calibration_error,
            "macro": self.macro,
            "per_class": [
                {"class": i, "precision": float(p), "recall": float(r), "f1": float(f), "support": int(s)}
                for i, (p, r, f, s) in enumerate(columns)
            ],
            "confusion": self.confusion.tolist(),
            "negative_log_likelihood_sum": self.negative_log_likelihood_sum,
            "reliability_bins": [
                {
                    "confidence_above": i / BINS,
                    "confidence_up_to": (i + 1) / BINS,
                    "count": int(count),
                    "correct": int(correct),
                    "confidence_sum": float(confidence_sum),
                }
                for i, (count, correct, confidence_sum) in enumerate(bins)
            ],
        }

    @classmethod
    def from_json(cls, saved: Mapping[str, Any]) -> Self:
        """The evaluation that `to_json` was called on, from its sums and counts.

        Raises:
            RunError: a key is missing, or the counts contradict each other.
        """
        try:
            bins = saved["reliability_bins"]
            return cls(
                np.array(saved["confusion"], np.int64),
                float(saved["negative_log_likelihood_sum"]),
                np.array([one["count"] for one in bins], np.int64),
                np.array([one["correct"] for one in bins], np.int64),
                np.array([one["confidence_sum"] for one in bins], np.float64),
            )
        except (KeyError, TypeError, ValueError, OverflowError, InvalidValueError) as error:
            raise RunError(
                f"the saved evaluation is damaged ({type(error).__name__}: {error}); evaluate the run again."
            ) from error

    def _some(self) -> int:
        """How many images were evaluated, if any."""
        if not self.n:
            raise InvalidValueError("the evaluation is empty: there is no accuracy of no images.")
        return self.n


def _ratio(numerator: NDArray[np.int64], denominator: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.divide(numerator, denominator, out=np.zeros(len(numerator)), where=denominator > 0)
