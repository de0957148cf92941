"""mnistry: handwritten digits, from the first gradient to real paper.

>>> import mnistry
>>> digits = mnistry.load("optdigits")
>>> digits.train.images.shape
(1437, 28, 28)
>>> mnistry.Recognizer.load().logits(digits.test.images).shape
(360, 10)
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mnistry.data import Dataset, Examples, load
    from mnistry.errors import MnistryError
    from mnistry.reading.recognizer import Digit, Reading, Recognizer
    from mnistry.recipes import RECIPES, Recipe
    from mnistry.training import Run, resume, train

__all__ = [
    "RECIPES",
    "Dataset",
    "Digit",
    "Examples",
    "MnistryError",
    "Reading",
    "Recipe",
    "Recognizer",
    "Run",
    "load",
    "resume",
    "train",
]


_HOMES = {
    "mnistry.data": ("Dataset", "Examples", "load"),
    "mnistry.errors": ("MnistryError",),
    "mnistry.reading.recognizer": ("Digit", "Reading", "Recognizer"),
    "mnistry.recipes": ("RECIPES", "Recipe"),
    "mnistry.training": ("Run", "resume", "train"),
}


def __getattr__(name: str) -> Any:
    """Loads each public name when it is first asked for: reading pictures does not need JAX."""
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(module), name)
    raise AttributeError(f"module 'mnistry' has no attribute {name!r}")
