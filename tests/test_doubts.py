"""What only the images can tell: whether columns or rows come first, and what a label 10 is."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
from sklearn.datasets import dump_svmlight_file

import mnistry
from mnistry.data import Dataset, Examples
from mnistry.data.contents import read_contents
from mnistry.reading.classifier import Classifier


@pytest.fixture(scope="module")
def digits() -> Examples:
    return mnistry.load("optdigits").train[:280]


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnistry.data.readers.read_apart", read_contents)


def share_read(dataset: Dataset) -> float:
    found = Classifier.load().logits(dataset.train.images).argmax(axis=1)
    return float((found == dataset.train.labels).mean())


def scaled(images: np.ndarray, side: int) -> np.ndarray:
    return np.stack([cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA) for image in images])


def test_the_course_of_machine_learning(digits: Examples, tmp_path: Path) -> None:
    """`ex3data1.mat`: 20×20 in columns, shares of ink with an overshoot, the label 10 is zero."""
    ink = scaled(digits.images, 20) / 255 * 1.2 - 0.1
    labels = np.where(digits.labels == 0, 10, digits.labels)
    columns = ink.transpose(0, 2, 1).reshape(len(ink), 400)
    scipy.io.savemat(tmp_path / "ex3data1.mat", {"X": columns, "y": labels[:, None]})
    dataset = mnistry.load(tmp_path / "ex3data1.mat")
    test = np.arange(280) % 7 == 6
    assert dataset.train.labels.tolist() == digits.labels[~test].tolist()
    assert share_read(dataset) > 0.95
    assert dataset.notes[:2] == (
        "pixels are from -0.1 to 1.1: what is beyond 0 and 1 was cut off",
        "the images are 20×20: the ink of each was scaled and centred as MNIST's was",
    )
    assert dataset.notes[2].startswith(
        "pixels are taken as stored column by column and the label 10 is taken for 0: so, the model that "
        "comes with mnistry reads "
    )


def test_usps_as_libsvm(digits: Examples, tmp_path: Path) -> None:
    """16×16 from -1 to 1, and the digits are counted from 1."""
    ink = scaled(digits.images, 16).reshape(280, 256) / 127.5 - 1
    dump_svmlight_file(ink, digits.labels.astype(float) + 1, str(tmp_path / "usps"), zero_based=False)
    dataset = mnistry.load(tmp_path / "usps")
    test = np.arange(280) % 7 == 6
    assert dataset.train.labels.tolist() == digits.labels[~test].tolist()
    assert share_read(dataset) > 0.95
    assert "pixels are from -1 to 1: -1 was taken for 0" in dataset.notes
    assert dataset.notes[-1].startswith("labels are taken as counted from 1: so, the model")
    assert "0% with 10 for 0" in dataset.notes[-1]


LEAST_READ = {8: 0.75, 16: 0.95, 20: 0.95, 32: 0.97}
"""Shares of what was made smaller by averaging; eight rows with margins show little."""


@pytest.mark.parametrize("side", LEAST_READ)
@pytest.mark.parametrize("paper", ["dark", "light"])
@pytest.mark.parametrize("scale", [1, 16, 255])
def test_other_sizes(digits: Examples, tmp_path: Path, side: int, paper: str, scale: int) -> None:
    images = scaled(digits.images, side) / 255
    if paper == "light":
        images = 1 - images
    stored = np.rint(images * scale).astype(np.uint8) if scale > 1 else images
    np.savez(tmp_path / "d.npz", X=stored.reshape(280, -1), y=digits.labels)
    dataset = mnistry.load(tmp_path / "d.npz")
    assert share_read(dataset) > LEAST_READ[side]
    assert dataset.notes == (
        f"the images are {side}×{side}: the ink of each was scaled and centred as MNIST's was",
    )


def test_where_the_images_do_not_tell_it_is_as_usual(tmp_path: Path) -> None:
    labels = np.arange(100) % 10
    images = np.zeros((100, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 : 8 + 2 * label, 4:10] = 200
    rows = images.transpose(0, 2, 1).reshape(100, 784)
    scipy.io.savemat(tmp_path / "d.mat", {"X": rows, "y": labels + 1})
    dataset = mnistry.load(tmp_path / "d.mat")
    test = np.arange(100) % 7 == 6
    np.testing.assert_array_equal(dataset.test.images, images[test])
    np.testing.assert_array_equal(dataset.test.labels, ((labels + 1) % 10)[test])
    assert dataset.notes == (
        "pixels are taken as stored column by column and the label 10 is taken for 0, as is usual: the model "
        "that comes with mnistry cannot tell",
    )


def test_who_says_that_they_are_transposed_is_believed(digits: Examples, tmp_path: Path) -> None:
    scipy.io.savemat(
        tmp_path / "d.mat", {"X": digits.images.transpose(0, 2, 1).reshape(280, 784), "y": digits.labels}
    )
    given, found = (mnistry.load(tmp_path / "d.mat", transpose=way) for way in (True, False))
    np.testing.assert_array_equal(given.train.images, found.train.images)
    assert given.notes == ()
    assert len(found.notes) == 1


def test_arrays_in_python(digits: Examples) -> None:
    for labels in (digits.labels + 1, np.where(digits.labels == 0, 10, digits.labels)):
        dataset = mnistry.load((digits.images, labels))
        test = np.arange(280) % 7 == 6
        assert dataset.train.labels.tolist() == digits.labels[~test].tolist()
