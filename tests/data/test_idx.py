import gzip
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mnistry.data import idx
from mnistry.errors import DataError, IdxError

TYPES = ["u1", "i1", "i2", "i4", "f4", "f8"]
ARRAYS = st.sampled_from(TYPES).flatmap(
    lambda kind: hnp.arrays(np.dtype(kind), hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5))
)


@given(ARRAYS, st.booleans())
def test_what_is_written_is_read_back(array: np.ndarray, packed: bool) -> None:
    content = idx.encode(array)
    read = idx.decode(gzip.compress(content) if packed else content, name="file")
    assert read.dtype == array.dtype
    assert read.dtype.isnative
    np.testing.assert_array_equal(read, array)


def test_golden_bytes() -> None:
    # Worked by hand: type 0x0B (int16), 2 dimensions, 2 rows of 3, big-endian two's complement.
    content = bytes.fromhex("00000b02 00000002 00000003 0001 ffff 0100 7fff 8000 0000".replace(" ", ""))
    expected = np.array([[1, -1, 256], [32767, -32768, 0]], np.int16)
    np.testing.assert_array_equal(idx.decode(content, name="file"), expected)
    assert idx.encode(expected) == content


@pytest.mark.parametrize("kind", ["<i4", ">i4", "<f8", ">f8"])
def test_byte_order_of_the_array_does_not_matter(kind: str) -> None:
    array = np.array([1, 2, 3]).astype(kind)
    np.testing.assert_array_equal(idx.decode(idx.encode(array), name="file"), [1, 2, 3])


def test_gzip_is_told_by_content_and_is_deterministic(tmp_path: Path) -> None:
    array = np.arange(12, dtype=np.uint8).reshape(3, 4)
    for name in ("first.gz", "second.gz", "plain"):
        idx.write(tmp_path / name, array)
    first, second, plain = (tmp_path / name for name in ("first.gz", "second.gz", "plain"))
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes()[4:8] == bytes(4), "the time in the header must be zero"
    misnamed = tmp_path / "packed-without-suffix"
    misnamed.write_bytes(first.read_bytes())
    for path in (first, plain, misnamed):
        np.testing.assert_array_equal(idx.read(path), array)


GOOD = idx.encode(np.arange(6, dtype=np.uint8).reshape(2, 3))
PACKED = gzip.compress(GOOD, mtime=0)


def test_unpacking_keeps_header_and_data_and_does_not_copy_what_is_plain() -> None:
    assert idx.unpack(PACKED, name="file") == GOOD
    assert idx.unpack(GOOD, name="file") is GOOD


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "header is cut short"),
        (GOOD[:3], "header is cut short"),
        (GOOD[:9], "header is cut short: 2 dimensions need 12 bytes, found 9"),
        (b"\x01" + GOOD[1:], "must start with 00 00"),
        (
            b"<html>not found</html>",
            "not an IDX file: it is an HTML page, which begins with '<html>not found",
        ),
        (
            gzip.compress(b"\n<!DOCTYPE HTML>\n<html>", mtime=0),
            "an HTML page, which begins with '<!DOCTYPE HTML>",
        ),
        (b"PK\3\4" + bytes(60), "a ZIP archive. Unpack it first"),
        (b"Not Found", "a text, which begins with 'Not Found'"),
        (b"\xff\x01\x02\x03\x04\x05", "must start with 00 00, found ff 01 02 03"),
        (b"\0\0\x0a" + GOOD[3:], "unknown element type 0a"),
        (b"\0\0\x08\x00" + GOOD[4:], "expected 1 to 4 dimensions, the magic number says 0"),
        (b"\0\0\x08\x05" + GOOD[4:] + bytes(20), "expected 1 to 4 dimensions, the magic number says 5"),
        (GOOD[:-1], r"data is cut short: shape \(2, 3\) needs 6 bytes, found 5"),
        (GOOD + b"\0", "bytes after the 6"),
        (gzip.compress(GOOD + b"\0", mtime=0), "bytes after the 6"),
        (gzip.compress(GOOD[:-1], mtime=0), "data is cut short"),
        (PACKED[:-1], "gzip compression is damaged"),
        (PACKED[:15], "gzip compression is damaged"),
        (PACKED[:-8] + bytes(4) + PACKED[-4:], "gzip compression is damaged"),
        (PACKED[:12] + b"\xff\xff" + PACKED[14:], "gzip compression is damaged"),
        (PACKED + b"trailing", "gzip compression is damaged"),
        (b"\x1f\x8b", "gzip compression is damaged"),
    ],
)
def test_damage_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "some-file"
    path.write_bytes(content)
    with pytest.raises(IdxError, match=message) as caught:
        idx.read(path)
    assert str(path) in str(caught.value)


@given(st.binary(max_size=64), st.integers(0, len(PACKED)))
def test_no_bytes_raise_anything_else(junk: bytes, cut: int) -> None:
    for content in (junk, PACKED[:cut] + junk, GOOD[: cut % len(GOOD)] + junk):
        try:
            idx.decode(content, name="file")
        except IdxError:
            continue


def test_header_that_promises_too_much_is_refused() -> None:
    header = struct.pack(">BBBB4I", 0, 0, 0x0E, 4, *[2**32 - 1] * 4)
    with pytest.raises(IdxError, match="more than the 268,435,456"):
        idx.decode(header, name="file")


def test_gzip_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(GOOD + bytes(50_000_000))
    tracemalloc.start()
    with pytest.raises(IdxError, match="bytes after the 6"):
        idx.decode(bomb, name="bomb")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_what_idx_cannot_hold() -> None:
    with pytest.raises(IdxError, match="no element type for int64"):
        idx.encode(np.zeros(3, np.int64))
    with pytest.raises(IdxError, match="no element type for bool"):
        idx.encode(np.zeros(3, bool))
    with pytest.raises(IdxError, match="1 to 4 dimensions, found 0"):
        idx.encode(np.array(1, np.uint8))


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(IdxError, match="cannot be read: No such file"):
        idx.read(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((3, 28, 28), np.uint8), np.zeros(2, np.uint8), "3 images but 2 labels"),
        (np.zeros((2, 28, 28), np.uint8), np.array([3, 10], np.uint8), "found 10 in row 1"),
        (np.zeros((2, 27, 28), np.uint8), np.zeros(2, np.uint8), r"\(2, 27, 28\)"),
        (np.zeros((2, 784), np.uint8), np.zeros(2, np.uint8), "3 dimensions"),
        (np.zeros((2, 28, 28), np.int16), np.zeros(2, np.uint8), "found int16"),
        (np.zeros((2, 28, 28), np.uint8), np.zeros((2, 1), np.uint8), "1 dimension,"),
    ],
)
def test_images_that_do_not_fit_their_labels(images: np.ndarray, labels: np.ndarray, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        idx.examples(images, labels, images_name="the-images", labels_name="the-labels")
    assert "the-images" in str(caught.value) or "the-labels" in str(caught.value)
