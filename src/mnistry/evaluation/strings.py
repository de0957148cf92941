"""How far a text that was read is from the true one."""

from collections.abc import Sequence
from dataclasses import dataclass


def edit_distance(first: Sequence[object], second: Sequence[object], *, substitution: int = 1) -> int:
    """The least number of items to insert, delete or replace that makes one sequence the other.

    Source: V. I. Levenshtein, "Binary codes capable of correcting deletions, insertions, and reversals",
    1966; by rows, as R. A. Wagner and M. J. Fischer, "The String-to-String Correction Problem", 1974.

    Args:
        first: any sequence, such as the characters of a line.
        second: another.
        substitution: what replacing one item costs; 2 is as much as a deletion and an insertion.

    Examples:
        >>> edit_distance("kitten", "sitting")
        3
    """
    row = list(range(len(second) + 1))
    for deleted, item in enumerate(first, 1):
        diagonal, row[0] = row[0], deleted
        for column, other in enumerate(second, 1):
            cost = min(row[column] + 1, row[column - 1] + 1, diagonal + (item != other) * substitution)
            diagonal, row[column] = row[column], cost
    return row[-1]


def common_in_order(first: Sequence[object], second: Sequence[object]) -> int:
    """How many items two sequences have in common, in the same order: their longest common subsequence.

    Examples:
        >>> common_in_order(["12", "34", "56"], ["1", "12", "56"])
        2
    """
    # Where replacing saves nothing, all that is not in common is deleted or inserted.
    return (len(first) + len(second) - edit_distance(first, second, substitution=2)) // 2


@dataclass(frozen=True)
class Score:
    """What is right in lines that were read, against the true ones.

    Attributes:
        exact: the lines are the true ones, spaces aside.
        characters: true characters, without spaces and line breaks.
        character_errors: edit distance of the characters; spaces and line breaks count neither as
            characters nor as errors.
        lines: true lines.
        lines_right: those of them that were read, spaces aside, in order: a line too many or too few
            makes no other line wrong.
        groups: true groups of digits, as spaces part them.
        groups_right: those of them that were read, in order.
    """

    exact: bool
    characters: int
    character_errors: int
    lines: int
    lines_right: int
    groups: int
    groups_right: int


def score_lines(wanted: Sequence[str], read: Sequence[str]) -> Score:
    """Compares the lines that were read with the true ones.

    Where there is nothing to be read, `?` is no mistake: it says that what is there is no known digit.

    Args:
        wanted: the true lines, digits and single spaces; none for a picture of no digits.
        read: digits, `?` for a digit that is not known, and spaces.

    Examples:
        >>> score = score_lines(["12 34", "56"], ["1234", "50"])
        >>> score.exact, score.character_errors, score.lines_right, score.groups_right
        (False, 1, 1, 0)
    """
    if not wanted:
        read = [line for line in (line.replace("?", "") for line in read) if line.strip()]
    wanted_lines, read_lines = ([line.replace(" ", "") for line in lines] for lines in (wanted, read))
    wanted_groups, read_groups = (
        [group for line in lines for group in line.split()] for lines in (wanted, read)
    )
    characters = "".join(wanted_lines)
    return Score(
        exact=wanted_lines == read_lines,
        characters=len(characters),
        character_errors=edit_distance(characters, "".join(read_lines)),
        lines=len(wanted_lines),
        lines_right=common_in_order(wanted_lines, read_lines),
        groups=len(wanted_groups),
        groups_right=common_in_order(wanted_groups, read_groups),
    )
