"""Every kind of file, mode and array becomes the same grey levels; what is no picture says so."""

import io
import itertools
import os
import struct
import sys
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, PngImagePlugin

from mnistry.data.decode import MOST_BYTES, MOST_PIXELS, open_picture
from mnistry.errors import PictureError, PictureSizeError


def page(width: int = 60, height: int = 40, *, ink: int = 0, paper: int = 255) -> Image.Image:
    """A block of ink in the upper left part of a page."""
    image = Image.new("L", (width, height), paper)
    ImageDraw.Draw(image).rectangle((width // 6, height // 4, width // 3, height // 2), fill=ink)
    return image


def levels(image: Image.Image) -> np.ndarray:
    return np.asarray(image, np.float32) / 255


def encoded(image: Image.Image, form: str, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, form, **options)
    file.seek(0)
    return file


def refused(content: bytes) -> str:
    with pytest.raises(PictureError) as caught:
        open_picture(io.BytesIO(content))
    return str(caught.value)


# ---------------------------------------------------------------- files and images


@pytest.mark.parametrize("form", ["PNG", "BMP", "TIFF", "GIF", "PPM"])
def test_formats_that_keep_every_level(form: str) -> None:
    image = page(ink=37, paper=201)
    decoded = open_picture(encoded(image, form))
    np.testing.assert_array_equal(decoded.grey, levels(image))
    assert decoded.grey.dtype == np.float32
    assert (decoded.scale, decoded.size, decoded.notes) == (1, (60, 40), ())


@pytest.mark.parametrize("form", ["JPEG", "WEBP", "MPO"])
def test_formats_that_lose_a_little(form: str) -> None:
    np.testing.assert_allclose(open_picture(encoded(page(), form, quality=95)).grey, levels(page()), atol=0.1)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "PA", "CMYK", "YCbCr", "HSV", "I", "F"])
def test_modes_of_images(mode: str) -> None:
    image = page().convert("RGBA").convert(mode) if mode == "PA" else page().convert(mode)
    before = image.tobytes()
    np.testing.assert_allclose(open_picture(image).grey, levels(page()), atol=1e-6)
    assert image.tobytes() == before


def test_modes_that_pillow_does_not_convert() -> None:
    with pytest.raises(PictureError, match="conversion from La"):
        open_picture(Image.new("La", (5, 5)))


def test_lab_images() -> None:
    lightness = page()
    neutral = Image.new("L", lightness.size, 128)
    np.testing.assert_allclose(
        open_picture(Image.merge("LAB", [lightness, neutral, neutral])).grey, levels(lightness)
    )


@pytest.mark.parametrize("white", [255, 4095, 65535])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bits_hold_8_12_or_16(form: str, white: int) -> None:
    deep = Image.fromarray((np.asarray(page(), np.uint16) // 255) * np.uint16(white))
    assert deep.mode == "I;16"
    np.testing.assert_allclose(open_picture(encoded(deep, form)).grey, levels(page()))


@pytest.mark.parametrize("white", [1.0, 255.0, 65535.0, 1e6])
def test_tiffs_of_floats(white: float) -> None:
    real = Image.fromarray(levels(page()) * np.float32(white))
    np.testing.assert_allclose(open_picture(encoded(real, "TIFF")).grey, levels(page()))


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_floats_that_are_no_levels(value: float) -> None:
    real = levels(page())
    real[3, 4] = value
    assert "expected levels from 0 (black) on, found" in refused(
        encoded(Image.fromarray(real), "TIFF").getvalue()
    )


def test_cmyk_jpegs_are_not_negatives() -> None:
    decoded = open_picture(encoded(page().convert("RGB").convert("CMYK"), "JPEG", quality=95))
    np.testing.assert_allclose(decoded.grey, levels(page()), atol=0.1)


@pytest.mark.parametrize("form", ["GIF", "WEBP", "TIFF", "PNG"])
def test_the_first_of_several_frames(form: str) -> None:
    others = [page(ink=200), page(ink=100)]
    decoded = open_picture(encoded(page(), form, save_all=True, append_images=others))
    np.testing.assert_allclose(decoded.grey, levels(page()), atol=0.1)
    count = 3 if form in ("PNG", "WEBP") else "several"  # the others do not say, and are not walked
    what = "pages" if form == "TIFF" else "frames"
    assert decoded.notes == (f"the first of {count} {what} was read",)


def test_a_cameras_preview_is_no_second_frame() -> None:
    assert not open_picture(encoded(page(), "MPO", save_all=True, append_images=[page()])).notes


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize(
    ("orientation", "turn"),
    [
        (1, None),
        (2, Image.Transpose.FLIP_LEFT_RIGHT),
        (3, Image.Transpose.ROTATE_180),
        (4, Image.Transpose.FLIP_TOP_BOTTOM),
        (5, Image.Transpose.TRANSPOSE),
        (6, Image.Transpose.ROTATE_90),
        (7, Image.Transpose.TRANSVERSE),
        (8, Image.Transpose.ROTATE_270),
        (99, None),
    ],
)
def test_the_orientation_that_a_camera_noted(
    form: str, orientation: int, turn: Image.Transpose | None
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = page() if turn is None else page().transpose(turn)
    for longest_side in (None, 30):
        file = encoded(stored, form, exif=exif)
        for picture in (file, Image.open(io.BytesIO(file.getvalue()))):
            decoded = open_picture(picture, longest_side=longest_side)
            expected = page().resize((30, 20), Image.Resampling.BOX) if longest_side else page()
            np.testing.assert_allclose(decoded.grey, levels(expected), atol=0.25)
            assert decoded.size == (60, 40)
            assert decoded.scale == (0.5 if longest_side else 1)


def test_damaged_orientation_is_no_orientation() -> None:
    for exif in (b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0nothing", b"Exif\0\0" + bytes(60_000)):
        decoded = open_picture(encoded(page(), "JPEG", exif=exif))
        assert decoded.grey.shape == (40, 60)


def test_a_transparent_canvas_is_paper() -> None:
    strokes = levels(page(ink=255, paper=0))
    for colour, paper in (((0, 0, 0), 1), ((20, 40, 160), 1), ((255, 255, 255), 0), ((250, 240, 90), 0)):
        canvas = Image.new("RGBA", (60, 40), (*colour, 0))
        canvas.putalpha(page(ink=255, paper=0))
        for picture in (canvas, encoded(canvas, "PNG"), np.asarray(canvas)):
            grey = open_picture(picture).grey
            np.testing.assert_array_equal(grey[strokes == 0], paper)
            assert abs(grey[strokes == 1].mean() - paper) > 0.8


def test_transparency_of_palettes_and_single_colours() -> None:
    for transparency in (255, bytes([*[255] * 255, 0])):
        file = encoded(page().convert("P"), "PNG", transparency=transparency)
        np.testing.assert_allclose(open_picture(file).grey, levels(page()))
    colour = open_picture(encoded(page().convert("RGB"), "PNG", transparency=(255, 255, 255)))
    np.testing.assert_allclose(colour.grey, levels(page()))


def test_one_pixel_is_a_picture() -> None:
    for level in (0, 255):
        decoded = open_picture(encoded(Image.new("L", (1, 1), level), "PNG"), longest_side=512)
        assert decoded.grey.tolist() == [[level / 255]]
        assert decoded.scale == 1


# ---------------------------------------------------------------- sizes


MODES = ("1", "L", "P", "RGB", "I;16", "RGBA")
NOT_STORED = {("JPEG", "P"), ("JPEG", "I;16"), ("JPEG", "RGBA"), ("BMP", "I;16")}


@pytest.mark.parametrize(
    ("form", "mode"), sorted({*itertools.product(("PNG", "JPEG", "BMP", "TIFF"), MODES)} - NOT_STORED)
)
def test_larger_pictures_are_made_smaller(form: str, mode: str) -> None:
    large = page(1200, 800)
    image = Image.fromarray(np.asarray(large, np.uint16) * 257) if mode == "I;16" else large.convert(mode)
    file = encoded(image, form)
    for longest_side, shape in ((300, (200, 300)), (500, (333, 500)), (1199, (799, 1199)), (7, (5, 7))):
        decoded = open_picture(file, longest_side=longest_side)
        assert decoded.grey.shape == shape
        assert decoded.scale == pytest.approx(longest_side / 1200)
        assert decoded.size == (1200, 800)
        expected = large.resize(shape[::-1], Image.Resampling.BOX)
        np.testing.assert_allclose(decoded.grey, levels(expected), atol=0.5)
        assert np.abs(decoded.grey - levels(expected)).mean() < 0.02


def test_long_strips_keep_a_pixel() -> None:
    assert open_picture(np.zeros((1, 5000), np.uint8), longest_side=100).grey.shape == (1, 100)


def test_images_of_the_caller_stay_as_they_are() -> None:
    image = Image.open(encoded(page(1200, 800), "JPEG"))
    open_picture(image, longest_side=100)
    assert image.size == (1200, 800)
    moving = Image.open(encoded(page(), "GIF", save_all=True, append_images=[page(ink=200)]))
    moving.seek(1)
    decoded = open_picture(moving)
    assert moving.tell() == 1
    assert decoded.grey.min() == pytest.approx(200 / 255, abs=0.01)
    assert not decoded.notes


# ---------------------------------------------------------------- colour


def drawn(pen: tuple[int, int, int], paper: tuple[int, int, int], noise: float = 3) -> np.ndarray:
    image = Image.new("RGB", (400, 300), paper)
    ImageDraw.Draw(image).ellipse((150, 90, 210, 190), outline=pen, width=5)
    return np.clip(image + np.random.default_rng(0).normal(0, noise, (300, 400, 3)), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("pen", "paper"),
    [
        ((220, 60, 40), (40, 120, 210)),  # red on blue of the same luminance
        ((250, 230, 50), (255, 255, 255)),  # yellow on white
        ((230, 120, 30), (110, 160, 60)),  # orange on green
        ((90, 170, 90), (140, 140, 140)),
    ],
)
def test_coloured_pens_stand_out(pen: tuple[int, int, int], paper: tuple[int, int, int]) -> None:
    mask = drawn((0, 0, 0), (255, 255, 255), 0)[..., 0] == 0
    for picture in (drawn(pen, paper), encoded(Image.fromarray(drawn(pen, paper)), "JPEG", quality=85)):
        grey = open_picture(picture).grey
        assert abs(grey[mask].mean() - grey[~mask].mean()) > max(0.12, 3 * grey[~mask].std())


def test_paper_stays_lighter_than_a_yellow_pen() -> None:
    mask = drawn((0, 0, 0), (255, 255, 255), 0)[..., 0] == 0
    grey = open_picture(drawn((255, 255, 0), (255, 255, 255))).grey
    assert grey[mask].mean() < 0.3 < 0.9 < grey[~mask].mean()


@pytest.mark.parametrize("pen", [(0, 0, 0), (30, 50, 150), (190, 30, 40), (150, 150, 150), (255, 255, 255)])
def test_other_pens_and_empty_pages_are_luminance(pen: tuple[int, int, int]) -> None:
    picture = drawn(pen, (255, 255, 255), 6)
    np.testing.assert_array_equal(open_picture(picture).grey, levels(Image.fromarray(picture).convert("L")))


def test_grey_in_three_channels_is_luminance() -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 70), np.uint8))
    np.testing.assert_array_equal(open_picture(image.convert("RGB")).grey, levels(image))


# ---------------------------------------------------------------- arrays


@pytest.mark.parametrize("channels", [(), (3,), (4,)])
@pytest.mark.parametrize("type_", [np.uint8, np.uint16, np.bool, np.float16, np.float32, np.float64])
def test_arrays(type_: type, channels: tuple[int, ...]) -> None:
    white = {np.uint8: 255, np.uint16: 65535}.get(type_, 1)
    array = (levels(page()) * white).astype(type_)
    array = np.broadcast_to(array.reshape(40, 60, *[1] * len(channels)), (40, 60, *channels)).copy()
    if channels == (4,):
        array[..., 3] = white
    before = array.copy()
    for picture in (array, np.flipud(array)[::-1], array.astype(array.dtype.newbyteorder(">"))):
        decoded = open_picture(picture)
        np.testing.assert_allclose(decoded.grey, levels(page()))
        assert decoded.size == (60, 40)
    np.testing.assert_array_equal(array, before)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.zeros((5, 5), np.int64), r"must be uint8, uint16, bool or float.*found int64\[5, 5\]"),
        (np.zeros((5, 5), np.complex64), r"found complex64\[5, 5\]"),
        (np.array([["a"]]), r"found <U1\[1, 1\]"),
        (np.array([[None]]), r"found object\[1, 1\]"),
        (np.zeros((5, 5, 2), np.uint8), r"found uint8\[5, 5, 2\]"),
        (np.zeros((1, 5, 5, 3), np.uint8), r"found uint8\[1, 5, 5, 3\]"),
        (np.zeros(5, np.uint8), r"found uint8\[5\]"),
        (np.array(3.0), r"found float64\[\]"),
        (np.zeros((0, 7), np.uint8), "is empty: it has 7×0 pixels"),
        (np.full((5, 5), np.nan), "must be from 0 .* found nan to nan"),
        (np.array([[0.5, np.nan]]), "must be from 0"),
        (np.array([[0.5, np.inf]]), r"found 0\.5 to inf"),
        (np.array([[0.5, -0.1]]), r"found -0\.1 to 0\.5"),
        (np.array([[0.5, 255.0]]), "found 0.5 to 255"),
        (np.broadcast_to(np.uint8(0), (7100, 7100)), "7100×7100 pixels; at most 50,000,000"),
    ],
)
def test_arrays_that_are_no_pictures(array: np.ndarray, message: str) -> None:
    with pytest.raises(PictureError, match=message):
        open_picture(array)


# ---------------------------------------------------------------- what is no picture


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP", "PPM"])
def test_files_that_are_cut_off(form: str) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 80), np.uint8))
    whole = encoded(image, form).getvalue()
    assert "damaged" in refused(whole[: len(whole) // 2])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"seven", "not a picture in a format that can be read.*expected one of PNG, JPEG"),
        (b"%PDF-1.7\n1 0 obj", "the PDF is damaged"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "the SVG drawing is damaged"),
        (b"<?xml version='1.0'?><a/>", "an XML file, but no SVG drawing"),
        (b"\n<!DOCTYPE html><html>", "this is an HTML page; save the picture itself"),
        (b"PK\3\4", "this is a ZIP archive, not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture in a format"),
        (b"GIF89a\x05\0\x05\0\0\0\0;", "damaged"),
        (b"GIF89a", "damaged"),
    ],
)
def test_other_files(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    path.write_bytes(content)
    for picture in (path, str(path), io.BytesIO(content)):
        with pytest.raises(PictureError, match=message):
            open_picture(picture)


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="no such file"):
        open_picture(tmp_path / "absent.png")
    with pytest.raises(PictureError, match="this is a URL; download the picture"):
        open_picture("https://example.org/seven.png")
    with pytest.raises(PictureError, match="folder"):
        open_picture(tmp_path)
    with pytest.raises(PictureError, match=r"cannot be opened.*too long"):
        open_picture(tmp_path / ("x" * 5000))
    with pytest.raises(PictureError, match=r"cannot be opened.*null"):
        open_picture("a\0b")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no FIFOs here")
def test_what_is_no_regular_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match="cannot be opened: it is a named pipe"):
        open_picture(tmp_path / "pipe.png")
    with pytest.raises(PictureError, match="cannot be opened: it is a device"):
        open_picture("/dev/zero")


def test_files_of_too_many_bytes(tmp_path: Path) -> None:
    with (tmp_path / "large.png").open("wb") as file:
        file.truncate(MOST_BYTES + 1)  # a hole: it takes no room
    for picture in (tmp_path / "large.png", str(tmp_path / "large.png")):
        with pytest.raises(PictureSizeError, match="more than the 200 MB that are read"):
            open_picture(picture)
    with (tmp_path / "large.png").open("rb") as file, pytest.raises(PictureSizeError, match="200 MB"):
        open_picture(file)


def test_what_was_decoded_is_a_picture() -> None:
    decoded = open_picture(page())
    assert open_picture(decoded) is decoded


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other permissions")
def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.png"
    page().save(path)
    if os.geteuid() == 0:  # who may read everything

        def refuse(*_: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", refuse)
    else:
        path.chmod(0)
    with pytest.raises(PictureError, match="no permission"):
        open_picture(path)


@pytest.mark.parametrize("thing", [None, 7, [[0, 255]], b"\x89PNG", object()])
def test_things_that_are_no_pictures(thing: object) -> None:
    with pytest.raises(PictureError, match=f"expected a path.*found {type(thing).__name__}"):
        open_picture(thing)


def test_files_opened_in_other_ways(tmp_path: Path) -> None:
    path = tmp_path / "page.png"
    page().save(path)
    with path.open("rb") as file:
        file.read(10)
        np.testing.assert_array_equal(open_picture(file).grey, levels(page()))
        assert not file.closed
    with (
        path.open(encoding="latin-1") as text,
        pytest.raises(PictureError, match="open it for reading bytes"),
    ):
        open_picture(text)
    with path.open("rb") as closed:
        pass
    with pytest.raises(PictureError, match=r"cannot be read.*closed file"):
        open_picture(closed)
    read_end, write_end = os.pipe()
    with os.fdopen(read_end, "rb") as pipe, os.fdopen(write_end, "wb") as other:
        other.write(path.read_bytes())
        other.close()
        np.testing.assert_array_equal(open_picture(pipe).grey, levels(page()))


def png(width: int, height: int, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with the header of an 8-bit grey image and these chunks after it."""
    header = (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in (header, *chunks, (b"IEND", b""))
    )


def test_pictures_of_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    # 51 million, more than Pillow warns of, more than Pillow opens
    for side, found in ((7100, "7100×7100 pixels"), (10_000, "10000×10000 pixels"), (60_000, "far more")):
        assert side * side > MOST_PIXELS
        message = refused(png(side, side, (b"IDAT", zlib.compress(bytes(1000)))))
        assert found in message
        assert "50,000,000" in message


def test_pictures_without_pixels() -> None:
    assert "damaged" in refused(encoded(page(), "PPM").getvalue().replace(b"60 40", b"0 40"))
    assert "damaged" in refused(png(0, 5, (b"IDAT", zlib.compress(b""))))
    with pytest.raises(PictureError, match="empty: it has 0×5"):
        open_picture(Image.new("L", (0, 5)))


def test_texts_in_pngs() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_itxt("note", "x" * 100_000, zip=True)
    np.testing.assert_array_equal(open_picture(encoded(page(), "PNG", pnginfo=texts)).grey, levels(page()))
    bomb = (b"iTXt", b"note\0\x01\0\0\0" + zlib.compress(bytes(20_000_000)))
    rows = (b"IDAT", zlib.compress(bytes(6)))
    for chunks in ((bomb, rows), (rows, bomb)):
        assert "too large" in refused(png(2, 2, *chunks))


def test_odd_tags_in_tiffs() -> None:
    tags = {65000: "of my own", 270: "a page", 34665: 3, 33432: "me" * 5000}
    np.testing.assert_array_equal(open_picture(encoded(page(), "TIFF", tiffinfo=tags)).grey, levels(page()))
    # A resolution of two numbers, of which Pillow warns.
    content = encoded(page(), "TIFF", dpi=(72, 72)).getvalue()
    at = content.index(struct.pack("<HHI", 282, 5, 1))
    broken = content[: at + 4] + struct.pack("<I", 2) + content[at + 8 :]
    with pytest.warns(UserWarning, match="Metadata Warning"):
        Image.open(io.BytesIO(broken)).load()
    np.testing.assert_array_equal(open_picture(io.BytesIO(broken)).grey, levels(page()))


def test_threads_leave_the_filters_of_warnings_as_they_were() -> None:
    before = list(warnings.filters)
    file = encoded(page(), "PNG").getvalue()
    results: list[np.ndarray] = []
    threads = [
        threading.Thread(
            target=lambda: results.extend(open_picture(io.BytesIO(file)).grey for _ in range(30))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 120
    assert all(np.array_equal(grey, levels(page())) for grey in results)
    assert warnings.filters == before
