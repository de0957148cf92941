"""Compiles C over OpenBLAS, as the package scipy-openblas32 has it: its header and its library."""

import os
import shlex
import shutil
import subprocess
from pathlib import Path

COMPILERS = ("cc", "gcc", "clang")
FLAGS = ("-std=gnu11", "-O3", "-march=native", "-fopenmp", "-Wall", "-Wextra")


def compiled(source: Path, to: Path, python: Path, *, shared: bool = False) -> Path:
    """Compiles a program for this processor.

    Args:
        source: C.
        to: the file to write.
        python: an interpreter that has scipy-openblas32.
        shared: whether a shared library is made, without a main program.

    Returns:
        `to`.

    Raises:
        OSError: there is no compiler, or it failed; the message has what it said.
    """
    compiler = os.environ.get("CC") or next(filter(shutil.which, COMPILERS), None)
    if not compiler:
        raise FileNotFoundError(f"no C compiler was found ({', '.join(COMPILERS)}); CC names another one")
    places = ("get_include_dir()", "get_lib_dir()", "get_library(True)")
    ask = f"from scipy_openblas32 import *; print({', '.join(places)}, sep='|')"
    include, folder, library = _run([str(python), "-c", ask]).strip().split("|")
    command = [*shlex.split(compiler), *FLAGS, *(["-shared", "-fPIC"] if shared else [])]
    command += ["-I", include, str(source), "-o", str(to)]
    command += [f"{folder}/{library}", f"-Wl,-rpath,{folder}", "-lm"]
    _run(command)
    return to


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(f"{shlex.join(command)} failed:\n{done.stderr}")
    return done.stdout
