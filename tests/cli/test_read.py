"""`mnistry read`: what it prints and writes for one picture and for many, and how it is stopped."""

import csv
import io
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from mnistry.reading.classifier import SHIPPED_MODEL
from mnistry.reading.detector import SHIPPED_DETECTOR
from mnistry.reading.recognizer import Digit, Reading, Recognizer

Command = Callable[..., CompletedProcess[str]]
Refused = Callable[..., None]


def digit_picture(path: Path) -> Path:
    """Draws a 1 on paper that is lighter at the bottom, so that it is looked for, as in a photo."""
    image = Image.linear_gradient("L").resize((120, 160)).point(lambda level: 200 + level // 5)
    image.paste(0, (55, 30, 67, 130))
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> dict[str, Reading]:
    """What the recognizer says about a picture of each name; about all others, 1 or ?."""
    known: dict[str, Reading] = {}

    def read(self: Recognizer, picture: Any, *, min_confidence: float) -> Reading:
        one = Reading(("1" if min_confidence <= 0.9 else "?",), (digit(1),))
        return known.get(Path(picture).name, one)

    monkeypatch.setattr(Recognizer, "read", read)
    return known


def digit(value: int | None, confidence: float = 0.9, line: int = 0) -> Digit:
    return Digit(value, confidence, (1, 2, 3, 4), line, (0.1,) * 10)


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="") as file:
        return list(csv.reader(file))


def test_read_keeps_its_contract(mnistry_process: Command, tmp_path: Path) -> None:
    good, bad, absent = (tmp_path / name for name in ("one.png", "text.png", "absent.png"))
    digit_picture(good)
    bad.write_text("not a picture")
    done = mnistry_process("read", "--json", good, bad, absent, good)
    assert done.returncode == 2
    assert done.stderr == ""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in lines] == [str(path) for path in (good, bad, absent, good)]
    assert set(lines[1]) == set(lines[2]) == {"file", "error"}
    assert lines[0] == lines[3]
    assert lines[0]["lines"] == ["1"]
    (digit,) = lines[0]["digits"]
    assert set(digit) == {"digit", "confidence", "box", "line"}
    assert (digit["digit"], digit["line"]) == (1, 0)
    assert 0.5 < digit["confidence"] <= 1
    x, y, width, height = digit["box"]
    assert (y, y + height) == pytest.approx((30, 130), abs=10)
    assert x <= 55 < 65 <= x + width <= 55 + 60
    assert mnistry_process("read", "--json", good).returncode == 0


def test_a_blank_page_has_no_lines(mnistry: Command, tmp_path: Path) -> None:
    Image.new("L", (400, 300), 240).save(tmp_path / "blank.png")
    done = mnistry("read", "blank.png", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == {"file": "blank.png", "lines": [], "digits": []}


def test_for_people(mnistry: Command, answers: dict[str, Reading]) -> None:
    answers["two.png"] = Reading(("20 26", "1?"), (digit(2), digit(None, 0.4321, 1)), ("first of 3 frames",))
    answers["blank.png"] = Reading((), ())
    done = mnistry("read", "two.png", "blank.png", os.fsdecode(b"\xe9.png"))
    assert done.returncode == 0
    assert done.stdout == (
        "two.png: 20 26 | 1? (confidence 0.432)\nblank.png: no digit\n\ufffd.png: 1 (confidence 0.900)\n"
    )
    assert done.stderr == "mnistry: two.png: first of 3 frames\n"


def test_a_bad_file_does_not_stop_the_others(mnistry: Command, tmp_path: Path) -> None:
    digit_picture(tmp_path / "one.png")
    done = mnistry("read", "absent.png", "one.png", "x" * 300 + ".png")
    assert done.returncode == 2
    assert done.stdout.startswith("one.png: 1 (confidence ")
    assert "absent.png: there is no such file" in done.stderr
    assert "File name too long" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_of_ones_own(mnistry: Command, tmp_path: Path, refused: Refused) -> None:
    digit_picture(tmp_path / "one.png")
    (tmp_path / "run").mkdir()
    shutil.copy(SHIPPED_MODEL, tmp_path / "run" / "model.onnx")
    own, usual = (mnistry("read", "one.png", "--json", *flags) for flags in (("--model", "run"), ()))
    (own_digit,), (usual_digit,) = (json.loads(done.stdout)["digits"] for done in (own, usual))
    assert (own_digit["digit"], own_digit["box"]) == (1, usual_digit["box"])
    shutil.copy(SHIPPED_DETECTOR, tmp_path / "run" / "model.onnx")
    assert mnistry("read", "one.png", "--json", "--model", "run").stdout == usual.stdout
    refused(mnistry("read", "one.png", "--model", "nowhere", "--csv", "out.csv"), "nowhere")
    assert not (tmp_path / "out.csv").exists()


def test_standard_input(mnistry: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = digit_picture(tmp_path / "one.png").read_bytes()
    for given, status in ((content, 0), (b"", 2)):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
        done = mnistry("read", "--json", "-", "one.png")
        assert done.returncode == status, done.stderr
        stdin, file = [json.loads(line) for line in done.stdout.splitlines()]
        assert stdin.pop("file") == "-"
        assert file.pop("file") == "one.png"
        assert (stdin == file) == (status == 0)


def test_folders(mnistry: Command, tmp_path: Path) -> None:
    for name in ("b.png", "a.png", ".hidden.png", "below/c.png", "below/.cache/d.png"):
        digit_picture(tmp_path / "in" / name)
    (tmp_path / "in" / "notes.txt").touch()
    (tmp_path / "empty").mkdir()
    done = mnistry("read", "empty", "in")
    assert done.returncode == 2
    said, failed = done.stderr.splitlines()
    assert said == "mnistry: in: 1 skipped: notes.txt (not known as a picture by its ending)"
    assert failed.startswith("mnistry: empty: no pictures in this folder")
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["in/a.png", "in/b.png"]
    done = mnistry("read", "in", "empty", "--recursive", "--json")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["file"] for line in lines] == ["in/a.png", "in/b.png", "in/below/c.png", "empty"]
    assert "no pictures" in lines[-1]["error"]


@pytest.mark.parametrize("flags", [(), ("--json",), ("--csv", "in/out.csv")])
def test_what_of_a_folder_is_skipped_is_said(
    mnistry: Command, tmp_path: Path, flags: tuple[str, ...]
) -> None:
    digit_picture(tmp_path / "in" / "a.png")
    for name in ("1.DNG", "2.dng", "scan.tar", "page.psd", "Thumbs.db", ".DS_Store", "below/b.dng"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).touch()
    for again in range(2 if flags[:1] == ("--csv",) else 1):
        done = mnistry("read", "in", *flags, *["--resume"] * again)
        assert done.returncode == 0
        assert done.stderr.splitlines()[0] == (
            "mnistry: in: 4 skipped: 1.DNG, 2.dng (a raw photo: save it as JPEG or PNG), "
            "page.psd (not a format that is read: save it as PNG or JPEG), scan.tar (packed: unpack it first)"
        )


def test_of_many_skipped_files_some_are_named(mnistry: Command, tmp_path: Path) -> None:
    digit_picture(tmp_path / "in" / "a.png")
    for number in range(1_200):
        (tmp_path / "in" / f"{number:04}.dng").touch()
    named = ", ".join(f"{number:04}.dng" for number in range(5))
    assert f"in: 1,200 skipped: {named} and 1,195 more (a raw photo" in mnistry("read", "in").stderr


def test_an_address_and_a_page_of_the_web_are_no_pictures(mnistry: Command, tmp_path: Path) -> None:
    (tmp_path / "seven.png").write_text("<!DOCTYPE html><html><body>404</body></html>")
    done = mnistry("read", "https://example.org/seven.png", "seven.png")
    assert done.returncode == 2
    address, page = done.stderr.splitlines()
    assert (
        "this is a URL; download the picture, such as by `curl -LO https://example.org/seven.png`" in address
    )
    assert page.startswith("mnistry: seven.png: this is an HTML page; save the picture itself")


def test_probabilities(mnistry: Command, tmp_path: Path, refused: Refused) -> None:
    digit_picture(tmp_path / "one.png")
    done = mnistry("read", "one.png", "--json", "--probabilities")
    (digit,) = json.loads(done.stdout)["digits"]
    assert len(digit["probabilities"]) == 10
    assert digit["probabilities"][1] == digit["confidence"] == max(digit["probabilities"])
    refused(mnistry("read", "one.png", "--probabilities"), "add --json")


def test_min_confidence(mnistry: Command, answers: dict[str, Reading], refused: Refused) -> None:
    for value, line in (("0", "1"), ("0.9", "1"), ("0.91", "?"), ("1", "?")):
        assert mnistry("read", "one.png", "--min-confidence", value).stdout.startswith(f"one.png: {line} (")
    for value in ("-0.1", "1.5", "nan"):
        done = mnistry("read", "one.png", f"--min-confidence={value}")
        refused(done, "--min-confidence must be from 0 to 1, not " + value)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "name at least one picture"),
        (["a.pdf", "--dpi", "0"], "--dpi must be more than 0, not 0"),
        (["a.pdf", "--dpi", "nan"], "--dpi must be more than 0, not nan"),
        (["a.png", "--workers", "0"], "--workers must be at least 1, not 0"),
        (["a.png", "--resume"], "name it with --csv"),
        (["a.png", "--json", "--csv", "out.csv"], "choose one of them"),
    ],
)
def test_flags_that_do_not_go_together(
    mnistry: Command, flags: list[str], message: str, refused: Refused
) -> None:
    refused(mnistry("read", *flags), message)


def draw_documents(folder: Path) -> None:
    """A PDF of two pages, a TIFF of two, and an archive of a picture, a damaged one and a text."""
    first, second = (Image.open(digit_picture(folder / name)).copy() for name in ("a.png", "b.png"))
    first.save(folder / "two.tif", save_all=True, append_images=[second])
    first.save(folder / "two.pdf", save_all=True, append_images=[second], resolution=200)
    with zipfile.ZipFile(folder / "scans.zip", "w") as packed:
        packed.write(folder / "a.png", "all/a.png")
        packed.writestr("all/bad.png", "damaged")
        packed.writestr("notes.txt", "")


def test_documents_for_people(mnistry: Command, tmp_path: Path) -> None:
    draw_documents(tmp_path)
    done = mnistry("read", "two.pdf", "scans.zip", "two.tif", "a.png", "--workers", "3")
    assert done.returncode == 2
    names = [
        "two.pdf, page 1",
        "two.pdf, page 2",
        "scans.zip, all/a.png",
        "two.tif, page 1",
        "two.tif, page 2",
    ]
    assert [line.split(": 1 (")[0] for line in done.stdout.splitlines()] == [*names, "a.png"]
    note, bad = done.stderr.splitlines()
    assert note.startswith("mnistry: scans.zip: 1 skipped: notes.txt (")
    assert bad.startswith("mnistry: scans.zip, all/bad.png: not a picture in a format")


def test_documents_as_json(mnistry: Command, tmp_path: Path, blank_pdf: Callable[..., bytes]) -> None:
    draw_documents(tmp_path)
    (tmp_path / "long.pdf").write_bytes(blank_pdf(10_000))
    done = mnistry("read", "--json", "two.pdf", "scans.zip", "a.png", "long.pdf", "--dpi", "400")
    assert (done.returncode, done.stderr) == (2, "")
    pdf, archive, picture, long = map(json.loads, done.stdout.splitlines())
    assert set(pdf) == {"file", "pages"}
    assert [(page["page"], page["dpi"], page["lines"]) for page in pdf["pages"]] == [
        (1, 400, ["1"]),
        (2, 400, ["1"]),
    ]
    (digit,) = pdf["pages"][0]["digits"]  # twice as large as in the picture, which was stored at 200
    assert digit["box"] == pytest.approx([110, 60, 24, 200], abs=8)
    assert set(archive) == {"file", "pages", "notes"}
    good, bad = archive["pages"]
    assert (good["page"], good["file"], good["lines"]) == (1, "all/a.png", ["1"])
    assert set(bad) == {"page", "file", "error"}
    assert set(picture) == {"file", "lines", "digits"}
    assert set(long) == {"file", "error"}
    assert "the document has 10,000 pages; at most 1,000 are read" in long["error"]


def test_documents_in_a_table(mnistry: Command, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    draw_documents(tmp_path / "in")
    with zipfile.ZipFile(tmp_path / "in" / "scans.zip", "w") as packed:
        packed.write(tmp_path / "in" / "a.png", "all/a.png")
    done = mnistry("read", "in", "--csv", "whole.csv")
    assert (done.returncode, done.stderr) == (0, "mnistry: whole.csv: 5 read\n")
    assert [row[:3] for row in rows(tmp_path / "whole.csv")[1:]] == [
        ["in/a.png", "", "1"],
        ["in/b.png", "", "1"],
        ["in/scans.zip", "all/a.png", "1"],
        ["in/two.pdf", "1", "1"],
        ["in/two.pdf", "2", "1"],
        ["in/two.tif", "1", "1"],
        ["in/two.tif", "2", "1"],
    ]
    whole = (tmp_path / "whole.csv").read_bytes()
    for kept in range(1, whole.count(b"\n") + 1):  # wherever it was stopped
        (tmp_path / "out.csv").write_bytes(b"".join(whole.splitlines(True)[:kept]))
        assert mnistry("read", "in", "--csv", "out.csv", "--resume").returncode == 0
        assert (tmp_path / "out.csv").read_bytes() == whole


def test_how_the_pages_of_a_document_were_read(mnistry: Command, tmp_path: Path) -> None:
    draw_documents(tmp_path)
    done = mnistry("read", "two.pdf", "scans.zip", "--explain")
    assert done.returncode == 2
    drawn = ["two-page-1-explained.png", "two-page-2-explained.png", "scans-page-1-explained.png"]
    assert sorted(path.name for path in tmp_path.glob("*-explained.png")) == sorted(drawn)


def test_a_document_from_standard_input(
    mnistry: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_documents(tmp_path)
    content = (tmp_path / "two.pdf").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    done = mnistry("read", "-")
    assert [line.split(": 1 (")[0] for line in done.stdout.splitlines()] == ["-, page 1", "-, page 2"]


def test_explanations_never_take_the_place_of_an_input(
    mnistry: Command, answers: dict[str, Reading], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def draw_explanation(recognizer: Recognizer, picture: Any, *, min_confidence: float) -> Image.Image:
        asked.append((picture, min_confidence))
        return Image.new("RGB", (7, 5))

    explain = SimpleNamespace(draw_explanation=draw_explanation)
    monkeypatch.setitem(sys.modules, "mnistry.reading.explain", explain)
    for name in ("a.png", "a.jpg", "below/a.png", "a-explained.png"):
        digit_picture(tmp_path / name)
    before = (tmp_path / "a-explained.png").read_bytes()
    flags = ("--explain", "--min-confidence", 0.7)
    done = mnistry("read", "a.png", "a.jpg", "below", "a-explained.png", *flags)
    assert done.returncode == 0, done.stderr
    drawn = ["a-explained-2.png", "a-explained-3.png", "a-explained-4.png", "a-explained-explained.png"]
    assert [line.rpartition(" ")[2] for line in done.stderr.splitlines()] == drawn
    for name in drawn:
        with Image.open(tmp_path / name) as image:
            assert image.size == (7, 5)
    assert (tmp_path / "a-explained.png").read_bytes() == before
    assert asked[0] == (Path("a.png"), 0.7)
    # What was read by an earlier run is an input too.
    mnistry("read", "a-explained.png", "--csv", "out.csv")
    done = mnistry("read", "a-explained.png", "a.png", "--explain", "--csv", "out.csv", "--resume")
    assert "a.png: how it was read is drawn in a-explained-2.png" in done.stderr
    assert (tmp_path / "a-explained.png").read_bytes() == before


def test_a_table(mnistry: Command, answers: dict[str, Reading], tmp_path: Path, refused: Refused) -> None:
    answers["b.png"] = Reading(("20 26", "1?"), (digit(2, 0.98765), digit(None, 0.43216, 1)), ("a note",))
    answers["c.png"] = Reading((), ())
    for name in ("b.png", "c.png", "a.png"):
        digit_picture(tmp_path / "in" / name)
    (tmp_path / "empty").mkdir()
    done = mnistry("read", "in", "in/a.png", "empty", "--csv", "out.csv")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "mnistry: in/b.png: a note",
        "mnistry: out.csv: 3 read, 1 failed: see the column error",
    ]
    head, *found, failed = rows(tmp_path / "out.csv")
    assert head == ["file", "page", "lines", "confidence", "digits", "error"]
    assert found == [
        ["in/a.png", "", "1", "0.9000", "1", ""],
        ["in/b.png", "", "20 26|1?", "0.4322", "2", ""],
        ["in/c.png", "", "", "", "0", ""],
    ]
    assert failed[:5] == ["empty", "", "", "", ""]
    assert failed[5].startswith("no pictures in this folder")
    refused(mnistry("read", "in", "--csv", "out.csv"), "out.csv exists already", "--resume")


def test_resuming_reads_what_is_missing_and_what_failed(mnistry: Command, tmp_path: Path) -> None:
    for name in ("a.png", "b.png", "c.png"):
        digit_picture(tmp_path / "in" / name)
    once = mnistry("read", "in", "--csv", "once.csv")
    assert once.stderr == "mnistry: once.csv: 3 read\n"
    good = (tmp_path / "in" / "b.png").read_bytes()
    (tmp_path / "in" / "b.png").write_text("damaged")
    command = ("read", "in", "--csv", "out.csv", "--resume")
    assert mnistry(*command).returncode == 2
    assert rows(tmp_path / "out.csv")[2][5]
    again = mnistry(*command)
    assert again.returncode == 2
    assert "out.csv: 0 read, 2 read before, 1 failed: see" in again.stderr
    (tmp_path / "in" / "b.png").write_bytes(good)
    done = mnistry(*command)
    assert (done.returncode, done.stderr) == (0, "mnistry: out.csv: 1 read, 2 read before\n")
    assert (tmp_path / "out.csv").read_bytes() == (tmp_path / "once.csv").read_bytes()


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder `in` of 120 pictures, six damaged, and the table of them, `whole.csv`."""
    folder = tmp_path_factory.mktemp("many")
    content = digit_picture(folder / "in" / "0000.png").read_bytes()
    for number in range(1, 120):
        path = folder / "in" / f"{number:04}.png"
        path.write_bytes(content[:50] if number % 20 == 10 else content)
    done = read_in(folder, "whole.csv", "--workers", "1")
    assert done.returncode == 2, done.stderr
    return folder


STOPPED = """
import os, signal, sys
from mnistry.cli import main
from mnistry.reading.batch import ReadingTable

signal.signal(signal.SIGINT, signal.default_int_handler)  # who starts the tests in the background ignores it
number, rows = map(int, sys.argv[1:3])
add = ReadingTable.add

def and_stop(*arguments, **named):
    global rows
    add(*arguments, **named)
    rows -= 1
    if rows == 0:
        os.kill(os.getpid(), number)

ReadingTable.add = and_stop
sys.exit(main(["read", *sys.argv[3:]]))
"""
"""`mnistry read` that a signal stops as soon as it has added so many rows, however busy the machine is."""


def read_in(folder: Path, table: str, *flags: str, by: int = 0, after: int = 0) -> CompletedProcess[str]:
    command = [sys.executable, "-c", STOPPED, str(by), str(after), "in", "--csv", table, *flags]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)


def test_killed_and_interrupted_it_comes_to_the_same_table(many: Path) -> None:
    table = many / "out.csv"
    done = read_in(many, "out.csv", "--workers", "3", by=signal.SIGKILL, after=40)
    assert done.returncode == -signal.SIGKILL
    with table.open("ab") as file:
        file.write(b'"in/00')  # as if the kill came in the middle of a row
    done = read_in(many, "out.csv", "--resume", "--workers", "1", by=signal.SIGINT, after=20)
    assert done.returncode == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert "interrupted; what was read is in out.csv" in done.stderr
    assert "--resume" in done.stderr
    found = rows(table)
    assert len(found) == 1 + (40 - 2) + 20  # the two that were damaged were tried again
    assert all(len(row) == 6 for row in found)
    done = read_in(many, "out.csv", "--resume", "--workers", "5")
    assert done.returncode == 2
    assert " read before, 6 failed" in done.stderr
    assert table.read_bytes() == (many / "whole.csv").read_bytes()
    assert not list(many.glob(".writing-*"))


def test_a_full_disk(tmp_path: Path) -> None:
    """A table that may grow to 100 bytes only: it says so, and can be gone on with."""
    for name in ("a.png", "b.png", "c.png", "d.png"):
        digit_picture(tmp_path / "in" / name)
    script = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 200));"
        "from mnistry.cli import main; status = main(sys.argv[1:]);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200));"
        "sys.exit(10 * status + main([*sys.argv[1:], '--resume']))"
    )
    command = [sys.executable, "-c", script, "read", "in", "--csv", "out.csv"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 20, done.stderr
    assert "out.csv: cannot be written: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert [row[0] for row in rows(tmp_path / "out.csv")[1:]] == [f"in/{name}.png" for name in "abcd"]


def test_a_bar_in_a_terminal_only(tmp_path: Path) -> None:
    digit_picture(tmp_path / "in" / "one.png")
    terminal, stderr = pty.openpty()
    command = [sys.executable, "-m", "mnistry", "read", "in", "--csv", "out.csv"]
    done = subprocess.run(command, cwd=tmp_path, stderr=stderr, env=os.environ | {"TERM": "xterm"})
    os.close(stderr)
    said = os.read(terminal, 100_000).decode()
    os.close(terminal)
    assert done.returncode == 0, said
    assert "reading" in said
    assert "100%" in said
    assert read_in(tmp_path, "again.csv").stderr == "mnistry: again.csv: 1 read\n"


def test_one_picture_loads_nothing_that_only_many_need() -> None:
    script = "import mnistry.cli.read, sys; print([name for name in sys.modules if name.startswith('rich')])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_reading_needs_no_training_libraries(
    mnistry_process: Command, tmp_path: Path, refused: Refused
) -> None:
    """Without JAX the reader works, and training says what to install."""
    (tmp_path / "jax.py").write_text("raise ModuleNotFoundError('no jax here', name='jax')")
    picture = digit_picture(tmp_path / "one.png")
    without_jax = {"PYTHONPATH": str(tmp_path)}
    assert mnistry_process("read", picture, **without_jax).returncode == 0
    refused(mnistry_process("train", "softmax", **without_jax), "jax", "pip install 'mnistry[train]'")
