"""RapidOCR (PaddleOCR's models) on many pictures: `rapidocr_digits.py`, with their paths on standard input.

Prints one JSON object: for each picture the lines of digits and the seconds; and the megabytes of memory
that were taken at most. All but digits is dropped from what was read; what stands side by side is a line.
"""

import json
import re
import resource
import sys
import time
import unicodedata
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple


class Text(NamedTuple):
    """Text in a box: its left edge, and its upper and lower ones."""

    left: float
    top: float
    bottom: float
    text: str


def lines_of(texts: Sequence[Text]) -> list[str]:
    """The digits of texts, by lines from above, each from the left; a line without digits is none."""
    lines: list[list[Text]] = []
    for text in sorted(texts, key=lambda text: text.top + text.bottom):
        middle = (text.top + text.bottom) / 2
        if lines and lines[-1][0].top <= middle <= lines[-1][0].bottom:
            lines[-1].append(text)
        else:
            lines.append([text])
    read = (digits_of(" ".join(text.text for text in sorted(line))) for line in lines)
    return [line for line in read if line]


def digits_of(text: str) -> str:
    """The digits 0 to 9 of a text, also those of full width; its spaces part them into groups."""
    plain = unicodedata.normalize("NFKC", text)
    return " ".join(re.sub(r"[^0-9 ]", "", plain).split())


def most_megabytes() -> float:
    """The most memory that this process took so far."""
    status = Path("/proc/self/status")
    if status.exists():  # a child's `ru_maxrss` begins with what its parent took
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # bytes on macOS


def main() -> None:
    """Reads."""
    from rapidocr_onnxruntime import RapidOCR

    engine, lines, seconds = RapidOCR(), [], []
    for path in sys.stdin.read().splitlines():
        started = time.perf_counter()
        found, _ = engine(path)
        seconds.append(time.perf_counter() - started)
        texts = []
        for corners, text, _ in found or ():
            rows = sorted(y for _, y in corners)
            edges = [(first + second) / 2 for first, second in pairwise(rows)][::2]
            texts.append(Text(min(x for x, _ in corners), edges[0], edges[1], text))
        lines.append(lines_of(texts))
    print(json.dumps({"lines": lines, "seconds": seconds, "megabytes": most_megabytes()}))


if __name__ == "__main__":
    main()
