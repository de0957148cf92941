from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnistry.data import Dataset, Examples
from mnistry.data.dataset import DIGITS
from mnistry.data.split import Split, check_trainable, split
from mnistry.data.writers import read_writers
from mnistry.errors import DataError, InvalidValueError, UnknownNameError


def numbered(count: int) -> Dataset:
    """Examples that carry their row number in their first two pixels."""
    images = np.zeros((count, 28, 28), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = np.divmod(np.arange(count), 256)
    train = Examples(images, np.zeros(count, np.uint8))
    return Dataset("numbered", train, train[:3], DIGITS, "", {})


def rows(part: Examples) -> list[int]:
    return [int(image[0, 0]) * 256 + int(image[0, 1]) for image in part.images]


def test_first_rows() -> None:
    dataset = numbered(600)
    parts = split(dataset, validation=1 / 12, how="first", seed=0, writers=None)
    assert np.shares_memory(parts.train.images, dataset.train.images), "44 MB of MNIST need no copy"
    assert rows(parts.validation) == list(range(50))
    assert rows(parts.train) == list(range(50, 600))
    assert rows(parts.test) == [0, 1, 2]
    assert rows(split(numbered(600), validation=7, how="first", seed=1, writers=None).validation) == [
        *range(7)
    ]


@pytest.mark.parametrize("how", ["first", "random"])
def test_what_stands_in_the_order_of_its_classes_is_shuffled(how: str) -> None:
    """As folders hold it: else validation would be zeros alone, and the last batches of a file nines."""
    plain = numbered(600)
    ordered = replace(
        plain, train=Examples(plain.train.images, np.repeat(np.arange(10), 60).astype(np.uint8))
    )
    parts = split(ordered, validation=100, how=how, seed=0, writers=None)  # type: ignore[arg-type]
    assert sorted(rows(parts.train) + rows(parts.validation)) == list(range(600))
    assert set(parts.validation.labels.tolist()) == set(range(10))
    assert set(parts.train.labels[:100].tolist()) == set(range(10))
    again, other = (
        split(ordered, validation=100, how=how, seed=seed, writers=None)  # type: ignore[arg-type]
        for seed in (0, 1)
    )
    assert rows(again.train) == rows(parts.train) != rows(other.train)


def test_what_is_not_in_the_order_of_its_classes_keeps_its_own() -> None:
    plain = numbered(600)
    labels = np.arange(600) % 10
    parts = split(
        replace(plain, train=Examples(plain.train.images, labels.astype(np.uint8))),
        validation=100,
        how="first",
        seed=0,
        writers=None,
    )
    assert rows(parts.validation) == list(range(100))


HOWS = st.sampled_from(["first", "random", "writer"])


@given(HOWS, st.integers(0, 30), st.integers(0, 9), st.integers(2, 20))
def test_every_row_is_in_one_part(how: str, wanted: int, seed: int, hands: int) -> None:
    writers = np.arange(60) * 7919 % hands
    parts = split(numbered(60), validation=wanted, how=how, seed=seed, writers=writers)  # type: ignore[arg-type]
    train, validation = rows(parts.train), rows(parts.validation)
    assert sorted(train + validation) == list(range(60))
    assert train == sorted(train)
    assert validation == sorted(validation)
    if how == "writer":
        assert wanted <= len(validation) < wanted + np.bincount(writers).max()
        assert not set(writers[train]) & set(writers[validation])
    else:
        assert len(validation) == wanted


@pytest.mark.parametrize("how", ["random", "writer"])
def test_the_seed_decides(how: str) -> None:
    def drawn(seed: int) -> Split:
        writers = np.arange(300) // 10
        return split(numbered(300), validation=0.2, how=how, seed=seed, writers=writers)  # type: ignore[arg-type]

    assert rows(drawn(0).validation) == rows(drawn(0).validation)
    assert rows(drawn(0).validation) != rows(drawn(1).validation)
    assert len(drawn(0).validation) == 60


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        (1.0, "not including 1, found 1.0; write a whole number"),
        (-0.1, "found -0.1"),
        (float("nan"), "found nan"),
        (20, "cannot set 20 of 20"),
        (-1, "cannot set -1 of 20"),
        (0.99, "cannot set 20 of 20"),
    ],
)
def test_sizes_that_make_no_sense(validation: float, message: str) -> None:
    with pytest.raises(InvalidValueError, match=message):
        split(numbered(20), validation=validation, how="random", seed=0, writers=None)


def test_an_unknown_way_to_split_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"no split 'randm'\. Did you mean 'random'"):
        split(numbered(20), validation=5, how="randm", seed=0, writers=None)  # type: ignore[arg-type]


def test_writers_that_make_no_sense() -> None:
    with pytest.raises(InvalidValueError, match=r"qmnist-train-labels-idx2-int.gz"):
        split(numbered(20), validation=5, how="writer", seed=0, writers=None)
    with pytest.raises(InvalidValueError, match=r"each of 20 examples, found \(19,\)"):
        split(numbered(20), validation=5, how="writer", seed=0, writers=np.zeros(19, int))
    with pytest.raises(InvalidValueError, match="leave none of the 1 writers"):
        split(numbered(20), validation=5, how="writer", seed=0, writers=np.zeros(20, int))


def test_mnist_as_the_tutorials_divide_it(mnist: Dataset) -> None:
    parts = split(mnist, validation=1 / 12, how="first", seed=0, writers=None)
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [55_000, 5_000, 10_000]
    np.testing.assert_array_equal(parts.validation.labels, mnist.train.labels[:5_000])


def test_mnist_by_writer(mnist: Dataset, real_data: Path) -> None:
    writers = read_writers(mnist, "train", real_data).writers
    parts = split(mnist, validation=5_000, how="writer", seed=0, writers=writers)
    assert len(parts.train) + len(parts.validation) == 60_000
    assert 5_000 <= len(parts.validation) < 5_000 + np.bincount(writers).max()


def parts_of(labels: list[int], images: np.ndarray | None = None) -> Split:
    if images is None:
        images = np.zeros((len(labels), 28, 28), np.uint8)
        images[:, 3, 4] = 9
    part = Examples(images, np.array(labels, np.uint8))
    return Split(part, part[:0], part)


def test_what_can_be_learnt_from() -> None:
    check_trainable(parts_of([3, 8, 3]), "own")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            [7, 7, 7],
            "own: expected training images of two classes or more, found that all 3 have the label 7",
        ),
        ([], "two classes or more, found that there are none"),
    ],
)
def test_one_class_is_nothing_to_learn_from(labels: list[int], message: str) -> None:
    with pytest.raises(DataError, match=message):
        check_trainable(parts_of(labels), "own")


@pytest.mark.parametrize("part", ["train", "validation", "test"])
@pytest.mark.parametrize("level", [0, 200])
def test_blank_images_are_no_examples(part: str, level: int) -> None:
    parts = parts_of([3, 8, 3])
    images = parts.train.images.copy()
    images[1] = level
    blank = replace(parts, **{part: Examples(images, parts.train.labels)})
    message = rf"own: 1 of 3 {part}\w* images are blank.*the first in row 1 \(label 8, pixels {level}\)"
    with pytest.raises(DataError, match=message):
        check_trainable(blank, "own")
