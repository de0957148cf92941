"""Whether a model has learnt anything at all, and if not, why it probably did not."""

from collections.abc import Sequence

from mnistry.evaluation.metrics import Evaluation
from mnistry.history import Row

LEAST_SKILL = 0.05
"""Share of a constant answer's mistakes that a model must avoid; random weights avoid some by luck."""
STILL = 1.05  # losses that differ by no more than this factor have hardly changed


def why_nothing_learnt(evaluation: Evaluation, history: Sequence[Row], *, learning_rate: float) -> str | None:
    """What to tell of a model that does as badly as always the same answer; None for one that has learnt.

    Args:
        evaluation: of the test part.
        history: the rows of metrics, which tell the likely cause.
        learning_rate: the recipe's.

    Examples:
        >>> import numpy as np
        >>> right, always_one = np.eye(10), np.eye(10)[np.ones(10, int)]
        >>> why_nothing_learnt(Evaluation.of(right, np.arange(10)), [], learning_rate=0.5)
        >>> why_nothing_learnt(Evaluation.of(always_one, np.arange(10)), [], learning_rate=0.5)[:44]
        'nothing was learnt: the test accuracy 0.1000'
    """
    constant = float(evaluation.support.max() / evaluation.n)
    if constant == 1 or _skill(evaluation.accuracy, constant) >= LEAST_SKILL:
        return None
    told = (
        f"nothing was learnt: the test accuracy {evaluation.accuracy:.4f} is hardly more than the "
        f"{constant:.4f} of always the same answer. "
    )
    validated = [row["validation_accuracy"] for row in history if "validation_accuracy" in row]
    if validated and _skill(validated[-1], constant) >= LEAST_SKILL:
        return told + (
            f"On the validation part it is {validated[-1]:.4f}: the images or labels of the test part are "
            "probably of another kind than those of the training part"
        )
    losses = [row["mean_loss"] for row in history if "mean_loss" in row]
    if len(losses) < 2:  # one says nothing of its course
        return told + (
            f"The learning rate {learning_rate:g} is probably too large or too small, or the steps are too "
            "few, or the labels do not belong to the images"
        )
    told += f"The loss went from {losses[0]:.4g} to {losses[-1]:.4g}: "
    if max(losses) <= STILL * min(losses):
        return told + (
            f"the learning rate {learning_rate:g} is probably too small, or the steps are too few, or the "
            "labels do not belong to the images"
        )
    return told + (
        f"the learning rate {learning_rate:g} is probably too large; if a tenth of it does no better, the "
        "labels do not belong to the images"
    )


def _skill(accuracy: float, constant: float) -> float:
    """The share of a constant answer's mistakes that is avoided."""
    return (accuracy - constant) / (1 - constant)
