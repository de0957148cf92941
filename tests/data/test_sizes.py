from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits

from mnistry import load
from mnistry.data import Dataset
from mnistry.data.normalize import as_mnist
from mnistry.data.pictures import read_picture
from mnistry.data.sizes import brought_to_size
from mnistry.errors import DataError
from mnistry.reading.classifier import Classifier

SIDES = (8, 16, 20, 32)


def at_side(dataset: Dataset, side: int, count: int = 200) -> NDArray[np.uint8]:
    """The first test digits, their ink's box as large as the image, as sets of small images have it."""
    boxes = dataset.test.images[:count, 4:24, 4:24]
    return np.stack([cv2.resize(box, (side, side), interpolation=cv2.INTER_AREA) for box in boxes])


def read_right(images: NDArray[np.uint8], labels: NDArray[np.uint8]) -> float:
    return float((Classifier.load().logits(images).argmax(axis=1) == labels).mean())


def test_images_of_28_by_28_stay_as_they_are(optdigits: Dataset) -> None:
    assert brought_to_size(optdigits.test.images) is optdigits.test.images


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("invert", [False, True], ids=["light on dark", "dark on light"])
def test_arrays_of_other_sizes_are_read_as_well(
    optdigits: Dataset, tmp_path: Path, side: int, invert: bool
) -> None:
    images, labels = at_side(optdigits, side), optdigits.test.labels[:200]
    np.savez(tmp_path / "own.npz", images=255 - images if invert else images, labels=labels)
    dataset = load(tmp_path / "own.npz")
    assert dataset.notes == (
        f"the images are {side}×{side}: the ink of each was scaled and centred as MNIST's was",
    )
    kept = np.arange(200) % 7 != 6
    assert dataset.train.labels.tolist() == labels[kept].tolist()
    of_mnist = read_right(optdigits.test.images[:200][kept], labels[kept])
    assert read_right(dataset.train.images, dataset.train.labels) >= of_mnist - 0.03


def test_every_form_of_an_array(optdigits: Dataset, tmp_path: Path) -> None:
    images, labels = at_side(optdigits, 16), optdigits.test.labels[:200]
    expected = brought_to_size(images)
    np.testing.assert_array_equal(expected[3], as_mnist_of_enlarged(images[3]))
    for name, form in (
        ("flat", images.reshape(200, 256)),
        ("channel", images[..., np.newaxis]),
        ("wide", images.astype(np.int64)),
        ("float", images.astype(np.float32)),
    ):
        np.savez(tmp_path / f"{name}.npz", x_train=form, y_train=labels, x_test=form, y_test=labels)
        np.testing.assert_array_equal(load(tmp_path / f"{name}.npz").test.images, expected)
    shares = images / 255
    np.savez(tmp_path / "shares.npz", x_train=shares, y_train=labels, x_test=shares, y_test=labels)
    np.testing.assert_array_equal(load(tmp_path / "shares.npz").train.images, expected)


def as_mnist_of_enlarged(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    larger = cv2.resize(image.astype(np.float32), (160, 160), interpolation=cv2.INTER_CUBIC)
    return as_mnist(np.clip(larger, 0, None))


def test_a_picture_and_an_array_become_the_same(optdigits: Dataset, tmp_path: Path) -> None:
    for side in SIDES:
        images = at_side(optdigits, side, 5)
        for made, image in zip(brought_to_size(images), images, strict=True):
            Image.fromarray(image).save(tmp_path / "one.png")
            np.testing.assert_allclose(read_picture(tmp_path / "one.png").astype(int), made, atol=1)


def test_the_digits_of_scikit_learn_are_those_of_optdigits(optdigits: Dataset) -> None:
    """8×8 pixels from 0 to 16, whose ink often reaches the border."""
    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    expected = np.concatenate([optdigits.train.images, optdigits.test.images]).astype(int)
    assert np.abs(brought_to_size(images) - expected).mean() < 0.5


def test_what_cannot_be_brought_to_size(optdigits: Dataset) -> None:
    images = at_side(optdigits, 16, 5)
    images[3] = 0
    with pytest.raises(DataError, match="image 3: there is no ink"):
        brought_to_size(images)
    with pytest.raises(DataError, match="at least 6 rows and columns"):
        brought_to_size(np.ones((5, 1, 400), np.uint8))
