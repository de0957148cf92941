"""The names that people give to the parts of a data set: of folders, files and arrays."""

import re
from collections.abc import Iterable
from typing import Literal, get_args

from mnistry.errors import DataError

Part = Literal["train", "validation", "test"]
PARTS: tuple[Part, ...] = get_args(Part)

_CALLED: dict[str, Part] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev"), "validation"),
    **dict.fromkeys(("test", "testing", "t10k"), "test"),
}


def part_called(name: str) -> Part | None:
    """The part that a name's last word stands for, in capitals or not; None if it is no part's name.

    >>> part_called("Valid"), part_called("mnist_train"), part_called("zero")
    ('validation', 'train', None)
    """
    return _CALLED.get(re.split(r"[\W_]+", name.lower())[-1])


def parts_among(names: Iterable[str], where: object) -> dict[Part, str]:
    """The name of each part, among some names.

    Args:
        names: of folders, files without their ending, or arrays.
        where: they were found, for the error message.

    Raises:
        DataError: two names stand for the same part.
    """
    found: dict[Part, str] = {}
    for name in sorted(names):
        part = part_called(name)
        if part in found:
            raise DataError(
                f"{where}: both {found[part]!r} and {name!r} are names of the {part} part. "
                "Move one of them away, or put them together."
            )
        if part:
            found[part] = name
    return found
