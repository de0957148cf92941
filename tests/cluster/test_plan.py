"""What a sweep tries: how settings are written, and what they become."""

from collections import Counter

import pytest

from mnistry.cluster.plan import Range, drawn, grid, parse_settings
from mnistry.errors import InvalidValueError, MnistryError
from mnistry.models import PerceptronConfig


def test_a_grid_is_all_combinations_for_each_recipe() -> None:
    settings = parse_settings(["learning-rate=0.1,0.2,0.5", "batch_size=50,100"])
    candidates = grid(["softmax", "mlp"], settings)
    assert len(candidates) == 12
    assert {(one.recipe.learning_rate, one.recipe.batch_size) for one in candidates[:6]} == {
        (rate, size) for rate in (0.1, 0.2, 0.5) for size in (50, 100)
    }
    assert [one.recipe.name for one in candidates] == ["softmax"] * 6 + ["mlp"] * 6
    assert candidates[0].label == "softmax learning_rate=0.1 batch_size=50"
    assert [one.label for one in grid(["softmax"], {})] == ["softmax"]


def test_fields_of_a_model() -> None:
    (narrow, wide) = grid(["mlp"], parse_settings(["model.hidden=(20,),(300,100)"]))
    assert isinstance(narrow.recipe.model, PerceptronConfig)
    assert isinstance(wide.recipe.model, PerceptronConfig)
    assert (narrow.recipe.model.hidden, wide.recipe.model.hidden) == ((20,), (300, 100))


def test_what_is_drawn_spreads_over_its_range_and_is_drawn_again_alike() -> None:
    settings = parse_settings(["learning_rate=0.001..1.0", "batch_size=32..256", "optimizer=sgd,adam"])
    candidates = drawn(["softmax"], settings, trials=300, seed=1)
    assert candidates == drawn(["softmax"], settings, trials=300, seed=1)
    assert candidates != drawn(["softmax"], settings, trials=300, seed=2)
    recipes = [one.recipe for one in candidates]
    assert all(0.001 <= one.learning_rate <= 1 and 32 <= one.batch_size <= 256 for one in recipes)
    # Evenly on a logarithmic scale: a third of them in each power of ten.
    tens = Counter(0 if one.learning_rate < 0.01 else 1 if one.learning_rate < 0.1 else 2 for one in recipes)
    assert all(70 <= count <= 130 for count in tens.values())
    assert 110 <= sum(one.optimizer == "adam" for one in recipes) <= 190
    assert Range(-1.0, 1.0).logarithmic is False


def test_one_combination_that_is_drawn_twice_is_tried_once() -> None:
    assert len(drawn(["softmax"], {"batch_size": (50, 100)}, trials=50, seed=0)) == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["learning_rate"], "expected FIELD=VALUE,VALUE"),
        (["=1"], "expected FIELD=VALUE,VALUE"),
        (["learning_rate=0.1", "learning_rate=0.2"], "is set twice"),
        (["learning_rate=1..0.1"], "from a smaller number to a larger one"),
        (["learning_rate=a..b"], "from a number to a number"),
        (["learning_rate=0.1..1.0"], "a grid needs single values"),
        (["learning_rat=0.1"], "Did you mean 'learning_rate'"),
        (["learning_rate=fast"], "`learning_rate` must be a number"),
        (["momentum=0.5"], "has no effect"),
        (["model.hidden=5"], "hidden"),
    ],
)
def test_settings_that_are_none(given: list[str], message: str) -> None:
    with pytest.raises(MnistryError, match=message):
        grid(["softmax"], parse_settings(given))


def test_recipes_that_cannot_be_chosen_by_validation() -> None:
    with pytest.raises(InvalidValueError, match="takes recipes of single images"):
        grid(["reader"], {})
