"""The numbers that the explorables play with, computed by the build and written into the page as JSON."""

import base64
import json
from typing import Any

import numpy as np
from IPython.display import HTML
from numpy.typing import NDArray

import mnistry
from book.length import whole_or
from mnistry.export.arrays import named_arrays
from mnistry.models import RowLstmConfig

# Close together at first, where the weights change most.
STEPS = (0, 1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 700, 1000)
LARGEST = 32767


def packed(values: NDArray[Any]) -> dict[str, Any]:
    """An array as whole numbers of 16 bits in base64, and what one of them is worth."""
    scale = max(float(np.abs(values).max()), 1e-30) / LARGEST
    whole = np.rint(values / scale).astype("<i2")
    return {"scale": scale, "values": base64.b64encode(whole.tobytes()).decode()}


def softmax() -> HTML:
    """Softmax regression's weights at some steps of its training, with the loss and the accuracy there."""
    trainer = mnistry.Trainer("softmax")
    weights, biases, losses, accuracies = [], [], [], []
    for step in STEPS:
        trainer.steps(step - trainer.made)
        arrays = named_arrays(trainer.model)
        weights.append(arrays["output/weight"])
        biases.append(arrays["output/bias"])
        measured = trainer.evaluate()
        losses.append(measured.negative_log_likelihood)
        accuracies.append(measured.accuracy)
    values = {
        "steps": STEPS,
        "loss": losses,
        "accuracy": accuracies,
        "weights": packed(np.stack(weights)),
        "biases": packed(np.stack(biases)),
        "samples": _samples(trainer.dataset),
    }
    return _script("softmax-data", values)


def lstm() -> HTML:
    """The weights of a small LSTM that was trained on digits that are shifted and turned."""
    trainer = mnistry.Trainer(
        "lstm",
        model=RowLstmConfig(units=64),
        steps=whole_or(4000, 1200),
        learning_rate=3e-3,
        schedule="cosine",
        augmentation="affine",
        rotation=10.0,
        stretch=0.1,
        devices=1,
    )
    trainer.steps()
    arrays = {name: packed(array) for name, array in named_arrays(trainer.model).items()}
    values = {"units": 64, "arrays": arrays, "samples": _samples(trainer.dataset)}
    return _script("lstm-data", values)


def _samples(dataset: mnistry.Dataset) -> dict[str, Any]:
    """The first test digit of each class."""
    rows = [int(np.flatnonzero(dataset.test.labels == digit)[0]) for digit in range(10)]
    images = dataset.test.images[rows]
    return {"labels": list(range(10)), "images": base64.b64encode(images.tobytes()).decode()}


def _script(identifier: str, values: dict[str, Any]) -> HTML:
    return HTML(f'<script type="application/json" id="{identifier}">{json.dumps(values)}</script>')
