"""Printed numbers are held against the bands of ours, and a wrong one is noticed."""

import numpy as np
import pytest

from book import printed
from book.printed import PRINTED, Printed, band, bands, ours, require_inside


def test_all_numbers_of_the_texts_are_held() -> None:
    by_recipe = {name: [n for n in PRINTED if n.recipe == name] for name in {n.recipe for n in PRINTED}}
    assert {name: len(numbers) for name, numbers in by_recipe.items()} == {
        "softmax": 1,
        "softmax-sum": 6,
        "scratch": 51,
        "mlp": 1,
    }
    assert by_recipe["scratch"][0] == Printed("scratch", 1, "3.28")
    assert by_recipe["scratch"][49] == Printed("scratch", 9 * 469 + 401, "0.72")


def test_every_printed_number_is_inside_its_band() -> None:
    require_inside(bands())


def test_every_number_is_held_by_as_many_seeds_as_the_pages_say() -> None:
    values = ours()
    for number in PRINTED:
        seeds = values[number.recipe][str(number.step)]
        assert len(seeds) == (10 if number.recipe == "mlp" else 20), number
    beyond = [number for number in PRINTED if number.beyond(values[number.recipe][str(number.step)])]
    assert [number.text for number in beyond if number.recipe == "scratch"] == (
        ["3.28", "2.15", "1.76", "1.46", "1.24", "1.08", "0.96", "0.88", "0.81", "0.76", "0.72"]
    )


def test_a_band_holds_as_many_draws_as_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "MISSED", 0.2)
    random = np.random.default_rng(0)
    draws = np.exp(random.normal(size=(4000, 21)))
    outside = [not low <= draw[-1] <= high for draw in draws for low, high in [band(draw[:-1], numbers=1)]]
    assert np.mean(outside) == pytest.approx(0.2, abs=0.02)


def test_rounding_counts_and_what_is_outside_is_told() -> None:
    number = Printed("softmax", "accuracy", "0.92")
    assert number.inside((0.90, 0.9151))
    assert not number.inside((0.90, 0.9149))
    with pytest.raises(AssertionError, match=r"softmax, accuracy: 0.92 is not in 0.9 to 0.91"):
        require_inside({number: (0.90, 0.91)})


def test_a_number_of_another_program_would_be_noticed() -> None:
    """The losses of the summed program as means, and those of a later epoch from scratch."""
    for number, (low, high) in bands().items():
        if number.recipe == "softmax-sum":
            assert not Printed("softmax-sum", number.step, f"{number.value / 64:.2f}").inside((low, high))
    numbers = [number for number in PRINTED if number.recipe == "scratch" and number.step != "accuracy"]
    every = bands()
    later = [
        Printed("scratch", n.step, m.text).inside(every[n])
        for n, m in zip(numbers, numbers[10:], strict=False)
    ]
    assert np.mean(later) < 0.3
