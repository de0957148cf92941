import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mnistry.data import Dataset, Examples, load
from mnistry.data.convert import write
from mnistry.data.dataset import DIGITS
from mnistry.errors import DataError, InvalidValueError
from mnistry.suspects import find_suspects

CONFIRMED = {
    *(947, 1621, 1901, 2130, 2462, 2597, 2654, 3520),
    *(3558, 5937, 6651, 6783, 8527, 9679, 9729),
}
"""MNIST's test images of whose label fewer than three of five people approved: `mnist_mturk.json` of
https://github.com/cleanlab/label-errors, published with C. Northcutt, A. Athalye, J. Mueller, "Pervasive
label errors in test sets destabilize machine learning benchmarks", 2021."""


@pytest.fixture(scope="module")
def planted(optdigits: Dataset) -> tuple[Dataset, set[tuple[str, int]]]:
    """The bundled digits with fifty wrong labels, and where these are."""
    random = np.random.default_rng(5)
    parts: dict[str, Examples] = {}
    wrong: set[tuple[str, int]] = set()
    for name, part, count in (("train", optdigits.train, 40), ("test", optdigits.test, 10)):
        rows = random.choice(len(part), count, replace=False)
        labels = part.labels.copy()
        labels[rows] = (labels[rows] + random.integers(1, 10, count)) % 10
        parts[name] = Examples(part.images, labels)
        wrong |= {(name, int(row)) for row in rows}
    return Dataset("planted", parts["train"], parts["test"], DIGITS, "made", {}), wrong


def test_planted_labels_are_found_first(planted: tuple[Dataset, set[tuple[str, int]]]) -> None:
    dataset, wrong = planted
    # The linear model finds them as well as a net does, in a tenth of the time.
    found = find_suspects(dataset, recipe="softmax", most=100)
    assert len(found) == 100
    hits = [one for one in found if (one.part, one.row) in wrong]
    assert len(hits) >= 45
    true = load("optdigits")
    parts = {"train": true.train, "test": true.test}
    assert sum(one.suggested == parts[one.part].labels[one.row] for one in hits) >= 40
    assert sum(one.confident for one in hits) >= 35
    assert all(np.array_equal(one.image, parts[one.part].images[one.row]) for one in found)
    assert [one.quality for one in found] == sorted(one.quality for one in found)


def test_the_command(
    planted: tuple[Dataset, set[tuple[str, int]]], tmp_path: Path, mnistry: Callable[..., Any]
) -> None:
    dataset, wrong = planted
    write(dataset, tmp_path / "own", "idx")
    names = {"--sheet": "s.png", "--csv": "s.csv", "--part": "test", "--most": 30, "--recipe": "softmax"}
    flags = [word for pair in names.items() for word in pair] + ["--folds", 2]
    done = mnistry("data", "suspects", tmp_path / "own", *flags)
    assert done.returncode == 0, done.stderr
    with (tmp_path / "s.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 30
    assert {row["part"] for row in rows} == {"test"}
    assert len({("test", int(row["row"])) for row in rows} & wrong) >= 8
    assert "of the 30 labels that fit least, the models take " in done.stdout
    with Image.open(tmp_path / "s.png") as sheet:
        assert sheet.width == 10 * 62 + 6
    done = mnistry("data", "suspects", tmp_path / "own", "--most", 0)
    assert (done.returncode, done.stderr) == (2, "mnistry: --most must be at least 1, not 0\n")


def test_what_cannot_be_judged(optdigits: Dataset, small: Dataset) -> None:
    with pytest.raises(
        DataError, match="of each at least as many images as there are folds, 5; found 10, and"
    ):
        find_suspects(small)
    with pytest.raises(InvalidValueError, match="`folds` must be at least 2, not 1"):
        find_suspects(optdigits, folds=1)
    with pytest.raises(DataError, match="no images in the validation part"):
        find_suspects(optdigits, "validation")


@pytest.fixture
def small() -> Dataset:
    images = np.random.default_rng(0).integers(0, 256, (23, 28, 28), np.uint8)
    part = Examples(images, np.arange(23, dtype=np.uint8) % 10)
    return Dataset("small", part, part[:0], DIGITS, "made", {})


@pytest.mark.slow
def test_most_of_the_wrong_labels_of_mnist_are_found(mnist: Dataset) -> None:
    found = find_suspects(mnist, "test", most=100)
    assert len({one.row for one in found} & CONFIRMED) >= 12
