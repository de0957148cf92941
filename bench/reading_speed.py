"""How fast are pictures read, from a file to digits, on two cores?"""

import os
import shutil
import statistics
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import readers
from mnistry.data import Examples
from mnistry.reading.batch import read_all
from mnistry.reading.labels import Labelled
from mnistry.reading.measure import measure
from mnistry.reading.recognizer import Recognizer

TURNS = 5
CORES = 2
SINGLE, SIDE = 200, 500  # pictures of one digit, and their sides in pixels
A4 = (1754, 1240)
TWELVE_MEGAPIXELS = (3000, 4000)
LINES, DIGITS = 10, 12  # on a page


def speeds(test: Examples, folder: Path, model: Path | None, *, quick: bool = False) -> dict[str, Any]:
    """Seconds, pictures a second and megabytes of the reader, each in a process of its own.

    Args:
        test: digits that are written.
        folder: for pictures; it must be there.
        model: of the reader, see `Recognizer.load`.
        quick: a tenth of the pictures, and one turn.
    """
    turns = 1 if quick else TURNS
    singles = [folder / f"{number}.png" for number in range(SINGLE // 10 if quick else SINGLE)]
    for path, image in zip(singles, test.images, strict=False):
        Image.fromarray(255 - image).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path)
    a4 = write_page(folder / "a4.jpg", test, A4)
    large = write_page(folder / "large.jpg", test, TWELVE_MEGAPIXELS)
    command = shutil.which("mnistry", path=sysconfig.get_path("scripts")) or "mnistry"
    one = [command, "read", str(singles[0]), *(["--model", str(model)] if model else [])]
    many, many_memory = readers.apart(_seconds_of_many, model, singles, turns)
    (page, page_right), page_memory = readers.apart(_seconds_of_page, model, a4, turns)
    (larger, larger_right), larger_memory = readers.apart(_seconds_of_page, model, large, turns)
    return {
        "process": readers.apart(_seconds_of_command, one, turns)[0],
        "singles_a_second": len(singles) / many,
        "singles_megabytes": many_memory,
        "a4": page,
        "a4_lines_right": page_right,
        "a4_megabytes": page_memory,
        "twelve_megapixels": larger,
        "twelve_megapixels_lines_right": larger_right,
        "twelve_megapixels_megabytes": larger_memory,
    }


def write_page(path: Path, test: Examples, size: tuple[int, int]) -> Labelled:
    """A JPEG of so many rows and columns with ten lines of twelve of MNIST's digits."""
    height, width = size
    across, down = width // (DIGITS + 2), height // (LINES + 1)
    side = round(0.8 * min(across, down))
    page = np.full(size, 235, np.float32)
    for number in range(LINES * DIGITS):
        line, place = divmod(number, DIGITS)
        digit = Image.fromarray(test.images[number]).resize((side, side), Image.Resampling.BICUBIC)
        page[down // 2 + down * line :, across + across * place :][:side, :side] -= 0.8 * np.asarray(digit)
    Image.fromarray(page.astype(np.uint8)).save(path, quality=90, dpi=(150, 150))
    lines = test.labels[: LINES * DIGITS].reshape(LINES, DIGITS)
    return Labelled(path.name, path, tuple("".join(map(str, line)) for line in lines))


def _seconds_of_command(command: list[str], turns: int) -> float:
    _on_two_cores()
    return _seconds(lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL), turns)


def _seconds_of_many(model: Path | None, paths: list[Path], turns: int) -> float:
    _on_two_cores()
    reader = Recognizer.load(model, threads=1)  # in threads, as `mnistry read FOLDER` does
    return _seconds(lambda: list(read_all(reader, paths, workers=CORES)), turns)


def _seconds_of_page(model: Path | None, page: Labelled, turns: int) -> tuple[float, int]:
    _on_two_cores()
    reader = Recognizer.load(model, threads=CORES)
    taken = _seconds(lambda: measure(reader, [page]), turns)
    return taken, measure(reader, [page]).figures.lines_right


def _on_two_cores() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])


def _seconds(action: Callable[[], object], turns: int) -> float:
    """The median of several turns, after one that does not count."""
    action()
    taken = []
    for _ in range(turns):
        started = time.perf_counter()
        action()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def table(found: dict[str, Any]) -> str:
    """The speeds as Markdown."""
    singles = f"{found['singles_a_second']:,.0f} a second, {found['singles_megabytes']:,.0f} MB"
    rows = [
        (f"speed, {CORES} cores", "wanted", "mnistry"),
        ("---", "---:", "---:"),
        ("a process that reads one picture, start to exit", "≤ 0.45 s", f"{found['process']:.2f} s"),
        (f"single digits of {SIDE}×{SIDE}, PNG files", "≥ 300 a second", singles),
        ("A4 page of 150 dpi, 120 digits", "≤ 0.5 s", _page(found, "a4")),
        ("page of 12 megapixels, 120 digits", "≤ 1.2 s", _page(found, "twelve_megapixels")),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _page(row: dict[str, Any], name: str) -> str:
    right, memory = row[f"{name}_lines_right"], row[f"{name}_megabytes"]
    return f"{row[name]:.2f} s, {memory:,.0f} MB, {right} of {LINES} lines right"
