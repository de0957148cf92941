"""mnistry: handwritten digits, from the first gradient to real paper.

>>> import mnistry
>>> digits = mnistry.load("optdigits")
>>> digits.train.images.shape
(1437, 28, 28)
>>> mnistry.Recognizer.load().logits(digits.test.images).shape
(360, 10)
"""

from typing import TYPE_CHECKING, Any

from mnistry.data import Dataset, Examples, load
from mnistry.errors import MnistryError
from mnistry.reading.recognizer import Digit, Reading, Recognizer

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    """Loads the training side only when it is asked for: reading pictures does not need JAX."""
    if name in ("Recipe", "RECIPES"):
        from mnistry import recipes

        return getattr(recipes, name)
    if name in ("Run", "resume", "train"):
        from mnistry import training

        return getattr(training, name)
    raise AttributeError(f"module 'mnistry' has no attribute {name!r}")
