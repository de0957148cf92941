"""Files that would fill the memory, or keep their reader waiting: each ends in an error, soon and cheaply."""

import gzip
import io
import os
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnistry.data import Dataset, archives, load
from mnistry.data import npz as npz_reader
from mnistry.data.pictures import read_picture
from mnistry.data.writers import read_writers
from mnistry.errors import DataError

MOST_MEMORY = 600e6  # what is asked for; less of it is ever filled

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(autouse=True)
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < MOST_MEMORY


def npy(header: str, content: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content


def npz(path: Path, images: bytes, compression: int = zipfile.ZIP_DEFLATED) -> Path:
    labels = io.BytesIO()
    np.save(labels, np.zeros(14, np.uint8))
    with zipfile.ZipFile(path, "w", compression) as packed:
        packed.writestr("images.npy", images)
        packed.writestr("labels.npy", labels.getvalue())
    return path


def shape_of(shape: str, kind: str = "|u1") -> str:
    return f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}"


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (npy(shape_of("(1000000000000,)")), "promises 1,000,000,000,000 bytes"),
        (npy(shape_of("(60000, 28, 28)"), bytes(28)), "promises 47,040,000 bytes for shape .* but has 28"),
        (npy(shape_of("(-1, 28, 28)"), bytes(28)), "promises -784 bytes"),
        (npy(shape_of("(14, 28, 28)", "|O"), bytes(28)), "holds Python objects"),
        (npy("{" * 5000), "a damaged header: "),
        (b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31), "a damaged header: "),
        (b"\x93NUMPY\x03\x00" + bytes(100), "header of version"),
        (b"", "a damaged header: "),
    ],
)
def test_npz_whose_header_promises_too_much(tmp_path: Path, images: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        load(npz(tmp_path / "bad.npz", images))


def test_npz_whose_size_lies(tmp_path: Path) -> None:
    path = npz(tmp_path / "lie.npz", npy(shape_of("(500000, 28, 28)"), bytes(28)), zipfile.ZIP_STORED)
    raw, size = path.read_bytes(), struct.pack("<I", len(npy(shape_of("(500000, 28, 28)"), bytes(28))))
    promised = struct.pack("<I", 500_000 * 784 + len(npy(shape_of("(500000, 28, 28)"))))
    path.write_bytes(raw.replace(size, promised))
    with pytest.raises(DataError, match=r"not a readable \.npz file"):
        load(path)


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_npz_packed_in_ways_that_cannot_be_bounded(tmp_path: Path, compression: int) -> None:
    with pytest.raises(DataError, match=r"\.npy is compressed in another way"):
        load(npz(tmp_path / "other.npz", bytes(10_000_000), compression))


def test_npz_with_a_long_table_of_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(npz_reader, "MOST_DIRECTORY_BYTES", 10_000)
    with zipfile.ZipFile(tmp_path / "long.npz", "w") as packed:
        for number in range(200):
            packed.writestr(f"{number:08}", b"")
    with pytest.raises(DataError, match="its table of contents has 10,800 bytes"):
        load(tmp_path / "long.npz")


def test_csv_with_one_field_of_300_megabytes(tmp_path: Path) -> None:
    path = tmp_path / "field.csv"
    with path.open("wb") as file:
        file.truncate(300_000_000)
    with pytest.raises(DataError, match="line 1 has more than 32,768 characters"):
        load(path)
    lines = ",".join(["label", *map(str, range(784))]) + "\n" + "1" * 100_000
    path.write_text(lines)
    with pytest.raises(DataError, match="line 2 has more than 32,768 characters"):
        load(path)


def test_idx_that_is_a_bomb(tmp_path: Path) -> None:
    """As much is unpacked as the header promises, and no more."""
    for name, header in (("images-idx3", struct.pack(">4B3I", 0, 0, 8, 3, 14, 28, 28)), ("labels-idx1", b"")):
        with gzip.open(tmp_path / f"train-{name}-ubyte.gz", "wb", compresslevel=1) as file:
            file.write(header)
            for _ in range(300):
                file.write(bytes(2**20))
    with pytest.raises(DataError, match="there are bytes after the 10,976"):
        load(tmp_path)


@pytest.mark.parametrize("form", ["zip", "tar", "tar.gz", "tar.bz2", "tar.xz"])
def test_an_archive_that_unpacks_to_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    monkeypatch.setattr(archives, "MOST_BYTES", 5_000_000)
    path, zeros = tmp_path / f"bomb.{form}", bytes(2_000_000)
    if form == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for number in range(3):
                packed.writestr(f"7/{number}.png", zeros)
    else:
        with tarfile.open(path, f"w:{form.partition('.')[2]}") as tar:  # type: ignore[call-overload]
            for number in range(3):
                entry = tarfile.TarInfo(f"7/{number}.png")
                entry.size = len(zeros)
                tar.addfile(entry, io.BytesIO(zeros))
    with pytest.raises(DataError, match="unpacks to more than the 5,000,000 bytes that are accepted"):
        load(path)


def test_a_zip_archive_that_says_less_than_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("7/0.png", bytes(2_000_000))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 2_000_000), struct.pack("<I", 20)))
    with pytest.raises(DataError, match="not a readable archive: Bad CRC-32"):
        load(path)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_tar_archive_with_an_endless_name(tmp_path: Path, kind: bytes) -> None:
    entry = tarfile.TarInfo("long")
    entry.type, entry.size = kind, 2**30
    with gzip.open(tmp_path / "long.tar.gz", "wb", compresslevel=1) as file:
        file.write(entry.tobuf(tarfile.GNU_FORMAT))
        for _ in range(64):
            file.write(bytes(2**20))
    with pytest.raises(DataError, match="it has a name or header of 1,073,741,824 bytes"):
        load(tmp_path / "long.tar.gz")


def test_archives_of_very_many_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MOST_FILES", 100)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as packed:
        for number in range(101):
            packed.writestr(f"{number}/", b"")
    with tarfile.open(tmp_path / "many.tar", "w") as tar:
        for number in range(101):
            tar.addfile(tarfile.TarInfo(f"{number}.txt"))
    for name in ("many.zip", "many.tar"):
        with pytest.raises(DataError, match="it has more than the 100 entries that are accepted"):
            load(tmp_path / name)
    monkeypatch.setattr(archives, "MOST_DIRECTORY_BYTES", 1_000)
    with pytest.raises(DataError, match="its table of contents has"):
        load(tmp_path / "many.zip")


def pipes(folder: Path) -> dict[str, Callable[[], object]]:
    """Ways in which a user's path is opened, each with a pipe there."""
    for name in ("a.csv", "a.npz", "0/a.png", "csv/train.csv", "idx/train-images-idx3-ubyte", "a.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        os.mkfifo(folder / name)
    (folder / "idx" / "train-labels-idx1-ubyte").touch()
    return {
        "csv": lambda: load(folder / "a.csv"),
        "npz": lambda: load(folder / "a.npz"),
        "picture": lambda: read_picture(folder / "0" / "a.png"),
        "folder of csv": lambda: load(folder / "csv"),
        "folder of idx": lambda: load(folder / "idx"),
        "something else": lambda: load(folder / "a.txt"),
        "device": lambda: load("/dev/zero"),
    }


@pytest.mark.parametrize(
    "which", ["csv", "npz", "picture", "folder of csv", "folder of idx", "something else", "device"]
)
def test_pipes_and_devices_are_not_waited_for(tmp_path: Path, which: str) -> None:
    with pytest.raises(DataError, match=r"(named pipe \(FIFO\)|a device), not a regular file"):
        pipes(tmp_path)[which]()


def test_a_table_of_writers_that_is_a_bomb(tmp_path: Path, small: Dataset) -> None:
    (tmp_path / "qmnist").mkdir()
    with gzip.open(tmp_path / "qmnist" / "qmnist-train-labels.tsv.gz", "wb", compresslevel=1) as file:
        for _ in range(200):
            file.write(b"1" * 2**20)
    with pytest.raises(DataError, match="it has more than 33,554,432 bytes"):
        read_writers(replace(small, name="mnist"), "train", tmp_path)
