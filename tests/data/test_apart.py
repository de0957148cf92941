"""What is read in a process of its own is as if read here, and ends whatever it is."""

import pickle
from pathlib import Path

import h5py
import numpy as np
import pytest

from mnistry.data import apart, load
from mnistry.data.contents import read_contents
from mnistry.errors import DataError

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
LABELS = np.arange(20) % 10 + 1


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with h5py.File(tmp_path / "d.h5", "w") as made:
        made["x_train"], made["y_train"] = IMAGES, LABELS
        made["x_test"], made["y_test"] = IMAGES[:10], LABELS[:10]
        made["class_names"] = [f"class {number}" for number in range(10)]
    return tmp_path / "d.h5"


def test_it_is_as_if_read_here(file: Path) -> None:
    there, here = (read({"": file}, file, None) for read in (apart.read_apart, read_contents))
    assert there.class_names == here.class_names == tuple(f"class {number}" for number in range(10))
    assert there.notes == here.notes == ()
    for part in ("train", "test"):
        np.testing.assert_array_equal(there.parts[part].examples.images, here.parts[part].examples.images)
        np.testing.assert_array_equal(there.parts[part].examples.labels, here.parts[part].examples.labels)
        assert there.parts[part].notes == here.parts[part].notes != ()
        assert there.parts[part].doubts == here.parts[part].doubts == {"label 10"}


def test_errors_name_the_file_as_it_was_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(DataError, match=r"^bad\.h5: not a readable hdf5 file: "):
        load("bad.h5")


class Bomb:
    """A pickle that runs a program."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os

        return os.system, (f"touch {self.path}",)


def test_a_pickle_runs_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps({"x": Bomb(tmp_path / "run"), "y": LABELS}))
    with pytest.raises(DataError, match=r"it asks for posix\.system; only NumPy arrays are admitted"):
        load(tmp_path / "bad.pkl")
    assert not (tmp_path / "run").exists()


def test_too_much_memory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        apart, "_START", "from mnistry.data import apart; apart.MEMORY = 2**29; main = apart.main"
    )
    with h5py.File(file, "w") as made:
        made.create_dataset("x", (340_000, 28, 28), "u1", chunks=(1000, 28, 28), compression="gzip")
        made["y"] = np.zeros(340_000, np.uint8)
    with pytest.raises(DataError, match=r"more memory than is accepted|has ended without an answer"):
        load(file)


def test_too_much_time(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_START", "import time; time.sleep(60)")
    monkeypatch.setattr(apart, "MOST_SECONDS", 0.5)
    with pytest.raises(DataError, match=r"d\.h5: reading it takes longer than 0\.5 seconds"):
        load(file)


def test_a_reader_that_dies(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "_START", "import os; os.abort()")
    with pytest.raises(DataError, match=r"d\.h5: the library .* has ended without an answer"):
        load(file)
