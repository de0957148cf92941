"""What is printed while training: which losses, under which headings, and which accuracy."""

from itertools import pairwise

import numpy as np
import pytest

from mnistry.errors import InvalidValueError, UnknownNameError
from mnistry.training.batches import Epochs
from mnistry.training.progress import TrainingProgress


def printed(progress: TrainingProgress, steps: int, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """What is said of losses that are the numbers of their steps, which come in pieces."""
    losses = np.arange(1, steps + 1, dtype=np.float32)
    for first in range(0, steps, 7):
        progress.losses(first + 1, losses[first : first + 7])
    return capsys.readouterr().err.splitlines()


def test_each_epoch_that_goes_through_the_file_counts_its_batches_from_0(
    capsys: pytest.CaptureFixture[str],
) -> None:
    progress = TrainingProgress(print_every=2).over(8, Epochs(9, 2, "file"))
    assert printed(progress, 8, capsys) == [
        "epoch 1 of 2",
        "step 1, batch 0: loss 1",
        "step 3, batch 2: loss 3",
        "step 5, batch 4: loss 5",
        "epoch 2 of 2",
        "step 6, batch 0: loss 6",
        "step 8, batch 2: loss 8",
    ]


def test_the_first_loss_is_printed_every_so_many_th_and_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    progress = TrainingProgress(print_every=3).over(11, Epochs(18, 4, "shuffled"))
    assert printed(progress, 11, capsys) == [
        "epoch 1 of 3",
        "step 1: loss 1",
        "step 3: loss 3",
        "epoch 2 of 3",
        "step 6: loss 6",
        "step 9: loss 9",
        "epoch 3 of 3",
        "step 11: loss 11",
    ]


@pytest.mark.parametrize("epochs", [None, Epochs(18, 4, "shuffled")])
def test_no_headings_where_each_epoch_has_a_line_or_none(
    epochs: Epochs | None, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = TrainingProgress(print_every=5).over(10, epochs)
    assert printed(progress, 10, capsys) == ["step 1: loss 1", "step 5: loss 5", "step 10: loss 10"]
    assert printed(TrainingProgress().over(10, epochs), 10, capsys) == []


def test_the_place_of_every_step_is_counted_within_its_epoch() -> None:
    """Of a shuffled order, too, whose batches run on from one epoch to the next."""
    for order in ("shuffled", "file"):
        places = [Epochs(7, 3, order).place(step) for step in range(40)]
        assert places[0] == (0, 0)
        for (epoch, batch), (next_epoch, next_batch) in pairwise(places):
            assert (next_epoch, next_batch) in ((epoch, batch + 1), (epoch + 1, 0))
        assert max(batch for _, batch in places) < Epochs(7, 3, order).steps
    assert [Epochs(7, 3, "shuffled").place(step)[0] for step in (2, 3, 4, 5, 7)] == [0, 1, 1, 2, 3]


def test_what_cannot_be_shown_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="`print_every` must be at least 0, not -1"):
        TrainingProgress(print_every=-1)
    with pytest.raises(InvalidValueError, match="`accuracy_images=5` has no effect: it needs `accuracy_ev"):
        TrainingProgress(accuracy_images=5)
    with pytest.raises(InvalidValueError, match="`accuracy_on='test'` has no effect"):
        TrainingProgress(accuracy_on="test")
    with pytest.raises(UnknownNameError, match=r"no part 'tests'\. Did you mean 'test'"):
        TrainingProgress(accuracy_every=5, accuracy_on="tests")  # type: ignore[arg-type]
