"""Plain is only what is small, simple and without odd parts."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from mnistry.pixels.plain import PLAIN_WORK, is_plain

NOISE = Image.fromarray(np.random.default_rng(0).integers(0, 256, (60, 40), np.uint8))


def encoded(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def plain(content: bytes) -> bool:
    return is_plain(io.BytesIO(content))


def with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    """A PNG with one more chunk after its header."""
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "I;16"])
def test_small_pngs(mode: str) -> None:
    image = Image.fromarray(np.asarray(NOISE, np.uint16)) if mode == "I;16" else NOISE.convert(mode)
    assert plain(encoded(image, "PNG"))
    assert plain(encoded(image, "PNG", dpi=(300, 300)))


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"optimize": True}, {"comment": b"mine"}])
@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
def test_small_jpegs(mode: str, options: dict[str, object]) -> None:
    assert plain(encoded(NOISE.convert(mode), "JPEG", **options))


def test_pngs_with_odd_parts() -> None:
    png = encoded(NOISE, "PNG")
    exif = Image.Exif()
    exif[0x0112] = 6
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Software", "a program")
    assert plain(encoded(NOISE, "PNG", pnginfo=texts))
    texts.add_text("Raw profile type exif", "00")
    assert not plain(encoded(NOISE, "PNG", pnginfo=texts))
    assert not plain(encoded(NOISE, "PNG", exif=exif))
    assert not plain(encoded(NOISE, "PNG", save_all=True, append_images=[NOISE.rotate(180)]))
    assert not plain(with_chunk(png, b"zTXt", b"a\0\0" + zlib.compress(b"text")))
    many = png
    for _ in range(1001):
        many = with_chunk(many, b"tIME", bytes(7))
    assert not plain(many)


def test_jpegs_with_odd_parts() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    assert not plain(encoded(NOISE, "JPEG", exif=exif))
    assert not plain(encoded(NOISE, "MPO", save_all=True, append_images=[NOISE]))
    jpeg = encoded(NOISE, "JPEG")
    assert not plain(jpeg[:20])
    assert not plain(b"\xff\xd8\xff\xda\0\x02")


def test_large_ones_are_not_plain() -> None:
    side = int(PLAIN_WORK**0.5)
    for form in ("PNG", "JPEG"):
        assert plain(encoded(Image.new("L", (side, side)), form))
        assert not plain(encoded(Image.new("L", (side, side + 1)), form))
    assert not plain(encoded(Image.new("L", (side, side)), "JPEG", progressive=True))


@pytest.mark.parametrize("form", ["BMP", "TIFF", "GIF", "WEBP", "PPM"])
def test_other_formats(form: str) -> None:
    assert not plain(encoded(NOISE, form))


def test_damaged_lengths_do_not_take_long() -> None:
    assert not plain(b"\x89PNG\r\n\x1a\n" + bytes(10_000_000))
    assert not plain(b"\xff\xd8" + b"\xff\xfe\0\x02" * 1_000_000)
    assert not plain(b"")
