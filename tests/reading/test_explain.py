"""The drawing of how a picture was read: every stage is there, on the page, and says what `read` says."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistry.errors import PictureError
from mnistry.reading import explain, panels
from mnistry.reading.classifier import Classifier
from mnistry.reading.detector import LARGEST, MARGIN, SMALLEST, STRIDE, Detector
from mnistry.reading.explain import HOT, KNOWN, NONE, TOO_SMALL, UNKNOWN, draw_explanation
from mnistry.reading.panels import WIDTH, Colour
from mnistry.reading.recognizer import Examination, Recognizer
from mnistry.reading.verifier import Verifier

Box = tuple[int, int, int, int]
SQUARES = np.array([1.0, 0.0, 0.0, 0.0])  # the detector alone decides


class Squares(Detector):
    """A detector to which each dark piece is a 3, a hollow one faintly; too small, where it is low."""

    weights, trust = SQUARES, None

    def __init__(self) -> None:
        """Without a model."""

    def heat(self, page: np.ndarray) -> np.ndarray:
        found = np.zeros((13, page.shape[0] // STRIDE, page.shape[1] // STRIDE), np.float32)
        for left, top, right, bottom in pieces(page < 100):
            height, width = bottom - top, right - left
            row, column = (top + bottom) // 2 // STRIDE, (left + right) // 2 // STRIDE
            hollow = page[(top + bottom) // 2, (left + right) // 2] >= 100
            if SMALLEST <= height <= LARGEST:
                found[3, row, column] = 0.3 if hollow else 0.96
                found[11:, row, column] = height, width
            elif height < SMALLEST:
                found[10, row, column] = 0.9
        return found


def pieces(dark: np.ndarray) -> list[Box]:
    import cv2

    count, _, boxes, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8))
    return [(x, y, x + wide, y + high) for x, y, wide, high, _ in boxes[1:count].tolist()]


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.load(threads=1)


@pytest.fixture
def recognizer(classifier: Classifier, monkeypatch: pytest.MonkeyPatch) -> Recognizer:
    """One whose answers do not depend on training."""

    def three(images: np.ndarray) -> np.ndarray:
        chances = np.full((len(images), 12), 0.001)
        chances[:, 3] = 0.99
        return chances

    monkeypatch.setattr(classifier, "probabilities", three)
    verifier = Verifier.load(threads=1)
    monkeypatch.setattr(verifier, "probabilities", lambda patches: three(patches)[:, :11])
    return Recognizer(classifier, Squares(), verifier)


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The captions, in the order in which they are drawn."""
    written: list[str] = []
    draw_text = panels.text

    def write(words: str, *arguments: object, **named: object) -> Image.Image:
        written.append(words)
        return draw_text(words, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(panels, "text", write)
    return written


def paper(size: tuple[int, int], boxes: list[Box], hollow: tuple[Box, ...] = ()) -> np.ndarray:
    """White paper with a dark piece in each of these boxes."""
    picture = np.full(size[::-1], 255, np.uint8)
    for left, top, right, bottom in [*boxes, *hollow]:
        picture[top:bottom, left:right] = 0
    for left, top, right, bottom in hollow:
        across, down = (right - left) // 4, (bottom - top) // 4
        picture[top + down : bottom - down, left + across : right - across] = 255
    return picture


def row(count: int, *, pitch: int = 60, left: int = 40, top: int = 40) -> list[Box]:
    """Boxes in a row, 20 wide and 30 high."""
    return [(x, top, x + 20, top + 30) for x in range(left, left + count * pitch, pitch)]


def alike(drawing: Image.Image, colour: Colour, most: int = 0) -> np.ndarray:
    """Which pixels have this colour, in no part further off than `most`."""
    return (np.abs(np.asarray(drawing, int) - colour) <= most).all(axis=-1)


@pytest.mark.parametrize(
    ("size", "caption"),
    [
        ((60, 60), "Grey, 60 x 60 pixels"),
        ((500, 400), "Grey, 500 x 400 pixels"),
        ((3000, 2250), "Grey, 2048 x 1536 pixels"),
        ((3000, 60), "Grey, 2048 x 41 pixels"),
        ((60, 1500), "Grey, 60 x 1500 pixels"),
    ],
    ids=["small", "usual", "photo", "very wide", "very high"],
)
def test_pictures_of_any_shape(
    recognizer: Recognizer, texts: list[str], size: tuple[int, int], caption: str
) -> None:
    drawing = draw_explanation(recognizer, paper(size, [(20, 10, 40, 50)]))
    assert drawing.mode == "RGB"
    assert drawing.width <= WIDTH
    assert drawing.height < WIDTH
    assert caption in texts
    for title in ("The picture", "The heat map", "The candidates", "Lines and groups"):
        assert title in texts
    assert any(text.startswith("Copy 1, whole") for text in texts)


def test_it_says_what_was_read(recognizer: Recognizer, texts: list[str]) -> None:
    groups = [*row(3), *row(2, left=340), *row(4, top=140)]
    drawing = draw_explanation(recognizer, paper((500, 220), groups, hollow=((400, 140, 420, 170),)))
    assert texts[0] == "333 33 | 3333"
    assert texts[1].startswith("lowest confidence 0.9")
    assert "10 places that may be a digit, 9 kept" in texts
    assert "2 lines, 9 digits" in texts
    assert [text for text in texts if text.startswith("Line ")] == ["Line 1:  333 33", "Line 2:  3333"]
    assert sum(text.startswith("3  0.9") for text in texts) == 9
    assert alike(drawing, KNOWN).sum() > 1000
    assert alike(drawing, NONE).sum() > 50
    assert "1 piece of ink was left out, as letters or signs" in texts


def test_notes_are_shown(recognizer: Recognizer, texts: list[str], tmp_path: Path) -> None:
    path = tmp_path / "two.gif"
    first, second = (Image.fromarray(paper((100, 100), boxes)) for boxes in ([(40, 30, 60, 60)], []))
    first.save(path, save_all=True, append_images=[second])
    (note,) = recognizer.read(path).notes
    draw_explanation(recognizer, path)
    assert note in texts


def test_a_digit_below_the_threshold_is_marked(recognizer: Recognizer, texts: list[str]) -> None:
    drawing = draw_explanation(recognizer, paper((100, 100), [(40, 30, 60, 60)]), min_confidence=0.999)
    assert texts[0] == "?"
    assert texts[1].endswith("; ? stands for a digit whose confidence is below 0.999")
    assert any(text.startswith("?  0.9") for text in texts)
    assert alike(drawing, UNKNOWN).sum() > 500
    assert not alike(drawing, KNOWN).any()


def test_a_blank_page_says_no_digit(recognizer: Recognizer, texts: list[str]) -> None:
    noise = np.clip(np.random.default_rng(0).normal(230, 0.5, (300, 200)), 0, 255)
    drawing = draw_explanation(recognizer, noise.astype(np.uint8))
    assert texts[0] == "no digit"
    assert "0 places that may be a digit, 0 kept" in texts
    assert "Nothing is read as a digit" in texts
    assert not any(text.startswith(("Each", "Line ")) for text in texts)
    assert not any(alike(drawing, colour).any() for colour in (KNOWN, UNKNOWN, NONE))


def examined_with_heat(recognizer: Recognizer) -> Examination:
    """A page of 400×200 with a digit of 140 at (120, 100), and one of 36 at (300, 60)."""
    boxes = [(80, 30, 160, 170), (288, 42, 312, 78)]
    return recognizer.examine(paper((400, 200), boxes))


def test_the_heat_lies_where_the_digits_are(recognizer: Recognizer) -> None:
    page = examined_with_heat(recognizer).page
    zoom = 2.0
    hottest = alike(explain._heat_map(page, zoom), HOT, 40)
    assert hottest.any()
    rows, columns = np.nonzero(hottest)
    spots = np.stack([columns, rows], axis=1) / zoom
    distances = [np.hypot(*(spots - middle).T) for middle in ([120, 100], [300, 60])]
    assert np.minimum(*distances).max() < 32
    assert [bool(distance.min() < 10) for distance in distances] == [True, True]


def test_what_is_too_small_shows_until_it_is_looked_at_closer(recognizer: Recognizer) -> None:
    page = examined_with_heat(recognizer).page
    first = page.looks[0]
    white = Image.new("RGB", (800, 400), (255, 255, 255))
    rows, columns = np.nonzero(alike(explain._with_heat(white, [first], 2.0), TOO_SMALL, 110))
    assert abs(np.mean(columns) / 2 - 300) < 0.6 * STRIDE / first.scale
    assert abs(np.mean(rows) / 2 - 60) < 0.6 * STRIDE / first.scale
    assert not alike(explain._with_heat(white, page.looks, 2.0), TOO_SMALL, 110).any()


def test_what_was_not_looked_at_of_a_copy_is_faded(recognizer: Recognizer) -> None:
    examined = recognizer.examine(paper((900, 700), [(440, 340, 446, 352)]))
    number, look = next(
        (number, look)
        for number, look in enumerate(examined.page.looks)
        if len(look.regions) == 1 and look.regions[0][0] > 0
    )
    width, height = (round(side * look.scale) for side in (900, 700))
    shown = explain._looked_at(Image.new("RGB", (width, height), (100, 100, 100)), look, 1.0)
    left, top, right, bottom = (edge - MARGIN for edge in look.regions[0])
    levels = np.asarray(shown, int)
    assert (levels[top - 2, left:right] > 190).all()
    assert (levels[(top + bottom) // 2, left + 4] == 100).all()
    assert (levels[top, left] == TOO_SMALL).all()
    assert number > 0


def test_boxes_lie_on_the_level_page(recognizer: Recognizer, texts: list[str]) -> None:
    level = Image.fromarray(paper((460, 200), row(6, top=80)))
    tilted = level.rotate(8, Image.Resampling.BICUBIC, expand=True, fillcolor=255)
    examined = recognizer.examine(tilted)
    assert examined.reading.lines == ("333333",)
    draw_explanation(recognizer, tilted)
    (turned,) = (text for text in texts if text.startswith("Turned"))
    degrees = float(turned.split("°")[0].split()[1])
    assert degrees == pytest.approx(8, abs=2)
    assert "to the right" in turned
    kept = list(zip(examined.rows[0].digits, examined.reading.digits, strict=True))
    area = (0, 0, *examined.page.grey.shape[::-1])
    drawn = alike(explain._candidates(examined, kept, area, 1.0), KNOWN)
    dark = examined.page.grey < 0.3
    for left, top, right, bottom in pieces(dark):
        middle = (left + right) // 2
        column, line = drawn[:, middle], drawn[(top + bottom) // 2]
        assert column[top - 8 : top + 6].any()
        assert column[bottom - 6 : bottom + 8].any()
        assert line[left - 8 : left + 6].any()
        assert line[right - 6 : right + 8].any()


def test_the_likeliest_digit_has_the_highest_bar_and_none_has_its_own(recognizer: Recognizer) -> None:
    examined = recognizer.examine(paper((100, 100), [(40, 30, 60, 60)]))
    (digit,), (found,) = examined.reading.digits, examined.rows[0].digits
    ten = [0.0] * 10
    ten[3], ten[8] = 0.5, 0.25
    card = explain._card(replace(digit, confidence=0.5, probabilities=tuple(ten)), found)
    bars = card.crop((0, card.height - explain.BAR_HEIGHT - 14, card.width, card.height - 14))
    coloured, grey = alike(bars, KNOWN), alike(bars, panels.MUTED)

    def high(marked: np.ndarray, place: int) -> int:
        x = place * explain.BAR_PITCH + explain.BAR_PITCH // 2
        return int(marked[: explain.BAR_HEIGHT, x].sum())

    assert high(coloured, 3) == pytest.approx(0.5 * explain.BAR_HEIGHT, abs=1)
    assert high(grey, 8) == pytest.approx(0.25 * explain.BAR_HEIGHT, abs=1)
    assert high(grey, 10) == pytest.approx(0.25 * explain.BAR_HEIGHT, abs=1)
    assert max(high(coloured | grey, place) for place in (0, 1, 2, 4, 5, 6, 7, 9)) == 0


def test_long_pages_are_cut_short(recognizer: Recognizer, texts: list[str]) -> None:
    tall = [box for line in range(14) for box in row(2, top=40 + 70 * line)]
    draw_explanation(recognizer, paper((200, 1040), tall))
    assert texts[-1] == "... and 2 more lines"
    assert sum(text.startswith("Line ") for text in texts) == 12
    texts.clear()
    drawing = draw_explanation(recognizer, paper((1700, 120), row(27)))
    assert texts[0] == "3" * 27
    assert "... and 1 more digit" in texts
    assert drawing.width <= WIDTH


def test_signs_that_the_detector_does_not_know_are_shown_without_its_stages(
    classifier: Classifier, recognizer: Recognizer, texts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifier, "class_names", tuple(f"part {letter}" for letter in "abcdefghij"))
    drawing = draw_explanation(recognizer, paper((200, 100), row(2)))
    assert texts[0] == "part d part d"
    assert "The heat map" not in texts
    assert not any(text.startswith("Copy") for text in texts)
    assert alike(drawing, KNOWN).sum() > 500


def test_no_picture(recognizer: Recognizer) -> None:
    with pytest.raises(PictureError, match="no such file"):
        draw_explanation(recognizer, "absent.png")
