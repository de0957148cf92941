"""A model that has learnt nothing is told of, with the cause that the losses point to."""

import numpy as np
import pytest

from mnistry.evaluation.learnt import why_nothing_learnt
from mnistry.evaluation.metrics import Evaluation
from mnistry.history import Row

LABELS = np.arange(1000) % 10


def answering(correct: int, labels: np.ndarray = LABELS) -> Evaluation:
    """An evaluation with so many correct answers; of the others each is the next class."""
    answers = np.where(np.arange(len(labels)) < correct, labels, (labels + 1) % 10)
    return Evaluation.of(np.eye(10)[answers], labels)


def rows(*losses: float, validation: float = 0.1) -> list[Row]:
    return [
        {"step": step, "mean_loss": loss, "validation_accuracy": validation}
        for step, loss in enumerate(losses)
    ]


@pytest.mark.parametrize(
    ("history", "cause"),
    [
        (rows(3e7, 2.4, 2.309), "from 3e+07 to 2.309: the learning rate 0.5 is probably too large"),
        (rows(2.3, 6e7), "from 2.3 to 6e+07: the learning rate 0.5 is probably too large"),
        (rows(2.414, 2.41), "the learning rate 0.5 is probably too small, or the steps are too few"),
        (rows(3e7), "The learning rate 0.5 is probably too large or too small, or the steps are too few"),
        (rows(2.3, 0.01), "labels do not belong to the images"),
        (
            rows(2.3, 0.2, validation=0.95),
            "On the validation part it is 0.9500: the images or labels of the test",
        ),
        ([], "probably too large or too small, or the steps are too few"),
    ],
)
def test_the_likely_cause_is_told(history: list[Row], cause: str) -> None:
    told = why_nothing_learnt(answering(113), history, learning_rate=0.5)
    assert told is not None
    assert "the test accuracy 0.1130 is hardly more than the 0.1000 of always the same answer" in told
    assert cause in told


def test_what_has_learnt_a_little_is_not_told_of() -> None:
    assert why_nothing_learnt(answering(150), rows(2.3, 2.3), learning_rate=0.5) is None
    assert why_nothing_learnt(answering(1000), rows(2.3, 0.1), learning_rate=0.5) is None


def test_the_measure_is_the_most_frequent_class() -> None:
    mostly_ones = np.where(np.arange(1000) < 800, 1, LABELS)
    assert why_nothing_learnt(answering(805, mostly_ones), [], learning_rate=0.5) is not None
    assert why_nothing_learnt(answering(850, mostly_ones), [], learning_rate=0.5) is None


def test_a_test_part_of_one_class_shows_nothing() -> None:
    assert why_nothing_learnt(answering(3, np.zeros(10, int)), [], learning_rate=0.5) is None
