"""The table of the recipes: accuracies of all seeds, seconds where they were measured."""

import pytest

import recipes


def test_a_recipe_whose_pace_was_not_measured_has_its_accuracies_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(recipes, "recipe_seconds", lambda: {"mlp": 15.63})
    measured = {"0": {"accuracy": 0.98}, "1": {"accuracy": 0.99}}
    *_, mlp, record = recipes.table({"mlp": measured, "record": measured}).splitlines()
    for row, seconds in ((mlp, "16"), (record, "–")):
        cells = [cell.strip() for cell in row.strip("| ").split("|")]
        assert cells[4:6] == [seconds, "0.9850 ± 0.0071 (2)"]
