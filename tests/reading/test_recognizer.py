"""The recognizer as an object: what of its classifier it hands on, and that it travels between processes."""

import pickle

import numpy as np

from mnistry.data import Dataset
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
