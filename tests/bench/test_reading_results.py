"""What was measured once is known, until the pictures, the model or the code change."""

import json
from pathlib import Path

import numpy as np
import pytest

import picture_sets
from mnistry.errors import DataError
from mnistry.reading.labels import Labelled
from peers import rapidocr_digits
from peers.rapidocr_digits import Text
from readers import CODE, DECODING, READING, Mnistry, Read, SetRead, digest_of
from reading_results import Key, Results, answers_of

KEY = Key("mnistry", "single", None)
PAPER = np.zeros((4, 4), np.uint8)
PICTURES = (Labelled("1.png", PAPER, ("12",), "drawing"), Labelled("2.png", PAPER, ()))
READ = SetRead((Read(("12",), 0.5, 0.9), Read((), 0.25, None, "the picture is damaged")), 123.5)


def kept(path: Path) -> Results:
    """A file with one set."""
    results = Results.load(path)
    results.keep(KEY, "model", "pictures", answers_of(PICTURES, READ), READ)
    results.save({"rows": []})
    return results


def test_a_set_that_was_measured_is_known(tmp_path: Path) -> None:
    kept(tmp_path / "a.json")
    assert Results.load(tmp_path / "a.json").find(KEY, "model", "pictures") == READ


@pytest.mark.parametrize(
    ("key", "reader", "pictures"),
    [
        (KEY, "other", "pictures"),
        (KEY, "model", "other"),
        (Key("tesseract", "single", None), "model", "pictures"),
        (Key("mnistry", "pages", None), "model", "pictures"),
        (Key("mnistry", "single", 2), "model", "pictures"),
    ],
)
def test_another_model_set_or_limit_is_measured_anew(
    tmp_path: Path, key: Key, reader: str, pictures: str
) -> None:
    kept(tmp_path / "a.json")
    assert Results.load(tmp_path / "a.json").find(key, reader, pictures) is None


def test_the_file_is_json_with_every_picture_and_a_set_a_line(tmp_path: Path) -> None:
    results = kept(tmp_path / "a.json")
    results.keep(Key("mnistry", "pages", 2), "model", "pages", answers_of(PICTURES, READ), READ)
    results.save({"rows": [1]})
    text = (tmp_path / "a.json").read_text()
    found = json.loads(text)
    assert found["rows"] == [1]
    assert list(found["sets"]) == ["mnistry, single", "mnistry, pages, 2 of each kind"]
    first, second = found["sets"]["mnistry, single"]["answers"]
    assert (first["file"], first["wanted"], first["read"], first["exact"]) == ("1.png", ["12"], ["12"], True)
    assert second["error"] == "the picture is damaged"
    assert sum(line.startswith('  "mnistry') for line in text.splitlines()) == 2


def test_the_speed_stays_until_it_is_measured_again(tmp_path: Path) -> None:
    results = kept(tmp_path / "a.json")
    results.speed = {"mnistry": {"a4": 0.5}}
    results.save({"rows": []})
    again = kept(tmp_path / "a.json")
    assert again.speed == json.loads((tmp_path / "a.json").read_text())["speed"] == {"mnistry": {"a4": 0.5}}


def test_a_file_of_an_earlier_form_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"machine": {}, "sets": [{"reader": "mnistry"}]}')
    assert Results.load(tmp_path / "a.json").sets == {}


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"form": ')
    with pytest.raises(DataError, match=r"a\.json: expected a JSON file of this script"):
        Results.load(tmp_path / "a.json")


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Results(None).save({})
    assert list(tmp_path.iterdir()) == []


def test_digests_change_with_what_they_are_of(tmp_path: Path) -> None:
    first = picture_sets.digest_of_pictures(PICTURES)
    other = np.ones((4, 4), np.uint8)
    for changed in (
        PICTURES[:1],
        (PICTURES[0], Labelled("2.png", PAPER, ("1",))),
        (PICTURES[0], Labelled("2.png", other, ())),
    ):
        assert picture_sets.digest_of_pictures(changed) != first
    assert picture_sets.digest_of_pictures(PICTURES) == first
    (tmp_path / "model").write_bytes(b"1")
    model = digest_of(tmp_path / "model", code=READING)
    assert digest_of(tmp_path / "model", code=READING) == model
    assert digest_of(tmp_path / "model", code=DECODING) != model
    (tmp_path / "model").write_bytes(b"2")
    assert digest_of(tmp_path / "model", code=READING) != model


@pytest.mark.parametrize("pattern", READING)
def test_the_code_that_counts_is_there(pattern: str) -> None:
    """A file that moves would no longer count."""
    assert list(CODE.glob(pattern))


def test_a_limit_takes_so_many_of_each_kind_from_all_over_the_set() -> None:
    pictures = [Labelled(str(number), PAPER, (), "ab"[number % 2]) for number in range(20)]
    chosen = picture_sets.some_of_each_kind(pictures, 2)
    assert [one.name for one in chosen] == ["0", "1", "10", "11"]
    assert picture_sets.some_of_each_kind(pictures, 50) == tuple(pictures)


def test_a_set_is_read_in_a_process_of_its_own(tmp_path: Path) -> None:
    """What the reader tells comes back, how sure it was, and how much memory it took."""
    seven = np.full((90, 60), 255, np.uint8)
    seven[10:18, 10:50] = 0
    for y in range(18, 80):
        seven[y, 46 - y // 3 : 54 - y // 3] = 0
    (tmp_path / "broken.png").write_bytes(b"no picture")
    files = [tmp_path / "broken.png", seven, np.full_like(seven, 255)]
    pictures = [Labelled(str(number), picture, ("7",)) for number, picture in enumerate(files)]
    reads, megabytes = Mnistry(None).read(pictures)
    assert [read.lines for read in reads] == [(), ("7",), ()]
    assert reads[0].error
    assert (reads[1].error, reads[2].error) == (None, None)
    assert (reads[0].confidence, reads[2].confidence) == (0, 0)
    assert 0.5 < (reads[1].confidence or 0) <= 1
    assert all(read.seconds > 0 for read in reads)
    assert megabytes is not None
    assert 10 < megabytes < 1000


def test_of_other_readers_all_but_digits_is_dropped_and_neighbours_are_a_line() -> None:
    texts = [
        Text(200, 12, 42, "Total: 3"),
        Text(10, 10, 40, "1l2,５"),
        Text(10, 60, 90, "no digits"),
        Text(10, 100, 130, "4 ⑤6"),
    ]
    assert rapidocr_digits.lines_of(texts) == ["125 3", "4 56"]
