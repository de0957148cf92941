"""Checkpoints: the whole state of a run, written so that it is there whole or not at all."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import safetensors.numpy

from mnistry.atomic import write_bytes
from mnistry.data.dataset import CLASSES
from mnistry.errors import CheckpointError, RunError
from mnistry.export.arrays import named_arrays, read_safetensors, safetensors_bytes, with_arrays
from mnistry.recipes import Recipe
from mnistry.training.processes import from_first
from mnistry.training.state import State, initial_state

_NAME = re.compile(r"step-([0-9]{8,})\.safetensors")
NONE: Mapping[str, int] = MappingProxyType({})


def save_checkpoint(folder: Path, state: State, *, keep: int, of: str) -> Path:
    """Writes `step-NNNNNNNN.safetensors` to `folder` and removes all but the `keep` newest ones.

    Args:
        folder: made where it is missing.
        state: what to save.
        keep: how many to keep.
        of: the fingerprint of the run, which goes with the state.

    Raises:
        OSError: the folder cannot be written to; what was there before is untouched.
    """
    folder.mkdir(exist_ok=True)
    path = folder / f"step-{int(state.step):08d}.safetensors"
    write_bytes(path, safetensors_bytes(named_arrays(state), run=of))
    # One of a later step is damaged, or no file of ours: it must not take the place of one that is good.
    steps_and_files = checkpoints(folder).items()
    good = [old for step, old in steps_and_files if old.is_file() and step <= int(state.step)]
    for old in good[:-keep]:
        old.unlink()
    return path


def checkpoints(folder: Path) -> dict[int, Path]:
    """The checkpoints in `folder` by their steps, ascending; copies under other names do not count."""
    names = ((_NAME.fullmatch(path.name), path) for path in folder.glob("step-*"))
    return dict(sorted((int(name[1]), path) for name, path in names if name))


def load_checkpoint(path: Path, *, like: State, of: str, before: Mapping[str, int] = NONE) -> State:
    """Reads a checkpoint back, bit for bit.

    Args:
        path: a file that `save_checkpoint` wrote.
        like: any state of the same recipe; it gives the structure.
        of: the fingerprint of the run.
        before: fingerprints that it had earlier, each with the last step that was made under it.

    Raises:
        CheckpointError: the file is damaged or belongs to another recipe or run.
    """
    try:
        arrays, metadata = read_safetensors(path)
        found = metadata.get("run", of)  # mnistry 0.1 did not write it
        if found != of and int(arrays.get("step", 0)) > before.get(found, -1):
            raise CheckpointError(f"{path}: of another run: its recipe, seed or data were others")
        return with_arrays(like, arrays)
    except CheckpointError:
        raise
    except RunError as error:
        raise CheckpointError(str(error)) from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise CheckpointError(f"{path}: not of this recipe: {error}") from error


def state_of_first(make: Callable[[], State], recipe: Recipe, classes: int = CLASSES) -> State:
    """The state that the first of several processes makes or reads, bit for bit in all of them.

    Args:
        make: is called by the first process.
        recipe: that of the state.
        classes: of its model.

    Raises: what `make` raises, in all of them.
    """

    def unpack(content: bytes) -> State:
        return with_arrays(initial_state(recipe, 0, classes), safetensors.numpy.load(content))

    return from_first(make, lambda state: safetensors_bytes(named_arrays(state)), unpack)


def load_newest(
    folder: Path, *, like: State, of: str, before: Mapping[str, int] = NONE
) -> tuple[State | None, list[CheckpointError]]:
    """The newest checkpoint that can be read, and what was wrong with the newer ones; see `load_checkpoint`.

    The state is None where there is no checkpoint that can be read.
    """
    damaged: list[CheckpointError] = []
    for path in reversed(checkpoints(folder).values()):
        try:
            return load_checkpoint(path, like=like, of=of, before=before), damaged
        except CheckpointError as error:
            damaged.append(error)
    return None, damaged
