"""What the tests of the page share: a browser, and the service with two models."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import filelock
import pytest
from selenium import webdriver

from .browser import Page, Start, installed_browser


@pytest.fixture(scope="session")
def chrome() -> Iterator[webdriver.Chrome]:
    yield from installed_browser()


@pytest.fixture(scope="session")
def address(start: Start, model_of_threes: bytes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that has a second model, to which everything is a three."""
    runs = tmp_path_factory.mktemp("runs")
    (runs / "threes").mkdir()
    (runs / "threes" / "model.onnx").write_bytes(model_of_threes)
    with start("--runs", runs) as server:
        yield server.address


@pytest.fixture
def page(chrome: webdriver.Chrome, address: str) -> Iterator[Page]:
    """The page as someone sees it who was never here before; it may leave no error in the console."""
    # What an earlier test left open may miss its own service, which has ended.
    chrome.get("about:blank")
    chrome.get_log("browser")
    page = Page(chrome, address)
    page.look()
    page.open()
    if page.js(
        "const kept = localStorage.length + sessionStorage.length; localStorage.clear();"
        "sessionStorage.clear(); return kept"
    ):
        page.open()
    yield page
    errors = [entry["message"] for entry in chrome.get_log("browser") if entry["level"] == "SEVERE"]
    assert errors == []


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest) -> str:
    """The accessibility checker, fetched once into pytest's cache, by one of the processes that run tests."""
    folder = request.config.cache.mkdir("axe-core")
    with filelock.FileLock(folder / ".lock"):
        if not (folder / "axe.min.js").exists():
            fetch_axe(folder)
    return (folder / "axe.min.js").read_text()


def fetch_axe(folder: Path) -> None:
    if not shutil.which("npm"):
        pytest.skip("npm, which fetches axe-core, is not installed")
    pack = ["npm", "pack", "axe-core@4.12.1", "--silent", "--pack-destination", str(folder)]
    if subprocess.run(pack, capture_output=True, timeout=120).returncode:
        pytest.skip("npm could not fetch axe-core")
    with tarfile.open(next(folder.glob("axe-core-*.tgz"))) as pack_file:
        (folder / "axe.min.js").write_bytes(pack_file.extractfile("package/axe.min.js").read())
