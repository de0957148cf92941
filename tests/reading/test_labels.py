"""Labels as people write them; and written, whatever else is in their table."""

import os
import threading
from pathlib import Path

import pytest

from mnistry.errors import DataError
from mnistry.reading.labels import (
    find_pictures,
    find_unlabelled,
    label_of_each,
    read_labels,
    write_label,
)


def folder_with(tmp_path: Path, table: str | bytes, *files: str) -> Path:
    for name in files:
        (tmp_path / name).write_bytes(b"")
    content = table.encode() if isinstance(table, str) else table
    (tmp_path / "labels.tsv").write_bytes(content)
    return tmp_path


def test_labels_of_every_form(tmp_path: Path) -> None:
    table = 'file\tlines\tkind\tnote\na.png\t12 34|5\tpage\tshadow\nb.png\t\n\n"c".png\t7\t\t\n'
    labels = read_labels(folder_with(tmp_path, table, "a.png", "b.png", '"c".png'))
    assert [(one.name, one.lines, one.kind) for one in labels] == [
        ("a.png", ("12 34", "5"), "page"),
        ("b.png", (), ""),
        ('"c".png', ("7",), ""),
    ]
    assert labels[0].picture == tmp_path / "a.png"


def test_a_table_from_a_spreadsheet(tmp_path: Path) -> None:
    content = b"\xef\xbb\xbfdigits\tfile\r\n12\ta.png\r\n"
    assert read_labels(folder_with(tmp_path, content, "a.png"))[0].lines == ("12",)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("", r"labels\.tsv: line 1: found the columns \[\]"),
        ("file\tdigits\n", "no pictures in the table"),
        ("a.png\t7\n", r"line 1: found the columns \['a.png', '7'\].*Expected columns parted by tabs"),
        ("file,digits\na.png,7\n", "line 1: found the columns"),
        ("file\tdigits\tlines\na.png\t7\t7\n", "line 1: found the columns"),
        ("file\tdigits\na.png\t7\na.png\n", "line 3: expected the columns of the header"),
        ("file\tdigits\na.png\t7\textra\n", "line 2: expected the columns of the header"),
        ("file\tdigits\n\na.png\tseven\n", "line 3: digits must be digits.*found 'seven'"),
        ("file\tlines\na.png\t12||3\n", "line 2: lines must be digits"),
        ("file\tlines\na.png\t1  2\n", "line 2: lines must be digits"),
        ("file\tlines\na.png\t٣\n", "line 2: lines must be digits"),
        ("file\tdigits\na.png\t7\nb.png\t7\n", "line 3: there is no picture 'b.png' in the folder"),
        (b"file\tdigits\n\xff.png\t7\n", r"labels\.tsv: not a table in UTF-8"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, table: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_labels(folder_with(tmp_path, table, "a.png"))


def test_folders_that_are_wrong(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent: there is no such folder"):
        read_labels(tmp_path / "absent")
    with pytest.raises(DataError, match=r"there is no labels\.tsv in it"):
        read_labels(tmp_path)


@pytest.mark.parametrize(("name", "pictures"), [("single", 111), ("pages", 10), ("cheques", 300)])
def test_labels_of_real_pictures(real_data: Path, name: str, pictures: int) -> None:
    folder = real_data / "pictures" / name
    if not folder.is_dir():
        pytest.skip("there are no pictures beside the folder that MNISTRY_DATA names")
    assert len(read_labels(folder)) == pictures


def test_pictures_may_lie_in_a_folder_beside_the_table(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    for name in ("a.png", "images/b.png", "images/c.png"):
        (tmp_path / name).touch()
    (tmp_path / "labels.tsv").write_text("file\tdigits\na.png\t1\nb.png\t2\n")
    labelled = read_labels(tmp_path)
    assert [one.picture for one in labelled] == [tmp_path / "a.png", tmp_path / "images" / "b.png"]
    assert find_unlabelled(tmp_path, labelled) == "1 skipped: c.png (no line in labels.tsv)"


def test_pictures_are_found_with_and_without_a_label(tmp_path: Path) -> None:
    folder_with(tmp_path, "file\tdigits\nsub/z.png\t1\nscan10.png\t2\ngone.png\t3\n", "scan10.png")
    for name in (
        "sub/z.png",
        "images/scan2.png",
        "images/scan10.png",
        "scan9.JPG",
        ".hidden.png",
        "notes.md",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = find_pictures(tmp_path)
    assert list(found) == ["images/scan10.png", "scan2.png", "scan9.JPG", "scan10.png", "sub/z.png"]
    for name, path in found.items():
        write_label(tmp_path, name, "5")
        assert path.is_file()
    (tmp_path / "gone.png").touch()
    read = read_labels(tmp_path)
    assert {one.name: one.picture for one in read} == {**found, "gone.png": tmp_path / "gone.png"}
    with pytest.raises(DataError, match="no such folder"):
        find_pictures(tmp_path / "absent")


def test_a_table_is_made_and_grows(tmp_path: Path) -> None:
    for name, label in (("b.png", "12 3|4"), ("a.png", ""), ("b.png", "12 3|5")):
        write_label(tmp_path, name, label)
    assert (tmp_path / "labels.tsv").read_text() == "file\tlines\nb.png\t12 3|5\na.png\t\n"
    assert label_of_each(tmp_path) == {"b.png": "12 3|5", "a.png": ""}
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["labels.tsv"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("file\tdigits\na.png\t7\n", "file\tdigits\na.png\t42\n"),
        ("file\tdigits\nb.png\t7", "file\tdigits\nb.png\t7\na.png\t42\n"),
        ("file\tlines", "file\tlines\na.png\t42\n"),
        (
            '\ufeffnote\tdigits\tfile\twho\r\n "x" \t1\ta.png\tme\r\n\t2\tb.png\t\r\n',
            '\ufeffnote\tdigits\tfile\twho\r\n "x" \t42\ta.png\tme\r\n\t2\tb.png\t\r\n',
        ),
        (
            "\ufeffnote\tdigits\tfile\r\nx\t1\tb.png\r\n",
            "\ufeffnote\tdigits\tfile\r\nx\t1\tb.png\r\n\t42\ta.png\r\n",
        ),
        ("file\tlines\n\nb\u2028.png\t1\n\n", "file\tlines\n\nb\u2028.png\t1\n\na.png\t42\n"),
        ("file\tlines\na.png\t1\na.png\t2\n", "file\tlines\na.png\t42\na.png\t42\n"),
    ],
    ids=["changed", "no last end", "a header alone", "columns of others", "appended", "blank", "twice"],
)
def test_whatever_else_is_in_a_table_stays(tmp_path: Path, before: str, after: str) -> None:
    path = tmp_path / "labels.tsv"
    path.write_bytes(before.encode())
    write_label(tmp_path, "a.png", "42")
    assert path.read_bytes() == after.encode()
    assert label_of_each(tmp_path)["a.png"] == "42"


@pytest.mark.parametrize(
    ("table", "name", "label", "message"),
    [
        ("file\tlines\n", "a.png", "4x", "expected a label of digits.*found '4x'"),
        ("file\tlines\n", "a.png", "4|", "found '4|'"),
        ("file\tlines\n", "a.png", "4\n", "found"),
        ("file\tlines\n", "a\tb.png", "4", "no table can hold this name"),
        ("file\tlines\n", "a\udcff.png", "4", "no table can hold this name"),
        ("file\tlines\n", "", "4", "no table can hold this name"),
        ("", "a.png", "4", "line 1: found the columns"),
        ("file,digits\n", "a.png", "4", "line 1: found the columns"),
    ],
)
def test_what_cannot_be_written_leaves_the_table_as_it_is(
    tmp_path: Path, table: str, name: str, label: str, message: str
) -> None:
    (tmp_path / "labels.tsv").write_text(table)
    with pytest.raises(DataError, match=message):
        write_label(tmp_path, name, label)
    assert (tmp_path / "labels.tsv").read_text() == table


def test_a_table_that_is_no_text_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "labels.tsv").write_bytes(b"file\tlines\n\xff\t1\n")
    with pytest.raises(DataError, match="not a table in UTF-8"):
        write_label(tmp_path, "a.png", "1")
    assert (tmp_path / "labels.tsv").read_bytes() == b"file\tlines\n\xff\t1\n"


def test_labels_written_at_the_same_time_are_all_kept(tmp_path: Path) -> None:
    def write(number: int) -> None:
        for turn in range(5):
            write_label(tmp_path, f"{number}-{turn}.png", str(number))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {f"{number}-{turn}.png": str(number) for number in range(6) for turn in range(5)}
    assert label_of_each(tmp_path) == expected


def test_a_disk_that_is_full_leaves_the_table_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_label(tmp_path, "a.png", "1")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        write_label(tmp_path, "a.png", "2")
    assert label_of_each(tmp_path) == {"a.png": "1"}
    assert list(tmp_path.glob(".writing-*")) == []
