"""The reader that is taught: the shipped one, or that of a run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnistry.errors import RunError
from mnistry.export.arrays import read_arrays, with_arrays
from mnistry.models import Trainable
from mnistry.reading.detector import SHIPPED_DETECTOR
from mnistry.reading.onnx_files import read_model
from mnistry.recipes import RECIPES, Recipe
from mnistry.training.run import Run
from mnistry.training.state import initial_state

SHIPPED = "shipped"
SHIPPED_WEIGHTS = SHIPPED_DETECTOR.with_suffix(".safetensors")
"""The weights of the shipped detector as they were trained, in half precision; `detector.onnx` is folded."""


@dataclass(frozen=True, eq=False)
class Start:
    """What there is before anything is taught.

    Attributes:
        run: the folder of the run; None for the shipped reader.
        recipe: of that run.
        model: its weights, to be trained on.
        onnx: the bytes of its `model.onnx`.
    """

    run: Path | None
    recipe: Recipe
    model: Trainable
    onnx: bytes

    @staticmethod
    def load(source: Path | str = SHIPPED) -> "Start":
        """Loads the shipped reader, or that of a run folder.

        Raises:
            RunError: there is no such run, its model reads no pages, or a file is missing or damaged.
        """
        if str(source) == SHIPPED:
            recipe = RECIPES["reader"]
            model = _shipped(initial_state(recipe, 0).model)
            return Start(None, recipe, model, read_model(SHIPPED_DETECTOR))
        run = Run.open(source)
        if not run.recipe.reads_pages:
            raise RunError(
                f"{run.path}: its model {run.recipe.name} knows single images, and cannot be taught to read "
                "pictures. Begin with the shipped reader, or with a run of the recipe reader"
            )
        like = initial_state(run.recipe, run.seed).model
        return Start(run.path, run.recipe, run.trainable_model(like=like), read_model(run.path))


def _shipped(like: Trainable) -> Trainable:
    """The shipped weights, in single precision."""
    try:
        arrays = read_arrays(SHIPPED_WEIGHTS)
        return with_arrays(like, {name: array.astype(np.float32) for name, array in arrays.items()})
    except FileNotFoundError as error:
        raise RunError(
            f"{SHIPPED_WEIGHTS}: missing, so the shipped reader cannot be taught. Install mnistry anew, or "
            "begin with a run of the recipe reader"
        ) from error
    except ValueError as error:
        raise RunError(f"{SHIPPED_WEIGHTS}: the weights are of another model: {error}") from error
