"""The detector for use says what the trained one says, here and as ONNX."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mnistry.errors import InvalidValueError
from mnistry.export.detector import detector_to_onnx
from mnistry.models.detector import Detector, DetectorConfig, blocks
from mnistry.reading.detector import PLAIN
from mnistry.reading.detector import Detector as OnnxDetector
from mnistry.reading.flatten import LEVEL, STEP
from mnistry.training.pages.targets import as_deviations


@pytest.fixture(scope="module")
def detector() -> Detector:
    return DetectorConfig(features=(4, 6, 8, 10)).build(np.random.default_rng(0))


@pytest.fixture(scope="module")
def pages() -> jax.Array:
    return as_deviations(np.random.default_rng(1).integers(0, 256, (2, 3, 32, 64), np.uint8))


def test_folding_keeps_what_training_says_of_the_batch_it_was_folded_with(
    detector: Detector, pages: jax.Array
) -> None:
    folded = detector.folded(pages[:1])
    assert np.allclose(folded(pages[0]), detector(pages[0]), atol=1e-4)


def test_one_page_does_not_influence_another_in_use(detector: Detector, pages: jax.Array) -> None:
    folded = detector.folded(pages)
    assert np.allclose(folded(pages[0])[:1], folded(pages[0][:1]), atol=1e-5)


def test_the_onnx_file_says_the_same(detector: Detector, pages: jax.Array) -> None:
    folded = detector.folded(pages)
    page = np.asarray(pages[0, 0] * STEP + LEVEL).astype(np.uint8)
    found = OnnxDetector(detector_to_onnx(folded), threads=1).heat(page)
    wanted = np.asarray(folded(pages[0, :1]))[0].transpose(2, 0, 1)
    assert found[11:] == pytest.approx(20 * np.exp(wanted[11:]), abs=1e-3)
    assert found[:11] == pytest.approx(1 / (1 + np.exp(-wanted[:11])), abs=1e-5)


def test_the_onnx_file_keeps_the_weights_of_evidence(detector: Detector, pages: jax.Array) -> None:
    folded = detector.folded(pages[:1])
    content = detector_to_onnx(folded, np.array([0.5, -1.23456, 2, 3]))
    assert OnnxDetector(content, threads=1).weights.tolist() == [0.5, -1.2346, 2, 3]
    assert content == detector_to_onnx(folded, np.array([0.5, -1.23456, 2, 3]))
    plain = OnnxDetector(detector_to_onnx(folded), threads=1)
    assert plain.weights.tolist() == PLAIN.tolist()


def test_blocks_keep_every_pixel() -> None:
    pages = jnp.arange(16).reshape(1, 4, 4)
    assert blocks(pages)[0, 0, 1].tolist() == [2, 3, 6, 7]


def test_features_that_make_no_network_are_refused() -> None:
    with pytest.raises(InvalidValueError, match="at least 1"):
        DetectorConfig(features=(4, 0, 8, 10))
