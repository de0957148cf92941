import gzip
import hashlib
import io
import socket
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mnistry.data import catalog, idx
from mnistry.data.catalog import CATALOG, Archive, Entry, File
from mnistry.data.fetch import cache_folder, data_folders, fetch
from mnistry.errors import DataError, DataNotFoundError, IdxError

Put = Callable[..., None]
StartMirror = Callable[..., Any]


def published(contents: dict[str, bytes]) -> dict[str, bytes]:
    return {f"{name}.gz": gzip.compress(content, mtime=0) for name, content in contents.items()}


def nothing_in_the_cache() -> bool:
    return not any(path.is_file() for path in cache_folder().rglob("*"))


def test_the_catalogue_is_sound() -> None:
    for name, entry in CATALOG.items():
        assert entry.name == name
        assert len(entry.class_names) in (10, 26)
        assert entry.citation
        assert entry.homepage.startswith("http")
        assert all(mirror.startswith("http") and mirror.endswith("/") for mirror in entry.mirrors)
        assert len(entry.files) in (0, 4)
        assert bool(entry.files) == bool(entry.mirrors)
        hashes = [digest for file in entry.files for digest in (file.sha256, file.packed_sha256) if digest]
        if not entry.archive:  # whose own checksum stands for its files
            assert len(set(hashes)) == len(entry.files), "each file has one checksum, and its own"
        assert all(len(bytes.fromhex(digest)) == 32 for digest in hashes)


# ---------------------------------------------------------------- folders


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("below", ["small", "."])
def test_found_in_a_folder(
    entry: Entry, contents: dict[str, bytes], put: Put, tmp_path: Path, below: str, packed: bool
) -> None:
    put(tmp_path / "data" / below, packed=packed)
    found = fetch(entry, tmp_path / "data", may_download=False)
    assert [item.content for item in found] == list(contents.values())
    assert all(item.verified for item in found)
    assert all(item.path.is_relative_to(tmp_path / "data" / below) for item in found)
    assert [item.sha256 for item in found] == [file.sha256 for file in entry.files]


def test_names_with_a_dot_are_found(
    entry: Entry, contents: dict[str, bytes], put: Put, tmp_path: Path
) -> None:
    put(tmp_path, packed=False)
    for name in contents:
        (tmp_path / name).rename(tmp_path / name.replace("-idx", ".idx"))
    found = fetch(entry, tmp_path, may_download=False)
    assert [item.content for item in found] == list(contents.values())
    assert any(".idx" in item.path.name for item in found)


def test_the_order_of_places(entry: Entry, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, environment, cache = tmp_path / "chosen", tmp_path / "environment", tmp_path / "cache"
    monkeypatch.setenv("MNISTRY_DATA", str(environment))
    assert data_folders(chosen) == [chosen, environment]

    def where() -> Path:
        (folder,) = {found.path.parent for found in fetch(entry, chosen, may_download=False)}
        return folder

    put(cache / "small")
    assert where() == cache / "small"
    put(environment / "small")
    assert where() == environment / "small"
    put(chosen)
    assert where() == chosen
    put(chosen / "small")
    assert where() == chosen / "small"


def test_a_place_that_lacks_a_file_is_passed_over_and_named(entry: Entry, put: Put, tmp_path: Path) -> None:
    put(tmp_path / "data")
    (tmp_path / "data" / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataNotFoundError) as caught:
        fetch(entry, tmp_path / "data", may_download=False)
    message = str(caught.value)
    assert f"{tmp_path / 'data'}: lacks t10k-labels-idx1-ubyte\n" in message
    assert f"{tmp_path / 'cache' / 'small'}: holds nothing" in message
    assert "downloading is switched off" in message
    assert "FOLDER/small" in message
    assert "MNISTRY_DATA" in message
    assert "`data='optdigits'`" in message


def test_a_folder_that_does_not_exist_is_named(entry: Entry, tmp_path: Path) -> None:
    with pytest.raises(DataNotFoundError, match="nowhere: no such folder"):
        fetch(entry, tmp_path / "nowhere", may_download=False)


@pytest.mark.parametrize("below", ["small", "."])
def test_a_wrong_file_in_a_folder_is_an_error(entry: Entry, put: Put, tmp_path: Path, below: str) -> None:
    put(tmp_path)
    put(tmp_path / below)
    path = tmp_path / below / "train-labels-idx1-ubyte.gz"
    path.write_bytes(gzip.compress(idx.encode(idx.decode(path.read_bytes(), name="")[::-1])))
    with pytest.raises(DataError, match="wrong checksum") as caught:
        fetch(entry, tmp_path)
    assert str(path) in str(caught.value)


def test_a_damaged_file_in_a_folder_is_an_error(entry: Entry, put: Put, tmp_path: Path) -> None:
    put(tmp_path)
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(IdxError, match="gzip compression is damaged") as caught:
        fetch(entry, tmp_path)
    assert str(path) in str(caught.value)


def test_files_of_another_data_set_with_the_same_names(
    entry: Entry, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MNIST's files at the top of a folder are not Fashion-MNIST's, and are an error inside its folder."""
    monkeypatch.setitem(catalog.CATALOG, entry.name, entry)
    other = replace(entry, name="other", files=tuple(File(file.name, "0" * 64) for file in entry.files))
    put(tmp_path)
    with pytest.raises(DataNotFoundError, match="lacks all of its files"):
        fetch(other, tmp_path, may_download=False)
    put(tmp_path / "other")
    unknown = replace(other, files=tuple(File(file.name) for file in entry.files))
    for mistaken in (other, unknown):
        with pytest.raises(DataError, match="belongs to small, not to other"):
            fetch(mistaken, tmp_path, may_download=False)


@pytest.mark.parametrize("below", ["", "small"])
@pytest.mark.parametrize("packed", [True, False])
def test_files_with_each_others_names(
    entry: Entry, put: Put, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, below: str, packed: bool
) -> None:
    monkeypatch.setitem(catalog.CATALOG, entry.name, entry)
    folder = tmp_path / below
    put(folder, packed=packed)
    ending = ".gz" if packed else ""
    train, test = (folder / f"{part}-images-idx3-ubyte{ending}" for part in ("train", "t10k"))
    train.rename(folder / "aside")
    test.rename(train)
    (folder / "aside").rename(test)
    with pytest.raises(
        DataError, match="its content is that of t10k-images-idx3-ubyte: files have each"
    ) as caught:
        fetch(entry, tmp_path, may_download=False)
    assert str(caught.value).startswith(str(train))


def test_without_a_published_checksum_only_the_folder_of_that_name_counts(
    entry: Entry, put: Put, tmp_path: Path
) -> None:
    unknown = replace(entry, files=tuple(File(file.name) for file in entry.files))
    put(tmp_path)
    with pytest.raises(DataNotFoundError):
        fetch(unknown, tmp_path, may_download=False)
    put(tmp_path / "small")
    assert not any(found.verified for found in fetch(unknown, tmp_path, may_download=False))


def test_the_packed_checksum_confirms_but_does_not_refute(
    entry: Entry, contents: dict[str, bytes], put: Put, tmp_path: Path
) -> None:
    """A copy compressed anew cannot be told from another file; it is used, and said to be unverified."""
    files = published(contents)
    known = tuple(File(name, None, hashlib.sha256(files[f"{name}.gz"]).hexdigest()) for name in contents)
    (tmp_path / "small").mkdir()
    for name, content in files.items():
        (tmp_path / "small" / name).write_bytes(content)
    anew = tmp_path / "small" / "train-labels-idx1-ubyte.gz"
    anew.write_bytes(gzip.compress(contents["train-labels-idx1-ubyte"], compresslevel=1, mtime=1))
    found = fetch(replace(entry, files=known), tmp_path, may_download=False)
    assert [item.verified for item in found] == [True, False, True, True]


# ---------------------------------------------------------------- downloading


def test_download_keeps_checked_files_and_asks_once(
    entry: Entry, contents: dict[str, bytes], start_mirror: StartMirror
) -> None:
    mirror = start_mirror(published(contents))
    served = replace(entry, mirrors=(mirror.address,))
    for _ in range(2):
        found = fetch(served)
        assert [item.content for item in found] == list(contents.values())
        assert all(item.verified for item in found)
        assert mirror.asked == [f"{name}.gz" for name in contents]
    kept = sorted(path.name for path in (cache_folder() / "small").iterdir())
    assert kept == sorted(f"{name}.gz" for name in contents), "no scratch folder stays behind"


@pytest.mark.parametrize(
    ("behaviour", "said"),
    [
        ("403", "the server answered 403"),
        ("404", "the server answered 404"),
        ("503", "the server answered 503"),
        ("cut", "the connection was cut"),
        ("slow", "nothing came for 0.2 seconds"),
        ("drip", "fewer than 1,500 bytes came in 0.3 seconds"),
        ("endless", "it sends more than the 19,212 bytes that there can be"),
        ("wrong", "wrong checksum"),
        ("page", "not an IDX file"),
    ],
)
def test_a_bad_mirror_gives_way_to_the_next(
    entry: Entry, contents: dict[str, bytes], start_mirror: StartMirror, behaviour: str, said: str
) -> None:
    files = published(contents)
    bad_files = dict(files)
    if behaviour == "wrong":
        bad_files = dict.fromkeys(files, files["t10k-labels-idx1-ubyte.gz"])
        bad_files["t10k-labels-idx1-ubyte.gz"] = files["train-labels-idx1-ubyte.gz"]
    if behaviour == "page":
        bad_files = dict.fromkeys(files, b"<html>please log in</html>")
    bad, good = start_mirror(bad_files, behaviour), start_mirror(files)

    with pytest.raises(DataNotFoundError) as caught:
        fetch(replace(entry, mirrors=(bad.address,)), seconds_of_silence=0.2)
    assert f"{bad.address}train-images-idx3-ubyte.gz: {said}" in str(caught.value)
    assert nothing_in_the_cache()

    found = fetch(replace(entry, mirrors=(bad.address, good.address)), seconds_of_silence=0.2)
    assert [item.content for item in found] == list(contents.values())
    assert set(bad.asked) == set(good.asked) == set(files)


def test_a_mirror_that_never_ends_is_stopped(
    entry: Entry, contents: dict[str, bytes], start_mirror: StartMirror
) -> None:
    mirror = start_mirror(published(contents), "endless")
    with pytest.raises(DataNotFoundError, match="it sends more than"):
        fetch(replace(entry, mirrors=(mirror.address,)))
    assert mirror.sent < 10_000_000, "no more than the buffers of a connection hold"
    assert nothing_in_the_cache()


def test_what_may_be_downloaded_is_more_than_is_published() -> None:
    assert CATALOG["mnist"].most_bytes(CATALOG["mnist"].files[0]) == 60_000 * 784 * 101 // 100 + 1000
    assert CATALOG["mnist"].most_bytes(CATALOG["mnist"].files[3]) == 10_000 * 101 // 100 + 1000
    assert CATALOG["qmnist"].most_bytes(CATALOG["qmnist"].files[3]) == 60_000 * 32 * 101 // 100 + 1000


def test_nobody_listens(entry: Entry) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}/"
        with pytest.raises(DataNotFoundError, match=r"idx3-ubyte\.gz: no connection"):
            fetch(replace(entry, mirrors=(address,)))
    assert nothing_in_the_cache()


def test_all_mirrors_fail_and_each_is_named(
    entry: Entry, contents: dict[str, bytes], start_mirror: StartMirror
) -> None:
    mirrors = [start_mirror(published(contents), behaviour) for behaviour in ("403", "503", "cut")]
    with pytest.raises(DataNotFoundError) as caught:
        fetch(replace(entry, mirrors=tuple(mirror.address for mirror in mirrors)))
    for mirror in mirrors:
        assert f"\n  - {mirror.address}train-images-idx3-ubyte.gz: " in str(caught.value)
        assert mirror.asked == ["train-images-idx3-ubyte.gz"], "nothing more is asked once a file is lost"


def test_a_mirror_that_packed_anew_is_accepted(
    entry: Entry, contents: dict[str, bytes], start_mirror: StartMirror
) -> None:
    anew = {f"{name}.gz": gzip.compress(content, 1, mtime=5) for name, content in contents.items()}
    mirror = start_mirror(anew)
    assert all(item.verified for item in fetch(replace(entry, mirrors=(mirror.address,))))


def test_a_mirror_must_send_the_published_file_where_only_that_is_known(
    entry: Entry, contents: dict[str, bytes], start_mirror: StartMirror
) -> None:
    files = published(contents)
    known = tuple(File(name, None, hashlib.sha256(files[f"{name}.gz"]).hexdigest()) for name in contents)
    anew = start_mirror({f"{name}.gz": gzip.compress(content, 1) for name, content in contents.items()})
    good = start_mirror(files)
    with pytest.raises(DataNotFoundError, match="wrong checksum"):
        fetch(replace(entry, files=known, mirrors=(anew.address,)))
    assert nothing_in_the_cache()
    found = fetch(replace(entry, files=known, mirrors=(anew.address, good.address)))
    assert all(item.verified for item in found)


def test_a_damaged_cache_heals(entry: Entry, contents: dict[str, bytes], start_mirror: StartMirror) -> None:
    mirror = start_mirror(published(contents))
    served = replace(entry, mirrors=(mirror.address,))
    fetch(served)
    cache = cache_folder() / "small"
    (cache / "t10k-images-idx3-ubyte.gz").write_bytes(b"half of it")
    (cache / "t10k-labels-idx1-ubyte.gz").write_bytes((cache / "train-labels-idx1-ubyte.gz").read_bytes())
    mirror.asked.clear()
    assert all(item.verified for item in fetch(served))
    assert mirror.asked == ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"]


def test_a_cache_that_cannot_be_written(
    entry: Entry,
    contents: dict[str, bytes],
    start_mirror: StartMirror,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MNISTRY_CACHE", str(tmp_path / "file"))
    mirror = start_mirror(published(contents))
    with pytest.raises(DataError, match=r"cannot keep downloads here.*MNISTRY_CACHE"):
        fetch(replace(entry, mirrors=(mirror.address,)))


# ---------------------------------------------------------------- one archive with all files


def packed_archive(files: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as packed:
        for name, member in files.items():
            packed.writestr(f"gzip/{name}", member)
        packed.writestr("gzip/emnist-letters.gz", b"something that nobody asked for")
    return content.getvalue()


def test_files_from_an_archive(entry: Entry, contents: dict[str, bytes], start_mirror: StartMirror) -> None:
    content = packed_archive(published(contents))
    wrong, good = start_mirror({"all.zip": content + b"\0"}), start_mirror({"all.zip": content})
    archive = Archive("all.zip", hashlib.sha256(content).hexdigest(), "gzip")
    served = replace(entry, archive=archive, mirrors=(wrong.address, good.address))
    for _ in range(2):
        assert [item.content for item in fetch(served)] == list(contents.values())
    assert wrong.asked == good.asked == ["all.zip"]
    assert sorted(path.name for path in (cache_folder() / "small").iterdir()) == sorted(published(contents))


@pytest.mark.parametrize("content", [b"no archive", packed_archive({})])
def test_an_archive_without_the_files(entry: Entry, start_mirror: StartMirror, content: bytes) -> None:
    mirror = start_mirror({"all.zip": content})
    archive = Archive("all.zip", hashlib.sha256(content).hexdigest(), "gzip")
    with pytest.raises(DataNotFoundError, match="not the expected ZIP file"):
        fetch(replace(entry, archive=archive, mirrors=(mirror.address,)))
    assert nothing_in_the_cache()
