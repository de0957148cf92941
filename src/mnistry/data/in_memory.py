"""Data sets that are given as values in Python: arrays, or a data set that was loaded or made before."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.arrays import to_examples
from mnistry.data.classes import check_count, labels_of, numbered
from mnistry.data.dataset import Dataset, Doubt, Examples, content_hashes
from mnistry.data.image_form import AS_MNIST, ImageForm
from mnistry.data.readers import EVERY
from mnistry.errors import DataError, InvalidValueError

Given = Dataset | Examples | tuple[Any, Any]
"""A data set; examples; `(X, y)`, arrays, lists or what pandas holds; or `((X, y), (X_test, y_test))`."""


def from_values(given: Given, form: ImageForm = AS_MNIST) -> Dataset:
    """The data set that was given as a value.

    Where there is no test part, every seventh example (the 7th, the 14th, and so on) becomes it. Labels that
    are text become the names of classes, as the folders of classes of pictures do; see `labels_of`.

    Args:
        given: a data set, examples, or arrays of the forms that `mnistry.data.arrays.to_examples` takes:
            `(X, y)`, or `((X, y), (X_test, y_test))` as Keras's `load_data` returns them.
        form: how its images are stored.

    Raises:
        DataError: the arrays are not of these forms, or too few for a test part.
        InvalidValueError: it is nothing of these; or a full scale for what has its pixels already.
    """
    if isinstance(given, Dataset):
        if form.full_scale is not None:
            raise InvalidValueError("`full_scale` is for arrays; a data set has its pixels from 0 to 255")
        # Anew, because parts may have been replaced since the data set was loaded.
        return form.applied(replace(given, sha256=content_hashes(given.train, given.validation, given.test)))
    if isinstance(given, tuple) and len(given) == 2 and all(isinstance(pair, tuple) for pair in given):
        (images, labels), (test_images, test_labels) = map(_arrays, given)
        names: tuple[str, ...] | None = None
        both = test_labels
        if _is_text(labels) and _is_text(both):
            numbers, names = _named(np.concatenate([labels, both]))
            labels, both = numbers[: len(labels)], numbers[len(labels) :]
        first = to_examples(images, labels, "(X, y)", full_scale=form.full_scale)
        second = to_examples(test_images, both, "(X_test, y_test)", full_scale=form.full_scale)
        train, test, notes, doubts = (
            first.examples,
            second.examples,
            first.notes,
            first.doubts | second.doubts,
        )
        source = f"arrays given in Python: {_told(*given[0])} for training, {_told(*given[1])} for the test"
    else:
        examples, names, notes, doubts = _examples_of(given, form.full_scale)
        if len(examples) < EVERY:
            raise DataError(f"(X, y): {len(examples)} examples are too few to set some aside for testing.")
        chosen = np.arange(len(examples)) % EVERY == EVERY - 1
        train, test = examples[~chosen], examples[chosen]
        told = _told(*given) if isinstance(given, tuple) else f"{len(examples):,} examples"
        source = f"arrays given in Python: {told}; every seventh example was taken for the test part"
    sha256 = content_hashes(train, None, test)
    names = names or numbered((train, test))
    check_count(names, (train, test), "y")
    made = Dataset("arrays", train, test, names, source, sha256, notes=notes, doubts=doubts)
    return form.applied(made)


def examples_of(
    given: Examples | tuple[Any, Any], *, full_scale: float | None = None
) -> tuple[Examples, tuple[str, ...], tuple[str, ...]]:
    """From `(X, y)`, the examples, what their classes are called, and what is noted about them.

    Raises:
        DataError: as `from_values`; or labels are from 1 to 10.
        InvalidValueError: as `from_values`.
    """
    examples, names, notes, doubts = _examples_of(given, full_scale)
    if doubts:
        raise DataError(
            "(X, y): labels must be from 0 to 9, found 1 to 10. Where 10 stands for the digit 0, take "
            "y % 10; where classes are counted from 1, y - 1."
        )
    return examples, names, notes


def _examples_of(
    given: Examples | tuple[Any, Any], full_scale: float | None
) -> tuple[Examples, tuple[str, ...], tuple[str, ...], frozenset[Doubt]]:
    if isinstance(given, Examples):
        return given, numbered((given,)), (), frozenset()
    images, labels = _arrays(given)
    names: tuple[str, ...] | None = None
    if _is_text(labels):
        labels, names = _named(labels)
    taken = to_examples(images, labels, "(X, y)", full_scale=full_scale)
    return taken.examples, names or numbered((taken.examples,)), taken.notes, taken.doubts


def images_of(given: Any, *, full_scale: float | None = None) -> NDArray[np.uint8]:
    """Images uint8 `[n, 28, 28]`, from an array of any form that `to_examples` takes.

    Raises:
        DataError: it is of none of these forms.
    """
    images = _array(given, "X")
    return to_examples(images, np.zeros(len(images), np.uint8), "X", full_scale=full_scale).examples.images


def shapes(dataset: Dataset) -> Mapping[str, list[int]]:
    """The shape of each part's images."""
    parts = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    return {name: list(part.images.shape) for name, part in parts.items() if part is not None}


def _arrays(pair: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    if not (isinstance(pair, tuple | list) and len(pair) == 2):
        raise InvalidValueError(
            "expected the name or path of a data set, a Dataset, or arrays: (X, y), or "
            f"((X, y), (X_test, y_test)); found {type(pair).__name__}"
        )
    return _array(pair[0], "X"), _array(pair[1], "y")


def _array(values: Any, name: str) -> NDArray[Any]:
    try:
        array = np.asarray(values)
        if array.dtype == object:  # what pandas makes of words
            array = np.array(array.tolist())
    except ValueError as error:
        raise DataError(f"{name}: rows of different lengths are no array: {error}.") from error
    if array.ndim == 0:
        raise DataError(f"{name}: expected an array of examples, found {type(values).__name__}.")
    return array


def _is_text(labels: NDArray[Any]) -> bool:
    """Whether labels are words; digits that are written as text, as OpenML does, are numbers."""
    if labels.ndim != 1 or labels.dtype.kind != "U" or not len(labels):
        return False
    return any(not label.strip().lstrip("-").isdecimal() for label in labels.tolist())


def _named(labels: NDArray[Any]) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Labels of words as numbers, and the names of the classes."""
    words = [str(label) for label in labels.tolist()]
    try:
        numbers, names = labels_of(sorted(set(words)))
    except DataError as error:
        raise DataError(f"y: {error}") from error
    return np.array([numbers[word] for word in words], np.uint8), names


def _told(images: Any, labels: Any) -> str:
    """Types and shapes of arrays, for people."""
    images, labels = _array(images, "X"), _array(labels, "y")
    return f"X {images.dtype} {list(images.shape)}, y {labels.dtype} {list(labels.shape)}"
