"""What the tests of many pictures share: pictures, a manifest of them, and what one process reads in them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from PIL import Image

from mnistry.cluster.reading import read_manifest
from mnistry.data import Dataset

Rows = list[dict[str, Any]]


def write_pictures(folder: Path, digits: Dataset, count: int) -> list[str]:
    """So many pictures of a digit each, as small as MNIST's, because those are read fast; their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{number:06}.png" for number in range(count)]
    for number, name in enumerate(names):
        Image.fromarray(255 - digits.test.images[number % len(digits.test)]).save(folder / name)
    return names


def write_manifest(path: Path, uris: list[str]) -> Path:
    pyarrow.parquet.write_table(pa.table({"uri": uris}), path)
    return path


@pytest.fixture(scope="session")
def rows_of() -> Callable[[Path | str], Rows]:
    """The rows of a table, in the order of their URIs."""

    def read(table: Path | str) -> Rows:
        rows: Rows = pyarrow.dataset.dataset(table).to_table().to_pylist()
        return sorted(rows, key=lambda row: str(row["uri"]))

    return read


@pytest.fixture(scope="session")
def scans(optdigits: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A manifest of 300 pictures: one is damaged, one is missing, one is named twice."""
    folder = tmp_path_factory.mktemp("scans")
    names = write_pictures(folder, optdigits, 298)
    (folder / "damaged.png").write_bytes((folder / names[0]).read_bytes()[:60])
    return write_manifest(folder / "scans.parquet", [*names, "damaged.png", "absent.png", names[7]])


@pytest.fixture(scope="session")
def undisturbed(
    scans: Path, rows_of: Callable[[Path | str], Rows], tmp_path_factory: pytest.TempPathFactory
) -> Rows:
    """What one process reads there, without Ray."""
    table = tmp_path_factory.mktemp("undisturbed") / "table"
    counts, before = read_manifest([str(scans)], str(table), rows=100)
    assert (counts, before) == ((300, 2), 0)
    return rows_of(table)
