"""From a picture to its reading: polarity, size, shade and dirt do not matter; no digit gives no lines."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnistry.data import Dataset
from mnistry.reading.recognizer import Reading, Recognizer


def seven(size: int = 200, *, width: int | None = None, ink: int = 0, paper: int = 255) -> Image.Image:
    """A seven drawn with straight strokes in the middle half of a square picture."""
    image = Image.new("L", (size, size), paper)
    left, right, top, bottom = (round(size * part) for part in (0.3, 0.65, 0.25, 0.75))
    stroke = [(left, top), (right, top), (round(size * 0.42), bottom)]
    ImageDraw.Draw(image).line(stroke, fill=ink, width=width or max(2, size // 16), joint="curve")
    return image


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


def test_the_box_is_in_the_pictures_own_pixels(recognizer: Recognizer) -> None:
    """To a 48th of the digits' height, the pixels that lines are cut in."""
    picture = np.full((2400, 1200), 255, np.uint8)
    picture[1200:1600, 700:760] = 0
    assert recognizer.read(picture).digits[0].box == pytest.approx((700, 1200, 60, 400), abs=9)


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
        x, y, width, height = digit.box
        assert left <= x < x + width <= left + 90
        assert 30 + 180 * row <= y < y + height <= 150 + 180 * row


def test_the_cap_of_a_five_written_apart_belongs_to_it(recognizer: Recognizer) -> None:
    picture = Image.new("L", (100, 100), 255)
    body = [(30, 44), (28, 56), (48, 60), (56, 70), (52, 78), (30, 80)]
    for stroke in (body, [(34, 30), (84, 28)]):
        ImageDraw.Draw(picture).line(stroke, fill=0, width=3)
    (digit,) = recognizer.read(picture).digits
    left, top, width, height = digit.box
    assert digit.digit == 5
    assert top <= 28
    assert left + width >= 84
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
