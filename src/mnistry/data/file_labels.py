"""Labels in the names of pictures, such as `3_0012.png`, `img_12_label7.png` or `seven (2).png`."""

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from mnistry.data.classes import labels_of
from mnistry.data.dataset import CLASSES, DIGITS
from mnistry.data.parts import part_called
from mnistry.errors import DataError

_SAID = re.compile(
    r"(?<![^\W\d_])(?:label|class|digit|target|category|y)[\W_]*(\d+|[^\W\d_]+)(?![^\W_])", re.IGNORECASE
)
"""A word that says what follows it: the label."""
_EXPECTED = (
    "expected names with the label in the same place of each, such as 3_0012.png or img_12_label7.png; put "
    "the pictures into a folder for each class, or write a table of files and labels beside them"
)


class UnlabelledError(DataError):
    """The names of pictures tell no labels."""


def labels_in_names(stems: Sequence[str], where: Path) -> tuple[list[str], str]:
    """The labels in the names of pictures, told by what such a place can hold.

    It is what follows a word such as `label`, in every name. Or else it is the first or the last word of
    every name, or the one in the same place between them where all have as many: a number word, a numeral of
    one digit, or another word, if there are no more than ten. There must be two different ones at least, and
    one must come twice: else they may number the pictures. Number words go before the rest.

    Args:
        stems: the names without their ending.
        where: the folder, for the error message.

    Returns:
        The label in each name, and one line about how they were told.

    Raises:
        UnlabelledError: no place holds labels.
        DataError: several may.
    """
    said = [_SAID.findall(stem) for stem in stems]
    if stems and all(len(one) == 1 for one in said):
        values = [one[0] for one in said]
        if _kind(values):
            return values, "labelled by what their names say after words such as 'label'"
    words = [[word for word in re.split(r"[\W_]+", stem) if word] for stem in stems]
    found = {place: values for place, values in _places(words) if _kind(values)}
    possible = [place for place in found if _kind(found[place]) == "number words"] or list(found)
    if len(possible) == 1:
        return found[possible[0]], f"labelled by {_ordinal(possible[0])} of their names"
    such = f"such as {stems[0]!r}" if stems else "of which there are none"
    if possible:
        raise DataError(
            f"{where}: the label may be {' or '.join(map(_ordinal, possible))} of its pictures' names, "
            f"{such}: {_EXPECTED}."
        )
    raise UnlabelledError(f"{where}: the names of its pictures, {such}, tell no labels: {_EXPECTED}.")


def _places(words: Sequence[Sequence[str]]) -> Iterator[tuple[int, list[str]]]:
    """The words in each place that all names have; -1 is the last."""
    shortest, longest = min(map(len, words), default=0), max(map(len, words), default=0)
    if shortest:
        middle = range(1, shortest - 1) if shortest == longest else ()
        for place in (0, *middle, *([-1] if longest > 1 else [])):
            yield place, [one[place] for one in words]


def _kind(values: Collection[str]) -> str | None:
    """Of which kind the labels are that values may be: numerals, number words, or words; None if none."""
    counts = Counter(values)
    if not 2 <= len(counts) <= CLASSES or max(counts.values()) < 2:
        return None
    if all(value in DIGITS for value in counts):
        return "numerals"
    if not all(value.isalpha() and not part_called(value) for value in counts):
        return None
    return "number words" if labels_of(counts)[1] == DIGITS else "words"


def _ordinal(place: int) -> str:
    return "the last word" if place == -1 else f"word {place + 1}"
