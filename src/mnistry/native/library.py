"""The compiled library: whether there is one that can be used here, and for which instruction set."""

import ctypes
import os
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from mnistry.errors import UnknownNameError

VARIABLE = "MNISTRY_KERNELS"
"""The environment variable that chooses: the name of an instruction set, `none` for none of the kernels, or
`auto`, the best that the processor has, which is the default."""
INTERFACE = 6
"""What a library must say that it has; to be raised here and in handlers.cpp when a handler changes."""
SETS = {"avx512": 4, "avx2": 2, "plain": 1}
PATH = Path(__file__).parent / "kernels.so"


class Library(NamedTuple):
    """The library, or why there is none."""

    handlers: ctypes.CDLL | None
    """Has a function for each kernel."""
    said: str
    """The instruction set in use, or why there is none."""


def library() -> Library:
    """The library as the environment chooses it.

    Raises:
        UnknownNameError: the variable names no instruction set.
    """
    return _chosen(os.environ.get(VARIABLE) or "auto")


def _chosen(choice: str) -> Library:
    if choice not in ("auto", "none", *SETS):
        raise UnknownNameError(f"value of {VARIABLE}", choice, ("auto", "none", *SETS))
    if choice == "none":
        return Library(None, f"none, as {VARIABLE} says")
    if not PATH.exists():
        return Library(None, "none were built: there was no C++ compiler")
    try:
        handlers = _loaded()
        interface = int(handlers.mnistry_interface())
    except (OSError, AttributeError) as error:
        return Library(None, f"none: {error}")
    if interface != INTERFACE:
        return Library(None, f"none: {PATH} is of another version of mnistry; install mnistry again")
    there = int(handlers.mnistry_instruction_sets())
    for name, bit in SETS.items():
        if there & bit and choice in ("auto", name):
            handlers.mnistry_use(bit)
            return Library(handlers, name)
    return Library(None, f"none: this processor has no {choice}, which {VARIABLE} asks for")


@lru_cache
def _loaded() -> ctypes.CDLL:
    return ctypes.CDLL(str(PATH))
