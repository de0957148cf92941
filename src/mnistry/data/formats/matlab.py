"""MATLAB's `.mat` files before version 7.3: plain variables such as `X` and `y`, and structures of them."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mnistry.data.formats import Arrays, check_bytes, needed
from mnistry.data.roles import is_telling
from mnistry.files import open_regular


def read_matlab(path: Path) -> Arrays:
    """Reads the variables that are called as images and labels are.

    MATLAB stores columns first; but Python wrote many such files, with the pixels of an image row by row.
    """
    with open_regular(path) as file:
        variables = needed("scipy.io").loadmat(file, simplify_cells=True, chars_as_strings=True)
    found = [(name, array) for name, array in _arrays(variables, "") if is_telling(name)]
    check_bytes(sum(array.nbytes for _, array in found))
    return Arrays(dict(found), by_columns=True)


def _arrays(variables: dict[str, Any], above: str) -> list[tuple[str, NDArray[Any]]]:
    found = []
    for name, value in variables.items():
        if isinstance(value, dict):
            found += _arrays(value, f"{above}{name}/")
        elif isinstance(value, np.ndarray) and not name.startswith("__"):
            found.append((above + name, value))
    return found
