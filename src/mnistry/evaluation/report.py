"""Runs as one HTML file that stands alone: figures, curves, confusions, mistakes, what decides, weights.

No script, no font, no request: a Content-Security-Policy in the file forbids every one. What opens and
closes are popovers and details, which browsers do by themselves.
"""

import base64
import hashlib
from pathlib import Path

from mnistry.atomic import write_bytes
from mnistry.evaluation.curves import charts
from mnistry.evaluation.pairs import pairs, recipe_rows
from mnistry.evaluation.rendering import rendered, style_sheet
from mnistry.evaluation.sections import Sections
from mnistry.evaluation.subjects import Report
from mnistry.language import LANGUAGES, language, part_name


def write_report(path: Path | str, report: Report) -> None:
    """Writes the report to `path`, atomically; the same report gives the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    shown = [Sections(report, run) for run in report.shown]
    # On a narrow screen, a matrix of more classes than fit is scrolled, not shrunk.
    css = (
        style_sheet("diagrams.css", "report.css")
        + f".confusion {{ min-width: {round(0.96 * shown[0].confusion.width)}px; }}\n"
    )
    content = rendered(
        "report.html",
        report=report,
        shown=shown,
        charts=charts(report),
        pairs=pairs(report),
        recipes=recipe_rows(report),
        css=css,
        language=LANGUAGES[language()],
        part_name=part_name,
        digest=base64.b64encode(hashlib.sha256(css.encode()).digest()).decode(),
    )
    write_bytes(path, content)
