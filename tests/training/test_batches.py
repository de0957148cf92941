"""The laws of the order of examples."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnistry.errors import UnknownNameError
from mnistry.training import batches
from mnistry.training.batches import batch_indices

sizes = st.integers(1, 40)


@given(examples=sizes, batch_size=sizes, seed=st.integers(0, 5))
def test_shuffled_batches_use_every_example_once_an_epoch(examples: int, batch_size: int, seed: int) -> None:
    epochs = 3
    steps = -(-epochs * examples // batch_size)
    stream = batch_indices(
        0, steps, examples=examples, batch_size=batch_size, order="shuffled", seed=seed
    ).ravel()
    for epoch in range(epochs):
        assert sorted(stream[epoch * examples : (epoch + 1) * examples]) == list(range(examples))


@given(
    examples=sizes,
    batch_size=sizes,
    first=st.integers(0, 30),
    count=st.integers(0, 20),
    cut=st.integers(0, 20),
)
def test_a_run_cut_anywhere_sees_the_same_batches(
    examples: int, batch_size: int, first: int, count: int, cut: int
) -> None:
    cut = min(cut, count)
    for order in ("shuffled", "file"):
        settings = {"examples": examples, "batch_size": batch_size, "order": order, "seed": 7}
        whole = batch_indices(first, count, **settings)  # type: ignore[arg-type]
        before = batch_indices(first, cut, **settings)  # type: ignore[arg-type]
        after = batch_indices(first + cut, count - cut, **settings)  # type: ignore[arg-type]
        np.testing.assert_array_equal(whole, np.concatenate([before, after]))


def test_file_order_ends_each_epoch_with_a_short_batch() -> None:
    found = batch_indices(2, 4, examples=7, batch_size=3, order="file", seed=0)
    assert found.tolist() == [[6, -1, -1], [0, 1, 2], [3, 4, 5], [6, -1, -1]]


def test_another_seed_or_epoch_is_another_order() -> None:
    def order(seed: int, first: int) -> list[int]:
        return batch_indices(first, 1, examples=50, batch_size=50, order="shuffled", seed=seed)[0].tolist()

    assert order(0, 0) != order(1, 0)
    assert order(0, 0) != order(0, 1)
    assert order(0, 0) == order(0, 0)


def test_only_the_epochs_of_the_batches_are_shuffled(monkeypatch: pytest.MonkeyPatch) -> None:
    epochs = []

    def shuffled(examples: int, seed: int, epoch: int) -> np.ndarray:
        epochs.append(epoch)
        return np.arange(examples, dtype=np.int32)

    monkeypatch.setattr(batches, "_shuffled", shuffled)
    found = batch_indices(700, 2, examples=7, batch_size=4, order="shuffled", seed=0)
    assert found.tolist() == [[0, 1, 2, 3], [4, 5, 6, 0]]
    assert epochs == [400, 401]


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no order 'shuffle'\. Did you mean 'shuffled'"):
        batch_indices(0, 1, examples=5, batch_size=2, order="shuffle", seed=0)  # type: ignore[arg-type]
