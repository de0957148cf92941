import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistry.data import Dataset, Examples, idx, load
from mnistry.data.catalog import Entry, File
from mnistry.data.fetch import fetch
from mnistry.data.loading import from_files, place
from mnistry.errors import DataError, DataNotFoundError, InvalidValueError, MnistryError, UnknownNameError


def same(left: Examples, right: Examples) -> bool:
    return np.array_equal(left.images, right.images) and np.array_equal(left.labels, right.labels)


def test_files_become_a_data_set(
    entry: Entry, small: Dataset, put: Callable[..., None], tmp_path: Path
) -> None:
    put(tmp_path)
    dataset = from_files(entry, fetch(entry, tmp_path, may_download=False))
    assert same(dataset.train, small.train)
    assert same(dataset.test, small.test)
    assert dataset.name == "small"
    assert dataset.source == f"{tmp_path} (verified by checksum)"
    assert dataset.sha256 == {file.name: file.sha256 for file in entry.files}


def test_what_could_not_be_verified_is_said(entry: Entry, put: Callable[..., None], tmp_path: Path) -> None:
    put(tmp_path / "small")
    files = (File(entry.files[0].name), *entry.files[1:])
    dataset = from_files(entry, fetch(replace(entry, files=files), tmp_path, may_download=False))
    assert "not verified by any checksum: train-images-idx3-ubyte)" in dataset.source


def test_transposed_images_are_turned_back(
    entry: Entry, small: Dataset, put: Callable[..., None], tmp_path: Path
) -> None:
    put(tmp_path)
    dataset = from_files(replace(entry, transposed=True), fetch(entry, tmp_path, may_download=False))
    assert dataset.test.images[3, 20, 5] == small.test.images[3, 5, 20]
    np.testing.assert_array_equal(dataset.train.images, small.train.images.transpose(0, 2, 1))


@pytest.mark.parametrize("counts", [(24, 11), (23, 10)])
def test_another_number_of_examples_is_an_error(
    entry: Entry, put: Callable[..., None], tmp_path: Path, counts: tuple[int, int]
) -> None:
    put(tmp_path)
    with pytest.raises(DataError, match=r"images-idx3-ubyte.gz: expected \d+ images for small, found"):
        from_files(replace(entry, counts=counts), fetch(entry, tmp_path, may_download=False))


def test_labels_in_the_first_column_of_a_table(
    entry: Entry, small: Dataset, put: Callable[..., None], tmp_path: Path
) -> None:
    """QMNIST publishes its labels as a table of eight int32 columns."""
    put(tmp_path / "small")
    files = []
    for file, part in zip(entry.files[1::2], (small.train, small.test), strict=True):
        table = np.zeros((len(part), 8), np.int32)
        table[:, 0], table[:, 2] = part.labels, 2_000
        (tmp_path / "small" / f"{file.name}.gz").write_bytes(gzip.compress(idx.encode(table)))
        files.append(File(file.name))
    unknown = replace(entry, files=(entry.files[0], files[0], entry.files[2], files[1]))
    dataset = from_files(unknown, fetch(unknown, tmp_path, may_download=False))
    assert same(dataset.train, small.train)
    assert same(dataset.test, small.test)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'fashion-mnist'"):
        load("fashion-mnits")


def test_a_missing_path_is_no_name() -> None:
    with pytest.raises(MnistryError, match="nowhere"):
        load(Path("nowhere") / "at-all")


def test_a_path_object_is_a_path_even_if_it_looks_like_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mnist").mkdir()
    with pytest.raises(DataError, match="mnist: not a data set"):
        load(Path("mnist"))
    with pytest.raises(DataNotFoundError, match="the data set 'mnist' was not found"):
        load("mnist", download=False)


def test_optdigits() -> None:
    dataset = load("optdigits")
    assert len(dataset.train) == 1_437
    assert len(dataset.test) == 360
    assert dataset.train.labels[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    # As scikit-learn's description counts them.
    labels = np.concatenate([dataset.train.labels, dataset.test.labels])
    assert np.bincount(labels).tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    images = np.concatenate([dataset.train.images, dataset.test.images])
    assert (images.max(axis=(1, 2)) == 255).all()
    rows = np.arange(28)
    for axis in (1, 2):
        profile = images.sum(axis=3 - axis).astype(float)
        centres = profile @ rows / profile.sum(axis=1)
        assert (np.abs(centres - 14) < 0.52).all(), "centred as MNIST is"
    assert "last 360 (one fifth)" in dataset.source
    assert dataset.sha256 == {"digits": "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826"}


def test_mnist(mnist: Dataset) -> None:
    assert (len(mnist.train), len(mnist.test)) == (60_000, 10_000)
    assert mnist.train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    # The mean and standard deviation that every tutorial quotes.
    counts, levels = np.bincount(mnist.train.images.ravel(), minlength=256), np.arange(256) / 255
    mean = np.average(levels, weights=counts)
    assert mean == pytest.approx(0.1307, abs=5e-5)
    assert np.sqrt(np.average((levels - mean) ** 2, weights=counts)) == pytest.approx(0.3081, abs=5e-5)
    assert mnist.source.endswith("(verified by checksum)")


def test_handwriting_is_no_data_set_of_images() -> None:
    with pytest.raises(InvalidValueError, match="unipen: this is handwriting for the pages that a detector"):
        load("unipen")


def test_a_place_means_the_same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name wins over a folder of that name, as it does for `load`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mnist").mkdir()
    (tmp_path / "digits").mkdir()
    told = [place(one) for one in ("mnist", "./mnist", Path("mnist"), "digits", "~/digits", "mnst")]
    whole = [str(tmp_path / name) for name in ("mnist", "mnist", "digits", "digits")]
    assert told == ["mnist", *whole, "mnst"]
