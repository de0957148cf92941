"""Data that are given as values in Python."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

import mnistry
from mnistry.data import Dataset, Examples
from mnistry.data.dataset import DIGITS
from mnistry.data.image_form import ImageForm
from mnistry.data.in_memory import from_values, images_of
from mnistry.errors import DataError, InvalidValueError


@pytest.fixture(scope="module")
def some(optdigits: Dataset) -> Examples:
    return optdigits.train[:70]


@pytest.mark.parametrize(
    "form",
    [
        lambda images, labels: (images, labels),
        lambda images, labels: [images.reshape(-1, 784) / 255, labels.astype(float)],
        lambda images, labels: (images[..., None].astype(np.int64), np.eye(10)[labels]),
        lambda images, labels: (images.tolist(), labels.tolist()),
        lambda images, labels: (pd.DataFrame(images.reshape(-1, 784)), pd.Series(labels).astype(str)),
        lambda images, labels: (pd.DataFrame(images.reshape(-1, 784)), pd.Series(labels).astype("category")),
        lambda images, labels: (images, np.array(["zero", *"123456789"], object)[labels]),
        lambda images, labels: Examples(images, labels),
    ],
    ids=["uint8", "flat shares", "one-hot", "lists", "pandas", "categories", "words", "examples"],
)
def test_every_seventh_of_the_arrays_is_for_the_test(some: Examples, form: Any) -> None:
    dataset = from_values(form(some.images, some.labels))
    assert (len(dataset.train), len(dataset.test), dataset.class_names) == (60, 10, DIGITS)
    np.testing.assert_array_equal(dataset.test.images, some.images[6::7])
    np.testing.assert_array_equal(dataset.test.labels, some.labels[6::7])
    assert dataset.sha256 == from_values((some.images, some.labels)).sha256


def test_keras_pairs_keep_their_test_part_and_words_are_numbered_over_both(some: Examples) -> None:
    names = np.array(["cat", "dog"])[some.labels % 2]
    pairs = ((some.images[:40], names[:40]), (some.images[40:], names[40:]))
    dataset = mnistry.load(pairs, check_images=False)
    assert (len(dataset.train), len(dataset.test)) == (40, 30)
    assert dataset.class_names[:3] == ("cat", "dog", "(none)")
    np.testing.assert_array_equal(dataset.test.labels, some.labels[40:] % 2)
    assert "X uint8 [40, 28, 28], y <U3 [40] for training" in dataset.source


def test_a_data_set_whose_parts_were_replaced_is_told_from_the_one_before(optdigits: Dataset) -> None:
    from dataclasses import replace

    fewer = replace(optdigits, train=optdigits.train[:-1])
    assert fewer.sha256 == optdigits.sha256
    assert from_values(fewer).sha256["train"] != from_values(optdigits).sha256["train"]


def test_how_the_images_are_stored_is_looked_at_as_with_files(some: Examples) -> None:
    images = (255 - some.images).transpose(0, 2, 1)
    with pytest.raises(DataError, match=r"arrays: .*Give `invert=True`, `transpose=True`"):
        mnistry.load((images, some.labels))
    found = mnistry.load((images, some.labels), invert=True, transpose=True)
    np.testing.assert_array_equal(found.test.images, some.images[6::7])
    scaled = from_values((some.images // 16, some.labels), ImageForm(full_scale=15))
    assert scaled.train.images.max() == 255


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        (3, InvalidValueError, r"expected the name or path of a data set, .*\(X, y\).*found int"),
        (np.zeros((9, 28, 28)), InvalidValueError, "found ndarray"),
        ((np.zeros((9, 28, 28)), np.zeros(8, int)), DataError, r"\(X, y\): there are 9 images but 8 labels"),
        ((np.zeros((6, 28, 28)), np.zeros(6, int)), DataError, "6 examples are too few"),
        ((np.zeros((9, 5)), np.zeros(9, int)), DataError, r"\(X, y\): .*images"),
        (([[1, 2], [3]], [0, 1]), DataError, "X: rows of different lengths"),
        ((np.zeros((9, 28, 28)), 7), DataError, "y: expected an array of examples, found int"),
        ((np.zeros((12, 28, 28)), np.array(list("abcdefghijkl"))), DataError, "y: .*found 12 for 12"),
    ],
)
def test_what_is_no_data_set(given: Any, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        from_values(given)


def test_a_data_set_has_its_scale(optdigits: Dataset) -> None:
    with pytest.raises(InvalidValueError, match="`full_scale` is for arrays"):
        from_values(optdigits, ImageForm(full_scale=16))


def test_images_alone() -> None:
    assert images_of(np.ones((2, 784), np.float32)).tolist() == np.full((2, 28, 28), 255).tolist()
    with pytest.raises(DataError, match=r"X: .*images"):
        images_of(np.ones((2, 3)))
