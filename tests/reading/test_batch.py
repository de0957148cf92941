"""Many pictures: which ones, in their order on any number of threads, and a table that can be cut off."""

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mnistry.data import Dataset
from mnistry.errors import DataError, InvalidValueError, PictureError
from mnistry.reading.batch import LOOK_AHEAD, ReadingTable, find_pictures, read_all
from mnistry.reading.recognizer import Digit, Reading, Recognizer


class Reader:
    """A recognizer that does what a test tells it to."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        self._read = read

    def read(self, picture: str, *, min_confidence: float) -> Any:
        return self._read(picture)


def numbers(count: int) -> Iterator[str]:
    return (str(number) for number in range(count))


def reading(*lines: str, confidence: float = 0.9) -> Reading:
    digits = [
        Digit(int(digit), confidence, (0, 0, 1, 1), line, (0.1,) * 10)
        for line, text in enumerate(lines)
        for digit in text.replace(" ", "")
    ]
    return Reading(lines, tuple(digits))


def test_pictures_of_a_folder(tmp_path: Path) -> None:
    for name in ("b.png", "a.JPG", "notes.txt", ".hidden.png", "below/c.tiff", ".git/d.png", "below/.e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "below" / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    skipped = [tmp_path / "notes.txt", tmp_path / "pipe.png"]
    assert find_pictures(tmp_path) == ([tmp_path / "a.JPG", tmp_path / "b.png"], skipped)
    assert find_pictures(tmp_path, recursive=True) == (
        [tmp_path / "a.JPG", tmp_path / "b.png", tmp_path / "below" / "c.tiff"],
        skipped,
    )


def test_a_folder_without_pictures(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "a.png").touch()
    with pytest.raises(PictureError, match=r"no pictures in this folder itself.*`recursive=True`.*\.png"):
        find_pictures(tmp_path)
    (tmp_path / "a.dng").touch()
    with pytest.raises(PictureError, match=r"; 1 skipped: a.dng \(a raw photo: save it as JPEG or PNG\)"):
        find_pictures(tmp_path)
    (tmp_path / "a.dng").unlink()
    (tmp_path / "below" / "a.png").unlink()
    with pytest.raises(PictureError, match=r"no pictures in this folder or below it: expected"):
        find_pictures(tmp_path, recursive=True)
    with pytest.raises(PictureError, match="absent cannot be listed: No such file"):
        find_pictures(tmp_path / "absent")


@pytest.mark.parametrize("workers", [1, 2, 7])
def test_the_order_of_the_pictures_whatever_the_order_of_the_workers(workers: int) -> None:
    slow = threading.Event()

    def read(picture: str) -> Any:
        if picture == "0" and workers > 1:  # the first one is ready only after a later one
            assert slow.wait(10)
        slow.set()
        return f"read {picture}"

    results = list(read_all(Reader(read), numbers(100), workers=workers))
    assert results == [(str(number), f"read {number}") for number in range(100)]


def test_as_many_at_the_same_time_as_there_are_workers() -> None:
    together = threading.Barrier(3, timeout=10)
    results = read_all(Reader(lambda picture: together.wait()), numbers(9), workers=3)
    assert len(list(results)) == 9


def test_pictures_are_taken_only_a_little_ahead() -> None:
    taken = given = 0

    def pictures() -> Iterator[str]:
        nonlocal taken
        for number in range(5000):
            taken += 1
            yield str(number)

    for _ in read_all(Reader(str), pictures(), workers=2):
        given += 1
        assert taken - given < 2 * LOOK_AHEAD
    assert given == 5000


def test_a_picture_that_cannot_be_read_is_a_result_and_a_fault_is_not() -> None:
    def read(picture: str) -> Any:
        if picture == "3":
            raise PictureError("damaged")
        if picture == "5":
            raise ZeroDivisionError("a fault of the program")
        return picture

    results = read_all(Reader(read), numbers(50), workers=2)
    first = [next(results)[1] for _ in range(5)]
    assert first[:3] == ["0", "1", "2"]
    assert isinstance(first[3], PictureError)
    with pytest.raises(ZeroDivisionError) as caught:
        next(results)
    assert caught.value.__notes__ == ["while reading 5"]


def test_who_stops_early_does_not_wait_for_the_rest() -> None:
    started = []

    def read(picture: str) -> Any:
        started.append(picture)
        return picture

    before = threading.active_count()
    results = read_all(Reader(read), numbers(10_000), workers=2)
    next(results)
    results.close()
    assert len(started) <= 2 * LOOK_AHEAD
    assert threading.active_count() == before
    with pytest.raises(ValueError, match="max_workers"):
        next(read_all(Reader(read), numbers(1), workers=0))


def test_the_same_answers_as_one_by_one(tmp_path: Path, optdigits: Dataset) -> None:
    for number, image in enumerate(optdigits.test.images[:40]):
        Image.fromarray(image).resize((90, 90)).save(tmp_path / f"{number:02d}.png")
    (tmp_path / "17.png").write_text("no picture")
    recognizer = Recognizer.load()
    files = find_pictures(tmp_path).pictures
    alone = [recognizer.read(file, min_confidence=0.9) for file in files if file.name != "17.png"]
    for workers in (1, 4):
        results = list(read_all(recognizer, files, workers=workers, min_confidence=0.9))
        assert [file for file, _ in results] == files
        assert isinstance(results.pop(17)[1], PictureError)
        assert [result for _, result in results] == alone
    assert "?" in {line for reading in alone for line in reading.lines}


def test_a_table(tmp_path: Path) -> None:
    table = ReadingTable(tmp_path / "out.csv")
    table.add("a.png", reading("12 3", "45", confidence=0.98765))
    table.add("b, c.png", reading())
    table.add('"d".png', PictureError("damaged,\n  or no picture"))
    assert (tmp_path / "out.csv").read_text() == (
        "file,page,lines,confidence,digits,error\n"
        "a.png,,12 3|45,0.9877,5,\n"
        '"b, c.png",,,,0,\n'
        '"""d"".png",,,,,"damaged, or no picture"\n'
    )


FILES = ["a.png", "b, c.png", '"d".png', "é.png", "e.png"]
RESULTS = [reading("1"), reading(), reading("2", "3"), reading("4"), reading("5 6")]


def test_a_table_that_is_cut_off_anywhere_is_completed_to_the_same_bytes(tmp_path: Path) -> None:
    whole = ReadingTable(tmp_path / "whole.csv")
    for file, result in zip(FILES, RESULTS, strict=True):
        whole.add(file, result)
    content = (tmp_path / "whole.csv").read_bytes()
    path = tmp_path / "cut.csv"
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        table = ReadingTable(path, resume=True)
        assert len(table.files) == max(content[:size].count(b"\n") - 1, 0)
        for file, result in zip(FILES, RESULTS, strict=True):
            if file not in table.files:
                table.add(file, result)
        table.sort(FILES)
        assert path.read_bytes() == content, f"cut off after {size} bytes"


def test_pictures_that_failed_are_read_again_and_stand_in_their_place(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    table = ReadingTable(path)
    table.add("a.png", PictureError("there is no such file"))
    table.add("b.png", reading("2"))
    table = ReadingTable(path, resume=True)
    assert table.files == {"b.png"}
    table.add("c.png", reading("3"))
    table.add("a.png", reading("1"))
    table.sort(["a.png", "c.png"])
    assert [row.split(",")[0] for row in path.read_text().splitlines()] == ["file", "b.png", "a.png", "c.png"]


def test_any_name_that_a_file_can_have(tmp_path: Path) -> None:
    names = [
        os.fsdecode(b"latin-\xe9.png"),
        "two\nlines.png",
        "",
        '"',
        "a|b.png",
        "🖋.png",
    ]
    table = ReadingTable(tmp_path / "out.csv")
    for name in names:
        table.add(name, reading("1"))
    assert ReadingTable(tmp_path / "out.csv", resume=True).files == set(names)


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    ReadingTable(path).add("a.png", reading("1"))
    content = path.read_bytes()
    with pytest.raises(InvalidValueError, match=r"out\.csv exists already.*`resume=True`"):
        ReadingTable(path)
    assert path.read_bytes() == content
    ReadingTable(tmp_path / "new.csv", resume=True)
    assert (tmp_path / "new.csv").read_text() == "file,page,lines,confidence,digits,error\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"name,digit\na.png,1\n", "expected the columns file,page.*found 'name,digit'"),
        (b"no line end", "no CSV file"),
        (b"\n", "expected the columns"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "expected the columns"),
        (b"file,page,lines,confidence,digits,error\na.png,1\nb.png,,1,0.9,1,\n", "row 2 is dam.*6.*found 2"),
        (b'file,page,lines,confidence,digits,error\n"a.png,1,1,1,\n', "damaged one: unexpected end of data"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_such_table_stays_as_it_is(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "out.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        ReadingTable(path, resume=True)
    assert path.read_bytes() == content


def test_a_table_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent/out\.csv: cannot be written: No such file"):
        ReadingTable(tmp_path / "absent" / "out.csv")
    with pytest.raises(InvalidValueError, match="exists already"):
        ReadingTable(tmp_path)
    with pytest.raises(IsADirectoryError):
        ReadingTable(tmp_path, resume=True)
