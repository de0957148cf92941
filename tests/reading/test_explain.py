"""The drawing of how a picture was read: every stage is there, and it says what `read` says."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnistry.errors import PictureError
from mnistry.reading import explain
from mnistry.reading.explain import FREE_CUTS, INK_CUTS, KNOWN, UNKNOWN, WIDTH, draw_explanation
from mnistry.reading.recognizer import Recognizer

Box = tuple[int, int, int, int]
Colour = tuple[int, int, int]


def three_unless_wide(images: np.ndarray) -> np.ndarray:
    """Probabilities of a model that takes everything for a three, but what is wider than high for several."""
    chances = np.full((len(images), 12), 0.001)
    for row, image in zip(chances, images > 60, strict=True):
        wide = image.any(axis=0).sum() > 1.2 * image.any(axis=1).sum()
        row[11 if wide else 3] = 0.99
    return chances


@pytest.fixture
def recognizer(monkeypatch: pytest.MonkeyPatch) -> Recognizer:
    """One whose answers do not depend on training."""
    found = Recognizer.load(threads=1)
    monkeypatch.setattr(found.classifier, "probabilities", three_unless_wide)
    return found


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The captions, in the order in which they are drawn."""
    written: list[str] = []
    draw_text = explain._text

    def write(text: str, size: int, colour: Colour = explain.TEXT) -> Image.Image:
        written.append(text)
        return draw_text(text, size, colour)

    monkeypatch.setattr(explain, "_text", write)
    return written


def sheet(size: tuple[int, int], boxes: list[Box], stroke: int = 3) -> Image.Image:
    """White paper with a ring in each of these boxes."""
    picture = Image.new("L", size, 255)
    for box in boxes:
        ImageDraw.Draw(picture).ellipse(box, outline=0, width=stroke)
    return picture


def row(count: int, *, pitch: int = 60, top: int = 30, fall: float = 0.0) -> list[Box]:
    """Boxes in a row, 30 wide and 40 high."""
    lefts = [20 + number * pitch for number in range(count)]
    return [(x, round(top + fall * x), x + 30, round(top + fall * x) + 40) for x in lefts]


def count(drawing: Image.Image, colour: Colour) -> int:
    """How many pixels have exactly this colour."""
    return int((np.asarray(drawing) == colour).all(axis=-1).sum())


@pytest.mark.parametrize(
    ("picture", "caption"),
    [
        (sheet((28, 28), [(7, 4, 20, 23)]), "Grey, 28 x 28 pixels"),
        (sheet((500, 500), [(150, 100, 350, 400)], 20), "Grey, 500 x 500 pixels"),
        (sheet((150, 40), [(10, 6, 30, 34), (60, 6, 80, 34), (110, 6, 130, 34)]), "Grey, 150 x 40 pixels"),
        (
            sheet((4000, 3000), [(900, 900, 1100, 1200), (1500, 900, 1700, 1200)], 30),
            "Grey, 2048 x 1536 pixels",
        ),
        (sheet((3000, 60), [(10, 10, 40, 50)], 4), "Grey, 2048 x 41 pixels"),
        (sheet((30, 1500), [(5, 400, 24, 425)]), "Grey, 30 x 1500 pixels"),
    ],
    ids=["of MNIST", "digit", "strip", "photo", "very wide", "very high"],
)
def test_pictures_of_any_shape(
    recognizer: Recognizer, texts: list[str], picture: Image.Image, caption: str
) -> None:
    drawing = draw_explanation(recognizer, picture)
    assert drawing.mode == "RGB"
    assert drawing.width <= WIDTH
    assert drawing.height < WIDTH
    assert caption in texts
    for title in ("1  The picture", "2  The ink", "3  The strokes", "4  The digits", "5  Cuts and digits"):
        assert title in texts


def test_it_says_what_was_read(recognizer: Recognizer, texts: list[str]) -> None:
    drawing = draw_explanation(recognizer, sheet((420, 220), row(3) + row(2, top=140)))
    assert texts[:2] == ["333 | 33", "lowest confidence 0.991"]
    assert "5 pieces" in texts
    assert "2 lines, 5 digits" in texts
    assert [text for text in texts if text.startswith("Line")] == ["Line 1:  333", "Line 2:  33"]
    assert texts.count("3  0.991") == 5
    assert count(drawing, KNOWN) > 0
    assert count(drawing, UNKNOWN) == 0


def test_notes_are_shown(recognizer: Recognizer, texts: list[str], tmp_path: Path) -> None:
    path = tmp_path / "two.gif"
    first = sheet((60, 80), [(15, 20, 40, 60)])
    first.save(path, save_all=True, append_images=[sheet((60, 80), [])])
    (note,) = recognizer.read(path).notes
    draw_explanation(recognizer, path)
    assert note in texts


def test_a_digit_below_the_threshold_is_marked(recognizer: Recognizer, texts: list[str]) -> None:
    drawing = draw_explanation(recognizer, sheet((60, 80), [(15, 20, 40, 60)]), min_confidence=0.995)
    assert texts[0] == "?"
    assert texts[1] == "lowest confidence 0.991; ? stands for a digit whose confidence is below 0.995"
    assert "?  0.991" in texts
    assert count(drawing, UNKNOWN) > 500
    assert count(drawing, KNOWN) == 0


def test_a_blank_page_says_no_digit(recognizer: Recognizer, texts: list[str]) -> None:
    noise = np.clip(np.random.default_rng(0).normal(230, 2, (300, 200)), 0, 255)
    drawing = draw_explanation(recognizer, noise.astype(np.uint8))
    assert texts[0] == "no digit"
    assert "Nothing stands out from the paper" in texts
    assert "Nothing is read as a digit" in texts
    assert not any(text.startswith(("5", "Line")) for text in texts)
    dark = np.asarray(drawing.convert("L")) < 128
    assert dark.mean() < 0.01  # but for the text: its noise is not blown up to ink


def test_a_lone_digit_has_no_cuts(recognizer: Recognizer, texts: list[str]) -> None:
    drawing = draw_explanation(recognizer, sheet((60, 80), [(15, 20, 40, 60)]))
    assert "Line 1:  3  (one digit, without a cut)" in texts
    assert not any(count(drawing, colour) for colour in FREE_CUTS + INK_CUTS)


def test_cuts_through_gaps_are_green_and_chosen_ones_bold(recognizer: Recognizer) -> None:
    drawing = draw_explanation(recognizer, sheet((220, 100), row(3)))
    # Two gaps, each with a cut that is three pixels wide and as high as the strip.
    assert count(drawing, FREE_CUTS[0]) >= 2 * 3 * 0.9 * explain.LINE_STRIP
    assert count(drawing, INK_CUTS[0]) == 0


def test_a_cut_through_ink_is_red(recognizer: Recognizer, texts: list[str]) -> None:
    drawing = draw_explanation(recognizer, sheet((160, 100), row(2, pitch=29)))
    assert texts[0] == "33"
    assert "1 piece" in texts
    assert count(drawing, INK_CUTS[0]) >= 3 * 0.9 * explain.LINE_STRIP


@pytest.mark.parametrize("turns", range(4))
def test_the_upright_page_lies_on_its_ink(
    recognizer: Recognizer, texts: list[str], monkeypatch: pytest.MonkeyPatch, turns: int
) -> None:
    monkeypatch.setattr("mnistry.reading.page.quarter_turns", lambda page, classify: turns)
    tilted = sheet((420, 160), row(6, fall=0.105)).rotate(-90 * turns, expand=True)
    examined = recognizer.examine(tilted)
    assert examined.reading.lines == ("333333",)
    paper = np.asarray(explain._upright(examined).convert("L"), float)
    assert np.corrcoef(-paper.ravel(), examined.page.ink.ravel())[0, 1] > 0.97
    draw_explanation(recognizer, tilted)
    said = [
        "Turned 6° to the left",
        "Turned 96° to the left",
        "Turned 174° to the right",
        "Turned 84° to the right",
    ]
    assert f"{said[turns]}; 6 pieces" in texts


def test_long_pages_are_cut_short(recognizer: Recognizer, texts: list[str]) -> None:
    tall = [box for line in range(14) for box in row(2, top=20 + 70 * line)]
    draw_explanation(recognizer, sheet((200, 1020), tall))
    assert texts[-1] == "... and 2 more lines"
    assert sum(text.startswith("Line") for text in texts) == 12
    texts.clear()
    drawing = draw_explanation(recognizer, sheet((1700, 120), row(27)))
    assert texts[0] == "3" * 27
    assert "... and 1 more digit" in texts
    assert drawing.width <= WIDTH


def test_no_picture(recognizer: Recognizer) -> None:
    with pytest.raises(PictureError, match="no such file"):
        draw_explanation(recognizer, "absent.png")
