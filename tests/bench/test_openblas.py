"""The program in C over OpenBLAS learns as the recipe `mlp` says, and gives the answer that peers give."""

import ctypes
import gzip
import json
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from peers import openblas

SOURCE = Path(openblas.__file__).with_name("openblas_mlp.c")
PIXELS, HIDDEN, CLASSES = 784, 7, 10
Floats = NDArray[np.float64]

pytestmark = pytest.mark.skipif(
    not any(map(shutil.which, openblas.COMPILERS)), reason="there is no C compiler"
)


def parts(net: NDArray[np.floating]) -> list[NDArray[np.floating]]:
    """W1, b1, W2 and b2, which lie one after the other."""
    W1, b1, W2, b2 = np.split(net, np.cumsum([PIXELS * HIDDEN, HIDDEN, HIDDEN * CLASSES]))
    return [W1.reshape(PIXELS, HIDDEN), b1, W2.reshape(HIDDEN, CLASSES), b2]


def learnt(net: Floats, images: Floats, labels: NDArray[np.uint8], batches: NDArray[np.int32]) -> Floats:
    """The weights and their moving average after a step for each batch, by the recipe's words."""
    average = net.copy()
    for step, rows in enumerate(batches):
        W1, b1, W2, b2 = parts(net)
        x = images[rows]
        hidden = np.maximum(x @ W1 + b1, 0)
        exponentials = np.exp(hidden @ W2 + b2)
        delta = (exponentials / exponentials.sum(axis=1, keepdims=True) - np.eye(10)[labels[rows]]) / len(
            rows
        )
        hidden_delta = (delta @ W2.T) * (hidden > 0)
        gradients = (
            x.T @ hidden_delta + 1e-4 * W1,
            hidden_delta.sum(axis=0),
            hidden.T @ delta + 1e-4 * W2,
            delta.sum(axis=0),
        )
        learning_rate = 0.1 * 0.99 ** (step // 275)
        net = net - learning_rate * np.concatenate([gradient.ravel() for gradient in gradients])
        decay = min(0.99, (1 + (step + 1)) / (10 + (step + 1)))
        average = decay * average + (1 - decay) * net
    return np.stack([net, average])


@pytest.mark.parametrize("batch_size", [1, 6])
def test_its_steps_are_those_of_the_recipe(tmp_path: Path, batch_size: int) -> None:
    """On more steps than one stair of the learning rate; with shares of a thread that are empty, too."""
    library = ctypes.CDLL(
        str(openblas.compiled(SOURCE, tmp_path / "mlp.so", Path(sys.executable), shared=True))
    )
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (30, PIXELS), dtype=np.uint8) * (random.random((30, PIXELS)) < 0.2)
    labels = random.integers(0, CLASSES, 30, dtype=np.uint8)
    batches = random.integers(0, 30, (300, batch_size), dtype=np.int32)
    first = random.normal(0, 0.1, PIXELS * HIDDEN + HIDDEN + HIDDEN * CLASSES + CLASSES)
    net = first.astype(np.float32)
    average = net.copy()
    arrays = [array.ctypes.data_as(ctypes.c_void_p) for array in (net, average, images, labels, batches)]
    library.train(*arrays[:2], HIDDEN, *arrays[2:], len(batches), batch_size)
    wanted = learnt(first, images / 255, labels, batches)
    assert np.abs(wanted[0] - first).max() > 0.05  # it has learnt
    assert np.abs(wanted[0] - wanted[1]).max() > 1e-3
    np.testing.assert_allclose(np.stack([net, average]), wanted, atol=2e-5)


def write_idx(path: Path, array: NDArray[np.uint8]) -> None:
    head = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(gzip.compress(head + array.tobytes(), 1))


def test_it_learns_from_mnist_files_and_answers_as_peers_do(tmp_path: Path) -> None:
    """Digit d is a bar at row 2 d. The first 5,000 images, which are for validation, are wrong on purpose."""
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    labels = np.arange(5_400, dtype=np.uint8) % 10
    images = np.zeros((5_400, 28, 28), np.uint8)
    images[np.arange(5_400), 2 * labels.astype(int)] = 255
    wrong = np.where(np.arange(5_400) < 5_000, (labels + 1) % 10, labels).astype(np.uint8)
    write_idx(folder / "train-images-idx3-ubyte.gz", images)
    write_idx(folder / "train-labels-idx1-ubyte.gz", wrong)
    write_idx(folder / "t10k-images-idx3-ubyte.gz", images[:130])
    # Three of 130 labels cannot be learnt: the accuracy is a share of all test digits.
    write_idx(folder / "t10k-labels-idx1-ubyte.gz", np.where(np.arange(130) < 3, 9, labels[:130]))
    program = openblas.compiled(SOURCE, tmp_path / "mlp", Path(sys.executable))
    flags = ["mlp", "--data-dir", str(folder), "--steps", "150", "--batch-size", "33"]
    done = subprocess.run([str(program), *flags], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    assert answer["test"]["accuracy"] == pytest.approx(127 / 130, abs=1e-6)
    assert answer["train_seconds"] > 0
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    done = subprocess.run([str(program), *flags], capture_output=True, text=True)
    assert done.returncode == 2
    assert "t10k-labels-idx1-ubyte.gz is not a gzip-compressed IDX file" in done.stderr
