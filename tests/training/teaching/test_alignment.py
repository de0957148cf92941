"""The places of a label's digits: a path that spells it from left to right, whatever else is found."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistry.reading.detector import Detection
from mnistry.training.teaching.alignment import align, spell


def seen(
    x: float, digit: int, sure: float = 0.8, *, y: float = 50, height: float = 30, also: int | None = None
) -> Detection:
    """A candidate: so surely this digit, and a little another one."""
    chances = np.zeros(10)
    chances[digit] = sure
    if also is not None:
        chances[also] = (1 - sure) / 2
    return Detection(x, y, 0.7 * height, height, chances, 1.0)


def places(found: list[tuple[Detection, int]] | None) -> list[tuple[float, int]]:
    assert found is not None
    return [(place.x, digit) for place, digit in found]


def test_digits_are_taken_from_left_to_right() -> None:
    found = [seen(70, 3), seen(10, 1), seen(40, 2)]
    assert places(align(found, ["123"])) == [(10, 1), (40, 2), (70, 3)]
    assert places(align(found, ["12 3"])) == [(10, 1), (40, 2), (70, 3)]


def test_what_is_misread_is_placed_by_its_neighbours() -> None:
    assert places(align([seen(10, 1), seen(40, 7, 0.9), seen(70, 3)], ["123"])) == [(10, 1), (40, 2), (70, 3)]


def test_of_two_candidates_for_a_digit_the_likelier_is_taken() -> None:
    found = [seen(10, 1), seen(40, 7, 0.3), seen(70, 2), seen(100, 3)]
    assert places(align(found, ["123"])) == [(10, 1), (70, 2), (100, 3)]


def test_faint_specks_are_left_out_and_faint_digits_are_not() -> None:
    found = [seen(10, 1), seen(25, 5, 0.05), seen(40, 2, 0.06), seen(70, 3), seen(90, 8, 0.05)]
    assert places(align(found, ["123"])) == [(10, 1), (40, 2), (70, 3)]


def test_a_picture_in_which_a_digit_is_missing_waits() -> None:
    assert align([seen(10, 1), seen(70, 3)], ["123"]) is None
    assert align([], ["1"]) is None
    # A speck of something else is no digit that was missed.
    assert align([seen(10, 1), seen(40, 8, 0.05), seen(70, 3)], ["123"]) is None


def test_noise_and_labels_of_another_picture_are_not_believed() -> None:
    noise = [seen(10 + 30 * place, 3, 0.05) for place in range(4)]
    assert align(noise, ["3333"]) is None
    assert align([seen(10, 1), seen(40, 2), seen(70, 3)], ["789"]) is None
    # A lone digit may be misread: that is what is to be learnt.
    assert places(align([seen(10, 7, 0.7)], ["1"])) == [(10, 1)]


def test_so_many_sure_digits_more_that_the_label_is_of_something_else() -> None:
    assert align([seen(10 + 30 * place, 8, 0.9) for place in range(9)], ["88"]) is None


def test_views_of_one_digit_at_several_scales_are_one() -> None:
    found = [seen(10, 1, 0.7), seen(11, 1, 0.6, height=33), seen(40, 1, 0.7), seen(41, 7, 0.3, height=26)]
    assert places(align(found, ["11"])) == [(10, 1), (40, 1)]
    assert align(found, ["111"]) is None


def test_of_views_of_one_digit_the_one_that_shows_the_label_is_taken() -> None:
    assert places(align([seen(10, 7, 0.5), seen(12, 1, 0.4)], ["1"])) == [(12, 1)]


def test_digits_that_touch_may_share_a_part_of_their_boxes() -> None:
    assert places(align([seen(10, 5), seen(25, 6), seen(41, 0)], ["560"])) == [(10, 5), (25, 6), (41, 0)]


def test_a_picture_of_no_digits_has_none() -> None:
    assert align([seen(10, 5)], []) == []


def test_lines_are_spelled_each_with_a_row_of_its_own() -> None:
    upper = [seen(10, 1), seen(40, 2, 0.4, also=3), seen(70, 3)]
    lower = [seen(12, 4, y=110), seen(44, 5, 0.08, y=112), seen(70, 6, y=108)]
    noise = [seen(20 + 30 * place, 8, 0.12, y=170) for place in range(2)]
    found = align([*noise, *lower, *upper], ["123", "456"])
    assert places(found) == [(10, 1), (40, 2), (70, 3), (12, 4), (44, 5), (70, 6)]
    assert align([*noise, *upper], ["123", "456"]) is None


@settings(deadline=None, max_examples=60)
@given(
    text=st.text("0123456789", min_size=1, max_size=6),
    others=st.lists(
        st.tuples(st.floats(0, 240), st.integers(0, 9), st.floats(0.03, 0.4), st.floats(12, 40)), max_size=8
    ),
    sure=st.floats(0.3, 0.95),
)
def test_a_path_spells_the_label_once_from_left_to_right(
    text: str, others: list[tuple[float, int, float, float]], sure: float
) -> None:
    found = [seen(20 + 40 * place, int(character), sure) for place, character in enumerate(text)]
    found += [seen(x, digit, faint, height=height) for x, digit, faint, height in others]
    spelled = spell(found, text)
    assert spelled is not None
    assert len(spelled.chosen) == len(text)
    assert all(one in found for one in spelled.chosen)
    assert all(np.diff([one.x for one in spelled.chosen]) > 0)
    assert spelled.score <= 0


def test_the_likeliest_of_all_paths_is_taken() -> None:
    """Against all ways to choose, one by one."""
    from itertools import combinations

    random = np.random.default_rng(4)
    for _ in range(20):
        found = [
            seen(20 + 45 * place, int(random.integers(3)), float(random.uniform(0.1, 0.9)), also=1)
            for place in range(6)
        ]
        text = "".join(map(str, random.integers(0, 3, 3)))

        def score(chosen: tuple[int, ...], found: list[Detection] = found, text: str = text) -> float:
            total = 0.0
            for place, one in enumerate(found):
                if place in chosen:
                    chance = 0.9 * one.probabilities[int(text[chosen.index(place)])] + 0.1 * one.confidence
                    total += np.log(chance) if chance >= 0.012 else -np.inf
                else:
                    total += np.log1p(-one.confidence)
            return total

        best = max(score(chosen) for chosen in combinations(range(6), 3))
        spelled = spell(found, text)
        if np.isfinite(best):
            assert spelled is not None
            assert spelled.score == pytest.approx(best)
        else:
            assert spelled is None
