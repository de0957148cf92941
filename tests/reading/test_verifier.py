"""What the verifier is shown of a page, and that the shipped one knows digits."""

import pickle

import cv2
import numpy as np
import onnx
import pytest

from mnistry.data import Dataset
from mnistry.errors import RunError
from mnistry.reading.detector import MARGIN, SHIPPED_DETECTOR, Detection, copy_at
from mnistry.reading.flatten import LEVEL, flattened
from mnistry.reading.scales import Look
from mnistry.reading.verifier import AT_ONCE, DIGIT, PATCH, SHIPPED_VERIFIER, Verifier, patch_at, patches_of


@pytest.mark.parametrize("size", [13.0, 20.0, 40.0])
@pytest.mark.parametrize("middle", [(60.0, 50.0), (61.5, 48.25)])
def test_what_is_told_is_in_the_middle_and_of_one_size(size: float, middle: tuple[float, float]) -> None:
    """A soft blob that is as wide as high."""
    y, x = np.mgrid[:100, :120] + 0.5
    away = np.maximum(abs(x - middle[0]), abs(y - middle[1])) - size / 2
    page = np.clip(LEVEL + 60 * np.clip(0.5 - away, 0, 1), 0, 255).astype(np.uint8)
    patch = patch_at(page, *middle, size, size)
    assert patch.shape == (PATCH, PATCH)
    ink = (patch.astype(float) - LEVEL) / 60
    rows, columns = np.mgrid[:PATCH, :PATCH] + 0.5
    assert (ink * rows).sum() / ink.sum() == pytest.approx(PATCH / 2, abs=0.3)
    assert (ink * columns).sum() / ink.sum() == pytest.approx(PATCH / 2, abs=0.3)
    assert np.sqrt(ink.sum()) == pytest.approx(DIGIT, rel=0.05)


def test_beyond_the_page_is_empty_paper() -> None:
    page = np.full((60, 60), 40, np.uint8)
    patch = patch_at(page, 0, 30, 20, DIGIT)
    assert (patch[:, : PATCH // 2 - 1] == LEVEL).all()
    assert (patch[:, PATCH // 2 + 1 :] == 40).all()
    assert (patch_at(page, 500, 500, 20, 20) == LEVEL).all()


def test_places_are_cut_from_the_copy_in_which_they_were_found() -> None:
    grey = np.random.default_rng(0).random((80, 120), np.float32)
    looks = [Look(scale, copy_at(grey, scale), [], [], []) for scale in (0.5, 1.0)]
    places = [Detection(40, 30, 12, 24, np.eye(10)[3], scale) for scale in (1.0, 0.5)]
    large, small = patches_of(looks, places)
    np.testing.assert_array_equal(large, patch_at(looks[1].page, 40 + MARGIN, 30 + MARGIN, 12, 24))
    np.testing.assert_array_equal(small, patch_at(looks[0].page, 20 + MARGIN, 15 + MARGIN, 6, 12))
    assert patches_of(looks, []).shape == (0, PATCH, PATCH)


@pytest.fixture(scope="module")
def shipped() -> Verifier:
    return Verifier.load(threads=1)


def patch_of(ink: np.ndarray) -> np.ndarray:
    """What a detector that found this ink, uint8, white on black, would have cut out."""
    rows, columns = np.flatnonzero(ink.max(axis=1)), np.flatnonzero(ink.max(axis=0))
    page = flattened(np.pad((255 - ink) / np.float32(255), 30, constant_values=1))
    box = columns[0] + 30, rows[0] + 30, columns[-1] + 31, rows[-1] + 31
    middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return patch_at(page, *middle, box[2] - box[0], box[3] - box[1])


def test_the_shipped_verifier_knows_digits_and_what_is_none(shipped: Verifier, optdigits: Dataset) -> None:
    told = shipped.probabilities(np.stack([patch_of(image) for image in optdigits.test.images[:200]]))
    assert (told[:, :10].argmax(axis=1) == optdigits.test.labels[:200]).mean() > 0.9
    letters = [
        cv2.putText(np.zeros((60, 60), np.uint8), letter, (10, 45), font, 1, 255, 2, cv2.LINE_AA)
        for letter in "ADEFHKMNPRWX"
        for font in (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
    ]
    none = shipped.probabilities(np.stack([patch_of(letter) for letter in letters]))[:, 10]
    assert (none > 0.5).mean() > 0.9


def test_how_many_there_are_does_not_matter(shipped: Verifier) -> None:
    patches = np.random.default_rng(2).integers(90, 170, (AT_ONCE + 3, PATCH, PATCH), np.uint8)
    told = shipped.probabilities(patches)
    assert told.shape == (AT_ONCE + 3, 11)
    np.testing.assert_allclose(told[-3:], shipped.probabilities(patches[-3:]), atol=1e-5)
    assert shipped.probabilities(patches[:0]).shape == (0, 11)
    again = pickle.loads(pickle.dumps(shipped))
    np.testing.assert_array_equal(again.probabilities(patches[:5]), shipped.probabilities(patches[:5]))


def test_the_file_is_small_and_a_detector_is_none() -> None:
    onnx.checker.check_model(onnx.load(SHIPPED_VERIFIER), full_check=True)
    assert SHIPPED_VERIFIER.stat().st_size < 1_500_000
    with pytest.raises(RunError, match="patches"):
        Verifier.load(SHIPPED_DETECTOR)
