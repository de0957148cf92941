"""Figures that can be counted by hand."""

import json

import numpy as np
import pytest

from mnistry.data.decode import Picture
from mnistry.errors import PictureError
from mnistry.evaluation.intervals import wilson_interval
from mnistry.reading.labels import Labelled
from mnistry.reading.measure import Measured, measure
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
