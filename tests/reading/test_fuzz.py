"""Damaged files and odd arrays: whatever comes in, an answer that keeps its word or a PictureError."""

import io
import random
import resource
import time
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from PIL import Image, ImageDraw

from mnistry.data.decode import open_picture
from mnistry.errors import PictureError
from mnistry.reading.recognizer import MIN_CONFIDENCE, Reading, Recognizer

MOST_SECONDS, MOST_MEGABYTES = 10.0, 500
"""For one picture, on a busy machine."""


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer.load()


def assert_contract(reading: Reading, size: tuple[int, int], min_confidence: float = MIN_CONFIDENCE) -> None:
    """Checks all that a `Reading` promises about a picture of a width and a height."""
    signs = [sign for line in reading.lines for sign in line if sign != " "]
    assert len(signs) == len(reading.digits)
    for line in reading.lines:
        assert line
        assert set(line) <= set("0123456789? ")
        assert line == " ".join(line.split()), "single spaces, and none at the ends"
    order = [digit.line for digit in reading.digits]
    assert order == sorted(order)
    assert set(order) == set(range(len(reading.lines)))
    for sign, digit in zip(signs, reading.digits, strict=True):
        assert sign == ("?" if digit.digit is None else str(digit.digit))
        assert 0 <= digit.confidence <= 1
        assert (digit.digit is None) == (digit.confidence < min_confidence)
        x, y, width, height = digit.box
        assert all(type(number) is int for number in digit.box)
        assert 0 <= x < x + width <= size[0]
        assert 0 <= y < y + height <= size[1]
        assert len(digit.probabilities) == 10
        assert min(digit.probabilities) >= 0
        assert sum(digit.probabilities) <= 1 + 1e-5


# ---------------------------------------------------------------- files


def written(image: Image.Image, form: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def seeds() -> dict[str, bytes]:
    """A small picture in every kind of file that can be read."""
    grey = Image.new("L", (40, 48), 255)
    ImageDraw.Draw(grey).line([(10, 10), (28, 10), (16, 38)], fill=0, width=4)
    colour = Image.merge("RGB", [grey, grey.point(lambda level: level // 2 + 90), grey])
    clear = Image.merge("RGBA", [*colour.split(), Image.eval(grey, lambda level: 255 - level)])
    deep = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a seven"
    exif.get_ifd(0x8769)[0x9286] = "a comment"
    more = {"save_all": True, "append_images": [grey.rotate(90), grey]}
    return {
        "png": written(grey, "PNG"),
        "png-bilevel": written(grey.convert("1"), "PNG"),
        "png-palette": written(clear.convert("P"), "PNG", transparency=bytes(range(255, -1, -1))),
        "png-clear": written(clear, "PNG", exif=exif),
        "png-deep": written(deep, "PNG"),
        "png-moving": written(grey, "PNG", **more),
        "jpeg": written(colour, "JPEG", exif=exif),
        "jpeg-grey": written(grey, "JPEG", progressive=True),
        "jpeg-cmyk": written(colour.convert("CMYK"), "JPEG"),
        "mpo": written(grey, "MPO", save_all=True, append_images=[colour]),
        "bmp": written(colour, "BMP"),
        "bmp-palette": written(grey.convert("P"), "BMP"),
        "gif": written(grey, "GIF", transparency=255),
        "gif-moving": written(grey, "GIF", **more),
        "tiff": written(colour, "TIFF", exif=exif),
        "tiff-bilevel": written(grey.convert("1"), "TIFF", compression="group4"),
        "tiff-packed": written(clear, "TIFF", compression="tiff_lzw"),
        "tiff-float": written(grey.convert("F"), "TIFF", compression="tiff_adobe_deflate"),
        "tiff-jpeg": written(colour, "TIFF", compression="jpeg"),
        "tiff-pages": written(deep, "TIFF", save_all=True, append_images=[deep, deep]),
        "webp": written(colour, "WEBP", exif=exif),
        "webp-lossless": written(clear, "WEBP", lossless=True),
        "webp-moving": written(grey, "WEBP", **more),
        "pgm": written(grey, "PPM"),
        "pbm-text": b"P1 4 3\n1 0 1 1\n0 0 1 0\n1 1 1 1\n",
        "pfm": written(grey.convert("F"), "PPM"),
    }


def mutated(whole: bytes, other: bytes, chance: random.Random) -> bytes:
    """The same file after one to three accidents, many of them near its head, where the fields are."""
    content = bytearray(whole)
    for _ in range(chance.randint(1, 3)):
        size = len(content)
        at = chance.randrange(max(1, min(size, 64) if chance.random() < 0.5 else size))
        length = chance.choice([1, 2, 4, 8, chance.randint(1, max(1, size // 4))])
        match chance.randrange(8):
            case 0:  # a bit flips
                content[at : at + 1] = bytes(byte ^ 1 << chance.randrange(8) for byte in content[at : at + 1])
            case 1:  # another byte
                content[at : at + 1] = chance.randbytes(1)
            case 2:  # a field with an extreme number
                field = chance.choice([b"\x00" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\x00\x00\xff\xff"])
                field = field[: chance.choice([1, 2, 4])]
                content[at : at + len(field)] = field if chance.random() < 0.5 else field[::-1]
            case 3:  # noise
                content[at : at + length] = chance.randbytes(min(length, 64))
            case 4:  # the end is missing
                del content[at:]
            case 5:  # a piece is missing
                del content[at : at + length]
            case 6:  # a piece comes twice
                content[at:at] = content[at : at + length]
            case 7:  # a piece of another file
                start = chance.randrange(len(other))
                content[at : at + length] = other[start : start + length]
    return with_checksums(bytes(content)) if chance.random() < 0.5 else bytes(content)


def with_checksums(content: bytes) -> bytes:
    """A PNG with right checksums, as a wrong one ends its reading; any other file as it is."""
    if not content.startswith(b"\x89PNG\r\n\x1a\n"):
        return content
    file, at = bytearray(content), 8
    while at + 12 <= len(file):
        end = at + 8 + int.from_bytes(file[at : at + 4])
        file[end : end + 4] = zlib.crc32(file[at + 4 : end]).to_bytes(4)
        at = end + 4
    return bytes(file)


def damaged_files(count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """So many damaged files of all kinds, each with what it was made from."""
    files, chance = seeds(), random.Random(seed)
    names = list(files)
    for number in range(count):
        name = names[number % len(names)]
        yield f"{name} {number}", mutated(files[name], files[chance.choice(names)], chance)


def read_damaged(recognizer: Recognizer, count: int, seed: int) -> int:
    """Reads damaged files, asserts all that must hold, and returns how many were read none the less."""
    answered = 0
    for name, content in damaged_files(count, seed):
        start = time.perf_counter()
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                reading = recognizer.read(io.BytesIO(content))
            answered += 1
        except PictureError:
            pass
        except Exception as error:
            raise AssertionError(f"{name}: {error!r}; the file: {content.hex()}") from error
        else:
            assert_contract(reading, open_picture(io.BytesIO(content)).size)
        assert not caught, f"{name}: {caught[0].message}"
        assert time.perf_counter() - start < MOST_SECONDS, name
    return answered


def test_whole_files_are_read(recognizer: Recognizer) -> None:
    for name, content in seeds().items():
        reading = recognizer.read(io.BytesIO(content))
        size = (4, 3) if name == "pbm-text" else (40, 48)
        if name in ("jpeg", "png-clear", "tiff", "webp"):  # these are to be turned
            size = size[::-1]
        assert_contract(reading, size)


def test_damaged_files(recognizer: Recognizer) -> None:
    assert 0 < read_damaged(recognizer, 130, seed=0) < 130


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_many_damaged_files(recognizer: Recognizer) -> None:
    assert 0 < read_damaged(recognizer, 20_000, seed=1) < 20_000


# ---------------------------------------------------------------- arrays

SHAPES = st.tuples(st.integers(1, 70), st.integers(1, 70), st.sampled_from([(), (3,), (4,)])).map(
    lambda shape: (*shape[:2], *shape[2])
)
ARRAYS = st.one_of(
    npst.arrays(np.uint8, SHAPES),
    npst.arrays(np.uint16, SHAPES),
    npst.arrays(np.bool_, SHAPES),
    npst.arrays(np.float32, SHAPES, elements=st.floats(0, 1, width=32)),
)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(array=ARRAYS, min_confidence=st.sampled_from([0.0, 0.5, 0.9, 1.0]))
def test_any_array_is_read(recognizer: Recognizer, array: np.ndarray, min_confidence: float) -> None:
    reading = recognizer.read(array, min_confidence=min_confidence)
    assert_contract(reading, (array.shape[1], array.shape[0]), min_confidence)


def textures() -> dict[str, np.ndarray]:
    """Pages full of what is no writing, bool `[800, 1000]`, True is ink."""
    chance = np.random.default_rng(0)
    rows, columns = np.indices((800, 1000))
    blocks = chance.random((100, 125)) < 0.5
    return {
        "dust": chance.random((800, 1000)) < 0.01,
        "noise": chance.random((800, 1000)) < 0.5,
        "squared paper": (rows % 20 < 2) | (columns % 20 < 2),
        "chequered": (rows // 8 + columns // 8) % 2 == 0,
        "dots": (rows % 12 < 4) & (columns % 12 < 4),
        "blocks": np.kron(blocks, np.ones((8, 8), bool)),
    }


def large_texture(name: str) -> np.ndarray:
    """A texture that makes as many pieces as its pixels allow, bool, True is paper."""
    if name == "noise":
        return np.random.default_rng(0).integers(0, 2, (7000, 7000), np.uint8).astype(bool)
    side = 7000 if name == "chequered" else 2048
    rows, columns = np.ogrid[:side, :side]
    match name:
        case "bars":
            return ~((rows % 28 < 20) & (columns % 4 < 2))
        case "comb":
            return ~((rows % 40 < 30) & ((columns % 6 < 3) | (rows % 40 < 3)))
        case _:
            return (rows // 32 + columns // 32) % 2 == 0


@contextmanager
def bounded_memory() -> Iterator[None]:
    """Checks that what is done in it takes at most so much more memory than the process had at its most."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    yield
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < MOST_MEGABYTES * 1024


@pytest.mark.parametrize(
    "name", ["bars", *(pytest.param(name, marks=pytest.mark.slow) for name in ("comb", "noise", "chequered"))]
)
def test_large_textures_are_no_writing(recognizer: Recognizer, name: str) -> None:
    page = large_texture(name)
    start = time.process_time()
    with bounded_memory():
        reading = recognizer.read(page)
    assert time.process_time() - start < MOST_SECONDS
    if name in ("bars", "comb"):  # strokes as high as ones, which some of them are read as
        assert {digit.digit for digit in reading.digits} <= {1, None}
    else:
        assert reading.lines == ()


@pytest.mark.parametrize("name", list(textures()))
def test_textures_are_no_writing_and_take_no_longer(recognizer: Recognizer, name: str) -> None:
    page = ~textures()[name]
    start = time.process_time()
    reading = recognizer.read(page)
    assert time.process_time() - start < MOST_SECONDS
    # Among a thousand heaps of blocks one in thirty looks like a digit.
    assert len(reading.digits) <= (40 if name == "blocks" else 0)
    assert_contract(reading, (1000, 800))
