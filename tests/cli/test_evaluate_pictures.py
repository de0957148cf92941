import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image

from mnistry.data import Dataset
from mnistry.reading.recognizer import MIN_CONFIDENCE

Command = Callable[..., CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path, optdigits: Dataset) -> Path:
    """Two digits, one of them with a wrong label, and a damaged file."""
    folder = tmp_path / "pictures"
    folder.mkdir()
    images, labels = optdigits.test.images, optdigits.test.labels
    for digit in (0, 3):
        image = images[np.flatnonzero(labels == digit)[0]]
        Image.fromarray(255 - image).resize((140, 140)).save(folder / f"{digit}.png")
    (folder / "damaged.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing more")
    (folder / "labels.tsv").write_text(
        "file\tdigits\tkind\n0.png\t0\tpen\n3.png\t58\tchalk\ndamaged.png\t1\tchalk\n"
    )
    return folder


def test_figures_together_and_by_kind(
    mnistry: Command, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    done = mnistry("evaluate-pictures", folder)
    assert done.returncode == 0
    assert "3 pictures, exact 33.33%  95% interval 6.15% to 79.23%" in done.stdout
    assert "character errors 75.00% (3 of 4)" in done.stdout
    assert "1 cannot be read" in done.stdout
    rows = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.strip()}
    assert rows["pen"] == ["1", "100.00%", "20.65%–100.00%", "0.00%", "0"]
    assert rows["chalk"] == ["2", "0.00%", "0.00%–65.76%", "100.00%", "0"]
    assert "damaged.png: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("flags", [(), ("--json",)])
def test_files_that_are_not_measured_are_said(mnistry: Command, folder: Path, flags: tuple[str, ...]) -> None:
    assert "skipped" not in mnistry("evaluate-pictures", folder, *flags).stderr
    for name in ("new.png", "photo.heic", ".hidden.png"):
        (folder / name).touch()
    said = mnistry("evaluate-pictures", folder, *flags).stderr.splitlines()[0]
    assert said == (f"mnistry: {folder}: 2 skipped: new.png, photo.heic (no line in labels.tsv)")


def test_json_is_one_object(mnistry: Command, folder: Path) -> None:
    result = json.loads(mnistry("evaluate-pictures", folder, "--json").stdout)
    assert (result["pictures"], result["exact"], result["unreadable"]) == (3, 1, 1)
    assert (result["folder"], result["min_confidence"]) == (str(folder), MIN_CONFIDENCE)
    assert [answer["read"] for answer in result["answers"]] == [["0"], ["3"], []]
    assert result["kinds"]["pen"]["exact_rate"] == 1


def test_a_threshold_that_nothing_reaches(mnistry: Command, folder: Path) -> None:
    result = json.loads(mnistry("evaluate-pictures", folder, "--json", "--min-confidence", "1.1").stdout)
    assert [answer["read"] for answer in result["answers"]] == [["?"], ["?"], []]
    assert (result["exact"], result["unknown"]) == (0, 2)


def test_the_sheet_shows_what_was_wrong(mnistry: Command, folder: Path, tmp_path: Path) -> None:
    done = mnistry("evaluate-pictures", folder, "--sheet", tmp_path / "wrong.png")
    assert "2 of 2 pictures that were read wrong" in done.stderr
    with Image.open(tmp_path / "wrong.png") as sheet:
        assert sheet.format == "PNG"
        pixels = np.asarray(sheet.convert("RGB")).astype(int)
    three, damaged = pixels[:, 10:250], pixels[:, 260:500]
    assert three[10:150].min() < 100, "the digit"
    assert (damaged[10:150] == damaged[10, 0]).all(), "the ground alone"
    for cell in (three, damaged):
        red = cell[150:, :, 0] - cell[150:, :, 2]
        assert (red > 100).any(), "what was read"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["pictures", "wrong.png"]


def test_no_sheet_where_nothing_is_wrong(mnistry: Command, folder: Path, tmp_path: Path) -> None:
    (folder / "labels.tsv").write_text("file\tdigits\n0.png\t0\n")
    done = mnistry("evaluate-pictures", folder, "--sheet", tmp_path / "wrong.png")
    assert done.returncode == 0
    assert "no picture was read wrong" in done.stderr
    assert not (tmp_path / "wrong.png").exists()


def test_what_is_refused(mnistry: Command, folder: Path, tmp_path: Path) -> None:
    (folder / "labels.tsv").write_text("file\tdigits\n0.png\tzero\n")
    for wrong, message in [
        (tmp_path / "absent", "no such folder"),
        (folder, "labels.tsv: line 2: digits must"),
    ]:
        done = mnistry("evaluate-pictures", wrong)
        assert (done.returncode, done.stdout) == (2, "")
        assert message in done.stderr
    assert mnistry("evaluate-pictures", folder, "--model", tmp_path / "absent.onnx").returncode == 2


def test_a_sheet_that_cannot_be_written(mnistry: Command, folder: Path, tmp_path: Path) -> None:
    done = mnistry("evaluate-pictures", folder, "--sheet", tmp_path / "absent" / "wrong.png")
    assert done.returncode == 2
    assert "absent" in done.stderr
    assert "Traceback" not in done.stderr
