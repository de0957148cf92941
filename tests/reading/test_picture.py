"""From pictures to 28×28: every kind of file, polarity, size and shade gives the same digit."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from mnistry.data import Dataset
from mnistry.errors import PictureError
from mnistry.reading.picture import MOST_PIXELS, find_ink, open_picture
from mnistry.reading.recognizer import Recognizer


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


def encoded(image: Image.Image, form: str, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, form, **options)
    file.seek(0)
    return file


@pytest.mark.parametrize("size", [24, 28, 60, 200, 900, 3000])
@pytest.mark.parametrize(("ink", "paper"), [(0, 255), (255, 0), (90, 200), (210, 60)])
def test_any_size_dark_on_light_or_light_on_dark(
    recognizer: Recognizer, size: int, ink: int, paper: int
) -> None:
    reading = recognizer.read(seven(size, ink=ink, paper=paper))
    assert reading.lines == ("7",)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP"])
def test_any_format(recognizer: Recognizer, form: str) -> None:
    assert recognizer.read(encoded(seven(), form)).lines == ("7",)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "I;16"])
def test_any_mode(recognizer: Recognizer, mode: str) -> None:
    sixteen_bits = Image.fromarray(np.asarray(seven(), np.uint16) * 257)
    image = sixteen_bits if mode == "I;16" else seven().convert(mode)
    assert recognizer.read(image).lines == ("7",)


def test_a_transparent_canvas_is_paper(recognizer: Recognizer) -> None:
    strokes = seven(ink=255, paper=0)
    for colour in ((0, 0, 0), (20, 40, 160), (255, 255, 255)):
        canvas = Image.new("RGBA", strokes.size, (*colour, 0))
        canvas.putalpha(strokes)
        assert recognizer.read(encoded(canvas, "PNG")).lines == ("7",), colour


def test_the_orientation_that_a_camera_noted_is_honoured(recognizer: Recognizer) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the picture must be turned by 90° clockwise to stand upright
    turned = seven().transpose(Image.Transpose.ROTATE_90)
    reading = recognizer.read(encoded(turned, "JPEG", exif=exif))
    assert reading.lines == ("7",)
    assert reading.digits[0].box == recognizer.read(encoded(seven(), "JPEG")).digits[0].box


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
    picture = np.full((2000, 1000), 255, np.uint8)
    picture[1200:1600, 700:760] = 0
    assert recognizer.read(picture).digits[0].box == pytest.approx((700, 1200, 60, 400), abs=6)


def test_where_and_how_large_a_digit_is_drawn_hardly_changes_its_image() -> None:
    reference = find_ink(open_picture(seven(280, width=20))).image.astype(int)
    for size, corner in ((280, (100, 30)), (560, (0, 300))):
        page = Image.new("L", (1000, 1000), 255)
        page.paste(seven(size, width=20 * size // 280), corner)
        found = find_ink(open_picture(page)).image.astype(int)
        assert np.abs(found - reference).mean() < 6


def test_mnist_digits_drawn_as_pictures_are_read_as_well_as_the_digits_themselves(
    recognizer: Recognizer, mnist: Dataset
) -> None:
    """500 test digits, eight times larger, dark on a light page, off centre."""
    images, labels = mnist.test.images[:500], mnist.test.labels[:500]
    wrong = 0
    for image, label in zip(images, labels, strict=True):
        page = Image.new("L", (500, 400), 230)
        large = Image.fromarray(image).resize((224, 224), Image.Resampling.BICUBIC)
        page.paste(15, (200, 60), large)
        wrong += recognizer.read(page).lines != (str(label),)
    plain = int((recognizer.logits(images).argmax(axis=1) != labels).sum())
    assert wrong <= plain + 5


def test_arrays_of_grey_and_colour(recognizer: Recognizer) -> None:
    grey = np.asarray(seven())
    colour = np.asarray(seven().convert("RGBA"))
    assert (
        recognizer.read(grey).lines == recognizer.read(colour).lines == recognizer.read(colour[..., :3]).lines
    )


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 5)), r"must be uint8.*found float64\[5, 5\]"),
        (np.zeros((5, 5, 2), np.uint8), r"must be uint8.*\[5, 5, 2\]"),
        (np.zeros(5, np.uint8), "must be uint8"),
        (np.zeros((0, 7), np.uint8), "is empty"),
    ],
)
def test_an_array_that_is_no_picture_is_refused(
    recognizer: Recognizer, array: np.ndarray, message: str
) -> None:
    with pytest.raises(PictureError, match=message):
        recognizer.read(array)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_an_empty_picture_has_no_digit(recognizer: Recognizer, level: int) -> None:
    noise = np.random.default_rng(0).integers(-2, 3, (300, 200))
    for page in (np.full((300, 200), level), level + noise, np.full((1, 1), level)):
        with pytest.raises(PictureError, match="no digit in the picture"):
            recognizer.read(np.clip(page, 0, 255).astype(np.uint8))


def test_files_that_are_no_pictures(recognizer: Recognizer, tmp_path: Path) -> None:
    whole = encoded(seven(), "PNG").getvalue()
    cases = {
        "text.png": (b"seven", "not a picture in a format that can be read"),
        "empty.png": (b"", "not a picture"),
        "cut.png": (whole[: len(whole) // 2], "damaged"),
        "cut.jpg": (encoded(seven(), "JPEG").getvalue()[:300], "damaged|not a picture"),
    }
    for name, (content, message) in cases.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(PictureError, match=message):
            recognizer.read(tmp_path / name)
    with pytest.raises(PictureError, match="no such file"):
        recognizer.read(tmp_path / "absent.png")
    with pytest.raises(PictureError, match="a folder"):
        recognizer.read(tmp_path)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded(recognizer: Recognizer) -> None:
    side = 7100
    assert side * side > MOST_PIXELS
    bomb = encoded(Image.new("1", (side, side)), "PNG")
    assert len(bomb.getvalue()) < 100_000
    with pytest.raises(PictureError, match="7100×7100 pixels; at most 50,000,000"):
        recognizer.read(bomb)
