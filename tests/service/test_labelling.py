"""A folder that is labelled on a page: what it lists, shows and writes, and what it refuses."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from mnistry.data.decode import open_picture
from mnistry.errors import DataError
from mnistry.reading.labels import label_of_each
from mnistry.service.api import create_app

Refusal = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path, seven: bytes) -> Path:
    folder = tmp_path / "mine"
    (folder / "images").mkdir(parents=True)
    (folder / "2.png").write_bytes(seven)
    Image.new("RGB", (60, 40), (240, 240, 200)).save(folder / "images" / "10 & 1.tiff")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8no more")
    (folder / "labels.tsv").write_text("file\tdigits\tnote\n2.png\t1\tmine\n")
    (tmp_path / "secret.png").write_bytes(seven)
    return folder


@pytest.fixture
def labelling(folder: Path) -> Iterator[TestClient]:
    with TestClient(create_app(to_label=folder), base_url="http://localhost") as client:
        yield client


def test_all_pictures_are_listed_with_their_labels(labelling: TestClient) -> None:
    assert labelling.get("/v1/pictures").json() == {
        "pictures": [
            {"file": "2.png", "label": "1"},
            {"file": "10 & 1.tiff", "label": None},
            {"file": "broken.jpg", "label": None},
        ]
    }


def test_a_picture_is_shown_as_the_reader_sees_it(labelling: TestClient, folder: Path) -> None:
    for name, path in (("2.png", folder / "2.png"), ("10 & 1.tiff", folder / "images" / "10 & 1.tiff")):
        answer = labelling.get("/v1/picture", params={"file": name})
        assert answer.headers["content-type"] == "image/png"
        with Image.open(io.BytesIO(answer.content)) as picture:
            np.testing.assert_allclose(np.asarray(picture) / 255, open_picture(path).grey, atol=1 / 255)


def test_labels_are_written_at_once_and_other_columns_stay(labelling: TestClient, folder: Path) -> None:
    for name, lines in (("2.png", "7"), ("10 & 1.tiff", ""), ("10 & 1.tiff", "12 3|4")):
        assert labelling.post("/v1/picture", params={"file": name, "lines": lines}).status_code == 200
        assert label_of_each(folder)[name] == lines
    table = (folder / "labels.tsv").read_text()
    assert table == "file\tdigits\tnote\n2.png\t7\tmine\n10 & 1.tiff\t12 3|4\t\n"
    listed = labelling.get("/v1/pictures").json()["pictures"]
    assert [one["label"] for one in listed] == ["7", "12 3|4", None]


def test_labels_that_others_write_meanwhile_are_kept(labelling: TestClient, folder: Path) -> None:
    with (folder / "labels.tsv").open("a") as table:
        table.write("broken.jpg\t5\tby hand\n")
    labelling.post("/v1/picture?file=2.png&lines=7")
    assert label_of_each(folder) == {"2.png": "7", "broken.jpg": "5"}


@pytest.mark.parametrize(
    "name",
    ["../secret.png", "images/../../secret.png", "/etc/passwd", "labels.tsv", "absent.png", ""],
)
def test_only_what_is_listed_is_shown_or_labelled(
    labelling: TestClient, folder: Path, refused: Refusal, name: str
) -> None:
    before = (folder / "labels.tsv").read_bytes()
    refused(labelling.get("/v1/picture", params={"file": name}), 404, "no picture")
    refused(labelling.post("/v1/picture", params={"file": name, "lines": "7"}), 404, "no picture")
    assert (folder / "labels.tsv").read_bytes() == before


def test_what_is_wrong_is_told_and_changes_nothing(
    labelling: TestClient, folder: Path, refused: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (folder / "labels.tsv").read_bytes()
    for lines in ("seven", "7\n", "7\tx", "7||7"):
        refused(labelling.post("/v1/picture", params={"file": "2.png", "lines": lines}), 422, "lines")
    refused(labelling.post("/v1/picture", params={"lines": "7"}), 422, "file")
    refused(labelling.get("/v1/picture", params={"file": "broken.jpg"}), 415, "damaged")
    foreign = {"Origin": "http://evil.example"}
    refused(labelling.post("/v1/picture?file=2.png&lines=7", headers=foreign), 403)
    refused(labelling.get("/v1/pictures", headers={"Host": "evil.example"}), 400)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        refused(labelling.post("/v1/picture?file=2.png&lines=7"), 507, "No space left on device")
    assert (folder / "labels.tsv").read_bytes() == before
    (folder / "2.png").unlink()
    refused(labelling.get("/v1/picture?file=2.png"), 422, "No such file")
    (folder / "labels.tsv").write_text("file,digits\n")
    refused(labelling.post("/v1/picture?file=2.png&lines=7"), 507, "line 1: found the columns")
    refused(labelling.get("/v1/pictures"), 422, "line 1: found the columns")


def test_the_service_to_draw_on_shows_no_folder(client: TestClient) -> None:
    for path in ("/v1/pictures", "/v1/picture?file=2.png"):
        assert client.get(path).status_code == 404


def test_folders_without_pictures(tmp_path: Path, mnistry: Callable[..., CompletedProcess[str]]) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").touch()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "labels.tsv").write_text("file\tdigits\n2.png\tseven\n")
    for name, part in (
        ("absent", "there is no such folder"),
        ("empty", "there is no picture in it"),
        ("damaged", "line 2: digits must be digits"),
    ):
        done = mnistry("label", name, "--no-browser")
        assert (done.returncode, done.stdout) == (2, "")
        assert part in done.stderr
        assert "Traceback" not in done.stderr
    with pytest.raises(DataError, match="no picture"):
        create_app(to_label=tmp_path / "empty")
    assert "--port must be from 0" in mnistry("label", "empty", "--port", "70000").stderr
