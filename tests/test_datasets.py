from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from mnistry.data import Dataset, Examples
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.datasets import check_form, load
from mnistry.errors import DataError, InvalidValueError

Images = NDArray[np.uint8]


def transposed(images: Images) -> Images:
    return images.transpose(0, 2, 1)


def stored(digits: Dataset, how: Callable[[Images], Images], path: Path) -> Path:
    np.savez(
        path,
        x_train=how(digits.train.images[:300]),
        y_train=digits.train.labels[:300],
        x_test=how(digits.test.images),
        y_test=digits.test.labels,
    )
    return path


WAYS: dict[str, tuple[Callable[[Images], Images], ImageForm]] = {
    "inverted": (lambda images: 255 - images, ImageForm(invert=True)),
    "transposed": (transposed, ImageForm(transpose=True)),
    "inverted, transposed": (lambda images: 255 - transposed(images), ImageForm(True, True)),
    "scaled from 16": (lambda images: images // 15 - images // 250, ImageForm(full_scale=16)),
    "inverted, scaled from 15": (lambda images: 15 - images // 17, ImageForm(invert=True, full_scale=15)),
}


@pytest.mark.parametrize("way", WAYS)
def test_digits_that_are_stored_in_another_way(optdigits: Dataset, tmp_path: Path, way: str) -> None:
    how, form = WAYS[way]
    path = stored(optdigits, how, tmp_path / "digits.npz")
    with pytest.raises(DataError) as caught:
        load(path)
    said = str(caught.value)
    assert said.startswith(f"{path}: of 200 training images the model that comes with mnistry reads ")
    assert f"% {way}. Give {form.arguments()}. If they are meant to be so" in said
    as_they_are, best = (int(word.strip("%")) for word in said.split() if word.endswith("%"))
    assert as_they_are < 50
    assert best > 90
    dataset = load(path, **form.to_json())
    assert np.abs(dataset.test.images.astype(int) - optdigits.test.images).max() <= 17
    assert len(load(path, check_images=False).test) == 360


def test_what_was_given_and_should_not_be(optdigits: Dataset, tmp_path: Path) -> None:
    path = stored(optdigits, lambda images: images, tmp_path / "digits.npz")
    np.testing.assert_array_equal(load(path).test.images, optdigits.test.images)
    with pytest.raises(DataError, match=r"as they are taken, .*inverted. Leave out `invert=True`"):
        load(path, invert=True)
    with pytest.raises(DataError, match="Leave out `transpose=True`"):
        load("optdigits", transpose=True)
    stored(optdigits, transposed, path)
    with pytest.raises(DataError, match="Give `transpose=True` in place of `invert=True`"):
        load(path, invert=True)


def test_bits_are_taken_as_such(optdigits: Dataset, tmp_path: Path) -> None:
    path = stored(optdigits, lambda images: images // 128, tmp_path / "bits.npz")
    np.testing.assert_array_equal(load(path).test.images, optdigits.test.images // 128 * 255)


def test_parts_that_are_stored_differently(optdigits: Dataset) -> None:
    inverted = Examples(255 - optdigits.test.images, optdigits.test.labels)
    with pytest.raises(DataError, match=r"digits: of 200 test images .* Make the parts alike"):
        check_form(replace(optdigits, test=inverted), AS_MNIST, "digits")


def test_images_of_both_polarities(optdigits: Dataset) -> None:
    rows = np.arange(len(optdigits.train))[:, np.newaxis, np.newaxis]
    images = np.where(rows % 2, optdigits.train.images, 255 - optdigits.train.images)
    mixed = replace(optdigits, train=Examples(images, optdigits.train.labels))
    with pytest.raises(DataError, match=r"if some are inverted\. Make them alike"):
        check_form(mixed, AS_MNIST, "digits")


def squares(count: int = 300) -> tuple[Images, NDArray[np.uint8]]:
    """No digits: squares of ten sizes, the size is the label."""
    labels = np.arange(count, dtype=np.uint8) % 10
    images = np.zeros((count, 28, 28), np.uint8)
    for image, label in zip(images, labels, strict=True):
        image[4 : 8 + 2 * label, 4 : 8 + 2 * label] = 200
    return images, labels


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("classes", [2, 10])
def test_of_what_is_no_digit_nothing_is_said(optdigits: Dataset, invert: bool, classes: int) -> None:
    images, labels = squares()
    images = images[labels < classes]
    part = Examples(255 - images if invert else images, labels[labels < classes])
    check_form(Dataset("squares", part, part, optdigits.class_names, "", {}), AS_MNIST, "squares")
    turned = (labels + 3) % 10  # digits with other labels are no evidence
    other = Examples(255 - optdigits.train.images[:300], turned)
    check_form(Dataset("other", other, other, optdigits.class_names, "", {}), AS_MNIST, "other")


def test_mnist(mnist: Dataset) -> None:
    check_form(mnist, AS_MNIST, "mnist")


def test_a_full_scale_for_what_has_its_own(tmp_path: Path) -> None:
    (tmp_path / "0").mkdir()
    for source in ("optdigits", tmp_path):
        with pytest.raises(InvalidValueError, match="`full_scale` is for"):
            load(source, full_scale=16)
