import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

from mnistry.data.fetch import cache_folder
from mnistry.data.handwriting import PAGE_SETS, SETS, HandwritingSet, fetch_set, find_handwriting
from mnistry.data.handwriting import fetch as module
from mnistry.data.handwriting.published import Packed, Published
from mnistry.errors import DataError, DataNotFoundError
from mnistry.training.pages.sources import FILES, PRINTS

StartMirror = Callable[..., Any]
ARCHIVE = b"what is published " * 100


def pack(archive: Path) -> Packed:
    """A file of as many samples as the archive has bytes, and a folder of two pages."""
    content = archive.read_bytes()
    if not content.startswith(b"what"):
        raise DataError("not what is published")
    file = io.BytesIO()
    np.savez_compressed(file, labels=np.frombuffer(content, np.uint8))
    yield PurePosixPath("small/labels.npz"), file.getvalue()
    yield PurePosixPath("small/pages/one.png"), b"one"
    yield PurePosixPath("small/pages/two.png"), b"two"


def small(url: str, digest: str | None = None) -> HandwritingSet:
    files = {"small/labels.npz": len(ARCHIVE), "small/pages": 2}
    published = Published(url, 10_000, digest)
    return HandwritingSet("small", "title", "https://home", "licence", "cite", files, published, pack)


def in_cache() -> list[str]:
    cache = cache_folder() / "handwriting"
    return sorted(str(path.relative_to(cache)) for path in cache.rglob("*") if path.is_file())


KEPT = ["small.json", "small/labels.npz", "small/pages/one.png", "small/pages/two.png"]


def test_the_sets_are_sound() -> None:
    for name, entry in SETS.items():
        assert entry.name == name
        assert entry.homepage.startswith("https://")
        assert entry.licence
        assert entry.citation
        assert entry.published.url.startswith("https://")
        if entry.published.digest:
            method, _, digest = entry.published.digest.partition(":")
            assert len(bytes.fromhex(digest)) == hashlib.new(method).digest_size
    files = [file for entry in SETS.values() for file in entry.files]
    assert len(set(files)) == len(files)
    assert {file for entry in PAGE_SETS.values() for file in entry.files} == {
        str(file) for file in (*FILES, PRINTS)
    }, "all that pages are drawn with"


def test_a_set_is_fetched_once(start_mirror: StartMirror) -> None:
    mirror = start_mirror({"small.zip": ARCHIVE})
    digest = f"md5:{hashlib.md5(ARCHIVE).hexdigest()}"
    said: list[str] = []
    for entry in (small(f"{mirror.address}small.zip", digest), small(f"{mirror.address}small.zip")):
        place = fetch_set(entry, say=said.append)
        assert place.folder == cache_folder() / "handwriting"
        assert hashlib.sha256(ARCHIVE).hexdigest()[:16] in place.verdict
        assert mirror.asked == ["small.zip"]
        assert in_cache() == KEPT, "no scratch folder stays behind"
    assert said == [f"fetching small (licence) from {mirror.address}small.zip"]
    record = json.loads((cache_folder() / "handwriting/small.json").read_text())
    assert record["sha256"] == hashlib.sha256(ARCHIVE).hexdigest()


def test_a_folder_that_the_user_names_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start_mirror: StartMirror
) -> None:
    mirror = start_mirror({})
    entry = small(f"{mirror.address}small.zip")
    own = tmp_path / "own" / "handwriting"
    (own / "small/pages").mkdir(parents=True)
    with pytest.raises(DataNotFoundError, match=r"own/handwriting: lacks small/labels\.npz") as caught:
        fetch_set(entry, tmp_path / "own")
    assert "small.zip: the server answered 404" in str(caught.value)
    (own / "small/labels.npz").touch()
    assert fetch_set(entry, tmp_path / "own").folder == own
    monkeypatch.setenv("MNISTRY_DATA", str(tmp_path / "own"))
    assert fetch_set(entry).folder == own


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("404", "the server answered 404"),
        ("cut", "the connection was cut"),
        ("slow", "nothing came for 0.2 seconds"),
        ("endless", "it sends more than the 10,000 bytes that there can be"),
        ("page", "not what is published"),
        ("other", r"expected sha256 [0-9a-f]{64}, found [0-9a-f]{64}"),
        ("few", r"only 18 samples for small/labels\.npz were found in it, expected about 1,800"),
    ],
)
def test_what_goes_wrong_is_said_and_nothing_is_kept(
    start_mirror: StartMirror, behaviour: str, said: str
) -> None:
    content = {"page": b"<html>please log in</html>", "few": ARCHIVE[:18], "other": ARCHIVE + b"!"}
    mirror = start_mirror({"small.zip": content.get(behaviour, ARCHIVE)}, behaviour)
    digest = f"sha256:{hashlib.sha256(ARCHIVE).hexdigest()}" if behaviour == "other" else None
    with pytest.raises(DataNotFoundError, match=said) as caught:
        fetch_set(small(f"{mirror.address}small.zip", digest), seconds_of_silence=0.2)
    assert f"{mirror.address}small.zip" in str(caught.value)
    assert "mnistry data fetch small" in str(caught.value)
    assert in_cache() == []


def test_not_downloading(start_mirror: StartMirror) -> None:
    mirror = start_mirror({"small.zip": ARCHIVE})
    with pytest.raises(DataNotFoundError, match="downloading is switched off"):
        fetch_set(small(f"{mirror.address}small.zip"), may_download=False)
    assert mirror.asked == []


@pytest.mark.parametrize("file", KEPT)
@pytest.mark.parametrize("damage", ["changed", "removed"])
def test_a_damaged_cache_heals(start_mirror: StartMirror, file: str, damage: str) -> None:
    mirror = start_mirror({"small.zip": ARCHIVE})
    entry = small(f"{mirror.address}small.zip")
    path = fetch_set(entry).folder / file
    before = path.read_bytes()
    path.unlink()
    if damage == "changed":
        path.write_bytes(b"[]")
    fetch_set(entry)
    assert path.read_bytes() == before
    assert mirror.asked == ["small.zip"] * 2


def test_the_checksum_of_the_first_is_required_ever_after(start_mirror: StartMirror) -> None:
    mirror = start_mirror({"small.zip": ARCHIVE})
    entry = small(f"{mirror.address}small.zip")
    cache = fetch_set(entry).folder
    (cache / "small/labels.npz").unlink()
    mirror.files["small.zip"] = ARCHIVE + b"and more"
    with pytest.raises(DataNotFoundError, match="another file than at first") as caught:
        fetch_set(entry)
    assert f"remove {cache / 'small.json'}" in str(caught.value)
    (cache / "small.json").unlink()
    fetch_set(entry)
    assert in_cache() == KEPT


def test_what_was_packed_in_another_way_is_fetched_anew(
    start_mirror: StartMirror, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = start_mirror({"small.zip": ARCHIVE})
    entry = small(f"{mirror.address}small.zip")
    fetch_set(entry)
    monkeypatch.setattr(module, "FORM", module.FORM + 1)
    fetch_set(entry)
    assert mirror.asked == ["small.zip"] * 2


def test_a_cache_that_cannot_be_written(
    start_mirror: StartMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNISTRY_CACHE", str(tmp_path / "file"))
    mirror = start_mirror({"small.zip": ARCHIVE})
    with pytest.raises(DataError, match=r"cannot keep downloads here.*MNISTRY_CACHE"):
        fetch_set(small(f"{mirror.address}small.zip"))


# ---------------------------------------------------------------- all of them, for pages


def test_pages_are_written_with_what_is_fetched(
    start_mirror: StartMirror, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = start_mirror({"small.zip": ARCHIVE})
    entry = small(f"{mirror.address}small.zip")
    page = [(PurePosixPath("more/page.png"), b"a page")]
    more = replace(entry, name="more", files={"more": 1}, pack=lambda _: iter(page))
    monkeypatch.setattr(module, "PAGE_SETS", {"small": entry, "more": more})
    own, cache = tmp_path / "handwriting", cache_folder() / "handwriting"
    (own / "more").mkdir(parents=True)
    assert find_handwriting("handwriting", tmp_path) == cache, "the folder has one set of two"
    assert in_cache() == ["more.json", "more/page.png", *KEPT]
    assert mirror.asked == ["small.zip"] * 2
    (own / "small/pages").mkdir(parents=True)
    (own / "small/labels.npz").touch()
    assert find_handwriting("handwriting", tmp_path) == own
    assert find_handwriting(own) == own
    with pytest.raises(DataNotFoundError, match="there is no such folder of handwriting"):
        find_handwriting(tmp_path / "nowhere")


def test_the_first_set_that_cannot_be_fetched_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = replace(SETS["hasy"], published=Published("http://127.0.0.1:9/HASYv2.tar.bz2", 1000))
    monkeypatch.setattr(module, "PAGE_SETS", {"hasy": away})
    with pytest.raises(DataNotFoundError, match=r"the handwriting 'hasy' was not found") as caught:
        find_handwriting("handwriting", tmp_path)
    assert f"{tmp_path / 'handwriting'}: lacks hasy_subset/symbols.npz" in str(caught.value)
    assert "HASYv2.tar.bz2: no connection" in str(caught.value)
