"""Files that a library reads are read in a process of their own: whatever is in them, it ends in time.

No pickles come back, but plain arrays, which are read as any such file.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, get_args

import numpy as np

from mnistry.data.arrays import Taken
from mnistry.data.contents import Contents, read_contents
from mnistry.data.dataset import Doubt, Examples
from mnistry.data.npz import read_npz
from mnistry.data.parts import PARTS
from mnistry.errors import DataError
from mnistry.pixels.worker import limit_memory, limit_seconds
from mnistry.pixels.workers import environment

SECONDS = 300
"""Of computing; 70,000 images in the slowest format take a tenth."""
MOST_SECONDS = 900
"""Until it is given up, on a machine that has other things to do."""
MEMORY = 4 * 2**30
"""Bytes of address space."""
_START = f"from {__name__} import main"


def read_apart(files: Mapping[str, Path], where: Path, full_scale: float | None) -> Contents:
    """As `read_contents`, in a process of its own, within bounds of time and memory.

    Raises:
        DataError: as `read_contents`; or it takes too much, or what is in the file ends its reader.
    """
    with TemporaryDirectory(prefix="mnistry-") as folder:
        made, said = Path(folder) / "contents.npz", Path(folder) / "error.txt"
        asked = {
            "files": {called: str(path.absolute()) for called, path in files.items()},
            "shown": {str(path.absolute()): str(path) for path in (*files.values(), where)},
            "where": str(where),
            "full_scale": full_scale,
            "made": str(made),
            "said": str(said),
        }
        try:
            done = subprocess.run(
                [sys.executable, "-P", "-c", f"{_START}; main()"],
                input=json.dumps(asked).encode(),
                stdout=subprocess.DEVNULL,  # libraries write there
                stderr=subprocess.DEVNULL,
                env=environment(),
                timeout=MOST_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise DataError(f"{where}: reading it takes longer than {MOST_SECONDS} seconds.") from error
        if said.exists():
            raise DataError(said.read_text("utf-8"))
        if done.returncode or not made.exists():
            raise DataError(
                f"{where}: the library that reads such files has ended without an answer, as damaged files "
                f"make it, or those that take more than {SECONDS} seconds or {MEMORY:,} bytes of memory. "
                "Fetch the file again, or write it in another format, such as by numpy.savez."
            )
        return _unpacked(made)


def main() -> None:
    """Reads what is asked for on standard input."""
    asked = json.load(sys.stdin)
    limit_memory(MEMORY)
    limit_seconds(SECONDS)
    files = {called: Path(path) for called, path in asked["files"].items()}
    try:
        _pack(read_contents(files, Path(asked["where"]), asked["full_scale"]), Path(asked["made"]))
    except DataError as error:
        said = str(error)
        for absolute, shown in asked["shown"].items():
            said = said.replace(absolute, shown)
        Path(asked["said"]).write_text(said, "utf-8")
    except MemoryError:
        Path(asked["said"]).write_text(f"{asked['where']}: it takes more memory than is accepted.", "utf-8")


def _pack(contents: Contents, path: Path) -> None:
    arrays: dict[str, Any] = {"notes": np.array(contents.notes, str)}
    if contents.class_names is not None:
        arrays["class_names"] = np.array(contents.class_names)
    for part, taken in contents.parts.items():
        arrays |= {
            f"{part}_images": taken.examples.images,
            f"{part}_labels": taken.examples.labels,
            f"{part}_notes": np.array(taken.notes, str),
            f"{part}_doubts": np.array(sorted(taken.doubts), str),
        }
    np.savez(path, **arrays)


def _unpacked(path: Path) -> Contents:
    arrays = read_npz(path, lambda names: names)

    def texts(name: str) -> tuple[str, ...]:
        return tuple(arrays[name].tolist()) if name in arrays else ()

    parts = {
        part: Taken(
            Examples(arrays[f"{part}_images"], arrays[f"{part}_labels"]),
            texts(f"{part}_notes"),
            frozenset(doubt for doubt in get_args(Doubt) if doubt in texts(f"{part}_doubts")),
        )
        for part in PARTS
        if f"{part}_images" in arrays
    }
    return Contents(parts, texts("class_names") or None, texts("notes"))
