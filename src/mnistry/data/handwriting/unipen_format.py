"""The text format of UNIPEN: what the pen did, and which parts of that are what.

Source: I. Guyon, "UNIPEN 1.0 Format Definition", 1994, http://unipen.nici.ru.nl/unipen.def. A statement is a
keyword after a full stop at the beginning of a line, and what follows until the next: `.PEN_DOWN` and the
points that the pen passed, `.PEN_UP` and the points above the paper, if any,
`.SEGMENT CHARACTER 3-4,7 ? "A"`.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mnistry.data.strokes import Stroke

Statement = tuple[str, str]
"""A keyword without its full stop, and what follows it."""

PEN_DOWN, PEN_UP = "PEN_DOWN", "PEN_UP"
MOST_COMPONENTS = 10_000
"""A segment that names more is taken for damaged; a page of text has some hundred."""
_SEGMENT = re.compile(r'\s*(\S+)\s+(\S+)\s+(?:([^\s"]+)\s+)?"(.*)"\s*$', re.DOTALL)
_RANGE = re.compile(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?$")


@dataclass(frozen=True)
class Part:
    """Some points of one component: from `start` until before `end`; all where `end` is None."""

    component: int
    start: int = 0
    end: int | None = None


@dataclass(frozen=True)
class Segment:
    """A piece of writing: its level, such as `CHARACTER`; where it is; and what it says."""

    level: str
    parts: tuple[Part, ...]
    label: str


def statements(text: str) -> Iterator[Statement]:
    """The statements of a file, in order."""
    for piece in re.split(r"^\.(?=[A-Z])", text, flags=re.MULTILINE)[1:]:
        keyword = re.match(r"[A-Z_0-9]+", piece)
        assert keyword
        yield keyword[0], piece[keyword.end() :]


def segment(body: str) -> Segment | None:
    """What a `.SEGMENT` says; None if it names no components, or too many, or has no label."""
    found = _SEGMENT.match(body)
    if not found:
        return None
    level, where, _, label = found.groups()
    parts: list[Part] = []
    for piece in where.split(","):
        limits = _RANGE.match(piece)
        if not limits:
            return None
        first, start, last, end = (None if limit is None else int(limit) for limit in limits.groups())
        assert first is not None
        last = first if last is None else last
        if last - first + len(parts) >= MOST_COMPONENTS:
            return None
        for component in range(first, last + 1):
            parts.append(
                Part(
                    component,
                    (start or 0) if component == first else 0,
                    end + 1 if end is not None and component == last else None,
                )
            )
    if not parts:
        return None
    text = re.sub(r"\\[nt]", " ", label).replace('\\"', '"').replace("\\\\", "\\")
    return Segment(level, tuple(parts), " ".join(text.split()))


def points(body: str, columns: Sequence[str]) -> Stroke:
    """The points after `.PEN_DOWN`, float32 `[n, 2]`, y down; UNIPEN counts y from below.

    Args:
        body: numbers, a line for each point.
        columns: what the numbers of a line are, as `.COORD` says.

    Raises:
        ValueError: they are not numbers, or not as many in each line.
    """
    first = body.strip().partition("\n")[0].split()
    if not first:
        return np.zeros((0, 2), np.float32)
    x, y = (columns.index(name) for name in ("X", "Y")) if {"X", "Y"} <= set(columns) else (0, 1)
    table = np.array(body.split(), np.float64).reshape(-1, len(first))
    return (table[:, [x, y]] * (1, -1)).astype(np.float32)


def cut(components: Sequence[Stroke], parts: Sequence[Part]) -> list[Stroke]:
    """The strokes of a segment.

    Raises:
        IndexError: there is no such component.
    """
    strokes = [components[part.component][part.start : part.end] for part in parts]
    return [stroke for stroke in strokes if len(stroke)]
