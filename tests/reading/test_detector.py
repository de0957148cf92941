"""The page detector's file, what it keeps beside its weights, and from its heat map to digits."""

import pickle
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mnistry.errors import RunError
from mnistry.export.detector import with_trust
from mnistry.reading.classifier import SHIPPED_MODEL
from mnistry.reading.detector import (
    FAINT,
    MARGIN,
    MOST_PEAKS,
    PLAIN,
    SHIPPED_DETECTOR,
    SIDE_UNIT,
    STRIDE,
    WEIGHTS,
    Detector,
    copy_at,
    peaks,
)
from mnistry.reading.flatten import LEVEL, flattened

# ---------------------------------------------------------------- the file


def with_metadata(path: Path, weights: str | None) -> Path:
    """The shipped detector with these weights of evidence in its metadata, or with none."""
    model = onnx.load(SHIPPED_DETECTOR)
    del model.metadata_props[:]
    if weights is not None:
        onnx.helper.set_model_props(model, {WEIGHTS: weights})
    onnx.save(model, path)
    return path


def test_the_shipped_detector() -> None:
    detector = Detector.load(threads=1)
    heat = detector.heat(np.full((64, 96), LEVEL, np.uint8))
    assert heat.shape == (13, 16, 24)
    assert heat[:10].max() < FAINT, "nothing is on empty paper"
    assert detector.weights.shape == PLAIN.shape


def test_it_can_be_pickled() -> None:
    detector = Detector.load(threads=1)
    again = pickle.loads(pickle.dumps(detector))
    page = np.random.default_rng(0).integers(0, 256, (64, 64), np.uint8)
    np.testing.assert_array_equal(again.heat(page), detector.heat(page))
    np.testing.assert_array_equal(again.weights, detector.weights)


def test_the_weights_of_evidence(tmp_path: Path) -> None:
    path = with_metadata(tmp_path / "weighed.onnx", "[0.5, 1, 2.25, -3]")
    assert Detector.load(path, threads=1).weights.tolist() == [0.5, 1, 2.25, -3]
    path = with_metadata(tmp_path / "plain.onnx", None)
    assert Detector.load(path, threads=1).weights.tolist() == PLAIN.tolist()


@pytest.mark.parametrize(
    "weights", ["[1, 2", "7", "[1, 2, 3]", "[[1, 2, 3, 4]]", '["a", 0, 0, 0]', "[1, 2, 3, NaN]", "null", "{}"]
)
def test_damaged_weights_of_evidence(tmp_path: Path, weights: str) -> None:
    path = with_metadata(tmp_path / "damaged.onnx", weights)
    with pytest.raises(RunError, match=r"damaged\.onnx: its metadata are damaged"):
        Detector.load(path, threads=1)


def test_a_taught_detector_tells_how_much_the_classifier_counts(tmp_path: Path) -> None:
    shipped = SHIPPED_DETECTOR.read_bytes()
    taught = Detector(with_trust(shipped, 0.2), threads=1)
    assert (Detector(shipped, threads=1).trust, taught.trust) == (None, 0.2)
    assert np.array_equal(taught.weights, Detector(shipped, threads=1).weights)
    assert pickle.loads(pickle.dumps(taught)).trust == 0.2
    for wrong in (-1.0, np.nan, np.inf):
        (tmp_path / "model.onnx").write_bytes(with_trust(shipped, wrong))
        with pytest.raises(RunError, match="its metadata are damaged: weight_of_second_opinion"):
            Detector.load(tmp_path, threads=1)


def test_what_is_no_detector(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"classifier\.onnx: expected the inputs \{'pages': 'uint8'\}"):
        Detector.load(SHIPPED_MODEL)
    with pytest.raises(RunError, match=r"absent\.onnx: there is no such model"):
        Detector.load(tmp_path / "absent.onnx")
    (tmp_path / "model.onnx").write_bytes(SHIPPED_DETECTOR.read_bytes()[:5000])
    with pytest.raises(RunError, match=r"model\.onnx: not an ONNX model"):
        Detector.load(tmp_path)


# ---------------------------------------------------------------- what it sees


def test_light_and_shade_are_flattened_and_polarity_is_kept() -> None:
    shade = np.linspace(0.4, 1, 300, dtype=np.float32)[None].repeat(200, axis=0)
    page = shade.copy()
    page[80:110, 40:44] *= 0.3
    page[80:110, 240:244] *= 0.3
    flat = flattened(page).astype(int)
    assert abs(flat[100, 150] - LEVEL) < 40
    assert flat[95, 42] < LEVEL - 60
    assert flat[95, 242] < LEVEL - 60
    assert flattened(np.full((50, 50), 0.3, np.float32)).tolist() == [[LEVEL] * 50] * 50


@pytest.mark.parametrize("scale", [1, 0.3, 2.5])
@pytest.mark.parametrize("shape", [(1, 1), (28, 28), (33, 70), (1, 300)])
def test_a_copy_has_empty_paper_around_it(shape: tuple[int, int], scale: float) -> None:
    grey = np.random.default_rng(0).random(shape, np.float32)
    page = copy_at(grey, scale)
    height, width = (max(1, round(side * scale)) for side in shape)
    assert page.dtype == np.uint8
    assert page.shape[0] % SIDE_UNIT == page.shape[1] % SIDE_UNIT == 0
    assert 0 <= page.shape[0] - height - 2 * MARGIN < SIDE_UNIT
    around = np.ones(page.shape, bool)
    around[MARGIN : MARGIN + height, MARGIN : MARGIN + width] = False
    assert (page[around] == LEVEL).all()


# ---------------------------------------------------------------- peaks


def heat_with(*hills: tuple[int, int, int, float], rows: int = 20, columns: int = 30) -> np.ndarray:
    """A map with these maxima: digit, row, column, probability; each 20 pixels high and 12 wide."""
    heat = np.zeros((13, rows, columns), np.float32)
    heat[11], heat[12] = 20, 12
    for digit, row, column, high in hills:
        heat[digit, row, column] = high
    return heat


def test_a_maximum_is_a_digit_in_pixels_of_the_picture() -> None:
    (digit,) = peaks(heat_with((7, 5, 10, 0.8)), 0.5, left=32, top=16)
    assert (digit.x, digit.y) == ((10.5 * STRIDE - MARGIN + 32) / 0.5, (5.5 * STRIDE - MARGIN + 16) / 0.5)
    assert (digit.height, digit.width) == (40, 24)
    assert digit.box == (digit.x - 12, digit.y - 20, digit.x + 12, digit.y + 20)
    assert (digit.digit, digit.confidence) == (7, pytest.approx(0.8))


def test_what_is_faint_or_beside_a_higher_place_is_none() -> None:
    found = peaks(heat_with((7, 5, 10, 0.8), (1, 5, 11, 0.7), (3, 10, 10, FAINT / 2), (4, 5, 13, 0.6)), 1)
    assert sorted(digit.digit for digit in found) == [4, 7]


def test_probabilities_of_a_place_are_together_at_most_one() -> None:
    (digit,) = peaks(heat_with((7, 5, 10, 0.8), (1, 5, 10, 0.8)), 1)
    assert digit.probabilities[[1, 7]] == pytest.approx([0.5, 0.5])
    (digit,) = peaks(heat_with((7, 5, 10, 0.4), (1, 5, 10, 0.3)), 1)
    assert digit.probabilities[[1, 7]] == pytest.approx([0.3, 0.4])


def test_of_too_many_maxima_the_highest_are_taken() -> None:
    random = np.random.default_rng(0)
    heat = heat_with(rows=200, columns=200)
    heat[3] = random.random((200, 200), np.float32)
    start = time.process_time()
    found = peaks(heat, 1)
    assert time.process_time() - start < 1
    assert len(found) == MOST_PEAKS
    assert min(digit.confidence for digit in found) > 0.7


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 1000), rows=st.integers(1, 12), columns=st.integers(1, 12))
def test_any_map_gives_places_inside_it(seed: int, rows: int, columns: int) -> None:
    heat = np.random.default_rng(seed).random((13, rows, columns), np.float32) ** 8
    for digit in peaks(heat, 1, MARGIN, MARGIN):
        assert 0 <= digit.x <= columns * STRIDE
        assert 0 <= digit.y <= rows * STRIDE
        assert FAINT < digit.confidence <= 1
        assert digit.probabilities.sum() <= 1 + 1e-6
