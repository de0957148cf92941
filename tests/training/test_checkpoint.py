"""Checkpoints come back bit for bit, or are reported."""

import os
from dataclasses import replace
from pathlib import Path

import jax
import numpy as np
import pytest

from mnistry.errors import CheckpointError
from mnistry.models import PerceptronConfig
from mnistry.recipes import RECIPES, Recipe
from mnistry.training.checkpoint import checkpoints, load_checkpoint, load_newest, save_checkpoint
from mnistry.training.state import State, initial_state


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    return replace(RECIPES["mlp"], model=PerceptronConfig(hidden=(7,)), optimizer="adam")


@pytest.fixture(scope="module")
def state(recipe: Recipe) -> State:
    return initial_state(recipe, 3)


def at_step(state: State, step: int) -> State:
    return replace(state, step=np.asarray(step, np.int32))


def test_a_state_comes_back_bit_for_bit(recipe: Recipe, state: State, tmp_path: Path) -> None:
    weird = jax.tree.map(lambda a: a, state)
    path = save_checkpoint(tmp_path, weird, keep=5, of="a run")
    back = load_checkpoint(path, like=initial_state(recipe, 99), of="a run")
    for a, b in zip(jax.tree.leaves(state), jax.tree.leaves(back), strict=True):
        assert a.dtype == b.dtype
        assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_only_the_newest_are_kept(state: State, tmp_path: Path) -> None:
    for step in range(1, 9):
        save_checkpoint(tmp_path, at_step(state, step * 1000), keep=5, of="a run")
    assert [path.name for path in checkpoints(tmp_path).values()] == [
        f"step-{n:08d}.safetensors" for n in range(4000, 9000, 1000)
    ]


@pytest.mark.parametrize("damage", ["truncated", "changed", "empty", "text"])
def test_a_damaged_newest_checkpoint_is_reported_and_the_one_before_it_used(
    state: State, tmp_path: Path, damage: str
) -> None:
    save_checkpoint(tmp_path, at_step(state, 1), keep=5, of="a run")
    newest = save_checkpoint(tmp_path, at_step(state, 2), keep=5, of="a run")
    content = bytearray(newest.read_bytes())
    content[-5] ^= 1  # the lowest bits of a weight: nothing but a checksum finds this
    newest.write_bytes(
        {"truncated": content[:-9], "changed": content, "empty": b"", "text": b"hello"}[damage]
    )
    found, errors = load_newest(tmp_path, like=state, of="a run")
    assert found is not None
    assert int(found.step) == 1
    assert len(errors) == 1
    assert str(newest) in str(errors[0])
    assert "damaged" in str(errors[0])


def test_no_checkpoint_at_all(state: State, tmp_path: Path) -> None:
    assert load_newest(tmp_path, like=state, of="a run") == (None, [])


def test_a_checkpoint_of_another_recipe_names_the_array(state: State, tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, state, keep=5, of="a run")
    other = initial_state(replace(RECIPES["mlp"], model=PerceptronConfig(hidden=(8,))), 0)
    with pytest.raises(
        CheckpointError, match=r"not of this recipe: array '.*': expected float32\[.*8.*found"
    ):
        load_checkpoint(path, like=other, of="a run")


def test_a_failed_write_leaves_the_folder_as_it_was(
    state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_checkpoint(tmp_path, at_step(state, 1), keep=1, of="a run")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        save_checkpoint(tmp_path, at_step(state, 2), keep=1, of="a run")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_checkpoint_of_another_run_is_named(recipe: Recipe, state: State, tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path, state, keep=5, of="another run")
    with pytest.raises(CheckpointError, match=r"safetensors: of another run"):
        load_checkpoint(path, like=state, of="a run")


def test_a_folder_or_a_pipe_in_the_place_of_a_checkpoint_is_reported(state: State, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, at_step(state, 1), keep=5, of="a run")
    (tmp_path / "step-00000002.safetensors").mkdir()
    os.mkfifo(tmp_path / "step-00000003.safetensors")  # opening it would wait for ever
    found, errors = load_newest(tmp_path, like=state, of="a run")
    assert found is not None
    assert int(found.step) == 1
    assert ["named pipe" in str(error) for error in errors] == [True, False]
    assert "step-00000002.safetensors: cannot be read: Is a directory" in str(errors[1])
    (tmp_path / "step-00000009.safetensors").write_bytes(b"of a later step, and damaged")
    newest = save_checkpoint(tmp_path, at_step(state, 4), keep=1, of="a run")
    assert list(checkpoints(tmp_path)) == [2, 3, 4, 9], "what is not ours stays"
    assert load_checkpoint(newest, like=state, of="a run").step == 4


def test_the_newest_is_that_of_the_largest_step(state: State, tmp_path: Path) -> None:
    for step in (99_999_999, 100_000_000):
        save_checkpoint(tmp_path, at_step(state, step), keep=5, of="a run")
    (tmp_path / "step-99999999 (copy).safetensors").write_bytes(b"")
    found, errors = load_newest(tmp_path, like=state, of="a run")
    assert found is not None
    assert (int(found.step), errors) == (100_000_000, [])
