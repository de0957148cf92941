"""Teaching ends with a reader and what it gained and lost, and goes on to the same weights."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from mnistry.errors import DataError, InvalidValueError, RunError
from mnistry.export.arrays import named_arrays
from mnistry.models import DetectorConfig
from mnistry.reading.labels import read_labels
from mnistry.reading.recognizer import Recognizer
from mnistry.reading.verifier import Verifier
from mnistry.runs import read_run
from mnistry.training import Run, TrainingProgress, resume
from mnistry.training.teaching import teach as module
from mnistry.training.teaching.lessons import load_lessons
from mnistry.training.teaching.pictures import divided
from mnistry.training.teaching.start import Start
from mnistry.training.teaching.teach import teach
from mnistry.training.teaching.told import told

from ..stopping import stopped_and_gone_on  # noqa: TID252

Command = Callable[..., CompletedProcess[str]]
REAL_LOAD = Start.load
FEW = {"steps": 4, "log_every": 2, "validate_every": 4, "checkpoint_every": 1, "batch_size": 4}


@pytest.fixture(scope="module")
def run(small: None, pictures: Path, real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return teach(pictures, data_dir=real_data, runs=tmp_path_factory.mktemp("runs"), **FEW)


def test_every_fifth_picture_is_kept_apart(pictures: Path) -> None:
    taught, held_out = divided(read_labels(pictures))
    assert [one.name for one in held_out] == ["4.png", "9.png"]
    assert len(taught) == 12
    assert not {one.name for one in taught} & {one.name for one in held_out}


def test_a_run_tells_what_it_learnt_from_and_what_it_gained_and_lost(run: Run) -> None:
    figures = run.figures
    first, second = figures["learnt_from"]
    assert (first["after_step"], second["after_step"]) == (0, 2)
    assert first["pictures"] == 12
    assert first["found"] >= 8
    assert {"damaged.png", "blank.png"} <= set(first["left_out"])
    apart = figures["kept_apart"]
    assert apart["before"]["pictures"] == apart["after"]["pictures"] == 2
    assert {one["file"] for one in apart["answers"]} == {"4.png", "9.png"}
    exact = {one["file"] for one in apart["answers"] if one["exact"]}
    assert len(exact) == apart["after"]["exact"]
    assert apart["after"]["exact"] - apart["before"]["exact"] == len(apart["gained"]) - len(apart["lost"])
    assert figures["pages_before"]["n"] == figures["n"] > 20
    assert f"{apart['before']['exact_rate']:.1%} → {apart['after']['exact_rate']:.1%}" in told(run)
    with pytest.raises(RunError, match="evaluate-pictures"):
        _ = run.evaluation


def test_lessons_say_what_the_labels_say(run: Run) -> None:
    lessons, _ = load_lessons(run.path / "lessons-0.npz")
    labels = {one.name: "".join(one.lines) for one in read_labels(run.pictures or Path())}
    for lesson in lessons:
        ordered = lesson.digits[np.argsort(lesson.digits[:, 0])]
        assert "".join(str(int(digit)) for digit in ordered[:, 4]) == labels[lesson.name]
        # They were written at 8, 34, 60: their middles lie there, within a quarter of a digit.
        wanted = 22 + 26 * np.arange(len(ordered))
        assert np.abs(ordered[:, 0] - wanted * (lesson.grey.shape[0] / 44)).max() < 8


def test_what_came_of_it_reads(run: Run, pictures: Path) -> None:
    reading = Recognizer.load(run.path).read(pictures / "0.png")
    assert all(0 <= digit.confidence <= 1 for digit in reading.digits)
    taught, shipped = (Recognizer.load(source).verifier.fingerprint for source in (run.path, None))
    assert taught == Verifier.load(run.path / "verifier.onnx").fingerprint != shipped
    (alone := pictures.parent / "alone.onnx").write_bytes((run.path / "model.onnx").read_bytes())
    assert Recognizer.load(alone).verifier.fingerprint == shipped
    assert json.loads((run.path / "evaluation.json").read_text())["steps"] == 4
    assert read_run(run.path).pictures == pictures.resolve()


@pytest.mark.parametrize("after", [1, 3], ids=["before the second look", "after it"])
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(
    run: Run, pictures: Path, real_data: Path, tmp_path: Path, after: int
) -> None:
    begin = partial(teach, pictures, data_dir=real_data, runs=tmp_path, **FEW)
    again = stopped_and_gone_on(tmp_path / "teach-1", begin, after)
    for name in ("model.safetensors", "trainable.safetensors", "lessons-2.npz"):
        assert (again.path / name).read_bytes() == (run.path / name).read_bytes()
    assert {**again.figures, "train_seconds": 0}.keys() == {**run.figures, "train_seconds": 0}.keys()
    assert again.figures["learnt_from"] == run.figures["learnt_from"]


def test_other_pictures_and_missing_beginnings_are_noticed(run: Run, tmp_path: Path, pictures: Path) -> None:
    folder = shutil.copytree(run.path, tmp_path / "teach-1")
    kept = (pictures / "0.png").read_bytes()
    try:
        (pictures / "0.png").write_bytes((pictures / "1.png").read_bytes())
        with pytest.raises(RunError, match=r"pictures.*SHA-256 differs"):
            resume(folder)
    finally:
        (pictures / "0.png").write_bytes(kept)
    shutil.rmtree(folder / "checkpoints")
    with pytest.raises(RunError, match="teach anew"):
        resume(folder)


def folder_with(tmp_path: Path, pictures: Path, table: str | None) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    for name in ("0.png", "1.png", "blank.png"):
        shutil.copy(pictures / name, folder)
    if table is not None:
        (folder / "labels.tsv").write_text(table)
    return folder


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (None, "there is no labels.tsv in it"),
        ("file\tdigits\n0.png\tseventy\n", "line 2: digits must be digits"),
        ("file\tdigits\n7.png\t70\n", "there is no picture '7.png'"),
        ("file\tdigits\nblank.png\t123\n", "in none of the 1 pictures the digits of its label are found"),
        ("file\tdigits\nblank.png\t\n", "nothing to learn from"),
    ],
    ids=["no labels", "no digits", "no picture", "nothing found", "nothing but empty ones"],
)
def test_what_cannot_be_learnt_from_is_said_and_nothing_is_written(
    mnistry: Command,
    small: None,
    tmp_path: Path,
    pictures: Path,
    real_data: Path,
    table: str | None,
    said: str,
) -> None:
    folder = folder_with(tmp_path, pictures, table)
    done = mnistry("teach", folder, "--data-dir", real_data)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_values_without_a_meaning_are_errors(
    small: None, pictures: Path, tmp_path: Path, real_data: Path
) -> None:
    for changes, said in (
        ({"batch_size": 1}, "batch_size"),
        ({"steps": 0}, "steps"),
        ({"seed": -1}, "seed"),
        ({"label_smoothing": 0.1}, "single images"),
    ):
        with pytest.raises(InvalidValueError, match=said):
            teach(pictures, data_dir=real_data, runs=tmp_path / "runs", **changes)
    assert not (tmp_path / "runs").exists()


def test_too_many_pixels_are_refused(small: None, pictures: Path) -> None:
    detector = module.Detector(Start.load().detector)
    with pytest.raises(DataError, match="more than the 3,000 pixels"):
        module.lessons_of(detector, read_labels(pictures), most_pixels=3000)


def test_what_was_taught_is_taught_on(run: Run, small: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both networks go on from where they were; the small ones of the tests are not the shipped ones."""
    monkeypatch.undo()
    start = REAL_LOAD(run.path)
    assert start.config == run.recipe.model
    assert start.verifier == (run.path / "verifier.onnx").read_bytes()
    kept = named_arrays(run.trainable_model(like=start.model))
    for name, array in named_arrays(start.model).items():
        np.testing.assert_array_equal(array, kept[name])


def test_what_an_earlier_version_began_is_taught_anew(run: Run) -> None:
    """It had a detector only."""
    earlier = replace(run, recipe=replace(run.recipe, model=DetectorConfig()))
    with pytest.raises(RunError, match="earlier version"):
        module.resume_teaching(earlier, TrainingProgress(silent=True))
