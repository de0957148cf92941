import tracemalloc

import numpy as np
import pytest

from mnistry.data.arrays import to_examples
from mnistry.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (14, 28, 28), np.uint8)
LABELS = np.arange(14, dtype=np.uint8) % 10


@pytest.mark.parametrize("dtype", ["uint8", "int64", "uint16", "float32", "float64"])
def test_whole_numbers_of_any_type(dtype: str) -> None:
    examples = to_examples(IMAGES.reshape(14, 784).astype(dtype), LABELS.astype(dtype), "file").examples
    np.testing.assert_array_equal(examples.images, IMAGES)
    np.testing.assert_array_equal(examples.labels, LABELS)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_shares_of_the_strongest_ink(dtype: str) -> None:
    examples = to_examples((IMAGES / 255).astype(dtype), LABELS, "file").examples
    np.testing.assert_array_equal(examples.images, IMAGES)


@pytest.mark.parametrize("dtype", ["bool", "uint8", "int64", "float32"])
def test_ink_or_paper(dtype: str) -> None:
    examples = to_examples((IMAGES > 127).astype(dtype), LABELS, "file").examples
    np.testing.assert_array_equal(examples.images, np.where(IMAGES > 127, 255, 0))


@pytest.mark.parametrize(("full_scale", "dtype"), [(16, "uint8"), (65535, "uint16"), (2, "float64")])
def test_another_full_scale(full_scale: float, dtype: str) -> None:
    images = (IMAGES / 255 * full_scale).astype(dtype)
    examples = to_examples(images, LABELS, "file", full_scale=full_scale).examples
    np.testing.assert_array_equal(examples.images, np.rint(images.astype(float) * 255 / full_scale))


@pytest.mark.parametrize("dtype", ["bool", "uint8", "float32"])
def test_one_hot_labels(dtype: str) -> None:
    examples = to_examples(IMAGES, np.eye(10)[LABELS].astype(dtype), "file").examples
    np.testing.assert_array_equal(examples.labels, LABELS)


def test_more_than_ten_classes_are_said() -> None:
    for labels in (LABELS + 16, np.eye(26)[LABELS + 16]):
        taken = to_examples(IMAGES, labels, "file")
        np.testing.assert_array_equal(taken.examples.labels, LABELS + 16)
        assert taken.notes == ("labels are from 16 to 25: they number the classes",)


def test_labels_as_text_and_as_a_column() -> None:
    for labels in (LABELS.astype(str), LABELS.astype("S1"), LABELS[:, np.newaxis]):
        np.testing.assert_array_equal(to_examples(IMAGES, labels, "file").examples.labels, LABELS)


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (
            (IMAGES / 255 - 0.1307) / 0.3081,
            LABELS,
            r"float64 from -0.42\d+ to 2.8\d+\. If they were",
        ),
        (IMAGES / 127.5, LABELS, r"found float64 from 0 to 2\. Give .*`full_scale=2`"),
        (IMAGES * np.float32(np.nan), LABELS, "found float32 from nan to nan"),
        (IMAGES * 257.0, LABELS, r"found float64 from 0 to 65535\. Give .*`full_scale=65535`"),
        (IMAGES * 1j, LABELS, "pixels must be numbers, found complex128"),
        (IMAGES, np.where(LABELS == 5, 250, LABELS), r"labels must be from .* found 0 to 250"),
        (IMAGES, LABELS + 0.5, r"labels must be whole numbers, found 0.5"),
        (IMAGES, LABELS / 2, r"labels must be whole numbers, found 0.5"),
        (IMAGES, LABELS * np.nan, "found nan to nan"),
        (IMAGES, np.full((14, 10), 0.1), r"must be one-hot.*labels.argmax\(axis=1\)"),
        (IMAGES, np.array(["seven"] * 14), r"found text. Number the classes"),
        (
            IMAGES,
            np.eye(14)[:, None],
            r"labels must have shape \(n,\), or such as \(n, 10\) for one-hot ones, found \(14, 1, 14\)",
        ),
    ],
)
def test_what_is_something_else(images: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match="^file: .*" + message):
        to_examples(images, labels, "file")


def test_large_arrays_need_little_memory_besides_their_own() -> None:
    images = np.random.default_rng(0).random((20_000, 28, 28), np.float32)
    labels = np.zeros(len(images), np.int64)
    tracemalloc.start()
    to_examples(images, labels, "file")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * images.nbytes


def test_more_images_than_there_can_be() -> None:
    none = np.broadcast_to(np.uint8(0), (340_001, 28, 28))
    with pytest.raises(DataError, match="there are 340,001 images; at most 340,000 are accepted"):
        to_examples(none, np.zeros(340_001, np.uint8), "file")


def test_images_that_are_as_they_should_be_are_not_copied() -> None:
    assert np.shares_memory(to_examples(IMAGES, LABELS, "file").examples.images, IMAGES)
