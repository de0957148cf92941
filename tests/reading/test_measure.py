"""Labels as people write them, and figures that can be counted by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from mnistry.data.decode import Picture
from mnistry.errors import DataError, PictureError
from mnistry.evaluation.intervals import wilson_interval
from mnistry.reading.measure import Labelled, Measured, find_unlabelled, measure, read_labels
from mnistry.reading.recognizer import MIN_CONFIDENCE, Reading

PAPER = np.zeros((4, 4), np.uint8)


class Answers:
    """A reader of prepared answers; None is a picture that cannot be read."""

    def __init__(self, *answers: tuple[str, ...] | None) -> None:
        self.answers = list(answers)
        self.confidences: list[float] = []

    def read(self, picture: Picture, *, min_confidence: float) -> Reading:
        self.confidences.append(min_confidence)
        answer = self.answers.pop(0)
        if answer is None:
            raise PictureError("the picture is damaged")
        return Reading(answer, ())


def labelled(*lines: str, kind: str = "") -> Labelled:
    return Labelled("x.png", PAPER, lines, kind)


@pytest.fixture
def measured() -> Measured:
    reader = Answers(("7",), ("?",), ("1 2", "34"), None, (), ("5",))
    pictures = [
        labelled("7", kind="one"),
        labelled("3", kind="one"),
        labelled("12", "35", kind="page"),
        labelled("9", kind="one"),
        labelled(kind="none"),
        labelled(kind="none"),
    ]
    return measure(reader, pictures, min_confidence=0.25)


def test_figures_by_hand(measured: Measured) -> None:
    figures = measured.figures
    assert (figures.pictures, figures.exact) == (6, 2)
    assert figures.exact_rate == pytest.approx(1 / 3)
    assert figures.exact_interval == wilson_interval(2, 6)
    # `?` for 3, 4 for 5, nothing for 9, and a 5 too many.
    assert (figures.characters, figures.character_errors) == (7, 4)
    assert figures.character_error_rate == pytest.approx(4 / 7)
    assert (figures.lines, figures.lines_right) == (5, 2)
    assert (figures.groups, figures.groups_right) == (5, 1)
    assert (figures.unknown, figures.nothing_found, figures.unreadable) == (1, 1, 1)
    assert figures.seconds_per_picture >= 0


def test_figures_by_kind(measured: Measured) -> None:
    assert list(measured.by_kind) == ["one", "page", "none"]
    assert [figures.exact for figures in measured.by_kind.values()] == [1, 0, 1]
    assert measured.by_kind["none"].character_error_rate is None
    assert Measured((measure(Answers(("7",)), [labelled("7")])).answers).by_kind == {}


def test_what_cannot_be_read_is_wrong_even_where_nothing_is_to_be_read() -> None:
    figures = measure(Answers(None), [labelled()]).figures
    assert (figures.exact, figures.unreadable, figures.nothing_found) == (0, 1, 0)


def test_the_threshold_is_handed_on() -> None:
    reader = Answers((), ())
    measure(reader, [labelled("1")], min_confidence=0.8)
    measure(reader, [labelled("1")])
    assert reader.confidences == [0.8, MIN_CONFIDENCE]


def test_json_has_every_answer(measured: Measured) -> None:
    values = json.loads(json.dumps(measured.to_json()))
    assert values["exact"] == 2
    assert values["kinds"]["page"]["lines_right"] == 1
    assert [answer["exact"] for answer in values["answers"]] == [True, False, False, False, True, False]
    assert values["answers"][2]["wanted"] == ["12", "35"]
    assert values["answers"][2]["read"] == ["1 2", "34"]
    assert values["answers"][3]["error"] == "the picture is damaged"


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
