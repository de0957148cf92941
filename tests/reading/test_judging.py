"""What speaks for a place to be a digit, and what its probabilities become; by hand and by laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistry.reading.cutting import Cut
from mnistry.reading.detector import PLAIN, Detection
from mnistry.reading.judging import (
    ALONE,
    DOUBT,
    EVIDENCE,
    ITS_SHARE,
    LOOKED_AGAIN,
    SECOND,
    UNSEEN,
    certainty,
    evidence,
    judged,
)

BLANK = Cut(np.zeros((44, 44), np.float32), 0, 0, 1.0, (0, 0, 44, 44))


def place(x: float, confidence: float, *, y: float = 0, height: float = 20, digit: int = 3) -> Detection:
    return Detection(x, y, 12, height, confidence * np.eye(10)[digit], 1.0)


def opinions(count: int, *, digit: int = 3, none: float = 0.1) -> np.ndarray:
    """A classifier's probabilities: of a digit, of no digit, and nothing else."""
    row = np.zeros(12)
    row[digit], row[10] = 1 - none, none
    return np.tile(row, (count, 1))


def verified(count: int, *, none: float = 0.1) -> np.ndarray:
    """As `opinions`, of a verifier."""
    return opinions(count, none=none)[:, :11]


EVEN = np.full((1, 11), 0.05)
"""A verifier that does not know which digit it is."""


def odds(chance: float) -> float:
    return float(np.log(chance / (1 - chance)))


def chance(log_odds: float) -> float:
    return float(1 / (1 + np.exp(-log_odds)))


def line(*others: float) -> float:
    """The log odds of how many neighbours are digits; given are the means of both networks' log odds."""
    return odds((sum(map(chance, others)) + UNSEEN * DOUBT) / (len(others) + UNSEEN))


def test_the_evidence_by_hand() -> None:
    found = [place(0, 0.9), place(20, 0.6), place(200, 0.7)]
    rows = evidence(found, verified(3, none=0.2))
    assert rows.shape == (3, EVIDENCE)
    assert rows[:, 0] == pytest.approx([odds(0.9), odds(0.6), odds(0.7)])
    both = [(odds(confidence) + odds(0.8)) / 2 for confidence in (0.9, 0.6)]
    assert rows[:, 1] == pytest.approx([line(both[1]), line(both[0]), line()])
    assert rows[:, 2] == pytest.approx([odds(0.8)] * 3)
    assert (rows[:, 3] == 1).all()


@pytest.mark.parametrize(
    ("other", "beside"),
    [
        (place(25, 0.8), True),
        (place(-25, 0.8), True),
        (place(99, 0.8), True),
        (place(101, 0.8), False),  # too far
        (place(25, 0.8, y=15), False),  # another line
        (place(25, 0.8, height=10), False),  # another size
        (place(25, 0.8, height=15), True),
    ],
)
def test_who_is_a_neighbour(other: Detection, beside: bool) -> None:
    rows = evidence([place(0, 0.3), other], verified(2))
    assert rows[0, 1] == pytest.approx(line((odds(0.8) + odds(0.9)) / 2) if beside else line())


def test_what_looks_like_a_digit_is_less_likely_one_among_letters_than_among_digits() -> None:
    def beside(*others: float) -> float:
        found = [place(0, 0.5), *(place(20 + 20 * number, other) for number, other in enumerate(others))]
        looked = np.concatenate([verified(1, none=1 - digit.confidence) for digit in found])
        return float(evidence(found, looked)[0, 1])

    assert beside(0.05, 0.05, 0.05) < beside() < beside(0.9) < beside(0.9, 0.9, 0.9)


def test_by_plain_weights_the_detectors_confidence_is_the_probability_of_a_digit() -> None:
    """To the power of its share: the classifier, which has the rest, has no doubt here."""
    found = [place(100 * number, chance) for number, chance in enumerate((0.05, 0.3, 0.9))]
    three = judged(found, [BLANK] * 3, verified(3), np.eye(12)[[3, 3, 3]], PLAIN)
    assert [one.present for one in three] == pytest.approx(np.power([0.05, 0.3, 0.9], 1 - ITS_SHARE))
    assert [one.place for one in three] == found


@pytest.mark.parametrize(("lone", "share"), [(False, ITS_SHARE), (True, ALONE)])
def test_what_the_classifier_takes_for_none_is_less_likely_a_digit(lone: bool, share: float) -> None:
    """By the geometric mean: neither alone can say that it is one."""
    for none in (0.02, 0.5, 0.98):
        (one,) = judged([place(0, 0.6)], [BLANK], verified(1), opinions(1, none=none), PLAIN, lone=lone)
        assert one.present == pytest.approx(0.6 ** (1 - share) * (1 - none) ** share)


def test_which_digit_it_is_both_say() -> None:
    """A 3 by 0.6 and an 8 by 0.3; the classifier has them the other way, and weighs half."""
    chances = np.zeros(10)
    chances[3], chances[8] = 0.6, 0.3
    found = [Detection(0, 0, 12, 20, chances, 1.0)]
    row = np.zeros((1, 12))
    row[0, 3], row[0, 8] = 0.1, 0.9

    def odds_of_three(trust: float) -> float:
        (one,) = judged(found, [BLANK], EVEN, row, PLAIN, trust=trust)
        return float(one.probabilities[3] / one.probabilities[8])

    assert odds_of_three(0) == pytest.approx(2, rel=0.01)
    assert odds_of_three(SECOND) == pytest.approx(2 * (1 / 9) ** SECOND, rel=0.01)
    assert odds_of_three(np.inf) == pytest.approx(1 / 9, rel=0.01)


def test_what_the_verifier_says_counts_half() -> None:
    chances, looked = np.zeros(10), np.full((1, 11), 0.0)
    chances[3], chances[8], looked[0, 3], looked[0, 8] = 0.6, 0.3, 0.2, 0.8
    (one,) = judged([Detection(0, 0, 12, 20, chances, 1.0)], [BLANK], looked, opinions(1), PLAIN, trust=0)
    assert one.probabilities[3] / one.probabilities[8] == pytest.approx(2 * (0.2 / 0.8) ** SECOND, rel=0.01)


def test_what_the_verifier_knows_is_the_surer_place() -> None:
    """By the tenth part of its log odds."""
    found, looked = (
        [place(0, 0.55), place(5, 0.5)],
        np.concatenate([verified(1, none=0.8), verified(1, none=0.1)]),
    )
    expected = [odds(0.55) + LOOKED_AGAIN * odds(0.2), odds(0.5) + LOOKED_AGAIN * odds(0.9)]
    assert certainty(found, looked) == pytest.approx(expected)
    assert expected[1] > expected[0]


def test_which_a_lone_digit_is_a_taught_detector_says_and_else_the_classifier() -> None:
    chances = np.zeros(10)
    chances[2] = 0.9
    row = np.zeros((1, 12))
    row[0, 7] = 1

    def told(trust: float | None) -> int:
        found = [Detection(0, 0, 12, 20, chances, 1.0)]
        (one,) = judged(found, [BLANK], EVEN, row, PLAIN, trust=trust, lone=True)
        return int(one.probabilities.argmax())

    assert [told(trust) for trust in (None, np.inf, 0.2)] == [7, 7, 2]


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 20),
    trust=st.sampled_from([0.0, SECOND, np.inf]),
    weights=st.lists(st.floats(-50, 50), min_size=EVIDENCE, max_size=EVIDENCE),
)
def test_probabilities_are_some_whatever_the_weights(
    seed: int, count: int, trust: float, weights: list[float]
) -> None:
    random = np.random.default_rng(seed)
    found = [
        Detection(*random.uniform(0, 99, 2), *random.uniform(2, 40, 2), random.dirichlet(np.ones(11))[:10], 1)
        for _ in range(count)
    ]
    rows = random.dirichlet(np.full(12, 0.1), count)
    for one in judged(found, [BLANK] * count, rows[:, :11], rows, np.array(weights), trust=trust):
        assert (one.probabilities >= 0).all()
        assert one.present <= 1 + 1e-9
        assert np.isfinite(one.probabilities).all()


def test_nothing_gives_nothing() -> None:
    assert judged([], [BLANK], verified(1), opinions(1), PLAIN) == []
