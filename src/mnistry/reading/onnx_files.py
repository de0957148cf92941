"""ONNX files that are run: of a run folder, of a user, or the three that come with mnistry."""

import hashlib
import re
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Self

import onnxruntime

from mnistry.errors import RunError
from mnistry.files import read_regular

MOST_BYTES = 2**29
"""Of a model's file."""


class OtherModelError(ValueError):
    """An ONNX model, but one for something else."""


class OnnxModel:
    """A model that is run from the bytes of an ONNX file. It can be pickled."""

    SHIPPED: ClassVar[Path]
    """The file that comes with mnistry."""

    def __init__(self, model: bytes, inputs: dict[str, str], output: str, *, threads: int) -> None:
        """
        Args:
            model: the bytes of the file.
            inputs: see `check_types`.
            output: as `inputs`.
            threads: of computation for each call; 0 takes one for each core.

        Raises:
            ValueError: it is no such file.
        """
        self._session = open_session(model, threads)
        check_types(self._session, inputs, output)
        self._model, self._threads = model, threads

    @classmethod
    def load(cls, source: Path | str | None = None, *, threads: int = 0) -> Self:
        """Loads a model.

        Args:
            source: a run folder, an ONNX file that mnistry wrote, or nothing for the shipped one.
            threads: of computation for each call; 0 takes one for each core. One is best where several
                threads read pictures.

        Raises:
            RunError: there is no such file or folder, or it holds no usable model.
        """
        source = cls.SHIPPED if source is None else source
        try:
            return cls(read_model(source), threads=threads)  # type: ignore[call-arg]
        except ValueError as error:
            raise RunError(f"{path_of(source)}: {error}") from error

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the model's file, in hexadecimal digits."""
        return hashlib.sha256(self._model).hexdigest()

    @property
    def _metadata(self) -> dict[str, str]:
        """What the file keeps beside the model."""
        kept: dict[str, str] = self._session.get_modelmeta().custom_metadata_map
        return kept

    def __reduce__(self) -> tuple[Any, ...]:
        """A session cannot be pickled; it is made anew of the model's bytes."""
        return partial(type(self), threads=self._threads), (self._model,)


def read_model(source: Path | str) -> bytes:
    """The content of an ONNX file, or of `model.onnx` in a run folder.

    Raises:
        RunError: there is no such file or folder.
    """
    path = Path(source)
    if path.is_dir():
        path = path / "model.onnx"
        if not path.exists():
            raise RunError(
                f"{path.parent}: there is no model.onnx in it. If this is the folder of a run that was "
                f"stopped, finish it with `mnistry.resume({str(path.parent)!r})`; if its model is one of "
                "your own without an ONNX form (evaluation.json says so), use it in Python"
            )
    try:
        return read_regular(path, most_bytes=MOST_BYTES)
    except FileNotFoundError as error:
        raise RunError(f"{path}: there is no such model or run folder") from error
    except OSError as error:
        raise RunError(f"{path}: cannot be read: {error.strerror or error}") from error


def path_of(source: Path | str) -> Path:
    """The file that `read_model` reads, for messages."""
    path = Path(source)
    return path / "model.onnx" if path.is_dir() else path


def open_session(model: bytes, threads: int) -> onnxruntime.InferenceSession:
    """Makes a model ready to run.

    Args:
        model: the bytes of an ONNX file.
        threads: of computation for each call; 0 takes one for each core.

    Raises:
        ValueError: it is no ONNX file.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # Threads that spin while they wait would take the cores from all others, those of the next network too.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises classes of its own, with no common base
        raise ValueError(f"not an ONNX model: {error}") from error


def check_types(session: onnxruntime.InferenceSession, inputs: dict[str, str], output: str) -> None:
    """Checks that a model takes what it should, and gives what it should as float32.

    Args:
        session: the model.
        inputs: names and types of all that goes in, such as `{"images": "uint8"}`.
        output: the name of what comes out, among others.

    Raises:
        OtherModelError: it takes or gives something else.
    """
    found, given = (
        {item.name: re.sub(r"tensor\((.*)\)", r"\1", item.type) for item in items}
        for items in (session.get_inputs(), session.get_outputs())
    )
    if found != inputs or given.get(output) != "float":
        raise OtherModelError(
            f"expected the inputs {inputs} and the output {output} (float), found {found} and {given}"
        )
