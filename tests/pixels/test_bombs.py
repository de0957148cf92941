"""Small files that claim to be huge, in every format: refused by their heads, or decoded within bounds."""

import io
import re
import struct
import time
import zlib

import pytest
from PIL import Image

from mnistry.data.decode import open_picture
from mnistry.errors import PictureError, PictureSizeError
from mnistry.pixels.unpack import FORMATS

SMALL = Image.new("L", (40, 30), 255)


def claiming(form: str, width: int, height: int) -> bytes:
    """A file of a few pixels whose head gives another size."""
    file = io.BytesIO()
    SMALL.save(file, form, **({"lossless": True} if form == "WEBP" else {}))
    content = bytearray(file.getvalue())
    match form:
        case "PNG":
            content[16:24] = struct.pack(">II", width, height)
            content[29:33] = struct.pack(">I", zlib.crc32(content[12:29]))
        case "JPEG":
            at = content.index(b"\xff\xc0")
            content[at + 5 : at + 9] = struct.pack(">HH", height, width)
        case "BMP":
            content[18:26] = struct.pack("<ii", width, height)
        case "TIFF":
            for tag, size in ((256, width), (257, height), (278, height)):
                entry = re.search(struct.pack("<H", tag) + rb"[\x03\x04]\0\x01\0\0\0", bytes(content))
                assert entry
                content[entry.start() + 2 : entry.start() + 12] = struct.pack("<HII", 4, 1, size)
        case "GIF":
            content[6:10] = struct.pack("<HH", width, height)
            at = content.index(b"\x2c", 13 + 3 * 2)
            content[at + 5 : at + 9] = struct.pack("<HH", width, height)
        case "WEBP":
            bits = int.from_bytes(content[21:25], "little") >> 28 << 28
            content[21:25] = (bits | (height - 1) << 14 | (width - 1)).to_bytes(4, "little")
        case "AVIF":
            at = content.index(b"ispe") + 8
            content[at : at + 8] = struct.pack(">II", width, height)
        case "PPM":
            content = bytearray(bytes(content).replace(b"40 30", f"{width} {height}".encode()))
    return bytes(content)


@pytest.mark.parametrize("form", FORMATS)
def test_the_claims_are_those_of_the_files(form: str) -> None:
    assert Image.open(io.BytesIO(claiming(form, 50, 60))).size == (50, 60)
    assert open_picture(io.BytesIO(claiming(form, 40, 30))).size == (40, 30)


@pytest.mark.parametrize("size", [(7100, 7100), (16_000, 16_000)])
@pytest.mark.parametrize("form", FORMATS)
def test_more_pixels_than_are_read_are_refused(form: str, size: tuple[int, int]) -> None:
    start = time.process_time()
    with pytest.raises(PictureSizeError, match=r"the picture has .*pixels.*Make it smaller"):
        open_picture(io.BytesIO(claiming(form, *size)), longest_side=2048)
    assert time.process_time() - start < 1


@pytest.mark.parametrize("size", [(7000, 7000), (50_000, 900), (2048, 2048)])
@pytest.mark.parametrize("form", FORMATS)
def test_as_many_pixels_as_are_read(form: str, size: tuple[int, int]) -> None:
    """What is missing makes it a damaged picture, or one that is read as far as it goes."""
    if form == "WEBP" and max(size) > 16_383:
        size = (16_383, 3000)  # larger ones cannot be told
    start = time.perf_counter()
    try:
        said = str(open_picture(io.BytesIO(claiming(form, *size)), longest_side=2048).grey.shape)
    except PictureError as error:
        said = str(error)
    assert re.search(r"damaged|too much memory|^\(2048, \d+\)$|^\(\d+, 2048\)$", said)
    assert time.perf_counter() - start < 20
