"""What a recipe's arithmetic takes at the best rate: dense, and without products with blank pixels."""

import json
from pathlib import Path

import pytest

import limit
from arithmetic import multiply_adds
from mnistry.recipes import RECIPES

# 784·500 + 500·10 multiply-adds; the first need no gradient of their input.
OF_MLP = 2 * (2 * 784 * 500 + 3 * 500 * 10)


def test_the_arithmetic_of_a_step_is_counted_with_and_without_blank_pixels() -> None:
    row = limit.row("mlp", 50, 2.0, 100.0, 0.25)
    examples = 50 * RECIPES["mlp"].batch_size
    assert row["operations_per_image"] == OF_MLP
    assert row["seconds_at_best_rate"] == pytest.approx(OF_MLP * examples / 100e9)
    without = 2 * (2 * 784 * 500 / 4 + 3 * 500 * 10)
    assert row["seconds_without_blanks"] == pytest.approx(without * examples / 100e9)
    assert row["images_per_second"] == examples / 2
    assert row["gflops"] == pytest.approx(OF_MLP * examples / 2 / 1e9)
    assert row["share"] == pytest.approx(row["seconds_at_best_rate"] / 2)


def test_blank_pixels_are_left_out_of_the_first_layer_alone() -> None:
    """Its products, forward and for its weights; an LSTM sees the picture in each of its 28 steps."""
    of_lstm = multiply_adds(RECIPES["lstm"].model)
    assert of_lstm.with_picture == 28 * 28 * 600
    assert of_lstm.with_hidden == 28 * 150 * 600 + 150 * 10
    assert of_lstm.training_operations(0.0) == 6 * of_lstm.with_hidden
    assert of_lstm.training_operations() - of_lstm.training_operations(0.5) == 2 * of_lstm.with_picture


def test_the_table_tells_seconds_of_the_whole_recipe() -> None:
    """10,000 steps of `mlp`, of which 50 were measured; `lstm`, not trained, has its arithmetic alone."""
    rows = [limit.row("mlp", 50, 2.0, 100.0, 0.25), limit.row("lstm", 50, None, 100.0, 0.25)]
    *_, mlp, lstm = limit.table(rows, 50, 100.0).splitlines()
    dense = OF_MLP * 200 * 10_000 / 100e9
    cells = [cell.strip() for cell in mlp.strip("| ").split("|")]
    assert cells == ["`mlp`", "1.60", "5,000", "8", "8%", "400", f"{dense:.2g}", "8.4"]
    cells = [cell.strip() for cell in lstm.strip("| ").split("|")]
    assert cells[:6] == ["`lstm`", "17.01", "–", "–", "–", "–"]
    assert float(cells[6].replace(",", "")) == pytest.approx(17.0106e6 * 128 * 7813 / 100e9, rel=0.01)


def test_the_seconds_of_whole_recipes_are_those_of_the_last_measurement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [limit.row("mlp", 50, 2.0, 100.0, 0.25), limit.row("record", 50, None, 100.0, 0.25)]
    (tmp_path / "limit.json").write_text(json.dumps({"steps": 50, "rows": rows}))
    monkeypatch.setattr(limit, "RESULTS", tmp_path / "limit.json")
    assert limit.recipe_seconds() == {"mlp": 2.0 * 10_000 / 50}


def test_a_short_training_that_learns_nothing_is_timed_and_one_that_fails_is_told(tmp_path: Path) -> None:
    """`scratch` is still guessing after so few steps, and its process says so by its exit status."""
    assert limit.seconds_of("scratch", tmp_path, 20, "--data", "optdigits") > 0
    with pytest.raises(SystemExit, match="no-such-data"):
        limit.seconds_of("scratch", tmp_path, 20, "--data", "no-such-data")
