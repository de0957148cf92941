"""Compiles the kernels; building a wheel does so where it can, `python -m mnistry.native.build` at any time.

The library is no extension module: it knows nothing of Python, so that one wheel serves every version of it.
`CXX` names the compiler, `CXXFLAGS` has more for it. Nothing of mnistry is imported here, as nothing of it is
installed when a wheel is built.
"""

import os
import platform
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

SOURCE = Path(__file__).parent
LIBRARY = "kernels.so"
# Compiled for each instruction set.
KERNELS = ("blanks.cpp", "lstm.cpp", "random.cpp", "convolutions.cpp", "normalized.cpp")
COMPILERS = ("c++", "g++", "clang++")
FLAGS = (
    "-std=c++17",
    "-O3",
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fPIC",
    "-fvisibility=hidden",
    "-Wall",
    "-Wextra",
)
PLAIN: dict[str, tuple[str, ...]] = {"plain": ("-DLANES=4",)}
X86: dict[str, tuple[str, ...]] = {
    "avx2": ("-DLANES=8", "-mavx2", "-mfma"),
    "avx512": ("-DLANES=16", "-mfma", "-mavx512f", "-mavx512bw", "-mavx512dq", "-mavx512vl"),
}


def build(folder: Path = SOURCE, *, x86: bool | None = None) -> Path:
    """Compiles the library into a folder, where it is whole or not at all.

    Args:
        folder: where to.
        x86: whether to have the kernels of Intel's and AMD's processors, too; by default, if this is one.

    Returns:
        The library.

    Raises:
        OSError: there is no compiler, or the folder cannot be written to.
        subprocess.CalledProcessError: the compiler failed; `stderr` has what it said.
    """
    compiler = os.environ.get("CXX") or next(filter(shutil.which, COMPILERS), None)
    if not compiler:
        raise FileNotFoundError(f"no C++ compiler was found ({', '.join(COMPILERS)}); CXX names another one")
    command = [*shlex.split(compiler), *FLAGS, *shlex.split(os.environ.get("CXXFLAGS", ""))]
    if platform.machine().lower() in ("x86_64", "amd64") if x86 is None else x86:
        sets = PLAIN | X86
        command.append("-DMNISTRY_X86")
    else:
        sets = PLAIN
    kernels = [(source, (f"-DKERNELS={name}", *flags)) for name, flags in sets.items() for source in KERNELS]
    jobs = [("handlers.cpp", ()), *kernels]
    with tempfile.TemporaryDirectory(dir=folder) as made:

        def compiled(number: int) -> str:
            source, flags = jobs[number]
            to = f"{made}/{number}.o"
            _run([*command, *flags, "-c", str(SOURCE / source), "-o", to])
            return to

        with ThreadPoolExecutor() as executor:
            parts = list(executor.map(compiled, range(len(jobs))))
        _run([*command, "-shared", *parts, "-o", f"{made}/{LIBRARY}"])
        return Path(f"{made}/{LIBRARY}").replace(folder / LIBRARY)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


def main() -> int:
    """Compiles into this installation, and says where, or why not."""
    try:
        print(build())
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"mnistry: {getattr(error, 'stderr', None) or error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
