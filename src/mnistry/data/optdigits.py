"""The 1,797 digits that scikit-learn carries, brought to 28×28 as MNIST was made."""

import hashlib
from functools import cache

import numpy as np
from numpy.typing import NDArray

from mnistry.data.catalog import OPTDIGITS
from mnistry.data.dataset import Dataset, Examples
from mnistry.data.normalize import as_mnist, enlarged
from mnistry.errors import DataNotFoundError


def load_optdigits() -> Dataset:
    """Reads the digits (8×8, 17 grey levels), enlarges them smoothly, and makes MNIST images of them.

    The first 1,437 are the training part, the last 360, one fifth, the test part.

    Raises:
        DataNotFoundError: scikit-learn is not installed.
    """
    images, labels, sha256 = _made()
    examples = Examples(images.copy(), labels.copy())
    train, _ = OPTDIGITS.counts
    return Dataset(
        name=OPTDIGITS.name,
        train=examples[:train],
        test=examples[train:],
        class_names=OPTDIGITS.class_names,
        source=(
            f"scikit-learn's load_digits; the first {train:,} are for training, "
            f"the last {len(examples) - train} (one fifth) for testing"
        ),
        sha256={"digits": sha256},
    )


@cache
def _made() -> tuple[NDArray[np.uint8], NDArray[np.uint8], str]:
    """The images and labels, and SHA-256 of what they are made of; made once, because it takes a while."""
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise DataNotFoundError(
            "the data set 'optdigits' comes with scikit-learn, which is not installed. "
            "Install it with: pip install 'mnistry[train]'"
        ) from error
    digits = load_digits()
    small, labels = digits.images.astype(np.uint8), digits.target.astype(np.uint8)
    images = np.stack([as_mnist(enlarged(image)) for image in small])
    return images, labels, hashlib.sha256(small.tobytes() + labels.tobytes()).hexdigest()
