"""What users of the page say is to be read: kept as labelled pictures, bounded, whoever sends what."""

import base64
import io
import os
import re
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from mnistry.data.decode import open_picture
from mnistry.reading.labels import label_of_each, read_labels
from mnistry.service.api import create_app
from mnistry.service.limits import Limits

PNG = {"Content-Type": "image/png"}
Refusal = Callable[..., dict[str, Any]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "not there" / "corrections"


@pytest.fixture
def keeping(folder: Path) -> Iterator[TestClient]:
    with TestClient(
        create_app(corrections=folder, limits=Limits(kept=4)), base_url="http://localhost"
    ) as client:
        yield client


def drawn(shade: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (40, 30), shade).save(file, "png")
    return file.getvalue()


def test_a_correction_becomes_a_labelled_picture(keeping: TestClient, folder: Path, seven: bytes) -> None:
    assert keeping.get("/v1/corrections").json() == {"kept": True, "pictures": 0}
    answer = keeping.post("/v1/corrections?lines=42%207%7C1", content=seven, headers=PNG)
    assert answer.json() == {"kept": True, "pictures": 1}
    assert keeping.get("/v1/corrections").json() == {"kept": True, "pictures": 1}
    (kept,) = read_labels(folder)
    assert kept.lines == ("42 7", "1")
    assert re.fullmatch(r"[0-9a-f]{16}\.png", kept.name)
    same = open_picture(folder / kept.name).grey, open_picture(io.BytesIO(seven)).grey
    np.testing.assert_allclose(*same, atol=1 / 255)
    assert stat.S_IMODE((folder / kept.name).stat().st_mode) & 0o111 == 0


def test_the_same_picture_is_kept_once_with_its_latest_label(
    keeping: TestClient, folder: Path, seven: bytes
) -> None:
    for lines in ("1", "7", ""):
        keeping.post("/v1/corrections", params={"lines": lines}, content=seven, headers=PNG)
    (kept,) = read_labels(folder)
    assert kept.lines == ()


def test_what_it_kept_is_measured_and_read(
    keeping: TestClient, folder: Path, seven: bytes, mnistry: Callable[..., CompletedProcess[str]]
) -> None:
    keeping.post("/v1/corrections?lines=7", content=seven, headers=PNG)
    assert "1 pictures, exact 100.00%" in mnistry("evaluate-pictures", folder).stdout


def test_without_a_folder_nothing_is_kept(client: TestClient, refused: Refusal, seven: bytes) -> None:
    assert client.get("/v1/corrections").json() == {"kept": False, "pictures": 0}
    answer = client.post("/v1/corrections?lines=7", content=seven, headers=PNG)
    refused(answer, 404, "mnistry serve --corrections FOLDER")


def test_no_more_is_kept_than_may_be(keeping: TestClient, folder: Path, refused: Refusal) -> None:
    for shade in range(4):
        assert keeping.post("/v1/corrections?lines=7", content=drawn(shade), headers=PNG).status_code == 200
    refused(keeping.post("/v1/corrections?lines=7", content=drawn(9), headers=PNG), 507, "4 pictures")
    again = keeping.post("/v1/corrections?lines=8", content=drawn(2), headers=PNG)
    assert again.json() == {"kept": True, "pictures": 4}  # one that is there may be corrected
    assert sorted(label_of_each(folder).values()) == ["7", "7", "7", "8"]


def test_no_more_bytes_are_kept_than_may_be(folder: Path, refused: Refusal) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1000, 1100), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "png")
    app = create_app(corrections=folder, limits=Limits(kept_mb=1))
    with TestClient(app, base_url="http://localhost") as client:
        answer = client.post("/v1/corrections?lines=7", content=file.getvalue(), headers=PNG)
        refused(answer, 507, "1 MB")
        assert client.get("/v1/corrections").json()["pictures"] == 0


def test_many_at_once_are_all_kept(folder: Path) -> None:
    app = create_app(corrections=folder)
    with TestClient(app, base_url="http://localhost") as client, ThreadPoolExecutor(12) as threads:

        def send(shade: int) -> int:
            answer = client.post(
                "/v1/corrections", params={"lines": str(shade)}, content=drawn(shade), headers=PNG
            )
            return answer.status_code

        assert set(threads.map(send, range(40))) == {200}
    assert sorted(label_of_each(folder).values(), key=int) == [str(shade) for shade in range(40)]
    assert len(read_labels(folder)) == 40


@pytest.mark.parametrize(
    "lines", ["4x", "../../etc/passwd", "4\n5", "4\n", "4\t5", "4||5", " 4", "٣", "4" * 2001, "=1+1"]
)
def test_labels_that_are_none_are_refused(
    keeping: TestClient, folder: Path, refused: Refusal, seven: bytes, lines: str
) -> None:
    refused(keeping.post("/v1/corrections", params={"lines": lines}, content=seven, headers=PNG), 422)
    refused(keeping.post("/v1/corrections", content=seven, headers=PNG), 422, "lines")
    assert list(folder.glob("[!.]*")) == []


@pytest.mark.parametrize("suffix", ["png", "gif", "tiff"])
def test_what_is_too_large_is_no_correction(
    keeping: TestClient,
    folder: Path,
    refused: Refusal,
    big_picture: Callable[[int, int, str], bytes],
    suffix: str,
) -> None:
    content = big_picture(9000, 9000, suffix)
    refused(keeping.post("/v1/corrections?lines=7", content=content, headers=PNG), 413)
    assert list(folder.glob("[!.]*")) == []


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"<!doctype html><script>alert(1)</script>", "image/png", 415),
        (b"no picture", "image/png", 415),
        (b"", "image/png", 422),
        (b"\x89PNG\r\n\x1a\nno more", "image/png", 422),
        (b"7", "text/html", 415),
    ],
)
def test_what_is_no_picture_is_not_kept(
    keeping: TestClient, folder: Path, refused: Refusal, content: bytes, kind: str, status: int
) -> None:
    answer = keeping.post("/v1/corrections?lines=7", content=content, headers={"Content-Type": kind})
    assert answer.status_code in (status, 415)
    refused(answer, answer.status_code)
    assert list(folder.glob("[!.]*")) == []


def test_nothing_but_grey_levels_is_kept(keeping: TestClient, folder: Path) -> None:
    """Neither where a photo was taken, nor what else a file hides behind its picture."""
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    exif[0x0112] = 6  # turned
    file = io.BytesIO()
    Image.fromarray(np.arange(1200, dtype=np.uint8).reshape(30, 40)).save(file, "jpeg", exif=exif)
    content = file.getvalue() + b"<script>alert('home')</script>"
    assert keeping.post("/v1/corrections?lines=7", content=content, headers=PNG).status_code == 200
    (path,) = folder.glob("*.png")
    kept = path.read_bytes()
    assert b"home" not in kept
    with Image.open(path) as picture:
        assert (picture.format, picture.mode, picture.size, picture.info) == ("PNG", "L", (30, 40), {})


def test_pages_of_other_sites_may_not_correct(
    keeping: TestClient, folder: Path, refused: Refusal, seven: bytes
) -> None:
    foreign = PNG | {"Origin": "http://evil.example"}
    refused(keeping.post("/v1/corrections?lines=7", content=seven, headers=foreign), 403)
    assert list(folder.glob("[!.]*")) == []


def test_without_the_token_nobody_may_correct(folder: Path, refused: Refusal, seven: bytes) -> None:
    app = create_app(corrections=folder, token="sesame")
    with TestClient(app, base_url="http://localhost") as client:
        refused(client.post("/v1/corrections?lines=7", content=seven, headers=PNG), 401)
        refused(client.get("/v1/corrections"), 401)


def test_a_full_disk_is_told_and_leaves_the_table_whole(
    keeping: TestClient, folder: Path, refused: Refusal, monkeypatch: pytest.MonkeyPatch
) -> None:
    keeping.post("/v1/corrections?lines=7", content=drawn(1), headers=PNG)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = keeping.post("/v1/corrections?lines=8", content=drawn(2), headers=PNG)
    refused(answer, 507, "No space left on device")
    assert [one.lines for one in read_labels(folder)] == [("7",)]


def test_folders_that_cannot_be_used(tmp_path: Path, mnistry: Callable[..., CompletedProcess[str]]) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "labels.tsv").write_text("file,digits\n")
    for name, part in (("file", "--corrections: file cannot be written to"), ("damaged", "line 1: found")):
        done = mnistry("serve", "--corrections", name)
        assert (done.returncode, done.stdout) == (2, "")
        assert part in done.stderr
        assert "Traceback" not in done.stderr


def test_a_picture_of_a_correction_is_read_as_the_one_that_was_sent(
    keeping: TestClient, folder: Path
) -> None:
    """Though the page sends large ones as JPEG."""
    photo = (Path(__file__).parents[2] / "examples" / "numbers-on-a-tilted-sheet.jpg").read_bytes()
    wanted = keeping.post("/v1/read?seen=1", content=photo).json()
    keeping.post("/v1/corrections", params={"lines": "|".join(wanted["lines"])}, content=photo)
    (path,) = folder.glob("*.png")
    found = keeping.post("/v1/read?seen=1", content=path.read_bytes()).json()
    assert found["lines"] == wanted["lines"]
    images = [
        np.stack([np.frombuffer(base64.b64decode(one["seen"]), np.uint8) for one in answer["digits"]])
        for answer in (wanted, found)
    ]
    assert np.abs(images[0].astype(int) - images[1]).mean() < 2
