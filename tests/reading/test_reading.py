"""From a picture to its reading: polarity, size, shade and dirt do not matter; no digit gives no lines."""

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from mnistry.data import Dataset
from mnistry.reading.recognizer import Reading, Recognizer


def seven(size: int = 200, *, width: int | None = None, ink: int = 0, paper: int = 255) -> Image.Image:
    """A seven drawn with straight strokes in the middle half of a square picture."""
    image = Image.new("L", (size, size), paper)
    left, right, top, bottom = (round(size * part) for part in (0.3, 0.65, 0.25, 0.75))
    stroke = [(left, top), (right, top), (round(size * 0.42), bottom)]
    ImageDraw.Draw(image).line(stroke, fill=ink, width=width or max(2, size // 16), joint="curve")
    return image


Box = tuple[int, int, int, int]


def written(
    lines: list[str], height: int = 48, *, pen: int = 5, margin: int = 60, spacing: float = 1.7
) -> tuple[np.ndarray, list[Box]]:
    """Lines of plain print, dark on light, and the true box of each digit, in their order."""
    scale, font = height / 21, cv2.FONT_HERSHEY_SIMPLEX
    wide = max(cv2.getTextSize(line, font, scale, pen)[0][0] for line in lines)
    shape = (round(2 * margin + height * (1 + spacing * (len(lines) - 1))), 2 * margin + wide)
    page, boxes = np.full(shape, 235, np.uint8), []
    for number, line in enumerate(lines):
        base = round(margin + height * (1 + number * spacing))
        for place, sign in enumerate(line):
            left = margin + cv2.getTextSize(line[:place], font, scale, pen)[0][0] * (place > 0)
            alone = np.full(shape, 235, np.uint8)
            cv2.putText(alone, sign, (left, base), font, scale, 20, pen, cv2.LINE_AA)
            if sign != " ":
                boxes.append(tuple(cv2.boundingRect((alone < 128).astype(np.uint8))))
            np.minimum(page, alone, out=page)
    return page, boxes


def overlap(one: Box, other: Box) -> float:
    """What two boxes share, of what they cover together."""
    shared = [min(one[i] + one[i + 2], other[i] + other[i + 2]) - max(one[i], other[i]) for i in (0, 1)]
    both = max(0, shared[0]) * max(0, shared[1])
    return both / (one[2] * one[3] + other[2] * other[3] - both)


def assert_found(reading: Reading, lines: list[str], boxes: list[Box], least: float = 0.5) -> None:
    """Checks that these lines were read, and each digit found where it is."""
    assert reading.lines == tuple(lines)
    for digit, box in zip(reading.digits, boxes, strict=True):
        # The box of a narrow digit may be wider than its stroke.
        x, y, width, height = box
        wide = max(width, height // 2)
        assert overlap(digit.box, (x - (wide - width) // 2, y, wide, height)) > least


LINES = ["20415", "83967", "76204"]


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


@pytest.mark.parametrize("size", [24, 28, 60, 200, 900, 3000])
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 200), (210, 60)])
def test_any_size_dark_on_light_or_light_on_dark(
    recognizer: Recognizer, size: int, ink: int, paper: int
) -> None:
    assert recognizer.read(seven(size, ink=ink, paper=paper)).lines == ("7",)


def test_the_orientation_that_a_camera_noted_is_honoured(recognizer: Recognizer) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the picture must be turned by 90° clockwise to stand upright
    file = io.BytesIO()
    seven().transpose(Image.Transpose.ROTATE_90).save(file, "PNG", exif=exif)
    assert recognizer.read(file) == recognizer.read(seven())


def test_shadow_noise_and_dust_do_not_matter(recognizer: Recognizer) -> None:
    random = np.random.default_rng(0)
    picture = np.asarray(seven(400, ink=70, paper=210), np.float64)
    picture *= np.linspace(0.55, 1.0, 400)[None, :]  # a shadow that makes the paper darker than some ink
    picture += random.normal(0, 4, picture.shape)
    picture[30:34, 350:354] = 20
    reading = recognizer.read(np.clip(picture, 0, 255).astype(np.uint8))
    assert reading.lines == ("7",)
    assert reading.digits[0].box == pytest.approx(recognizer.read(seven(400)).digits[0].box, abs=8)


@pytest.mark.parametrize("side", [400, 1000, 3000])
def test_the_box_is_in_the_pictures_own_pixels(recognizer: Recognizer, side: int) -> None:
    picture = np.full((2 * side, side), 255, np.uint8)
    left, top, right, bottom = (round(side * part) for part in (0.58, 1.0, 0.63, 1.33))
    middle, pen, lean = (left + right) // 2, right - left, round(0.03 * side)
    ends = (middle + lean, top + pen // 2), (middle - lean, bottom - pen // 2)
    cv2.line(picture, *ends, 0, pen, cv2.LINE_AA)
    (digit,) = recognizer.read(picture).digits
    x, y, width, height = digit.box
    assert (y, y + height) == pytest.approx((top, bottom), abs=0.1 * (bottom - top))
    assert x + width / 2 == pytest.approx((left + right) / 2, abs=0.1 * (bottom - top))
    assert 0.7 * (right - left) <= width < 0.6 * height


@pytest.mark.parametrize("height", [14, 30, 90, 260])
def test_lines_of_any_size_are_found_where_they_are(recognizer: Recognizer, height: int) -> None:
    page, boxes = written(LINES, height, pen=max(1, height // 9), margin=height)
    assert_found(recognizer.read(page), LINES, boxes)
    assert_found(recognizer.read(255 - page), LINES, boxes)


@pytest.mark.parametrize("quarters", range(4))
def test_a_page_gives_the_same_lines_in_all_four_positions(recognizer: Recognizer, quarters: int) -> None:
    page, boxes = written(LINES)
    for _ in range(quarters):
        across = page.shape[1]
        page = np.rot90(page)
        boxes = [(y, across - x - width, height, width) for x, y, width, height in boxes]
    reading = recognizer.read(np.ascontiguousarray(page))
    assert reading.lines == tuple(LINES)
    for digit, box in zip(reading.digits, boxes, strict=True):
        assert overlap(digit.box, box) > 0.25
        assert abs(digit.box[0] + digit.box[2] / 2 - box[0] - box[2] / 2) < 12
        assert abs(digit.box[1] + digit.box[3] / 2 - box[1] - box[3] / 2) < 12


@pytest.mark.parametrize("degrees", [5, 12, -12])
@pytest.mark.parametrize("quarters", [0, 1, 2])
def test_a_tilted_page_is_read_and_its_boxes_come_back(
    recognizer: Recognizer, degrees: float, quarters: int
) -> None:
    page, boxes = written(LINES, margin=120)
    height, width = page.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    page = cv2.warpAffine(page, turn, (width, height), flags=cv2.INTER_CUBIC, borderValue=235)
    middles = [turn @ (x + w / 2, y + h / 2, 1) for x, y, w, h in boxes]
    for _ in range(quarters):
        across = page.shape[1]
        page = np.rot90(page)
        middles = [np.array([y, across - x]) for x, y in middles]
    reading = recognizer.read(np.ascontiguousarray(page))
    assert reading.lines == tuple(LINES)
    for digit, (x, y) in zip(reading.digits, middles, strict=True):
        left, top, wide, high = digit.box
        assert left + wide / 2 == pytest.approx(x, abs=12)
        assert top + high / 2 == pytest.approx(y, abs=12)


@pytest.mark.parametrize("factor", [0.4, 6])
def test_a_smaller_and_a_larger_copy_give_the_same(recognizer: Recognizer, factor: float) -> None:
    page, boxes = written(LINES)
    averaging = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    copy = cv2.resize(page, None, fx=factor, fy=factor, interpolation=averaging)
    scaled = [tuple(round(factor * side) for side in box) for box in boxes]
    assert_found(recognizer.read(copy), LINES, scaled)


@pytest.mark.parametrize("side", [28, 100, 4000])
def test_one_digit_is_found_once_whatever_the_size(recognizer: Recognizer, side: int) -> None:
    for value in "2580":
        page, (box,) = written([value], round(0.6 * side), pen=max(1, side // 16), margin=round(0.2 * side))
        assert_found(recognizer.read(page), [value], [box])


def with_frame(page: np.ndarray) -> np.ndarray:
    height, width = page.shape
    return cv2.rectangle(page, (18, 18), (width - 19, height - 19), 20, 4)


def with_rules(page: np.ndarray) -> np.ndarray:
    for line in range(3):
        page[round(60 + 48 * (1 + 1.7 * line)) + 14 :][:2] = 90
    return page


def with_boxes(page: np.ndarray) -> np.ndarray:
    for line in range(3):
        top = round(60 + 48 * 1.7 * line) - 16
        cv2.rectangle(page, (40, top), (page.shape[1] - 40, top + 80), 60, 2)
    return page


def on_a_dark_table(page: np.ndarray) -> np.ndarray:
    return cv2.copyMakeBorder(page, 60, 0, 0, 90, cv2.BORDER_CONSTANT, value=40)


@pytest.mark.parametrize("around", [with_frame, with_rules, with_boxes, on_a_dark_table])
def test_what_is_printed_around_digits_does_not_change_them(recognizer: Recognizer, around) -> None:  # type: ignore[no-untyped-def]
    page, _ = written(LINES)
    assert recognizer.read(around(page)).lines == tuple(LINES)


def test_a_table_is_read_row_by_row(recognizer: Recognizer) -> None:
    page = np.full((420, 700), 235, np.uint8)
    cells = [[f"{row * 3 + column}{(row + 2 * column) % 10}" for column in range(3)] for row in range(3)]
    for row in range(3):
        for column in range(3):
            left, top = 50 + 200 * column, 40 + 110 * row
            cv2.rectangle(page, (left, top), (left + 200, top + 110), 30, 3)
            place = (left + 50, top + 80)
            cv2.putText(page, cells[row][column], place, cv2.FONT_HERSHEY_SIMPLEX, 2, 20, 5, cv2.LINE_AA)
    assert recognizer.read(page).lines == tuple(" ".join(row) for row in cells)


@pytest.mark.parametrize("text", ["return key", "hand and paper", "the word"])
def test_words_give_no_digits(recognizer: Recognizer, text: str) -> None:
    page, _ = written([text])
    assert recognizer.read(page).lines == ()


def test_digits_beside_words_are_read_and_the_words_are_not(recognizer: Recognizer) -> None:
    page, _ = written(["paper 4207"])
    assert recognizer.read(page).lines == ("4207",)


def test_a_transparent_picture_is_read_as_it_is_seen(recognizer: Recognizer) -> None:
    """Ink on nothing, whatever the colour of the nothing."""
    grey = seven(200)
    for under in (0, 255):
        clear = Image.merge("LA", [Image.new("L", grey.size, 0), ImageOps.invert(grey)])
        clear.paste((under, 0), mask=grey)
        assert recognizer.read(clear).lines == ("7",)


def test_mnist_digits_drawn_as_pictures_are_read_as_well_as_the_digits_themselves(
    recognizer: Recognizer, mnist: Dataset
) -> None:
    """100 test digits, eight times larger, dark on a light page, off centre."""
    images, labels = mnist.test.images[:100], mnist.test.labels[:100]
    wrong = 0
    for image, label in zip(images, labels, strict=True):
        page = Image.new("L", (320, 280), 230)
        large = Image.fromarray(image).resize((224, 224), Image.Resampling.BICUBIC)
        page.paste(15, (70, 40), large)
        wrong += recognizer.read(page).lines != (str(label),)
    plain = int((recognizer.logits(images).argmax(axis=1) != labels).sum())
    assert wrong <= plain + 3


def test_one_digit_lines_and_groups(recognizer: Recognizer) -> None:
    """Two lines; in the first a gap of three digits parts two groups."""
    page = Image.new("L", (700, 420), 255)
    places = [[40, 130, 400, 490, 580], [40, 130, 220]]
    for row, lefts in enumerate(places):
        for left in lefts:
            page.paste(seven(200).crop((50, 40, 140, 160)), (left, 30 + 180 * row))
    reading = recognizer.read(page)
    assert reading.lines == ("77 777", "777")
    assert [digit.line for digit in reading.digits] == [0] * 5 + [1] * 3
    for digit, (row, left) in zip(
        reading.digits, [(row, left) for row, lefts in enumerate(places) for left in lefts], strict=True
    ):
        assert overlap(digit.box, (left + 10, 40 + 180 * row, 70, 100)) > 0.5


def test_the_cap_of_a_five_written_apart_belongs_to_it(recognizer: Recognizer) -> None:
    picture = Image.new("L", (100, 100), 255)
    body = [(30, 44), (28, 56), (48, 60), (56, 70), (52, 78), (30, 80)]
    for stroke in (body, [(34, 30), (84, 28)]):
        ImageDraw.Draw(picture).line(stroke, fill=0, width=3)
    (digit,) = recognizer.read(picture).digits
    left, top, width, height = digit.box
    assert digit.digit == 5
    assert top <= 30
    assert left + width > 70
    assert top + height >= 80


def test_the_threshold(recognizer: Recognizer) -> None:
    sure = recognizer.read(seven())
    assert sure.digits[0].confidence == max(sure.digits[0].probabilities)
    unsure = recognizer.read(seven(), min_confidence=1.01)
    assert unsure.lines == ("?",)
    assert unsure.digits[0].digit is None
    assert unsure.digits[0].box == sure.digits[0].box


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_has_no_digit(recognizer: Recognizer, level: int) -> None:
    noise = np.random.default_rng(0).integers(-2, 3, (300, 200))
    for page in (np.full((300, 200), level), level + noise, np.full((1, 1), level)):
        assert recognizer.read(np.clip(page, 0, 255).astype(np.uint8)) == Reading((), ())


def test_reading_leaves_an_array_as_it_is(recognizer: Recognizer) -> None:
    picture = np.asarray(seven())
    before = picture.copy()
    assert recognizer.read(picture) == recognizer.read(picture)
    np.testing.assert_array_equal(picture, before)


def test_a_file_by_its_path(recognizer: Recognizer, tmp_path: Path) -> None:
    seven().save(tmp_path / "seven.png")
    readings = [recognizer.read(path) for path in (tmp_path / "seven.png", str(tmp_path / "seven.png"))]
    assert readings == [recognizer.read(seven())] * 2


@pytest.mark.parametrize(
    ("points", "value"),
    [
        (
            [
                (0.2, 0.3),
                (0.3, 0.1),
                (0.5, 0.05),
                (0.68, 0.13),
                (0.72, 0.3),
                (0.6, 0.5),
                (0.35, 0.72),
                (0, 1),
                (1, 1),
            ],
            "2",
        ),
        ([(0, 0), (1, 0), (0.4, 1)], "7"),
    ],
)
@pytest.mark.parametrize("size", [(80, 100), (100, 120), (160, 200), (300, 400)])
@pytest.mark.parametrize("share", [25, 12])
def test_a_digit_with_a_long_level_bar_is_itself(
    recognizer: Recognizer, points: list[tuple[float, float]], value: str, size: tuple[int, int], share: int
) -> None:
    """Its bar crosses the picture as a ruled line does, or as the side of a frame."""
    width, height = size
    pen = width // share
    margin = 6 + pen // 2
    picture = Image.new("L", size, 255)
    stroke = [(margin + x * (width - 2 * margin), margin + y * (height - 2 * margin)) for x, y in points]
    ImageDraw.Draw(picture).line(stroke, fill=0, width=pen, joint="curve")
    assert recognizer.read(picture).lines == (value,)
