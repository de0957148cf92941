"""The verifier for use says what the trained one says, here and as ONNX."""

import jax
import numpy as np
import pytest

from mnistry.errors import InvalidValueError
from mnistry.export.verifier import verifier_to_onnx
from mnistry.models.verifier import PATCH, Verifier, VerifierConfig
from mnistry.reading.verifier import Verifier as OnnxVerifier
from mnistry.training.pages.targets import as_deviations


@pytest.fixture(scope="module")
def verifier() -> Verifier:
    return VerifierConfig(features=(6, 8, 10, 12)).build(np.random.default_rng(0))


@pytest.fixture(scope="module")
def patches() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (2, 5, PATCH, PATCH), np.uint8)


def test_folding_keeps_what_training_says_of_the_batch_it_was_folded_with(
    verifier: Verifier, patches: np.ndarray
) -> None:
    seen = as_deviations(patches)
    folded = verifier.folded(seen[:1])
    assert np.allclose(folded(seen[0]), verifier(seen[0]), atol=1e-4)
    assert not np.allclose(folded(seen[1]), verifier(seen[1]), atol=1e-3)
    # In use, a patch does not depend on the others of its batch.
    assert np.allclose(folded(seen[1])[2], folded(seen[1][2:3])[0], atol=1e-4)


def test_the_onnx_file_says_the_same(verifier: Verifier, patches: np.ndarray) -> None:
    folded = verifier.folded(as_deviations(patches))
    own = jax.nn.softmax(folded(as_deviations(patches[0])))
    onnx = OnnxVerifier(verifier_to_onnx(folded), threads=1)
    told = onnx.probabilities(patches[0])
    assert told.shape == (5, 11)
    np.testing.assert_allclose(told, own, atol=1e-5)
    np.testing.assert_allclose(told.sum(axis=1), 1, atol=1e-5)


def test_at_first_nothing_is_known(verifier: Verifier, patches: np.ndarray) -> None:
    chances = jax.nn.softmax(verifier(as_deviations(patches[0])))
    assert float(abs(chances - 1 / 11).max()) < 0.1


def test_bad_features() -> None:
    with pytest.raises(InvalidValueError, match=r"model\.features"):
        VerifierConfig(features=(0, 8, 10, 12))
