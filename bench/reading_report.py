"""What was measured as Markdown: a table of all sets and readers, and what it says about a switch."""

from collections.abc import Sequence
from typing import Any

from disturbances import CLEAN
from reading_figures import GOALS, Goal

Row = dict[str, Any]
TITLES = {
    "mnistry": "mnistry",
    "tesseract": "Tesseract",
    "opencv": "OpenCV's samples",
    "rapidocr": "RapidOCR",
}
LEGEND = """Exact: all lines as they are, or nothing read where there is no digit; of equations, the digits in
order. Wrong: character errors, as edit distance over true characters. Too many: digits a picture beyond as
many as there are; where there is none, each is false. ms: median of a picture, of Tesseract the mean in one
process for all. MB: the most memory of the reader's process over the whole set. In brackets: pictures of the
sample where not all were read. ✓: what is wanted is reached."""


def report(results: dict[str, Any]) -> str:
    """All figures as Markdown, from `rows`, `non_digits` and `disturbed` of each reader."""
    rows: list[Row] = results["rows"]
    parts = [set_table(rows), LEGEND] if rows else []
    for name, rejected in results["non_digits"].items():
        by_kind = ", ".join(f"{kind} {share:.1%}" for kind, share in rejected["called_digit_by_kind"].items())
        parts.append(
            f"Non-digits, {TITLES[name]}: at the threshold {rejected['threshold']:.3f}, which keeps "
            f"{rejected['kept']:.1%} of MNIST's test digits, {rejected['called_digit']:.1%} of the pictures "
            f"are read as a digit ({by_kind}); wanted ≤ 1 %."
        )
    if results["disturbed"]:
        parts.append(disturbed_table(results["disturbed"]))
    names = list(dict.fromkeys(row["reader"] for row in rows))
    parts += [comparison(rows, names[0], name) for name in names[1:]]
    return "\n\n".join(parts)


def set_table(rows: Sequence[Row]) -> str:
    """A line a row of pictures, five columns a reader."""
    cells = {(row["row"], row["reader"]): row for row in rows}
    titles = list(dict.fromkeys(row["row"] for row in rows))
    readers = list(dict.fromkeys(row["reader"] for row in rows))
    heading = "".join(f" {TITLES[reader]}: exact | wrong | too many | ms | MB |" for reader in readers)
    lines = [f"| pictures | n | wanted |{heading}", "|---|---:|---|" + "---:|" * 5 * len(readers)]
    for title in titles:
        n = max(row["pictures"] for row in rows if row["row"] == title)
        line = f"| {title} | {n:,} | {wanted(GOALS.get(title, Goal()))} |"
        for reader in readers:
            line += _cells(cells.get((title, reader)), n)
        lines.append(line)
    return "\n".join(lines)


def _cells(row: Row | None, n: int) -> str:
    if row is None:
        return " – |" * 5
    sample = f" ({row['pictures']})" if row["pictures"] < n else ""
    reached = " ✓" if row["row"] in GOALS and reaches(row, GOALS[row["row"]]) else ""
    errors, megabytes = row["character_error_rate"], row["megabytes"]
    return (
        f" {row['exact_rate']:.1%}{sample}{reached} | {'–' if errors is None else f'{errors:.1%}'} |"
        f" {row['too_many']:.2f} | {1000 * row['median_seconds']:.1f} |"
        f" {'–' if megabytes is None else f'{megabytes:,.0f}'} |"
    )


def wanted(goal: Goal) -> str:
    """Such as `exact ≥ 85 %, wrong ≤ 3 %`."""
    parts = [
        f"exact ≥ {100 * goal.exact:g} %" if goal.exact is not None else "",
        f"wrong ≤ {100 * goal.wrong:g} %" if goal.wrong is not None else "",
        f"too many ≤ {goal.too_many:g}" if goal.too_many is not None else "",
    ]
    return ", ".join(part for part in parts if part) or "–"


def reaches(row: Row, goal: Goal) -> bool:
    """Whether all that is asked for is reached."""
    return all(value >= least for value, least in _measures(row, goal))


def _measures(row: Row, goal: Goal) -> list[tuple[float, float]]:
    """What is asked for of a row, each with its bound from below; exactness where nothing is."""
    errors = row["character_error_rate"]
    measures = []
    if goal.wrong is not None and errors is not None:
        measures.append((-errors, -goal.wrong))
    if goal.too_many is not None:
        measures.append((-row["too_many"], -goal.too_many))
    if goal.exact is not None or not measures:
        measures.append((row["exact_rate"], goal.exact or 0.0))
    return measures


def comparison(rows: Sequence[Row], first: str, second: str) -> str:
    """On which rows the second reader is better, as good, or worse, by what is asked for of each."""
    cells = {(row["row"], row["reader"]): row for row in rows}
    found: dict[str, list[str]] = {"better on": [], "as good on": [], "worse on": []}
    for title in dict.fromkeys(row["row"] for row in rows):
        if (title, first) not in cells or (title, second) not in cells:
            continue
        goal = GOALS.get(title, Goal())
        ours, theirs = ([v for v, _ in _measures(cells[title, name], goal)] for name in (first, second))
        if ours == theirs:
            found["as good on"].append(title)
        elif all(b >= a for a, b in zip(ours, theirs, strict=True)):
            found["better on"].append(title)
        else:
            found["worse on"].append(title)
    said = "; ".join(f"{how} {' · '.join(titles)}" for how, titles in found.items() if titles)
    return f"{TITLES[second]} against {TITLES[first]}: {said}."


def disturbed_table(disturbed: dict[str, dict[str, dict[str, int]]]) -> str:
    """Pages that lost nothing, and characters lost, by disturbance and reader."""
    names = list(disturbed)
    heading = "".join(f" {TITLES[name]}: nothing lost | characters lost |" for name in names)
    clean = "".join(f" {disturbed[name][CLEAN]['errors']} characters wrong | – |" for name in names)
    lines = [f"| pages disturbed |{heading}", "|---|" + "---:|" * 2 * len(names), f"| {CLEAN} |{clean}"]
    ways = [
        way for way in dict.fromkeys(way for found in disturbed.values() for way in found) if way != CLEAN
    ]
    lines += [f"| {way} |" + "".join(_lost([disturbed[name][way]]) for name in names) for way in ways]
    together = "".join(_lost([disturbed[name][way] for way in ways]) for name in names)
    lines.append(f"| all; wanted: nothing lost in ≥ 95 % |{together}")
    return "\n".join(lines)


def _lost(rows: Sequence[dict[str, int]]) -> str:
    pages, kept, lost = (sum(row[name] for row in rows) for name in ("pages", "kept", "lost"))
    share = f" ({kept / pages:.1%})" if len(rows) > 1 else ""
    return f" {kept} of {pages}{share} | {lost} |"
