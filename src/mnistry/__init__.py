"""Handwritten digits, from the first gradient to real paper.

Reading needs `pip install mnistry` alone; recipes and training need `pip install 'mnistry[train]'`.

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
    from mnistry.data import Dataset, Examples
    from mnistry.data.pages import pages
    from mnistry.datasets import load
    from mnistry.errors import MnistryError
    from mnistry.estimator import DigitClassifier
    from mnistry.hub import pull, push
    from mnistry.inference import evaluate, predict, predict_proba
    from mnistry.losses import OwnLoss
    from mnistry.models.own import OwnModel
    from mnistry.reading.recognizer import Digit, Reading, Recognizer
    from mnistry.recipes import RECIPES, Recipe
    from mnistry.tracking import log_to_mlflow
    from mnistry.training import Run, Trainer, resume, train
    from mnistry.training.teaching.teach import teach

    __version__: str

__all__ = [
    "RECIPES",
    "Dataset",
    "Digit",
    "DigitClassifier",
    "Examples",
    "MnistryError",
    "OwnLoss",
    "OwnModel",
    "Reading",
    "Recipe",
    "Recognizer",
    "Run",
    "Trainer",
    "evaluate",
    "load",
    "log_to_mlflow",
    "pages",
    "predict",
    "predict_proba",
    "pull",
    "push",
    "resume",
    "teach",
    "train",
]


_HOMES = {
    "mnistry.data": ("Dataset", "Examples"),
    "mnistry.data.pages": ("pages",),
    "mnistry.datasets": ("load",),
    "mnistry.errors": ("MnistryError",),
    "mnistry.estimator": ("DigitClassifier",),
    "mnistry.hub": ("pull", "push"),
    "mnistry.inference": ("evaluate", "predict", "predict_proba"),
    "mnistry.reading.recognizer": ("Digit", "Reading", "Recognizer"),
    "mnistry.losses": ("OwnLoss",),
    "mnistry.models.own": ("OwnModel",),
    "mnistry.recipes": ("RECIPES", "Recipe"),
    "mnistry.tracking": ("log_to_mlflow",),
    "mnistry.training": ("Run", "Trainer", "resume", "train"),
    "mnistry.training.teaching.teach": ("teach",),
}


def __getattr__(name: str) -> Any:
    """Loads each public name when it is first asked for: reading pictures does not need JAX."""
    if name == "__version__":
        from importlib.metadata import version

        return version("mnistry")
    for module, names in _HOMES.items():
        if name in names:
            try:
                return getattr(importlib.import_module(module), name)
            except ModuleNotFoundError as error:
                raise ModuleNotFoundError(
                    f"mnistry.{name} needs {error.name}, which is not installed: "
                    "pip install 'mnistry[train]'",
                    name=error.name,
                ) from error
    raise AttributeError(f"module 'mnistry' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names that this installation can load, so that `help(mnistry)` shows them all."""
    from importlib.util import find_spec

    hidden = {"Any", "TYPE_CHECKING", "importlib"}
    if not find_spec("jax"):
        hidden.update(
            *(
                _HOMES[f"mnistry.{home}"]
                for home in (
                    "estimator",
                    "hub",
                    "losses",
                    "models.own",
                    "recipes",
                    "tracking",
                    "training",
                    "training.teaching.teach",
                )
            )
        )
    return sorted({*globals(), *__all__, "__version__"} - hidden)
