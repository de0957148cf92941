"""Data of more than ten classes: trained, resumed, measured, predicted, exported and read as digits are."""

from pathlib import Path

import numpy as np
import pytest

import mnistry
from mnistry.data import Dataset, Examples
from mnistry.data.convert import write
from mnistry.errors import InvalidValueError
from mnistry.export.arrays import read_arrays
from mnistry.reading.classifier import Classifier

NAMES = tuple("ABCDEFGHIJKLM")


def bars(count: int) -> Examples:
    """Each class is a bar in another column."""
    labels = np.arange(count) % len(NAMES)
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4:24, 2 * label : 2 * label + 2] = 255
    return Examples(images, labels.astype(np.uint8))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "letters.npz"
    write(Dataset("letters", bars(260), bars(52), NAMES, "made", {}), path, "npz")
    return path


@pytest.fixture(scope="module")
def run(data: Path, tmp_path_factory: pytest.TempPathFactory) -> mnistry.Run:
    runs = tmp_path_factory.mktemp("runs")
    return mnistry.train("softmax", data=data, steps=60, batch_size=52, validation=26, runs=runs)


def test_it_learns_all_of_them(run: mnistry.Run, data: Path) -> None:
    assert (run.classes, tuple(run.figures["class_names"])) == (13, NAMES)
    assert run.evaluation.accuracy == 1
    assert run.evaluation.confusion.shape == (13, 13)
    assert mnistry.evaluate(run.path, data).accuracy == 1
    images = bars(13).images
    assert mnistry.predict(run, images).tolist() == list(NAMES)
    assert mnistry.predict_proba(run, images).shape == (13, 13)
    classifier = Classifier.load(run.path)
    assert classifier.class_names == NAMES
    assert classifier.probabilities(images).shape == (13, 15)
    assert read_arrays(run.path / "model.safetensors")["output/bias"].shape == (13,)
    assert (run.path / "report.html").stat().st_size > 10_000


def test_it_is_resumed(run: mnistry.Run, data: Path, tmp_path: Path) -> None:
    """To the weights of a run that was not stopped."""
    first = mnistry.train("softmax", data=data, steps=20, batch_size=52, validation=26, runs=tmp_path)
    longer = mnistry.resume(first.path, steps=60)
    assert (longer.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()


def test_numbers_above_nine_are_classes(tmp_path: Path) -> None:
    part = bars(260)
    run = mnistry.train("softmax", data=(part.images, part.labels + 3), steps=2, validation=0, runs=tmp_path)
    assert run.figures["class_names"] == [str(number) for number in range(16)]


def test_what_only_knows_digits(data: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidValueError, match="ten digits from what is none, and cannot have 13 classes"):
        mnistry.train("classifier", data=data, steps=1, runs=tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["idx", "npy", "csv", "parquet", "hdf5", "lmdb", "png"])
def test_every_form_keeps_them(data: Path, tmp_path: Path, form: str) -> None:
    dataset = mnistry.load(data)
    path = tmp_path / ("own.h5" if form == "hdf5" else "own")
    write(dataset, path, form)  # type: ignore[arg-type]
    again = mnistry.load(path)
    assert again.class_names == NAMES
    for part, own in ((again.train, dataset.train), (again.test, dataset.test)):
        order, sought = np.lexsort((part.labels,)), np.lexsort((own.labels,))
        np.testing.assert_array_equal(part.labels[order], own.labels[sought])
        np.testing.assert_array_equal(part.images[order], own.images[sought])
