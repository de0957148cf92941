"""Checkpoints: the whole state of a run, written so that it is there whole or not at all."""

import re
from pathlib import Path

from mnistry.atomic import write_bytes
from mnistry.errors import CheckpointError, RunError
from mnistry.export.arrays import named_arrays, read_arrays, safetensors_bytes, with_arrays
from mnistry.training.state import State


def save_checkpoint(folder: Path, state: State, keep: int) -> Path:
    """Writes `step-NNNNNNNN.safetensors` to `folder` and removes all but the `keep` newest ones.

    Raises:
        OSError: the folder cannot be written to; what was there before is untouched.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"step-{int(state.step):08d}.safetensors"
    write_bytes(path, safetensors_bytes(named_arrays(state)))
    for old in checkpoints(folder)[:-keep]:
        if old.is_file():
            old.unlink()
    return path


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in `folder`, oldest first."""
    found = [path for path in folder.glob("step-*.safetensors") if _step(path) is not None]
    return sorted(found, key=lambda path: _step(path) or 0)


def load_checkpoint(path: Path, like: State) -> State:
    """Reads a checkpoint back, bit for bit.

    Args:
        path: a file that `save_checkpoint` wrote.
        like: any state of the same recipe; it gives the structure.

    Raises:
        CheckpointError: the file is damaged or belongs to another recipe.
    """
    try:
        return with_arrays(like, read_arrays(path))
    except RunError as error:
        raise CheckpointError(str(error)) from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise CheckpointError(f"{path}: not of this recipe: {error}") from error


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


def _step(path: Path) -> int | None:
    """The step in the name of a checkpoint; None for other files, such as copies that somebody made."""
    name = re.fullmatch(r"step-([0-9]{8,})\.safetensors", path.name)
    return int(name[1]) if name else None
