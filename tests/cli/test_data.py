import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistry.cli.data import main
from mnistry.data import Dataset, Examples
from mnistry.data.catalog import CATALOG
from mnistry.data.convert import write
from mnistry.data.dataset import DIGITS
from mnistry.data.handwriting import SETS
from mnistry.errors import InvalidValueError, UnknownNameError


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MNISTRY_DATA", raising=False)
    monkeypatch.setenv("MNISTRY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A data set of IDX files: 20 training examples, 10 of them of class 3, and 8 test examples."""
    labels = np.array([3] * 10 + list(range(10)), np.uint8)
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
    train = Examples(images, labels)
    write(Dataset("own", train, train[12:], DIGITS, "", {}), tmp_path / "own", "idx")
    return tmp_path / "own"


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = {line.split()[0]: line.split()[1:4] for line in capsys.readouterr().out.splitlines() if line}
    assert lines["mnist"] == ["60,000", "10,000", "no"]
    assert lines["emnist-digits"] == ["240,000", "40,000", "no"]
    assert lines["optdigits"] == ["1,437", "360", "yes"]
    assert lines["pendigits"] == ["handwriting", "10,992", "no"]
    assert set(lines) - {"name", "For"} == {*CATALOG, *SETS}


def test_info(folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    assert main(["info", str(folder), "--sheet", str(sheet)]) == 0
    out = capsys.readouterr().out
    assert "own: 20 for training, 8 for testing" in out
    assert ["3", "3", "11", "1"] in [line.split() for line in out.splitlines()]
    assert ["0", "0", "1", "0"] in [line.split() for line in out.splitlines()]
    assert f"read from {folder}" in out
    assert re.findall(r"^[0-9a-f]{64}  (\w+)$", out, re.MULTILINE) == ["train", "test"]
    with Image.open(sheet) as picture:
        assert picture.format == "PNG"
        assert picture.width == 8 * 62 + 6, "one example of each of eight classes"


def test_info_of_a_named_data_set(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", "optdigits"]) == 0
    out = capsys.readouterr().out
    assert "licence   CC BY 4.0" in out
    assert "Alpaydin" in out
    assert "87ff0c9e40dc7e2c0e34e7257799c2e3f3aec1a016363bb11cad869ec428a826  digits" in out


@pytest.mark.parametrize(
    ("arguments", "made"),
    [
        (["out"], "out/t10k-labels-idx1-ubyte.gz"),
        (["out.npz"], "out.npz"),
        (["out", "--to", "csv"], "out/test.csv"),
        (["out", "--to", "png"], "out/train/3/00000.png"),
    ],
)
def test_convert(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], made: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["convert", str(folder), *arguments]) == 0
    assert (tmp_path / made).is_file()
    with pytest.raises(InvalidValueError, match="exists already"):
        main(["convert", str(folder), *arguments])


@pytest.mark.parametrize("name", ["out.parquet", "out.npy", "out.csv", "out.zip"])
def test_an_ending_of_no_format(folder: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(
        InvalidValueError, match=r"no format ends in .* `to`: idx, npz, npy, png, csv, parquet, hdf5, lmdb"
    ):
        main(["convert", str(folder), str(tmp_path / name)])
    assert not (tmp_path / name).exists()


def test_a_folder_with_a_dot_in_its_name(folder: Path, tmp_path: Path) -> None:
    main(["convert", str(folder), str(tmp_path / "digits-1.0"), "--to", "idx"])
    assert (tmp_path / "digits-1.0" / "train-labels-idx1-ubyte.gz").is_file()


def test_fetch_where_there_is_nothing_to_fetch(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "optdigits"]) == 0
    assert "nothing to fetch" in capsys.readouterr().out


def test_fetch_says_where_the_files_are(real_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fetch", "mnist", "--data-dir", str(real_data)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert all(line.startswith(str(real_data)) and line.endswith("(verified)") for line in lines)


def test_unknown_names() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'kmnist'"):
        main(["fetch", "knist"])
    with pytest.raises(UnknownNameError, match="no data set or path 'nothing-like-it'"):
        main(["info", "nothing-like-it"])


@pytest.mark.parametrize("command", ["list", "fetch", "info", "convert", "suspects"])
def test_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    assert "--data-dir FOLDER" in capsys.readouterr().out


def test_wrong_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["fetch"])
    assert caught.value.code == 2
    assert "NAME" in capsys.readouterr().err


@pytest.mark.parametrize("name", [name for name in SETS if name not in CATALOG])
def test_handwriting(name: str, real_data: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["fetch", name, "--data-dir", str(real_data)]) == 0
    out = capsys.readouterr().out
    for file in SETS[name].files:
        assert f"{real_data / 'handwriting' / file} (in a folder that you named: not checked)" in out
    sheet = tmp_path / "sheet.png"
    assert main(["info", name, "--data-dir", str(real_data), "--sheet", str(sheet)]) == 0
    out = capsys.readouterr().out
    assert f"licence   {SETS[name].licence}" in out
    assert SETS[name].published.url in out
    with Image.open(sheet) as picture:
        pixels = np.array(picture)
    assert pixels.shape[1] > 12 * 28
    assert len(np.unique(pixels)) > 2
