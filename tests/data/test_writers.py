import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistry.data import Dataset, idx
from mnistry.data.writers import read_writers
from mnistry.errors import DataError, DataNotFoundError, InvalidValueError


@pytest.fixture
def digits(small: Dataset) -> Dataset:
    return replace(small, name="mnist")


def table(labels: np.ndarray, extra_rows: int = 0) -> np.ndarray:
    """Row i is written by writer 1000 + i // 4, of series 4 from row 10 on."""
    count = len(labels) + extra_rows
    rows = np.zeros((count, 8), np.int32)
    rows[: len(labels), 0] = labels
    rows[:, 1] = np.where(np.arange(count) < 10, 0, 4)
    rows[:, 2] = 1000 + np.arange(count) // 4
    return rows


def as_text(rows: np.ndarray) -> bytes:
    return "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


FILES: dict[str, Callable[[np.ndarray], bytes]] = {
    "qmnist-train-labels.tsv": as_text,
    "qmnist-train-labels.tsv.gz": lambda rows: gzip.compress(as_text(rows)),
    "qmnist-train-labels-idx2-int": idx.encode,
    "qmnist-train-labels-idx2-int.gz": lambda rows: gzip.compress(idx.encode(rows)),
}


@pytest.mark.parametrize("below", ["qmnist", "."])
@pytest.mark.parametrize("name", FILES)
def test_every_form_of_the_table(digits: Dataset, tmp_path: Path, name: str, below: str) -> None:
    path = tmp_path / below / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(FILES[name](table(digits.train.labels)))
    found = read_writers(digits, "train", tmp_path)
    assert found.source == path
    assert found.writers[[0, 3, 4, 22]].tolist() == [1000, 1000, 1001, 1005]
    assert found.series[[0, 9, 10, 22]].tolist() == [0, 0, 4, 4]
    assert len(found.writers) == len(found.series) == 23


def test_the_test_table_may_be_longer(digits: Dataset, tmp_path: Path) -> None:
    """MNIST's 10,000 test digits are the first of QMNIST's 60,000."""
    (tmp_path / "qmnist-test-labels.tsv").write_bytes(as_text(table(digits.test.labels, extra_rows=50)))
    assert len(read_writers(digits, "test", tmp_path).writers) == 11


def test_a_missing_table_says_which_file_to_put_where(digits: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError) as caught:
        read_writers(digits, "train", tmp_path)
    message = str(caught.value)
    assert "qmnist-train-labels-idx2-int.gz" in message
    assert "FOLDER/qmnist" in message
    assert str(tmp_path) in message
    assert "mnistry data fetch qmnist" in message


def test_other_data_sets_have_no_table(small: Dataset) -> None:
    with pytest.raises(InvalidValueError, match="writers of 'small' are not known"):
        read_writers(small)


def test_a_table_of_other_digits(digits: Dataset, tmp_path: Path) -> None:
    rows = table(digits.train.labels)
    rows[5, 0] = 9
    (tmp_path / "qmnist-train-labels.tsv").write_bytes(as_text(rows))
    with pytest.raises(DataError, match=r"row 5 says class 9, the label is 5 \(1 rows differ\)"):
        read_writers(digits, "train", tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("qmnist-train-labels.tsv", b"1\t2\t3\n", "not a table of 8 whole numbers"),
        ("qmnist-train-labels.tsv", b"a\tb\tc\td\te\tf\tg\th\n", "not a table of 8 whole numbers"),
        ("qmnist-train-labels.tsv", "ß".encode(), "not a table of 8 whole numbers"),
        (
            "qmnist-train-labels.tsv.gz",
            gzip.compress(bytes(999), mtime=0)[:-5],
            "not a table of 8 whole numbers",
        ),
        ("qmnist-train-labels.tsv", as_text(table(np.arange(5))), "each of 23 examples, found 5"),
        ("qmnist-train-labels-idx2-int", idx.encode(np.zeros((3, 7), np.int32)), r"expected int32 of shape"),
        ("qmnist-train-labels-idx2-int", b"junk", "not an IDX file"),
    ],
)
def test_a_damaged_table(digits: Dataset, tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_writers(digits, "train", tmp_path)
    assert str(tmp_path / name) in str(caught.value)


def test_the_writers_of_mnist(mnist: Dataset, real_data: Path) -> None:
    train, test = (read_writers(mnist, part, real_data) for part in ("train", "test"))
    assert len(np.unique(train.writers)) == 539
    assert len(np.unique(test.writers)) == 297
    assert not np.intersect1d(train.writers, test.writers).size
    assert (test.series[:5_000] == 4).all(), "the first half of the test digits are students'"
    assert (test.series[5_000:] == 4).sum() == 1
