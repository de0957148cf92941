"""The recognizer as an object: what it hands on, that it travels between processes, how often it looks."""

import pickle
import time

import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.errors import PictureSizeError
from mnistry.reading import recognizer as reader
from mnistry.reading.classifier import Classifier
from mnistry.reading.recognizer import Recognizer


def test_the_classifiers_answers_are_at_hand(optdigits: Dataset) -> None:
    recognizer = Recognizer.load(threads=1)
    images = optdigits.test.images[:50]
    np.testing.assert_array_equal(recognizer.logits(images), recognizer.classifier.logits(images))
    np.testing.assert_array_equal(
        recognizer.probabilities(images), recognizer.classifier.probabilities(images)
    )


def test_it_can_be_pickled(optdigits: Dataset) -> None:
    recognizer = Recognizer.load(threads=1)
    again = pickle.loads(pickle.dumps(recognizer))
    picture = np.kron(255 - optdigits.test.images[0], np.ones((4, 4), np.uint8))
    assert again.read(picture) == recognizer.read(picture)
    assert again.read(picture).digits


def row_of(optdigits: Dataset, count: int) -> np.ndarray:
    """A row of digits, dark on light."""
    digits = optdigits.test.images[:count]
    return np.kron(255 - np.concatenate(list(digits), axis=1), np.ones((3, 3), np.uint8))


def test_what_may_be_too_many_digits_is_given_up(optdigits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    recognizer = Recognizer.load(threads=1)
    row = row_of(optdigits, 8)
    assert recognizer.read(row).digits
    assert not recognizer.read(row).notes
    monkeypatch.setattr(reader, "MOST_LOOKS", 4)
    reading = recognizer.read(row)
    assert (reading.lines, reading.digits) == ((), ())
    (note,) = reading.notes
    assert note.startswith(
        "too many pieces to be writing: they make more than 4 possible digits; if it is, cut"
    )


def test_many_are_looked_at_once(optdigits: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = Classifier.load(threads=1)
    seen = 0
    at_first_sight = classifier.at_first_sight

    def counted(images: np.ndarray) -> np.ndarray:
        nonlocal seen
        seen += len(images)
        return at_first_sight(images)

    monkeypatch.setattr(classifier, "at_first_sight", counted)
    look = reader._Looks(classifier, None)
    noise = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    monkeypatch.setattr(reader, "MOST_LOOKS", 2000)
    for _ in range(2000 // 50):
        assert look(noise).shape == (50, 12)
    with pytest.raises(reader._TooManyError):
        look(noise)
    assert 2000 <= seen <= 2 * 2000


def test_a_deadline(optdigits: Dataset) -> None:
    recognizer = Recognizer.load(threads=1)
    row = row_of(optdigits, 8)
    assert recognizer.read(row, deadline=time.monotonic() + 60) == recognizer.read(row)
    with pytest.raises(PictureSizeError, match="takes too long to read"):
        recognizer.read(row, deadline=time.monotonic() - 1)


def test_classes_are_called_by_their_names(optdigits: Dataset) -> None:
    """Letters stand side by side, as digits do; words are parted, and groups further."""
    zero, one = (optdigits.test.images[optdigits.test.labels == label][0] for label in (0, 1))
    space = np.zeros((28, 90), np.uint8)
    picture = 255 - np.pad(np.hstack([zero, one, space, one, zero]), 30)
    recognizer = Recognizer.load(threads=1)
    digits = recognizer.read(picture)
    assert digits.lines == ("01 10",)
    assert {digit.name for digit in digits.digits} == {None}
    assert "name" not in digits.to_json()["digits"][0]
    for names, line in (
        (("O", "I", *["(none)"] * 8), "OI IO"),
        (("circle", "bar", *"cdefghij"), "circle bar  bar circle"),
    ):
        recognizer.classifier.class_names = names
        reading = recognizer.read(picture)
        assert reading.lines == (line,)
        assert [digit.name for digit in reading.digits] == [names[0], names[1], names[1], names[0]]
        assert [digit.digit for digit in reading.digits] == [0, 1, 1, 0]
        assert reading.to_json()["digits"][1]["name"] == names[1]
        unsure = recognizer.read(picture, min_confidence=1).digits[0]
        assert (unsure.digit, unsure.name) == (None, None)
