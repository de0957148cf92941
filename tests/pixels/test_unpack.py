"""What is unpacked of a file, and what is refused before it takes time."""

import io
import struct

import pytest
from PIL import Image
from PIL.JpegImagePlugin import JpegImageFile

from mnistry.errors import PictureFormatError, PictureSizeError
from mnistry.pixels.unpack import MOST_SCANS, unpack
from mnistry.pixels.unpacked import MOST_PIXELS


def encoded(image: Image.Image, form: str, **options: object) -> io.BytesIO:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file


def test_a_jpeg_of_12_megapixels_is_decoded_at_half_its_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the size that Pillow unpacks, as times of milliseconds are the machine's."""
    unpacked: list[tuple[int, int]] = []
    load = JpegImageFile.load

    def recorded(image: JpegImageFile) -> object:
        unpacked.append(image.size)
        return load(image)

    monkeypatch.setattr(JpegImageFile, "load", recorded)
    found = unpack(encoded(Image.new("L", (4000, 3000)), "JPEG"), 1500, MOST_PIXELS)
    assert found.image.size == (1500, 1125)
    assert set(unpacked) == {(2000, 1500)}


def test_a_jpeg_of_many_scans_is_refused() -> None:
    content = encoded(Image.new("L", (400, 300), 255), "JPEG", progressive=True).getvalue()
    end = content.rindex(b"\xff\xd9")
    scan = content[content.rindex(b"\xff\xc4", 0, content.rindex(b"\xff\xda")) : end]

    def repeated(times: int) -> io.BytesIO:
        return io.BytesIO(content[:end] + scan * times + b"\xff\xd9")

    few = MOST_SCANS - content.count(b"\xff\xda")
    assert unpack(repeated(few), None, MOST_PIXELS).image.size == (400, 300)
    with pytest.raises(PictureSizeError, match=f"has {MOST_SCANS + 1} scans; at most {MOST_SCANS} are read"):
        unpack(repeated(few + 1), None, MOST_PIXELS)


def test_most_pixels() -> None:
    assert unpack(Image.new("L", (40, 30)), None, 1200).size == (40, 30)
    with pytest.raises(PictureSizeError, match="40×30 pixels; at most 1,199 are read"):
        unpack(encoded(Image.new("L", (40, 30)), "PNG"), None, 1199)


@pytest.mark.parametrize(("content", "found"), [(b"PK\x03\x04 and more", "a ZIP archive"), (b"", "is empty")])
def test_what_is_no_picture(content: bytes, found: str) -> None:
    with pytest.raises(PictureFormatError, match=found):
        unpack(io.BytesIO(content), None, MOST_PIXELS)


def tiff_of_pages(pages: int) -> bytes:
    """A TIFF of so many pages of 8×8 pixels, all of them the same bytes."""
    tags = [(256, 8), (257, 8), (258, 8), (259, 1), (262, 1), (273, 8), (278, 8), (279, 64)]
    size = 2 + 12 * len(tags) + 4
    content = bytearray(b"II*\0" + struct.pack("<I", 72) + bytes(range(64)))
    for page in range(pages):
        content += struct.pack("<H", len(tags))
        for tag, value in tags:
            content += struct.pack("<HHII", tag, 4, 1, value)
        content += struct.pack("<I", 72 + (page + 1) * size if page < pages - 1 else 0)
    return bytes(content)


def test_the_pages_of_a_tiff_are_not_counted() -> None:
    assert unpack(io.BytesIO(tiff_of_pages(1)), None, MOST_PIXELS).frames == 1
    content = io.BytesIO(tiff_of_pages(20_000))
    end = content.seek(0, io.SEEK_END)
    furthest = 0

    class Watched(io.BytesIO):
        def seek(self, offset: int, whence: int = 0) -> int:
            nonlocal furthest
            furthest = max(furthest, offset)
            return super().seek(offset, whence)

    found = unpack(Watched(content.getvalue()), None, MOST_PIXELS)
    assert found.frames is None
    assert found.image.tobytes() == bytes(range(64))
    assert furthest < end / 1000
