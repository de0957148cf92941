"""A run as one HTML file that stands alone: figures, curves, confusions, mistakes, templates.

No script, no font, no request: a Content-Security-Policy in the file forbids every one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import numpy as np
from numpy.typing import NDArray

from mnistry.atomic import write_bytes
from mnistry.errors import InvalidValueError
from mnistry.evaluation.axes import accuracy_axis, axis_from_zero, positive_axis
from mnistry.evaluation.charts import (
    Line,
    line_chart,
    probability_bars,
    reliability_diagram,
)
from mnistry.evaluation.markup import element, page, picture
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import Mistake
from mnistry.evaluation.style import CSS

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_MOST_MISTAKES, _MOST_TEMPLATES = 100, 100  # keep the file under 3 MB
_POSITIVE, _NEGATIVE = (74, 108, 247), (232, 89, 12)


@dataclass(frozen=True, eq=False)
class Report:
    """What a report is about.

    Attributes:
        title: the heading.
        facts: name and value of everything that made the run: recipe, seed, versions, times.
        history: the rows of `metrics.jsonl`. Each has `step`, and any of `loss` (of that step's batch),
            `mean_loss` (since the row before), `validation_loss`, `validation_accuracy`, `learning_rate`,
            `images_per_second`.
        evaluation: of the images of `part`.
        part: which part of the data set, such as `"test"`.
        class_names: one for each class.
        mistakes: the worst first; at most 100 are shown.
        templates: float[k, 28, 28] or None: weights as pictures, one for each class or for each of a
            first layer's units; at most 100 are shown.

    Raises:
        InvalidValueError: names, history or templates that do not fit.
    """

    title: str
    facts: Mapping[str, str]
    history: Sequence[Mapping[str, float]]
    evaluation: Evaluation
    part: str
    class_names: Sequence[str]
    mistakes: Sequence[Mistake]
    templates: NDArray[np.floating[Any]] | None = None

    def __post_init__(self) -> None:
        if len(self.class_names) != self.evaluation.classes:
            raise InvalidValueError(
                f"class_names: expected {self.evaluation.classes}, found {len(self.class_names)}."
            )
        for number, row in enumerate(self.history, 1):
            if "step" not in row:
                raise InvalidValueError(
                    f"history: row {number} has no step, only {', '.join(row) or 'nothing'}."
                )
        if self.templates is not None and (self.templates.ndim != 3 or not np.isfinite(self.templates).all()):
            raise InvalidValueError(
                f"templates: expected finite numbers[k, 28, 28], found {list(self.templates.shape)}."
            )


def write_report(path: Path | str, report: Report) -> None:
    """Writes the report to `path`, atomically; the same report gives the same bytes.

    Raises:
        InvalidValueError: no image was evaluated.
        OSError: the file cannot be written.
    """
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", report.title),
        element("style", CSS),
    )
    sections = (_training, _confusion, _calibration_and_classes, _mistakes, _templates, _facts)
    parts = [part for part in (section(report) for section in sections) if part is not None]
    body = element("body", element("main", _header(report), *parts, _footer()))
    write_bytes(path, page(element("html", head, body, lang="en")))


def _header(report: Report) -> Element:
    evaluation = report.evaluation
    low, high = evaluation.accuracy_interval
    figures = [
        ("Accuracy", f"{evaluation.accuracy:.2%}", f"95% interval {low:.2%} to {high:.2%}"),
        ("Mistakes", f"{evaluation.errors:,}", f"of {evaluation.n:,}"),
        ("Macro F1", f"{evaluation.macro['f1']:.4f}", "mean over classes"),
        ("Log loss", f"{evaluation.negative_log_likelihood:.4f}", "nats an image"),
        ("Calibration error", f"{evaluation.calibration_error:.2%}", "15 bins"),
    ]
    headline = element("dl", class_="headline")
    for name, figure, note in figures:
        value = element("dd", figure, element("small", note))
        style = "hero" if name == "Accuracy" else "figure"
        headline.append(element("div", element("dt", name), value, class_=style))
    lead = f"Measured on the {evaluation.n:,} images of the {report.part} part."
    return element("header", element("h1", report.title), element("p", lead, class_="lead"), headline)


def _section(title: str, lead: str, *content: Element) -> Element:
    return element("section", element("h2", title), element("p", lead, class_="lead"), *content)


def _training(report: Report) -> Element | None:
    def line(name: str, key: str, style: str) -> Line:
        points = [(float(row["step"]), float(row[key])) for row in report.history if row.get(key) is not None]
        return Line(name, [point for point in points if np.isfinite(point).all()], style)

    loss = [
        line("one batch", "loss", "faint"),
        line("mean", "mean_loss", "main"),
        line("validation", "validation_loss", "second"),
    ]
    charts = [
        ("Loss", loss, positive_axis, ".3g"),
        ("Accuracy", [line("validation", "validation_accuracy", "main")], accuracy_axis, ".2%"),
        ("Learning rate", [line("rate", "learning_rate", "main")], positive_axis, ".3g"),
        ("Speed", [line("images a second", "images_per_second", "main")], axis_from_zero, ",.0f"),
    ]
    figures = [line_chart(*chart) for chart in charts if any(one.points for one in chart[1])]
    if not figures:
        return None
    lead = "Over the steps of training. Point at a chart to read its values."
    return _section("Training", lead, element("div", *figures, class_="charts"))


def _confusion(report: Report) -> Element:
    confusion, names = report.evaluation.confusion, report.class_names
    mistakes = confusion - np.diag(confusion.diagonal())
    most, recall = max(1, mistakes.max()), report.evaluation.recall
    table = element(
        "table",
        element(
            "thead",
            element("tr", element("td"), element("th", "read as", colspan=len(names), class_="axis")),
            element("tr", element("th", "true"), *(element("th", name, scope="col") for name in names)),
        ),
        class_="confusion" if max(map(len, names)) <= 3 else "confusion long",
        style=f"--classes:{len(names)};--longest:{min(12, max(map(len, names)))}",
    )
    body = element("tbody")
    for i, row in enumerate(confusion):
        cells = []
        for j, count in enumerate(row):
            # The root keeps single mistakes visible beside the most frequent confusion.
            heat = 0.9 * (recall[i] ** 2 if i == j else (count / most) ** 0.5)
            style = "zero" if not count else "hit" if i == j else "miss"
            style += " strong" if heat > 0.7 else ""
            tip = f"{names[i]} read as {names[j]}: {count:,} of {row.sum():,}"
            text = str(count) if count else "·"
            cells.append(element("td", text, class_=style, title=tip, style=f"--heat:{heat:.2f}"))
        body.append(element("tr", element("th", names[i], scope="row"), *cells))
    table.append(body)
    often = [
        f"{names[i]} read as {names[j]} ({mistakes[i, j]:,})".replace(" ", "\u00a0")
        for i, j in zip(*np.unravel_index(np.argsort(-mistakes, None, "stable"), mistakes.shape), strict=True)
        if mistakes[i, j]
    ]
    panel = element("div", element("div", table, class_="scroll"), class_="panel")
    lead = "The diagonal is coloured by recall, mistakes by how many there are, on a scale of their own."
    if often:
        lead += f" Most often: {', '.join(often[:5])}."
    return _section("Confusion matrix", lead, panel)


def _calibration_and_classes(report: Report) -> Element:
    evaluation = report.evaluation
    table = element("table", class_="classes")
    names = ("Class", "Precision", "Recall", "F1", "Images")
    table.append(element("thead", element("tr", *(element("th", name, scope="col") for name in names))))
    body = element("tbody")
    columns = zip(evaluation.precision, evaluation.recall, evaluation.f1, evaluation.support, strict=True)
    for name, (precision, recall, f1, support) in zip(report.class_names, columns, strict=True):
        cells = (f"{precision:.2%}", f"{recall:.2%}", f"{f1:.4f}", f"{support:,}")
        body.append(element("tr", element("th", name, scope="row"), *(element("td", cell) for cell in cells)))
    macro = evaluation.macro
    means = (f"{macro['precision']:.2%}", f"{macro['recall']:.2%}", f"{macro['f1']:.4f}", f"{evaluation.n:,}")
    foot = element("tr", element("th", "Mean", scope="row"), *(element("td", mean) for mean in means))
    table.extend([body, element("tfoot", foot)])
    panel = element("div", element("div", table, class_="scroll"), class_="panel")
    lead = (
        "Precision: of the images read as a class, the part that shows it. Recall: of the images that show "
        "it, the part read so. Where the bars are lower than the marks, the model is too sure of itself."
    )
    grid = element("div", panel, reliability_diagram(evaluation), class_="charts")
    return _section("Classes and calibration", lead, grid)


def _mistakes(report: Report) -> Element | None:
    if not report.mistakes:
        return None
    names, shown = report.class_names, report.mistakes[:_MOST_MISTAKES]
    listing = element("ol", class_="mistakes")
    for one in shown:
        true, read = names[one.label], names[one.predicted]
        alt = f"Image {one.index}: {true}, read as {read} with {one.confidence:.1%}"
        caption = element(
            "figcaption",
            element("b", true, class_="right"),
            " read as ",
            element("b", read, class_="wrong"),
            element("small", f"{one.confidence:.1%} · no. {one.index}"),
        )
        bars = probability_bars([float(p) for p in one.probabilities], one.label, one.predicted, names)
        listing.append(element("li", element("figure", picture(one.image, alt), caption, bars)))
    lead = f"{len(shown)} of {report.evaluation.errors:,}, the most confident first. "
    lead += "Below each, the model's confidence, the image's number in its part, and the probabilities."
    return _section("Worst mistakes", lead, listing)


def _templates(report: Report) -> Element | None:
    if report.templates is None or not len(report.templates):
        return None
    templates = np.asarray(report.templates, np.float64)
    of_classes = len(templates) == len(report.class_names)
    # One scale for all; a few single weights beyond it are drawn at full strength.
    scale = float(np.quantile(np.abs(templates), 0.998)) or 1.0
    listing = element("ul", class_="templates")
    for i, weights in enumerate(templates[:_MOST_TEMPLATES]):
        pixels = np.empty((*weights.shape, 4), np.uint8)
        pixels[..., :3] = np.where(weights[..., None] >= 0, _POSITIVE, _NEGATIVE)
        pixels[..., 3] = np.round(255 * np.minimum(1, np.abs(weights) / scale))
        name = report.class_names[i] if of_classes else str(i)
        figure = element("figure", picture(pixels, f"Weights of {name}"), element("figcaption", name))
        listing.append(element("li", figure))
    key = element("p", f"−{scale:.3g}", element("span"), f"+{scale:.3g}", class_="scale")
    lead = "Each pixel's weight: ink on blue speaks for the class, ink on orange against it."
    if not of_classes:
        shown = min(len(templates), _MOST_TEMPLATES)
        lead = f"{shown} of {len(templates)} units: ink on blue excites the unit, ink on orange inhibits it."
    return _section("Weights", lead, key, listing)


def _facts(report: Report) -> Element | None:
    if not report.facts:
        return None
    listing = element("dl", class_="facts")
    for name, value in report.facts.items():
        listing.append(element("div", element("dt", name), element("dd", value)))
    return _section("How it was made", "Recipe, seed, versions and times of this run.", listing)


def _footer() -> Element:
    return element(
        "footer",
        element(
            "p",
            "The accuracy's interval is Wilson's (1927). Macro means weigh every class alike. The expected "
            "calibration error is the mean distance between confidence and accuracy over 15 equal-width "
            "bins (Guo et al., 2017). The log loss is the mean negative log-likelihood of the true class; "
            "0 would be certainty of every right answer.",
        ),
        element("p", "Written by mnistry. This file needs no network and runs no script."),
    )
