"""`mnistry predict`: what goes into a submission or a table."""

import csv
import io
import subprocess
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from PIL import Image

from mnistry.data import Dataset, idx
from mnistry.inference import predict, predict_proba

Command = Callable[..., subprocess.CompletedProcess[str]]


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


@pytest.fixture
def kaggle(optdigits: Dataset, tmp_path: Path) -> Path:
    """A competition's folder as it is downloaded: the test table has no labels."""
    folder = tmp_path / "digit-recognizer"
    folder.mkdir()
    pixels = [f"pixel{number}" for number in range(784)]
    for name, part in (("train", optdigits.train), ("test", optdigits.test)):
        columns = ["label"] * (name == "train") + pixels
        rows = part.images.reshape(len(part), -1)[:30]
        if name == "train":
            rows = np.column_stack([part.labels[:30], rows])
        np.savetxt(
            folder / f"{name}.csv", rows, fmt="%d", delimiter=",", header=",".join(columns), comments=""
        )
    (folder / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")
    return folder


def test_a_submission(mnistry: Command, trained: Path, kaggle: Path, optdigits: Dataset) -> None:
    run = trained / "softmax-1"
    for source in (kaggle, kaggle / "test.csv"):
        done = mnistry("predict", run, source, "--csv", "out.csv")
        assert done.returncode == 0, done.stderr
        assert done.stdout == ""
        lines = Path("out.csv").read_text().splitlines()
        assert lines[0] == "ImageId,Label"
        expected = predict(run, optdigits.test.images[:30])
        assert lines[1:] == [f"{number},{label}" for number, label in enumerate(expected, 1)]
    labelled = mnistry("predict", run, kaggle / "train.csv")
    assert "its labels were left out" in labelled.stderr
    expected = predict(run, optdigits.train.images[:30])
    assert [row["Label"] for row in read(labelled.stdout)] == list(map(str, expected))


def test_arrays_and_probabilities(mnistry: Command, optdigits: Dataset, tmp_path: Path) -> None:
    images = optdigits.test.images[:9]
    np.save(tmp_path / "a.npy", images.reshape(9, -1) / 255)
    np.savez(tmp_path / "a.npz", images)
    np.savez(tmp_path / "named.npz", x_test=images, y_test=optdigits.test.labels[:9])
    idx.write(tmp_path / "t10k-images-idx3-ubyte.gz", images)
    expected = predict_proba("shipped", images)
    for name in ("a.npy", "a.npz", "named.npz", "t10k-images-idx3-ubyte.gz"):
        done = mnistry("predict", "shipped", name, "--probabilities")
        assert done.returncode == 0, done.stderr
        rows = read(done.stdout)
        assert [row["ImageId"] for row in rows] == [str(number) for number in range(1, 10)]
        found = [[float(row[f"probability_{digit}"]) for digit in range(10)] for row in rows]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_pictures_keep_their_names(mnistry: Command, optdigits: Dataset, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    (folder / "below").mkdir(parents=True)
    for row, name in enumerate(("b.png", 'a, "first".png', "below/c.png")):
        Image.fromarray(255 - optdigits.test.images[row]).resize((56, 56)).save(folder / name)  # as on paper
    (folder / "notes.txt").write_text("no picture")
    rows = read(mnistry("predict", "shipped", folder).stdout)
    assert [row["file"] for row in rows] == ['a, "first".png', "b.png", "below/c.png"]
    truth = optdigits.test.labels[[1, 0, 2]].tolist()
    assert [int(row["label"]) for row in rows] == truth
    assert all(float(row[f"probability_{label}"]) > 0.5 for row, label in zip(rows, truth, strict=True))
    assert list(rows[0])[2:] == [f"probability_{digit}" for digit in range(10)]
    (one,) = read(mnistry("predict", "shipped", folder / "b.png").stdout)
    assert one == rows[1]
    import shutil

    packed = shutil.make_archive(str(tmp_path / "packed"), "zip", folder)
    assert read(mnistry("predict", "shipped", packed).stdout) == rows


def test_what_cannot_be_predicted(
    mnistry: Command,
    refused: Callable[..., None],
    tmp_path: Path,
    trained: Path,
    optdigits: Dataset,
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "words.txt").write_text("seven")
    np.savez(tmp_path / "two.npz", a=optdigits.test.images, b=optdigits.test.labels)
    np.save(tmp_path / "objects.npy", np.array([{}], object), allow_pickle=True)
    whole = np.lib.format.magic(1, 0)
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (999999999, 784), }"
    header += b" " * (63 - (len(whole) + 2 + len(header)) % 64) + b"\n"
    (tmp_path / "long.npy").write_bytes(whole + len(header).to_bytes(2, "little") + header)

    def check(*parts: str, model: object = "shipped", file: str) -> None:
        done: CompletedProcess[str] = mnistry("predict", model, file, "--csv", "out.csv")
        refused(done, *parts)
        assert not Path("out.csv").exists()

    check("there are no pictures", file="empty")
    check("expected images: a .csv", file="words.txt")
    check("expected one array, or one that is called as images are", "found a, b", file="two.npz")
    check("not a readable .npy file of a plain array", file="objects.npy")
    check("long.npy: not a readable .npy file", file="long.npy")
    check("nothing.csv: cannot be read: No such file", file="nothing.csv")
    check("there is no such model or run folder", model="nowhere", file="empty")
    np.save(tmp_path / "none.npy", np.zeros((0, 784)))
    check("none.npy: there are no images", file="none.npy")
    refused(mnistry("predict", "shipped", "none.npy", "--csv", "a/b.csv"), "--csv a/b.csv: expected a file")
