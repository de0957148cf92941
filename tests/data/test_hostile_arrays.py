"""Damaged and hostile files of each kind: an error names the file and what is wrong, soon and cheaply."""

import gzip
import pickle
import sys
from collections.abc import Callable
from pathlib import Path

import h5py
import lmdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
import scipy.io

from mnistry.data import Dataset, load
from mnistry.data.contents import read_contents
from mnistry.data.convert import Format, write
from mnistry.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
LABELS = np.arange(20, dtype=np.uint8) % 10

pytestmark = pytest.mark.timeout(60)


@pytest.fixture
def apart() -> None:
    """Asked for by what may end the process that reads it."""


@pytest.fixture(autouse=True)
def in_this_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All else is read here, which is quicker."""
    if "apart" not in request.fixturenames:
        monkeypatch.setattr("mnistry.data.readers.read_apart", read_contents)


def parquet(path: Path, **columns: object) -> None:
    pyarrow.parquet.write_table(pa.table(columns), path)


def without_pictures(path: Path) -> None:
    rows = [{"bytes": None, "path": f"{row}.png"} for row in range(20)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    parquet(path, image=pa.array(rows, kind), label=LABELS)


def huge_dataset(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.create_dataset("x", (10**9, 28, 28), "u1", chunks=(100, 28, 28))
        file["y"] = LABELS


def external_storage(path: Path) -> None:
    """An array whose numbers would be those of any other file of the reader's."""
    (path.parent / "secret").write_bytes(IMAGES.tobytes())
    with h5py.File(path, "w") as file:
        where = [(str(path.parent / "secret"), 0, IMAGES.size)]
        file.create_dataset("x", IMAGES.shape, "u1", external=where)
        file["y"] = LABELS


def external_link(path: Path) -> None:
    with h5py.File(path.parent / "other.h5", "w") as other:
        other["x"] = IMAGES
    with h5py.File(path, "w") as file:
        file["x"] = h5py.ExternalLink("other.h5", "x")
        file["y"] = LABELS


def unpickles(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


HEAD = b"label," + b",".join(b"pixel%d" % number for number in range(784)) + b"\n"
CASES: dict[str, tuple[str, Callable[[Path], object], str]] = {
    "parquet without labels": ("d.parquet", lambda path: parquet(path, image=IMAGES.tolist()), "no labels"),
    "parquet of something else": (
        "d.parquet",
        lambda path: parquet(path, a=[1], b=[2]),
        "expected images and",
    ),
    "parquet with rows of two lengths": (
        "d.parquet",
        lambda path: parquet(path, image=[[1, 2], [3]], label=[0, 1]),
        "its rows of pixels differ in length",
    ),
    "parquet with an empty cell": (
        "d.parquet",
        lambda path: parquet(path, image=[*IMAGES[1:].tolist(), None], label=LABELS),
        "1 of 20 rows have no value",
    ),
    "parquet that names pictures": (
        "d.parquet",
        without_pictures,
        "it names pictures in place of holding them",
    ),
    "hdf5 that promises too much": ("d.h5", huge_dataset, "its arrays take 784,000,000,020 bytes"),
    "hdf5 whose numbers lie elsewhere": ("d.h5", external_storage, "x lies in other files"),
    "hdf5 that links elsewhere": ("d.h5", external_link, "expected images and labels by name"),
    "matlab of objects": (
        "d.mat",
        lambda path: scipy.io.savemat(path, {"X": np.array([{}, "a"], object), "y": LABELS}),
        "expected images and labels by name",
    ),
    "a pickle of pandas": (
        "d.pkl",
        unpickles(b"\x80\x04cpandas.core.frame\nDataFrame\n)R."),
        r"it asks for pandas\.core\.frame\.DataFrame; only NumPy arrays are admitted",
    ),
    "a pickle of objects": (
        "d.pkl",
        unpickles(pickle.dumps({"x": np.array([None] * 20), "y": LABELS})),
        "pixels must be numbers|images must have shape",
    ),
    "a pickle that evaluates": (
        "d.pkl",
        unpickles(b"cbuiltins\neval\n(S'1'\ntR."),
        r"it asks for builtins\.eval; only NumPy arrays",
    ),
    "a pickle that reaches deeper into what is admitted": (
        "d.pkl",
        unpickles(b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93."),
        r"it asks for numpy\.ndarray\.tofile",
    ),
    "libsvm of too many features": (
        "d",
        lambda path: path.write_text("1 999999999:1\n" * 20),
        "999,999,999 feat",
    ),
    "libsvm that goes down": (
        "d",
        lambda path: path.write_text("1 5:1 4:1\n" * 20),
        "not a readable libsvm file",
    ),
    "sparse arff": (
        "d.arff",
        lambda path: path.write_text("@relation a\n@attribute b real\n@data\n{0 1}\n"),
        "a sparse ARFF file; only dense ones are read. Save it as CSV",
    ),
    "arff without an end": (
        "d.arff",
        lambda path: path.write_text("@relation a\n" + "@attribute b real\n" * 9999),
        "found no line @data after 4,097 attributes",
    ),
    "tfrecord with a wrong checksum": (
        "d",
        lambda path: path.write_bytes(bytes.fromhex("0400000000000000b3a6eec6") + b"abcd" + b"\0\0\0\0"),
        "not a data set|record 0",
    ),
    "a packed text that is cut": (
        "d.csv.gz",
        lambda path: path.write_bytes(gzip.compress(HEAD * 99)[:-30]),
        "cannot be read: its compression is damaged",
    ),
    "a packed pickle that is cut": (
        "d.pkl.gz",
        lambda path: path.write_bytes(gzip.compress(pickle.dumps((IMAGES, LABELS)))[:-30]),
        r"cannot be read: its compression is damaged \(",
    ),
    "rows of two lengths": (
        "d.csv",
        lambda path: path.write_text(f"{'1,' * 784}1\n{'1,' * 700}1\n" * 5),
        r"the number of columns changed from 785 to 701 at row 2\.$",
    ),
    "one array": ("x_train.npy", lambda path: np.save(path, IMAGES), "one array of several; name the folder"),
}


@pytest.mark.parametrize("case", CASES)
def test_it_is_said_what_is_wrong(tmp_path: Path, case: str) -> None:
    name, make, message = CASES[case]
    make(tmp_path / name)
    with pytest.raises(DataError, match=message) as caught:
        load(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


@pytest.mark.parametrize(("to", "name"), [("parquet", "train-00000-of-00001.parquet"), ("hdf5", "")])
def test_files_that_are_cut(small: Dataset, tmp_path: Path, to: Format, name: str) -> None:
    out = tmp_path / ("d.h5" if to == "hdf5" else "d")
    write(small, out, to)
    file = out / name if name else out
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(DataError, match=f"{file.name}: not a readable {to} file: "):
        load(out)


@pytest.mark.usefixtures("apart")
def test_a_database_of_wild_pointers(small: Dataset, tmp_path: Path) -> None:
    """Its library follows them, and may end its process."""
    write(small, tmp_path / "d", "lmdb")
    file = tmp_path / "d" / "train_lmdb" / "data.mdb"
    content = bytearray(file.read_bytes())
    random = np.random.default_rng(0)
    content[8192:] = random.integers(0, 256, len(content) - 8192, np.uint8).tobytes()
    file.write_bytes(content)
    with pytest.raises(DataError, match=r"has ended without an answer|not a readable lmdb file"):
        load(tmp_path / "d")


def test_a_database_of_something_else(tmp_path: Path) -> None:
    with lmdb.open(str(tmp_path / "train_lmdb")) as database, database.begin(write=True) as writing:
        for row in range(20):
            writing.put(f"image-{row:09}".encode(), b"\x89PNG\r\n")
    with pytest.raises(DataError, match="not a readable lmdb file"):
        load(tmp_path)


def test_a_text_that_unpacks_without_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mnistry.files.MOST_UNPACKED", 10_000_000)
    content = HEAD + b"\n" * 20_000_000
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(content, 1))
    with pytest.raises(DataError, match="it unpacks to more than the 10,000,000 bytes that are accepted"):
        load(tmp_path / "d.csv.gz")


def test_several_data_sets_in_a_folder(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "raw").mkdir(parents=True)
        np.save(tmp_path / name / "raw" / "x.npy", IMAGES)
        np.save(tmp_path / name / "raw" / "y.npy", LABELS)
    with pytest.raises(DataError, match=r"several data sets below it: a/raw, b/raw\. Name the folder of one"):
        load(tmp_path)


@pytest.mark.parametrize(
    ("to", "name", "module"),
    [("parquet", "d", "pyarrow"), ("hdf5", "d.h5", "h5py"), ("lmdb", "d", "lmdb")],
)
def test_what_is_missing_is_said(
    small: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, to: Format, name: str, module: str
) -> None:
    write(small, tmp_path / name, to)
    for known in [known for known in sys.modules if known.split(".")[0] == module]:
        monkeypatch.setitem(sys.modules, known, None)
    message = rf"{name}.*: this format needs {module}, .* pip install 'mnistry\[data\]'$"
    with pytest.raises(DataError, match=message):
        load(tmp_path / name)
    with pytest.raises(DataError, match=message):
        write(small, tmp_path / "new" / name, to)
    assert not list((tmp_path / "new").iterdir())
