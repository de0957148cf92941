"""The reader that is taught: the shipped one, or that of a run."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mnistry.errors import RunError
from mnistry.export.arrays import Tree, read_arrays, with_arrays
from mnistry.models import DetectorConfig, Reader, ReaderConfig
from mnistry.reading.detector import SHIPPED_DETECTOR
from mnistry.reading.onnx_files import read_model
from mnistry.reading.verifier import SHIPPED_VERIFIER, TAUGHT
from mnistry.training.run import Run

SHIPPED = "shipped"


@dataclass(frozen=True, eq=False)
class Start:
    """What there is before anything is taught.

    Attributes:
        run: the folder of the run; None for the shipped reader.
        config: of both networks.
        model: their weights, to be trained on.
        detector: the bytes of the detector's ONNX file.
        verifier: the bytes of the verifier's.
    """

    run: Path | None
    config: ReaderConfig
    model: Reader
    detector: bytes
    verifier: bytes

    @staticmethod
    def load(source: Path | str = SHIPPED) -> "Start":
        """Loads the shipped reader, or that of a run folder; to a detector's run, the shipped verifier.

        Raises:
            RunError: there is no such run, its model reads no pages, or a file is missing or damaged.
        """
        detector, verifier = (partial(_shipped, name) for name in (SHIPPED_DETECTOR, SHIPPED_VERIFIER))
        if str(source) == SHIPPED:
            config = ReaderConfig()
            like = config.build(np.random.default_rng(0))
            model = Reader(detector(like.detector), verifier(like.verifier))
            return Start(None, config, model, read_model(SHIPPED_DETECTOR), read_model(SHIPPED_VERIFIER))
        run = Run.open(source)
        if isinstance(run.recipe.model, ReaderConfig):
            config = run.recipe.model
            model = run.trainable_model(like=config.build(np.random.default_rng(0)))
            return Start(run.path, config, model, read_model(run.path), read_model(run.path / TAUGHT))
        if not isinstance(run.recipe.model, DetectorConfig):
            raise RunError(
                f"{run.path}: its model {run.recipe.name} finds no digits on pages, and cannot be taught "
                "to read pictures. Begin with the shipped reader, or with a run of the recipe reader"
            )
        config = ReaderConfig(detector=run.recipe.model.features)
        like = config.build(np.random.default_rng(0))
        model = Reader(run.trainable_model(like=like.detector), verifier(like.verifier))
        return Start(run.path, config, model, read_model(run.path), read_model(SHIPPED_VERIFIER))


def _shipped(onnx: Path, like: Tree) -> Tree:
    """The shipped weights as they were trained, kept in half precision beside the folded ones."""
    path = onnx.with_suffix(".safetensors")
    try:
        arrays = read_arrays(path)
        return with_arrays(like, {name: array.astype(np.float32) for name, array in arrays.items()})
    except FileNotFoundError as error:
        raise RunError(
            f"{path}: missing, so the shipped reader cannot be taught. Install mnistry anew, or "
            "begin with a run of the recipe reader"
        ) from error
    except ValueError as error:
        raise RunError(f"{path}: the weights are of another model: {error}") from error
