"""A detector's run: it ends with what it should have, and goes on to the same weights."""

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mnistry.errors import DataNotFoundError, InvalidValueError, RunError
from mnistry.models import DetectorConfig
from mnistry.reading.detector import Detector
from mnistry.training import Run, resume, train
from mnistry.training.pages import drawing
from mnistry.training.pages import train as training_of_pages

from ..stopping import stopped_and_gone_on  # noqa: TID252

SMALL = {
    "model": DetectorConfig(features=(4, 6, 8, 10)),
    "batch_size": 2,
    "steps": 4,
    "log_every": 2,
    "validate_every": 4,
    "checkpoint_every": 2,
}


@pytest.fixture(scope="module", autouse=True)
def few_pages(handwriting_is_read_once: None) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training_of_pages, "VALIDATION_PAGES", 16)
        patch.setattr(training_of_pages, "FOLDING_PAGES", 8)
        patch.setattr(training_of_pages, "BATCH", 8)
        patch.setattr(drawing, "AHEAD", 2)
        yield


@pytest.fixture(scope="module")
def run(few_pages: None, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train("reader", data_dir=real_data, runs=tmp_path_factory.mktemp("runs"), **SMALL)


def test_a_run_hands_on_a_detector_and_what_it_finds(run: Run) -> None:
    assert run.figures["n"] > 50
    assert run.figures["onnx_largest_difference"] < 1e-3
    detector = Detector.load(run.path)
    assert detector.heat(np.full((64, 64), 128, np.uint8)).shape == (13, 16, 16)
    assert detector.weights.tolist() == run.figures["weights_of_evidence"]
    with pytest.raises(RunError, match="evaluate-pictures"):
        _ = run.evaluation


DRAWING = """
import sys
from pathlib import Path
from mnistry.training.pages.drawing import Pages, drawing

if __name__ == "__main__":
    with drawing(Pages(Path(sys.argv[1]), None, 0, 1)) as batches:
        batches.batch(0)
        print(*batches._executor._processes, flush=True)
        input()
"""


def test_who_draws_ends_where_who_trains_is_killed(real_data: Path, tmp_path: Path) -> None:
    (tmp_path / "drawing.py").write_text(DRAWING)
    command = [sys.executable, str(tmp_path / "drawing.py"), str(real_data / "handwriting")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        draws = int(training.stdout.readline())
        assert Path(f"/proc/{draws}").exists()
        training.kill()
        training.wait()
        until = time.monotonic() + 20
        while Path(f"/proc/{draws}").exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert not Path(f"/proc/{draws}").exists()


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(
    run: Run, real_data: Path, tmp_path: Path, drawn_here: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever draws."""
    monkeypatch.setattr(training_of_pages, "drawing", drawn_here)
    begin = partial(train, "reader", data_dir=real_data, runs=tmp_path, **SMALL)
    again = stopped_and_gone_on(tmp_path / "reader-1", begin)
    assert (again.path / "model.safetensors").read_bytes() == (run.path / "model.safetensors").read_bytes()


def test_other_handwriting_is_noticed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training_of_pages, "digests", lambda folder: {"a": "b"})
    with pytest.raises(RunError, match="handwriting"):
        resume(run.path)


def test_what_has_no_effect_or_is_not_there_is_said(tmp_path: Path, real_data: Path) -> None:
    with pytest.raises(InvalidValueError, match="single images"):
        train("reader", data_dir=real_data, runs=tmp_path, label_smoothing=0.1)
    with pytest.raises(InvalidValueError, match="epochs"):
        train("reader", data_dir=real_data, runs=tmp_path, epochs=1)
    with pytest.raises(DataNotFoundError, match="nowhere"):
        train("reader", data=tmp_path / "nowhere", runs=tmp_path)
    assert not list(tmp_path.iterdir())
