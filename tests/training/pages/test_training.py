"""A detector's run: it ends with what it should have, and goes on to the same weights."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from mnistry.errors import DataNotFoundError, InvalidValueError, RunError
from mnistry.models import DetectorConfig
from mnistry.models.detector import STRIDE
from mnistry.reading.detector import Detector
from mnistry.training import Run, TrainingProgress, resume, train
from mnistry.training.interruption import Interrupted
from mnistry.training.pages import drawing
from mnistry.training.pages import train as training_of_pages
from mnistry.training.pages.canvas import HEIGHT, WIDTH
from mnistry.training.pages.page import MOST_DIGITS, NOTHING, Page
from mnistry.training.pages.score import found_on
from mnistry.training.pages.sources import Sources
from mnistry.training.pages.targets import batch_of


def page_with(*digits: tuple[float, float, float, float, int]) -> Page:
    rows = np.full((MOST_DIGITS, 5), NOTHING, np.float32)
    rows[: len(digits)] = digits
    small = np.zeros((HEIGHT // STRIDE, WIDTH // STRIDE), np.bool_)
    return Page(np.zeros((HEIGHT, WIDTH), np.uint8), small, rows)


SMALL = {
    "model": DetectorConfig(features=(4, 6, 8, 10)),
    "batch_size": 2,
    "steps": 4,
    "log_every": 2,
    "validate_every": 4,
    "checkpoint_every": 2,
}


@pytest.fixture(scope="module", autouse=True)
def few_pages() -> Iterator[None]:
    """Drawn with handwriting that is read once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_of_pages, "VALIDATION_PAGES", 16)
        patch.setattr(training_of_pages, "FOLDING_PAGES", 8)
        patch.setattr(training_of_pages, "BATCH", 8)
        patch.setattr(drawing, "AHEAD", 2)
        patch.setattr(Sources, "read", cache(Sources.read))
        yield


@pytest.fixture(scope="module")
def run(few_pages: None, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train("detector", data_dir=real_data, runs=tmp_path_factory.mktemp("runs"), **SMALL)


def test_a_run_hands_on_a_detector_and_what_it_finds(run: Run) -> None:
    assert run.figures["n"] > 50
    assert run.figures["onnx_largest_difference"] < 1e-3
    heat = Detector.load(run.path / "model.onnx").heat(np.full((64, 64), 128, np.uint8))
    assert heat.shape == (13, 16, 16)
    with pytest.raises(RunError, match="evaluate-pictures"):
        _ = run.evaluation


class Stopping(TrainingProgress):
    """Asks to stop, as Ctrl-C does, once some losses are there."""

    def losses(self, first_step: int, losses: np.ndarray) -> None:
        import os
        import signal

        os.kill(os.getpid(), signal.SIGTERM)


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(
    run: Run, real_data: Path, tmp_path: Path
) -> None:
    with pytest.raises(Interrupted):
        train("detector", data_dir=real_data, runs=tmp_path, progress=Stopping(silent=True), **SMALL)
    again = resume(tmp_path / "detector-1")
    assert (again.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()


def test_other_handwriting_is_noticed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_of_pages, "digests", lambda folder: {"a": "b"})
    with pytest.raises(RunError, match="handwriting"):
        resume(run.path)


def test_what_has_no_effect_or_is_not_there_is_said(tmp_path: Path, real_data: Path) -> None:
    with pytest.raises(InvalidValueError, match="single images"):
        train("detector", data_dir=real_data, runs=tmp_path, label_smoothing=0.1)
    with pytest.raises(InvalidValueError, match="epochs"):
        train("detector", data_dir=real_data, runs=tmp_path, epochs=1)
    with pytest.raises(DataNotFoundError, match="nowhere"):
        train("detector", data=tmp_path / "nowhere", runs=tmp_path)
    assert not list(tmp_path.iterdir())


class Told:
    """A detector that gives a heat map which was made up."""

    def __init__(self, found: np.ndarray) -> None:
        self._found = found

    def heat(self, page: np.ndarray) -> np.ndarray:
        return self._found


def test_found_misread_false_and_missed_digits_are_counted() -> None:
    batch = batch_of(
        [page_with((42, 26, 12, 20, 7), (82, 26, 12, 20, 1), (122, 26, 12, 20, 4), (200, 100, 30, 30, -1))]
    )
    found = np.zeros((13, 32, 64), np.float32)
    found[11:] = 20
    for digit, row, column in ((7, 6, 10), (8, 6, 20), (0, 20, 20), (5, 24, 49)):
        found[digit, row, column] = 0.9
    # The map of the page itself; a margin that the reader adds is taken off by `peaks` and added again.
    counts = found_on(Told(found), batch)  # type: ignore[arg-type]
    assert (counts.digits, counts.right, counts.misread, counts.false) == (3, 1, 1, 1)
    assert counts.recall == pytest.approx(1 / 3)
    assert counts.precision == pytest.approx(1 / 3)
