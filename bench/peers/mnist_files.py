"""The four MNIST files as arrays, read the way tutorials do."""

import gzip
import math
from pathlib import Path
from typing import NamedTuple

import numpy as np


class Mnist(NamedTuple):
    """Images are (n, 784) float32 from 0 to 1; labels are (n,) int64."""

    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray


def read_mnist(folder: Path) -> Mnist:
    """All 60,000 training and 10,000 test digits of the gzip-compressed IDX files in `folder`."""
    return Mnist(
        _images(folder / "train-images-idx3-ubyte.gz"),
        _labels(folder / "train-labels-idx1-ubyte.gz"),
        _images(folder / "t10k-images-idx3-ubyte.gz"),
        _labels(folder / "t10k-labels-idx1-ubyte.gz"),
    )


def without_validation(mnist: Mnist) -> tuple[np.ndarray, np.ndarray]:
    """The tutorials' 55,000 training digits: the first 5,000 of the 60,000 are for validation."""
    return mnist.train_images[5_000:], mnist.train_labels[5_000:]


def shuffled_rows(count: int, steps: int, batch_size: int) -> np.ndarray:
    """Each batch's rows, int32 [steps, batch_size]: all in a new order each time they have been used."""
    epochs = math.ceil(steps * batch_size / count)
    rows = np.tile(np.arange(count, dtype=np.int32), (epochs, 1))
    rows = np.random.default_rng().permuted(rows, axis=1, out=rows)
    return rows.reshape(-1)[: steps * batch_size].reshape(steps, batch_size)


def _images(path: Path) -> np.ndarray:
    with gzip.open(path) as file:
        pixels = np.frombuffer(file.read(), np.uint8, offset=16)
    return np.divide(pixels.reshape(-1, 784), 255, dtype=np.float32)


def _labels(path: Path) -> np.ndarray:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)
