"""What the tests of the page share: a browser, and the service with two models."""

import shutil
import subprocess
import tarfile
from collections.abc import Iterator

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from selenium import webdriver

from .browser import Page, Start, find_chromium, open_browser


@pytest.fixture(scope="session")
def chrome() -> Iterator[webdriver.Chrome]:
    found = find_chromium()
    if not found:
        pytest.skip("Chromium and its driver are not installed: apt-get install chromium chromium-driver")
    with open_browser(*found) as chrome:
        yield chrome


@pytest.fixture(scope="session")
def address(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service that has a second model, to which everything is a three."""
    runs = tmp_path_factory.mktemp("runs")
    (runs / "threes").mkdir()
    onnx.save(model_of_threes(), runs / "threes" / "model.onnx")
    with start("--runs", runs) as server:
        yield server.address


@pytest.fixture
def page(chrome: webdriver.Chrome, address: str) -> Iterator[Page]:
    """The page as someone sees it who was never here before; it may leave no error in the console."""
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
    """The accessibility checker, fetched once into pytest's cache."""
    folder = request.config.cache.mkdir("axe-core")
    if not (folder / "axe.min.js").exists():
        if not shutil.which("npm"):
            pytest.skip("npm, which fetches axe-core, is not installed")
        pack = ["npm", "pack", "axe-core@4", "--silent", "--pack-destination", str(folder)]
        if subprocess.run(pack, capture_output=True, timeout=120).returncode:
            pytest.skip("npm could not fetch axe-core")
        with tarfile.open(next(folder.glob("axe-core-*.tgz"))) as pack_file:
            (folder / "axe.min.js").write_bytes(pack_file.extractfile("package/axe.min.js").read())
    return (folder / "axe.min.js").read_text()


def model_of_threes() -> onnx.ModelProto:
    logits = np.where(np.arange(10) == 3, 9, 0).astype(np.float32)
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("Flatten", ["floats"], ["rows"]),
        helper.make_node("Gemm", ["rows", "weights", "bias"], ["logits"]),
    ]
    graph = helper.make_graph(
        nodes,
        "threes",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["batch", 28, 28])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 10])],
        [
            numpy_helper.from_array(np.zeros((784, 10), np.float32), "weights"),
            numpy_helper.from_array(logits, "bias"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
