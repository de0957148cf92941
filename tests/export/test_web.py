"""What the page on ONNX files says is done in node, with onnxruntime-web, and agrees with Python."""

import json
import re
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np
import pytest

from mnistry.data import Dataset
from mnistry.data.normalize import as_mnist
from mnistry.reading.classifier import SHIPPED_MODEL, Classifier

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = DOCS / "en" / "onnx.md"
AS_MNIST = DOCS / "_static" / "as-mnist.js"  # which the page includes
VERSION = "1.30.0"
FILES = ("package.json", "dist/ort.node.min.mjs", "dist/ort-wasm-simd-threaded.")
PROGRAM = """
import * as ort from "onnxruntime-web";
import { readFileSync, writeFileSync } from "node:fs";
%s
ort.env.wasm.numThreads = 1;
const { height, width, pictures } = JSON.parse(readFileSync("pictures.json"));
const images = new Uint8Array(784 * pictures.length);
pictures.forEach((ink, n) => images.set(asMnist(ink, height, width), 784 * n));
const found = await digits(ort, new Uint8Array(readFileSync(process.argv[2])), images);
writeFileSync("answer.json", JSON.stringify({ images: Array.from(images), digits: found }));
process.exit(0);
"""


@pytest.fixture(scope="session")
def node_modules(request: pytest.FixtureRequest) -> Path:
    """onnxruntime-web for node, fetched once into pytest's cache."""
    folder = Path(request.config.cache.mkdir("onnxruntime-web"))  # type: ignore[union-attr]
    for name in ("onnxruntime-common", "onnxruntime-web"):
        if (folder / "node_modules" / name).exists():
            continue
        if not shutil.which("npm"):
            pytest.skip("npm, which fetches onnxruntime-web, is not installed")
        pack = ["npm", "pack", f"{name}@{VERSION}", "--silent", "--pack-destination", str(folder)]
        if subprocess.run(pack, capture_output=True, timeout=240).returncode:
            pytest.skip(f"npm could not fetch {name}")
        packed = folder / f"{name}-{VERSION}.tgz"
        with tarfile.open(packed) as file:
            wanted = [
                one
                for one in file.getmembers()
                if name == "onnxruntime-common" or one.name.removeprefix("package/").startswith(FILES)
            ]
            # The first Pythons of 3.11 know no filter.
            safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
            file.extractall(folder / f"{name}.new", wanted, **safely)
        packed.unlink()
        (folder / "node_modules").mkdir(exist_ok=True)
        (folder / f"{name}.new" / "package").rename(folder / "node_modules" / name)
        (folder / f"{name}.new").rmdir()
    return folder / "node_modules"


def test_a_program_made_of_the_page_sees_and_answers_as_python_does(
    node_modules: Path, optdigits: Dataset, tmp_path: Path
) -> None:
    pictures = [np.kron(image, np.ones((4, 3))) for image in optdigits.test.images[:40]]  # 112×84
    (tmp_path / "node_modules").symlink_to(node_modules)
    described = {"height": 112, "width": 84, "pictures": [one.ravel().tolist() for one in pictures]}
    (tmp_path / "pictures.json").write_text(json.dumps(described))
    (script,) = re.findall(r"^```js\n(.*?)^```$", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert "../_static/as-mnist.js" in PAGE.read_text()
    (tmp_path / "program.mjs").write_text(PROGRAM % (AS_MNIST.read_text() + script))
    done = subprocess.run(
        ["node", "program.mjs", str(SHIPPED_MODEL)], cwd=tmp_path, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    answer = json.loads((tmp_path / "answer.json").read_text())
    expected = np.stack([as_mnist(one) for one in pictures])
    found = np.array(answer["images"]).reshape(-1, 28, 28)
    assert np.abs(found - expected.astype(int)).max() <= 2
    logits = Classifier.load().logits(found.astype(np.uint8))
    assert answer["digits"] == logits.argmax(axis=1).tolist()
    assert (np.array(answer["digits"]) == optdigits.test.labels[:40]).mean() > 0.9
