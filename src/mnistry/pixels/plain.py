"""Which files are plain: so small and simple, by their heads, that to decode them is safe anywhere."""

from typing import IO

PLAIN_WORK = 2048 * 2048
"""Pixels times scans of a plain picture: as many pixels as are read of a page."""
_MOST_PARTS = 1000  # chunks or segments; each costs Pillow more than it costs to write
_MOST_BYTES = 4 * PLAIN_WORK
# All others may hold metadata of which Pillow warns, further frames, or texts that are compressed.
_PLAIN_CHUNKS = frozenset(
    (
        b"IHDR",
        b"PLTE",
        b"tRNS",
        b"IDAT",
        b"IEND",
        b"pHYs",
        b"gAMA",
        b"sRGB",
        b"cHRM",
        b"sBIT",
        b"bKGD",
        b"tIME",
    )
)
_FRAMES_OF_PIXELS = (0xC0, 0xC1, 0xC2)  # JPEG's SOF markers of baseline, extended and progressive coding


def is_plain(file: IO[bytes]) -> bool:
    """Whether a file is a small PNG or JPEG without odd parts.

    Args:
        file: it can seek; where it stands afterwards is not defined.
    """
    size = file.seek(0, 2)
    file.seek(0)
    if size > _MOST_BYTES:
        return False
    start = file.read(8)
    if start == b"\x89PNG\r\n\x1a\n":
        return _is_plain_png(file, size)
    file.seek(0)
    return start.startswith(b"\xff\xd8\xff") and _is_plain_jpeg(file.read())


def _is_plain_png(file: IO[bytes], size: int) -> bool:
    at = 8
    for _ in range(_MOST_PARTS):
        file.seek(at)
        head = file.read(16)
        length, kind = int.from_bytes(head[:4]), head[4:8]
        if kind == b"IHDR":
            file.seek(at + 8)
            width, height = int.from_bytes(file.read(4)), int.from_bytes(file.read(4))
            if width * height > PLAIN_WORK:
                return False
        text = kind == b"tEXt" and not head[8:].startswith(b"Raw")  # what is raw is metadata in disguise
        if not text and kind not in _PLAIN_CHUNKS:
            return False
        at += 12 + length
        if kind == b"IEND" or at > size:
            return True
    return False


def _is_plain_jpeg(content: bytes) -> bool:
    at, pixels = 2, 0
    for _ in range(_MOST_PARTS):
        if content[at : at + 1] != b"\xff" or at + 4 > len(content):
            return False
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4])
        body = content[at + 4 : at + 2 + length]
        if marker == 0xDA:
            return pixels > 0 and pixels * content.count(b"\xff\xda") <= PLAIN_WORK
        if marker in _FRAMES_OF_PIXELS:
            if pixels or len(body) < 5:
                return False
            pixels = int.from_bytes(body[1:3]) * int.from_bytes(body[3:5])
        elif not (
            marker in (0xC4, 0xDB, 0xDD, 0xFE, 0xEE)  # tables, a comment, Adobe's note of the colours
            or (marker == 0xE0 and body.startswith(b"JFIF"))
            or (marker == 0xE2 and body.startswith(b"ICC_PROFILE"))
        ):
            return False
        at += 2 + length
    return False
