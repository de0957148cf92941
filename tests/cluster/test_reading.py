"""Many pictures into a table: without Ray, and what of it is kept when it is stopped and gone on with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from PIL import Image

from mnistry.cluster import reading
from mnistry.cluster.places import fetch
from mnistry.cluster.reading import Reader, read_manifest
from mnistry.errors import BusyError, DataError, InvalidValueError
from mnistry.reading.classifier import SHIPPED_MODEL
from mnistry.reading.detector import SHIPPED_DETECTOR
from mnistry.reading.recognizer import Reading, Recognizer
from mnistry.reading.verifier import SHIPPED_VERIFIER

Rows = list[dict[str, Any]]
RowsOf = Callable[[Path | str], Rows]


def test_each_picture_has_one_row_as_the_recognizer_reads_it(scans: Path, undisturbed: Rows) -> None:
    assert len(undisturbed) == len({row["uri"] for row in undisturbed}) == 300
    errors = {row["uri"]: row["error"] for row in undisturbed if row["error"]}
    assert set(errors) == {"absent.png", "damaged.png"}
    assert errors["absent.png"] == "there is no such file."
    recognizer = Recognizer.load()
    for row in undisturbed[:20]:
        expected = recognizer.read(scans.parent / row["uri"])
        assert row["lines"] == list(expected.lines)
        (digit,), (one,) = row["digits"], expected.digits
        assert (digit["digit"], digit["confidence"], digit["line"]) == (one.digit, one.confidence, 0)
        assert tuple(digit["box"][side] for side in ("x", "y", "width", "height")) == one.box
        assert digit["page"] is digit["name"] is row["error"] is None
    assert sum(row["lines"] != [] for row in undisturbed) > 280


def test_what_was_cut_off_lost_or_failed_is_read_again(
    scans: Path, undisturbed: Rows, rows_of: RowsOf, tmp_path: Path
) -> None:
    """The states in which a killed writer may leave a table."""
    table = tmp_path / "table"
    manifest = [str(scans)]
    read_manifest(manifest, str(table), rows=50)
    with pytest.raises(InvalidValueError, match=r"exists already; nothing is overwritten.*`resume=True`"):
        read_manifest(manifest, str(table))
    torn, lost, doubled, *_ = sorted(table.glob("*.parquet"))
    torn.write_bytes(torn.read_bytes()[:-20])
    lost.unlink()
    (table / "again.parquet").write_bytes(doubled.read_bytes())
    (table / "_to_read.parquet").write_bytes(b"cut off, too")
    counts, before = read_manifest(manifest, str(table), resume=True)
    assert counts == (300, 2)
    assert 195 <= before <= 200  # of 300 without two files of 50, and without failures
    assert rows_of(table) == undisturbed
    assert json.loads((table / "_job.json").read_text())["rows"] == 300
    assert not list(table.glob("_*.parquet"))


def test_nothing_is_read_twice(
    scans: Path, undisturbed: Rows, rows_of: RowsOf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tmp_path / "table"
    read_manifest([str(scans)], str(table), rows=299)
    asked = []
    monkeypatch.setattr(reading, "fetch", lambda uri: asked.append(Path(uri).name) or fetch(uri))
    read_manifest([str(scans)], str(table), resume=True)
    assert sorted(asked) == ["absent.png", "damaged.png"]
    assert rows_of(table) == undisturbed


def test_rows_of_another_model_or_threshold_are_not_mixed(scans: Path, tmp_path: Path) -> None:
    table = tmp_path / "table"
    Image.new("L", (30, 30), 255).save(tmp_path / "blank.png")
    (tmp_path / "list.csv").write_text("uri\nblank.png\n")
    manifest = [str(tmp_path / "list.csv")]
    assert read_manifest(manifest, str(table)) == ((1, 0), 0)
    with pytest.raises(InvalidValueError, match=r"begun with min_confidence 0\.25, not 0\.5"):
        read_manifest(manifest, str(table), min_confidence=0.5, resume=True)
    shipped = {"classifier": SHIPPED_MODEL, "detector": SHIPPED_DETECTOR, "verifier": SHIPPED_VERIFIER}
    for name, model in shipped.items():
        other = onnx.load(model)
        other.doc_string = "another"
        onnx.save(other, tmp_path / "other.onnx")
        with pytest.raises(InvalidValueError, match=f"was begun with {name} "):
            read_manifest(manifest, str(table), model=tmp_path / "other.onnx", resume=True)
    assert read_manifest(manifest, str(table), resume=True) == ((1, 0), 1)


def test_documents_and_folders(tmp_path: Path, rows_of: RowsOf) -> None:
    folder = tmp_path / "in"
    (folder / "below").mkdir(parents=True)
    one = Image.new("L", (120, 160), 255)
    one.paste(0, (55, 30, 67, 130))
    one.save(folder / "one.png")
    one.save(folder / "below" / "two.tif", save_all=True, append_images=[one, Image.new("L", (60, 60), 255)])
    for name in ("notes.txt", ".hidden.png", "Thumbs.db"):
        (folder / name).touch()
    assert read_manifest([str(folder)], str(tmp_path / "flat")) == ((1, 0), 0)
    assert read_manifest([str(folder)], str(tmp_path / "deep"), recursive=True) == ((2, 0), 0)
    pages, picture = rows_of(tmp_path / "deep")
    assert (picture["uri"], picture["lines"]) == (str(folder / "one.png"), ["1"])
    assert (pages["uri"], pages["lines"]) == (str(folder / "below" / "two.tif"), ["1", "1"])
    assert [digit["page"] for digit in pages["digits"]] == [1, 2]
    assert not list((tmp_path / "deep").glob("_listed*"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures in this folder or below it"):
        read_manifest([str(tmp_path / "empty")], str(tmp_path / "none"), recursive=True)
    assert not (tmp_path / "none").exists()


def test_a_picture_whose_turn_does_not_come_is_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (30, 30), 255).save(tmp_path / "a.png")
    tries = []

    def read(self: Recognizer, picture: Any, *, min_confidence: float) -> Reading:
        tries.append(picture)
        if len(tries) < 3:
            raise BusyError("too much to do")
        return Reading(("7",), ())

    monkeypatch.setattr(Recognizer, "read", read)
    monkeypatch.setattr(reading, "PAUSE", 0.0)
    (row,) = Reader(Recognizer.load(), str(tmp_path)).rows(["a.png"])
    assert (row["lines"], row["error"], len(tries)) == (["7"], None, 3)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list.txt", "uri\na.png\n", "expected manifests that all end in .parquet"),
        ("list.csv", "file\na.png\n", "a csv table with a column 'uri' of text was expected"),
        ("list.csv", "uri,n\na.png,1\n,2\n", "row 2 has no uri"),
        ("list.csv", 'uri,n\n"a.png,1\n', "a csv table"),
        ("list.csv", "", "a csv table"),
        ("list.parquet", "PAR1", "a parquet table with a column 'uri' of text"),
    ],
)
def test_manifests_that_are_none(tmp_path: Path, name: str, content: str, message: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message) as raised:
        read_manifest([str(tmp_path / name)], str(tmp_path / "table"))
    assert name in str(raised.value)
    assert not (tmp_path / "table").exists()


def test_places_that_are_none(scans: Path, tmp_path: Path) -> None:
    for absent in (tmp_path / "absent.parquet", tmp_path / "absent"):
        with pytest.raises(DataError, match=r"there is no such file|cannot be listed"):
            read_manifest([str(absent)], str(tmp_path / "table"))
    with pytest.raises(DataError, match="ftp://x/t: expected a path"):
        read_manifest([str(scans)], "ftp://x/t")
    other = tmp_path / "other"
    other.mkdir()
    (other / "of-somebody.parquet").touch()
    with pytest.raises(DataError, match=r"holds Parquet files and no _job\.json"):
        read_manifest([str(scans)], str(other), resume=True)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match=r"file: cannot be"):
        read_manifest([str(scans)], str(tmp_path / "file"))
