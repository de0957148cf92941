"""A verifier's run: it ends with what it should have, goes on to the same weights, and is read with."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnistry.errors import RunError
from mnistry.models import VerifierConfig
from mnistry.reading.recognizer import Recognizer
from mnistry.reading.verifier import PATCH
from mnistry.reading.verifier import Verifier as OnnxVerifier
from mnistry.training import Run, train
from mnistry.training.pages import patches, verifying
from mnistry.training.pages import train as training_of_pages
from mnistry.training.pages.patches import PatchBatch
from mnistry.training.pages.verifying import told_right
from mnistry.training.teaching.start import Start

from ..stopping import stopped_and_gone_on  # noqa: TID252

SMALL = {
    "model": VerifierConfig(features=(4, 6, 8, 10)),
    "batch_size": 16,
    "steps": 4,
    "log_every": 2,
    "validate_every": 4,
    "checkpoint_every": 2,
}


@pytest.fixture(scope="module", autouse=True)
def few_places(drawn_here: Any) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verifying, "VALIDATION_PAGES", 8)
        patch.setattr(verifying, "FOLDING_BATCHES", 2)
        patch.setattr(patches, "POOL", 2)
        patch.setattr(patches, "PAGES", 1)
        patch.setattr(training_of_pages, "drawing", drawn_here)
        yield


@pytest.fixture(scope="module")
def run(few_places: None, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train("verifier", data_dir=real_data, runs=tmp_path_factory.mktemp("runs"), **SMALL)


def test_a_run_hands_on_a_verifier_and_what_it_tells(run: Run) -> None:
    assert run.figures["n"] > run.figures["digits"] > 20
    assert run.figures["onnx_largest_difference"] < 1e-3
    told = OnnxVerifier.load(run.path).probabilities(np.full((2, PATCH, PATCH), 128, np.uint8))
    assert told.shape == (2, 11)
    reader = Recognizer.load(run.path, threads=1)
    assert reader.verifier.fingerprint != Recognizer.load(threads=1).verifier.fingerprint
    assert reader.read(np.full((90, 60), 255, np.uint8)).lines == ()


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(
    run: Run, real_data: Path, tmp_path: Path
) -> None:
    begin = partial(train, "verifier", data_dir=real_data, runs=tmp_path, **SMALL)
    again = stopped_and_gone_on(tmp_path / "verifier-1", begin)
    assert (again.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()


def test_teaching_does_not_begin_with_a_verifier(run: Run) -> None:
    with pytest.raises(RunError, match="finds no digits on pages"):
        Start.load(run.path)


class Sure:
    """A verifier that is told what to say."""

    def __init__(self, chances: np.ndarray) -> None:
        self.probabilities = lambda images: chances


def test_what_is_told_right_by_hand() -> None:
    """A 3 and a 4, of which the 4 is taken for a 9; and two that are none, one taken for a 1."""
    labels = np.array([3, 4, 10, 10], np.int32)
    chances = np.full((4, 11), 0.01)
    chances[[0, 1, 2, 3], [3, 9, 10, 1]] = 0.9
    chances[1, 10] = 0.05
    told = told_right(Sure(chances), PatchBatch(np.zeros((4, PATCH, PATCH), np.uint8), labels))  # type: ignore[arg-type]
    assert (told["n"], told["correct"], told["digits"]) == (4, 2, 2)
    assert (told["accuracy"], told["digits_told"]) == (0.5, 0.5)
    assert told["loss"] == pytest.approx(-(2 * np.log(0.9) + 2 * np.log(0.01)) / 4)
    # To keep both digits, what is "none" by less than nearly 0.05 is taken for one.
    assert told["taken_for_digits"] == 0.5
