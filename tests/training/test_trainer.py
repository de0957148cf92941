"""Stepping by hand gives the numbers of a run, and leaves the state to look at and to put back."""

from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from safetensors.numpy import load_file

from mnistry.errors import InvalidValueError, TrainingError, UnknownNameError
from mnistry.export.arrays import named_arrays
from mnistry.models import PerceptronConfig
from mnistry.recipes import RECIPES
from mnistry.training import Run, Trainer, resume, train

RECIPE = RECIPES["mlp"].changed(
    model=PerceptronConfig(hidden=(9,)),
    batch_size=20,
    steps=60,
    log_every=10,
    validate_every=20,
    checkpoint_every=20,
)


def timeless(rows: list[Any]) -> list[Any]:
    return [{name: value for name, value in row.items() if "second" not in name} for row in rows]


@pytest.fixture(scope="module")
def seen() -> dict[str, list[Any]]:
    return {"intervals": [], "validations": []}


@pytest.fixture(scope="module")
def run(seen: dict[str, list[Any]], tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(
        RECIPE,
        data="optdigits",
        seed=3,
        runs=tmp_path_factory.mktemp("runs"),
        on_interval=seen["intervals"].append,
        on_validation=seen["validations"].append,
    )


def test_by_steps_by_hundreds_and_by_iteration_the_numbers_are_those_of_a_run(run: Run) -> None:
    rows: list[Any] = []
    trainer = Trainer(RECIPE, data="optdigits", seed=3, on_interval=rows.append)
    losses = [trainer.step() for _ in range(7)]
    losses += trainer.steps(30).tolist()
    assert repr(trainer) == "Trainer(mlp: 37 of 60 steps)"
    steps = list(trainer)
    assert [step.number for step in steps] == list(range(38, 61))
    losses += [step.loss for step in steps]
    expected = load_file(run.path / "trainable.safetensors")
    found = named_arrays(trainer.state.final_model)
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
    assert timeless(trainer.history) == timeless(rows) == timeless(run.history())
    assert [losses[row["step"] - 1] for row in rows] == [row["loss"] for row in rows]
    assert trainer.evaluate().to_json() == run.evaluation.to_json()
    assert trainer.evaluate("validation").accuracy == pytest.approx(rows[-1]["validation_accuracy"])


def test_what_a_run_calls_at_its_intervals(run: Run, seen: dict[str, list[Any]], tmp_path: Path) -> None:
    assert seen["intervals"] == run.history()
    assert [row["step"] for row in seen["validations"]] == [20, 40, 60]
    assert all("validation_accuracy" in row for row in seen["validations"])
    rows: list[Any] = []
    resume(run.path, steps=70, on_validation=rows.append)
    assert [row["step"] for row in rows] == [70]

    def stop(row: Any) -> None:
        raise RuntimeError("seen enough")

    with pytest.raises(RuntimeError, match="seen enough"):
        train(RECIPE, data="optdigits", seed=3, runs=tmp_path, on_interval=stop)
    assert not (tmp_path / "mlp-1" / "evaluation.json").exists()


def test_a_state_stays_as_it_was_and_can_be_put_back() -> None:
    trainer = Trainer(RECIPE, data="optdigits")
    trainer.steps(15)
    before = trainer.state
    copy = [np.array(leaf) for leaf in jax.tree.leaves(before)]
    first = trainer.steps(20)
    for kept, leaf in zip(copy, jax.tree.leaves(before), strict=True):
        np.testing.assert_array_equal(leaf, kept)
    trainer.state = before
    assert trainer.made == 15
    assert [row["step"] for row in trainer.history] == [10]
    np.testing.assert_array_equal(trainer.steps(20), first)
    assert [row["step"] for row in trainer.history] == [10, 20, 30]


def test_what_a_trainer_cannot_do_is_said() -> None:
    trainer = Trainer("softmax", data="optdigits", steps=5, validation=0)
    with pytest.raises(InvalidValueError, match=r"`count` must be 0 to 5, not 6: 0 of the 5 steps are made"):
        trainer.steps(6)
    assert len(trainer.steps()) == 5
    with pytest.raises(InvalidValueError, match="5 of the 5 steps are made"):
        trainer.step()
    with pytest.raises(UnknownNameError, match=r"no part 'tests'\. Did you mean 'test'"):
        trainer.evaluate("tests")  # type: ignore[arg-type]
    with pytest.raises(InvalidValueError, match="`part='validation'`: there are no images in it"):
        trainer.evaluate("validation")
    with pytest.raises(InvalidValueError, match="learns from pages"):
        Trainer("reader")
    wild = {"learning_rate": 1e20, "loss": "squared-error", "reduction": "sum", "l2_penalty": 1.0}
    diverging = Trainer("softmax", data="optdigits", **wild)
    with pytest.raises(TrainingError, match=r"loss is not finite at step \d+, with the learning rate 1e\+20"):
        diverging.steps(100)
