"""Files of models: which file a source names, and what is said of one that is missing or no model."""

import os
from pathlib import Path

import pytest

from mnistry.errors import RunError
from mnistry.reading.classifier import SHIPPED_MODEL
from mnistry.reading.detector import SHIPPED_DETECTOR
from mnistry.reading.onnx_files import OtherModelError, check_types, open_session, path_of, read_model
from mnistry.reading.verifier import SHIPPED_VERIFIER


def test_a_file_and_the_model_of_a_run_folder(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"a model")
    for source in (file, str(file), tmp_path, str(tmp_path)):
        assert read_model(source) == b"a model"
        assert path_of(source) == file


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"absent\.onnx: there is no such model or run folder"):
        read_model(tmp_path / "absent.onnx")
    with pytest.raises(RunError, match=r"there is no model\.onnx in it.*`mnistry\.resume\("):
        read_model(tmp_path)
    os.mkfifo(tmp_path / "pipe.onnx")
    with pytest.raises(RunError, match=r"pipe\.onnx: cannot be read: "):
        read_model(tmp_path / "pipe.onnx")


@pytest.mark.parametrize("content", [b"", b"hello", b"\x08\x07" * 1000])
def test_what_is_no_onnx_file(content: bytes) -> None:
    with pytest.raises(ValueError, match="not an ONNX model"):
        open_session(content, 1)


def test_threads_that_wait_leave_the_cores_to_others() -> None:
    options = open_session(SHIPPED_MODEL.read_bytes(), 2).get_session_options()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_a_model_that_was_cut_off() -> None:
    content = SHIPPED_MODEL.read_bytes()
    with pytest.raises(ValueError, match="not an ONNX model"):
        open_session(content[: len(content) // 2], 1)


def test_the_two_that_come_with_mnistry_are_not_taken_for_each_other() -> None:
    classifier, detector = (open_session(read_model(path), 1) for path in (SHIPPED_MODEL, SHIPPED_DETECTOR))
    of_classifier, of_detector = ({"images": "uint8"}, "logits"), ({"pages": "uint8"}, "found")
    check_types(classifier, *of_classifier)
    check_types(detector, *of_detector)
    with pytest.raises(
        OtherModelError, match=r"expected the inputs \{'pages': 'uint8'\} and the output found"
    ):
        check_types(classifier, *of_detector)
    with pytest.raises(OtherModelError, match=r"found \{'pages': 'uint8'\} and \{'found': 'float'\}"):
        check_types(detector, *of_classifier)
    assert (
        sum(path.stat().st_size for path in (SHIPPED_MODEL, SHIPPED_DETECTOR, SHIPPED_VERIFIER)) < 4_000_000
    )
