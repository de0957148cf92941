"""Checkpoints: the whole state of a run, written so that it is there whole or not at all."""

import hashlib
import json
import struct
from pathlib import Path

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from mnistry.atomic import write_bytes
from mnistry.errors import CheckpointError, RunError
from mnistry.models import Model
from mnistry.training.state import State, Tree, named_arrays, with_arrays


def save_checkpoint(folder: Path, state: State, keep: int) -> Path:
    """Writes `step-NNNNNNNN.safetensors` to `folder` and removes all but the `keep` newest ones.

    Raises:
        OSError: the folder cannot be written to; what was there before is untouched.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"step-{int(state.step):08d}.safetensors"
    write_arrays(path, named_arrays(state))
    for old in checkpoints(folder)[:-keep]:
        old.unlink()
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoint files in `folder`, oldest first."""
    return sorted(folder.glob("step-*.safetensors"))


def load_checkpoint(path: Path, like: State) -> State:
    """Reads a checkpoint back, bit for bit.

    Args:
        path: a file that `save_checkpoint` wrote.
        like: any state of the same recipe; it gives the structure.

    Raises:
        CheckpointError: the file is damaged or belongs to another recipe.
    """
    return _fill(path, like)


def load_newest(folder: Path, like: State) -> tuple[State | None, list[CheckpointError]]:
    """The newest checkpoint that can be read, and what was wrong with the newer ones.

    The state is None where there is no checkpoint that can be read.
    """
    damaged: list[CheckpointError] = []
    for path in reversed(checkpoints(folder)):
        try:
            return load_checkpoint(path, like), damaged
        except CheckpointError as error:
            damaged.append(error)
    return None, damaged


def save_model(path: Path, model: Model) -> None:
    """Writes the weights as safetensors, named by their place in the model."""
    write_arrays(path, named_arrays(model))


def load_model(path: Path, like: Model) -> Model:
    """Reads weights that `save_model` wrote into a model of the same configuration.

    Raises:
        RunError: the file is missing, damaged, or of another model.
    """
    if not path.exists():
        raise RunError(
            f"{path}: missing; a finished run has it. Finish the run with `mnistry train --resume`."
        )
    return _fill(path, like)


def write_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Writes named arrays as safetensors with a SHA-256 of their content in the header."""
    write_bytes(path, safetensors.numpy.save(arrays, metadata={"sha256": _digest(arrays)}))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Reads what `write_arrays` wrote.

    Raises:
        CheckpointError: the file is cut short, changed, or no safetensors file of ours.
    """
    content = path.read_bytes()
    try:
        arrays = safetensors.numpy.load(content)
        (header_size,) = struct.unpack("<Q", content[:8])
        header = json.loads(content[8 : 8 + header_size])
    except (SafetensorError, ValueError, struct.error) as error:
        raise CheckpointError(f"{path}: damaged, or no safetensors file: {error}") from error
    if header.get("__metadata__", {}).get("sha256") != _digest(arrays):
        raise CheckpointError(f"{path}: damaged: its content does not match the checksum in its header")
    return arrays


def _fill(path: Path, like: Tree) -> Tree:
    try:
        return with_arrays(like, read_arrays(path))
    except ValueError as error:
        raise CheckpointError(f"{path}: not of this recipe: {error}") from error


def _digest(arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name} {array.dtype} {array.shape}\n".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
