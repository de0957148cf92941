"""Golden figures worked by hand, agreement with scikit-learn, and the law of merging."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, log_loss, precision_recall_fscore_support

from mnistry.errors import InvalidValueError, MnistryError, RunError
from mnistry.evaluation.metrics import BINS, Evaluation
from mnistry.logits import softmax


def batch(seed: int, n: int, classes: int = 10) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, n).astype(np.uint8)
    logits = random.normal(0, 2, (n, classes)).astype(np.float32)
    logits[np.arange(n), labels] += random.choice([0, 3], n).astype(np.float32)
    return logits, labels


@pytest.fixture
def four() -> Evaluation:
    """Four images: 0 read as 0 (p = 0.7), 0 as 1 (0.6), 1 as 1 (0.9), 1 as 1 (0.8); class 2 never."""
    chances = [[0.7, 0.2, 0.1], [0.3, 0.6, 0.1], [0.05, 0.9, 0.05], [0.1, 0.8, 0.1]]
    return Evaluation.of(np.log(chances), np.array([0, 0, 1, 1], np.uint8), classes=3)


def test_counts_by_hand(four: Evaluation) -> None:
    assert four.confusion.tolist() == [[1, 1, 0], [0, 2, 0], [0, 0, 0]]
    assert four.confusion.dtype == np.int64
    assert (four.n, four.correct, four.errors, four.accuracy) == (4, 3, 1, 0.75)
    assert four.support.tolist() == [2, 2, 0]


def test_class_figures_by_hand(four: Evaluation) -> None:
    assert four.precision == pytest.approx([1, 2 / 3, 0])
    assert four.recall == pytest.approx([0.5, 1, 0])
    assert four.f1 == pytest.approx([2 / 3, 0.8, 0])
    assert four.macro == pytest.approx({"precision": 5 / 9, "recall": 0.5, "f1": (2 / 3 + 0.8) / 3})


def test_likelihood_by_hand(four: Evaluation) -> None:
    assert four.negative_log_likelihood == pytest.approx(-math.log(0.7 * 0.3 * 0.9 * 0.8) / 4)


def test_calibration_by_hand(four: Evaluation) -> None:
    # In bins of 1/15, 0.7 falls into bin 10 and 0.9 into 13; 0.6 and 0.8 are ends of other bins. Each holds
    # one image, so the error is the mean of |1 - 0.7|, |0 - 0.6|, |1 - 0.9| and |1 - 0.8|.
    assert four.calibration_error == pytest.approx((0.3 + 0.6 + 0.1 + 0.2) / 4)
    assert four.bin_counts.sum() == 4
    assert four.bin_correct[10] == four.bin_correct[13] == 1
    assert four.bin_confidence_sums[10] == pytest.approx(0.7)


def test_calibration_takes_the_mean_of_a_bin_before_the_distance() -> None:
    # Two images of confidence 0.75 and 0.76 in one bin, one right: |1 - 1.51| / 2, not (0.25 + 0.76) / 2.
    evaluation = Evaluation.of(np.log([[0.75, 0.25], [0.76, 0.24]]), np.array([0, 1]), classes=2)
    assert evaluation.calibration_error == pytest.approx(0.255)


def test_full_certainty_is_in_the_last_bin_and_costs_nothing() -> None:
    evaluation = Evaluation.of(np.array([[1e30, -1e30]], np.float32), np.array([0]), classes=2)
    assert evaluation.bin_counts[BINS - 1] == 1
    assert evaluation.negative_log_likelihood == 0
    assert evaluation.calibration_error == 0


def test_a_certain_mistake_costs_the_difference_of_the_logits() -> None:
    evaluation = Evaluation.of(np.array([[10_000, 0]], np.float32), np.array([1]), classes=2)
    assert evaluation.negative_log_likelihood == 10_000


def test_among_equal_logits_the_first_class_is_the_answer() -> None:
    evaluation = Evaluation.of(np.zeros((1, 4)), np.array([3]), classes=4)
    assert evaluation.confusion[3, 0] == 1
    assert evaluation.negative_log_likelihood == pytest.approx(math.log(4))


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.sampled_from([2, 3, 10, 26]))
def test_agrees_with_scikit_learn(seed: int, n: int, classes: int) -> None:
    logits, labels = batch(seed, n, classes)
    evaluation = Evaluation.of(logits, labels, classes)
    predicted, every = logits.argmax(axis=1), np.arange(classes)
    assert (evaluation.confusion == confusion_matrix(labels, predicted, labels=every)).all()
    for average, figures in (
        (None, (evaluation.precision, evaluation.recall, evaluation.f1)),
        ("macro", tuple(evaluation.macro.values())),
    ):
        expected = precision_recall_fscore_support(
            labels, predicted, labels=every, average=average, zero_division=0
        )
        for figure, one in zip(figures, expected, strict=False):
            np.testing.assert_allclose(figure, one, atol=1e-12)
    assert evaluation.negative_log_likelihood == pytest.approx(
        log_loss(labels, softmax(logits), labels=every), abs=1e-9
    )


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 200), st.integers(1, 64))
def test_any_batching_gives_the_same_evaluation(seed: int, n: int, batch_size: int) -> None:
    logits, labels = batch(seed, n)
    whole = Evaluation.of(logits, labels)
    merged = Evaluation.of(logits[:0], labels[:0])
    for start in range(0, n, batch_size):
        merged += Evaluation.of(logits[start : start + batch_size], labels[start : start + batch_size])
    for name in ("confusion", "bin_counts", "bin_correct"):
        assert (getattr(merged, name) == getattr(whole, name)).all()
    for name in ("negative_log_likelihood_sum", "bin_confidence_sums"):
        np.testing.assert_allclose(getattr(merged, name), getattr(whole, name), rtol=0, atol=1e-9)


def test_the_order_in_memory_changes_nothing() -> None:
    logits, labels = batch(0, 100)
    columns = Evaluation.of(np.asfortranarray(logits), labels)
    assert columns.to_json() == Evaluation.of(logits, labels).to_json()


def test_json_holds_readable_figures_and_comes_back(four: Evaluation) -> None:
    saved = json.loads(json.dumps(four.to_json(), allow_nan=False))
    assert (saved["accuracy"], saved["correct"], saved["n"]) == (0.75, 3, 4)
    assert saved["wilson_95"] == list(four.accuracy_interval)
    assert saved["per_class"][0] == {
        "class": 0,
        "precision": 1.0,
        "recall": 0.5,
        "f1": pytest.approx(2 / 3),
        "support": 2,
    }
    assert saved["macro"].keys() == {"precision", "recall", "f1"}
    assert sum(one["count"] for one in saved["reliability_bins"]) == 4
    assert Evaluation.from_json(saved).to_json() == four.to_json()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("confusion", [[1, 2], [3]]),
        ("confusion", [[5, 0, 0], [0, 0, 0], [0, 0, 0]]),
        ("confusion", [[10**30, 0], [0, 0]]),
        ("negative_log_likelihood_sum", "a lot"),
        ("negative_log_likelihood_sum", math.nan),
        ("reliability_bins", []),
        ("reliability_bins", [{"count": 1}]),
    ],
)
def test_a_damaged_json_is_refused(four: Evaluation, key: str, value: object) -> None:
    saved = four.to_json()
    with pytest.raises(RunError, match="damaged"):
        Evaluation.from_json({**saved, key: value})
    del saved[key]
    with pytest.raises(RunError, match=key):
        Evaluation.from_json(saved)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_finite_are_refused(bad: float) -> None:
    logits, labels = batch(0, 5)
    logits[3, 2] = bad
    with pytest.raises(MnistryError, match=r"1 of 5 rows.*row 3"):
        Evaluation.of(logits, labels)


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (np.zeros((2, 9)), np.zeros(2, int), r"logits: expected the shape \[2, 10\], found \[2, 9\]"),
        (np.zeros((3, 10)), np.zeros(2, int), r"\[2, 10\], found \[3, 10\]"),
        (np.zeros(10), np.zeros(1, int), r"found \[10\]"),
        (np.zeros((2, 10)), np.array([0, 10]), "expected 0 to 9, found 0 to 10"),
        (np.zeros((2, 10)), np.array([-1, 0]), "found -1 to 0"),
        (np.zeros((2, 10)), np.zeros(2), "expected integers"),
        (np.zeros((2, 10)), np.zeros((2, 10), int), "one-hot"),
    ],
)
def test_what_does_not_fit_is_refused(logits: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        Evaluation.of(logits, labels)


def test_evaluations_of_different_classes_are_not_added(four: Evaluation) -> None:
    with pytest.raises(InvalidValueError, match="3 and of 10 classes"):
        four + Evaluation.of(*batch(0, 3))


def test_an_empty_evaluation_has_no_accuracy() -> None:
    empty = Evaluation.of(np.zeros((0, 10)), np.zeros(0, np.uint8))
    assert empty.n == 0
    for name in ("accuracy", "accuracy_interval", "negative_log_likelihood", "calibration_error"):
        with pytest.raises(InvalidValueError, match="empty"):
            getattr(empty, name)
