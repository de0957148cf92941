"""`mnistry evaluate-pictures`: how well the labelled pictures of a folder are read."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tyro
from PIL import Image, ImageDraw, ImageFont, ImageOps
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from mnistry import atomic
from mnistry.cli.parsing import parsed
from mnistry.data.decode import open_picture
from mnistry.reading.labels import find_unlabelled, read_labels
from mnistry.reading.measure import Answer, Figures, Measured, measure
from mnistry.reading.recognizer import MIN_CONFIDENCE, Recognizer

SHEET_COLUMNS = 5
MOST_ON_SHEET = 300
THUMBNAIL = (240, 140)
GAP = 10
LINE = 15
TEXT_SIZE = 12


@dataclass(frozen=True)
class Options:
    """Measure how well the pictures of a folder are read.

    The folder has a labels.tsv: columns parted by tabs and a header line; the columns `file`, `digits` or
    `lines` (`|` between lines, a space between groups), maybe `kind`, and any others.

    An empty label says that nothing is to be read: an answer of `?` is right there too. Spaces count in whole
    groups only. Character errors are the edit distance, spaces and line breaks left out, over the number of
    true characters.
    """

    folder: tyro.conf.Positional[Path]
    """The folder."""
    model: Path | None = None
    """A run folder or an exported ONNX file; by default the model that comes with mnistry."""
    min_confidence: float = MIN_CONFIDENCE
    """A digit below it is answered as `?`."""
    json: bool = False
    """Print one JSON object, with the answer to every picture, and nothing else on standard output."""
    sheet: Path | None = None
    """Write a PNG file that shows what was read wrong."""


def main(arguments: list[str]) -> int:
    """Runs `mnistry evaluate-pictures` with what follows it, and returns the exit status."""
    options = parsed(Options, args=arguments, prog="mnistry evaluate-pictures")
    recognizer = Recognizer.load(options.model)
    labelled = read_labels(options.folder)
    if unlabelled := find_unlabelled(options.folder, labelled):
        print(f"mnistry: {options.folder}: {unlabelled}", file=sys.stderr)
    measured = measure(recognizer, labelled, min_confidence=options.min_confidence)
    if options.json:
        settings = {"folder": str(options.folder), "min_confidence": options.min_confidence}
        print(json.dumps({**settings, **measured.to_json()}))
    else:
        console = Console(highlight=False)
        console.print(_headline(measured.figures), soft_wrap=True)
        if measured.by_kind:
            console.print(_by_kind(measured))
        for answer in measured.answers:
            if answer.error:
                print(f"{options.folder / answer.labelled.name}: {answer.error}", file=sys.stderr)
    wrong = [answer for answer in measured.answers if not answer.exact]
    if options.sheet and wrong:
        with atomic.replacing(options.sheet) as file:
            draw_wrong(wrong[:MOST_ON_SHEET]).save(file, format="png")
        shown = f"{min(len(wrong), MOST_ON_SHEET)} of {len(wrong)}"
        print(f"{options.sheet}: {shown} pictures that were read wrong", file=sys.stderr)
    elif options.sheet:
        print(f"{options.sheet} is not written: no picture was read wrong", file=sys.stderr)
    return 0


def draw_wrong(answers: Sequence[Answer]) -> Image.Image:
    """Draws pictures in rows, each above its name, what was wanted and what was read.

    Args:
        answers: at least one.
    """
    width, height = THUMBNAIL[0] + GAP, THUMBNAIL[1] + 3 * LINE + GAP
    columns = min(SHEET_COLUMNS, len(answers))
    rows = -(-len(answers) // columns)
    sheet = Image.new("RGB", (columns * width + GAP, rows * height + GAP), "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(TEXT_SIZE)
    for number, answer in enumerate(answers):
        row, column = divmod(number, columns)
        left, top = GAP + column * width, GAP + row * height
        sheet.paste(_thumbnail(answer), (left, top))
        texts = (
            answer.labelled.name,
            f"wanted {' | '.join(answer.labelled.lines) or 'nothing'}",
            "cannot be read" if answer.error else f"read {' | '.join(answer.lines) or 'nothing'}",
        )
        for text, colour in zip(texts, ("grey", "black", "firebrick"), strict=True):
            while draw.textlength(text, font) > THUMBNAIL[0]:
                text = text[:-2] + "…"
            top += LINE
            draw.text((left, top + THUMBNAIL[1] - LINE + 2), text, colour, font)
    return sheet


def _thumbnail(answer: Answer) -> Image.Image:
    """The picture on grey, as large as fits; only grey where the picture cannot be read."""
    ground = Image.new("RGB", THUMBNAIL, "gainsboro")
    if answer.error is None:
        grey = open_picture(answer.labelled.picture, longest_side=max(THUMBNAIL)).grey
        small = ImageOps.contain(Image.fromarray((255 * grey).astype(np.uint8)), THUMBNAIL)
        ground.paste(small, ((ground.width - small.width) // 2, (ground.height - small.height) // 2))
    return ground


def _headline(figures: Figures) -> Text:
    low, high = figures.exact_interval
    facts = [f"`?` {figures.unknown:,}", f"no digit found in {figures.nothing_found:,}"]
    if figures.character_error_rate is not None:
        errors = f"{figures.character_errors:,} of {figures.characters:,}"
        facts = [f"character errors {figures.character_error_rate:.2%} ({errors})", *facts]
    if figures.unreadable:
        facts.append(f"{figures.unreadable:,} cannot be read")
    # Whole lines and groups are worth a figure only where pictures have several.
    if figures.lines > figures.pictures:
        facts.append(f"lines exact {figures.lines_right:,} of {figures.lines:,}")
    if figures.groups > figures.lines:
        facts.append(f"groups exact {figures.groups_right:,} of {figures.groups:,}")
    return Text.assemble(
        f"{figures.pictures:,} pictures, exact ",
        (f"{figures.exact_rate:.2%}", "bold"),
        (f"  95% interval {low:.2%} to {high:.2%}", "dim"),
        f"\n{' · '.join(facts)} · {1000 * figures.seconds_per_picture:.1f} ms a picture",
    )


def _by_kind(measured: Measured) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("kind")
    for heading in ("pictures", "exact", "95% interval", "character errors", "?"):
        table.add_column(heading, justify="right", no_wrap=heading == "95% interval")
    for kind, figures in measured.by_kind.items():
        low, high = figures.exact_interval
        rate = figures.character_error_rate
        table.add_row(
            Text(kind or "–"),
            f"{figures.pictures:,}",
            f"{figures.exact_rate:.2%}",
            f"{low:.2%}–{high:.2%}",
            "–" if rate is None else f"{rate:.2%}",
            f"{figures.unknown:,}",
        )
    return table
