"""The sections of a report that look closely at one run."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np

from mnistry.evaluation.charts import reliability_diagram
from mnistry.evaluation.gallery import Closeups, thumbnails
from mnistry.evaluation.markup import element, opener, panel, section, signed_picture
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import worst_mistakes
from mnistry.evaluation.style import HEATS
from mnistry.evaluation.subjects import Report, Subject

# In all, shared among the runs that are shown; together they keep the file under 3 MB.
_THUMBNAILS, _MISTAKES, _PICTURES = 840, 50, 60
_FEWEST = 10
_MOST_IN_CELL = 40


def sections_of(report: Report, run: Subject, key: str, level: int) -> list[Element]:
    """All sections on one run.

    Args:
        report: the report it is in.
        run: one of the shown runs.
        key: begins the identifiers of this run's panels.
        level: of the headings.
    """
    count = max(_FEWEST, _MISTAKES // len(report.shown))
    labels = report.examples.labels
    mistakes = [one.index for one in worst_mistakes(report.examples.images, labels, run.logits, count)]
    typical = _typical(report, run)
    closeups = Closeups(report, run, key, [*mistakes, *typical, *report.digits])
    sections = (
        _confusion(report, run, key, level),
        _classes_and_calibration(report, run, level),
        _mistakes(report, run, closeups, mistakes, level),
        _deciding_parts(report, closeups, typical, level),
        _weights(report, run, level),
    )
    return [one for one in sections if one is not None]


def _confusion(report: Report, run: Subject, key: str, level: int) -> Element:
    evaluation, names = report.evaluations[run], report.class_names
    confusion = evaluation.confusion
    mistakes = confusion - np.diag(confusion.diagonal())
    most, recall = max(1, mistakes.max()), evaluation.recall
    in_cell = _largest_share(confusion, _THUMBNAILS // len(report.shown))
    heading = element("th", "read as", colspan=str(len(names)), class_="axis")
    columns = (element("th", name, scope="col") for name in names)
    table = element(
        "table",
        element(
            "thead", element("tr", element("td"), heading), element("tr", element("th", "true"), *columns)
        ),
        class_="confusion" if max(map(len, names)) <= 3 else "confusion long",
    )
    body = element("tbody")
    for i, row in enumerate(confusion):
        cells = []
        for j, count in enumerate(row):
            # The root keeps single mistakes visible beside the most frequent confusion.
            heat = 0.9 * (recall[i] ** 2 if i == j else (count / most) ** 0.5)
            style = "zero" if not count else "hit" if i == j else "miss"
            style += f" h{round(heat * HEATS)}" + (" strong" if heat > 0.7 else "")
            said = f"{names[i]} read as {names[j]}: {count:,} of {row.sum():,}"
            cell = element("td", class_=style, title=said)
            if shown := _of_cell(report, run, i, j)[:in_cell]:
                identifier = f"{key}-pair-{i}-{j}"
                cell.append(opener(identifier, str(count), class_="cell", label=said))
                note = f"{len(shown)} of them, " if len(shown) < count else ""
                note += "the least confident first" if i == j else "the most confident first"
                content = element("p", note, class_="lead"), thumbnails(report, [run], shown)
                cell.append(panel(identifier, said, *content))
            else:
                cell.text = str(count) if count else "·"
            cells.append(cell)
        body.append(element("tr", element("th", names[i], scope="row"), *cells))
    table.append(body)
    often = [
        f"{names[i]} read as {names[j]} ({mistakes[i, j]:,})".replace(" ", "\u00a0")
        for i, j in zip(*np.unravel_index(np.argsort(-mistakes, None, "stable"), mistakes.shape), strict=True)
        if mistakes[i, j]
    ]
    lead = "The diagonal is coloured by recall, mistakes by how many there are, on a scale of their own. "
    lead += "A cell opens the images that it counts."
    if often:
        lead += f" Most often: {', '.join(often[:5])}."
    box = element("div", element("div", table, class_="scroll"), class_="panel")
    return section("Confusion matrix", lead, box, level=level)


def _largest_share(confusion: np.ndarray, budget: int) -> int:
    """The largest number of images to show of each cell with which all cells stay within the budget."""
    return max(most for most in range(_MOST_IN_CELL + 1) if np.minimum(confusion, most).sum() <= budget)


def _of_cell(report: Report, run: Subject, label: int, read: int) -> list[int]:
    """The rows of a cell's images: the worst mistakes first, of what is right the least certain."""
    rows = np.flatnonzero((report.examples.labels == label) & (run.read == read))
    confidence = run.chances[rows, read]
    order = np.argsort(confidence if label == read else -confidence, kind="stable")
    listed: list[int] = rows[order].tolist()
    return listed


def _classes_and_calibration(report: Report, run: Subject, level: int) -> Element:
    evaluation = report.evaluations[run]
    table = element("table", class_="figures")
    names = ("Class", "Precision", "Recall", "F1", "Images")
    table.append(element("thead", element("tr", *(element("th", name, scope="col") for name in names))))
    body = element("tbody")
    columns = zip(evaluation.precision, evaluation.recall, evaluation.f1, evaluation.support, strict=True)
    for name, (precision, recall, f1, support) in zip(report.class_names, columns, strict=True):
        cells = (f"{precision:.2%}", f"{recall:.2%}", f"{f1:.4f}", f"{support:,}")
        body.append(element("tr", element("th", name, scope="row"), *(element("td", cell) for cell in cells)))
    table.extend([body, element("tfoot", _means(evaluation))])
    box = element("div", element("div", table, class_="scroll"), class_="panel")
    lead = (
        "Precision: of the images read as a class, the part that shows it. Recall: of the images that show "
        "it, the part read so. Where the bars are lower than the marks, the model is too sure of itself; "
        f"the expected calibration error (ECE) is {evaluation.calibration_error:.2%}."
    )
    grid = element("div", box, reliability_diagram(evaluation), class_="charts")
    return section("Classes and calibration", lead, grid, level=level)


def _means(evaluation: Evaluation) -> Element:
    macro = evaluation.macro
    means = (f"{macro['precision']:.2%}", f"{macro['recall']:.2%}", f"{macro['f1']:.4f}", f"{evaluation.n:,}")
    return element("tr", element("th", "Mean", scope="row"), *(element("td", mean) for mean in means))


def _mistakes(
    report: Report, run: Subject, closeups: Closeups, rows: Sequence[int], level: int
) -> Element | None:
    if not rows:
        return None
    lead = (
        f"{len(rows)} of {report.evaluations[run].errors:,}, the most confident first. Below each, the "
        "model's confidence, the image's number in its part, and the probabilities. Choose one to see "
        "which parts of it decided."
    )
    figures = (closeups.figure(row, kind="mistake", covered=False) for row in rows)
    listing = element("ol", *(element("li", figure) for figure in figures), class_="digits")
    return section("Worst mistakes", lead, listing, level=level)


def _deciding_parts(report: Report, closeups: Closeups, typical: Sequence[int], level: int) -> Element | None:
    rows = list(dict.fromkeys([*report.digits, *typical]))
    if not rows:
        return None
    lead = (
        "A grey patch of 6×6 pixels is slid over the image. Blue: covered there, the true class becomes less "
        "probable, so this part speaks for it. Orange: covered there, it becomes more probable, so this part "
        "speaks against it. Full colour is the largest change in the image, or one percentage point if that "
        "is more. "
    )
    if report.digits:
        lead += f"First {_counted(len(set(report.digits)), 'chosen image')}, then of"
    else:
        lead += "Of"
    lead += (
        " each class, the image that is read right with the median confidence. Choose one for its figures."
    )
    figures = (closeups.figure(row, kind="part", covered=True) for row in rows)
    listing = element("ol", *(element("li", figure) for figure in figures), class_="digits")
    return section("What decides", lead, listing, level=level)


def _counted(count: int, noun: str) -> str:
    return f"the {noun}" if count == 1 else f"the {count} {noun}s"


def _typical(report: Report, run: Subject) -> list[int]:
    """Of each class, the image that is read right with the median confidence."""
    right = (_of_cell(report, run, label, label) for label in range(len(report.class_names)))
    return [rows[len(rows) // 2] for rows in right if rows]


def _weights(report: Report, run: Subject, level: int) -> Element | None:
    if run.weights is None:
        return None
    pictures = run.weights.pictures[: max(_FEWEST, _PICTURES // len(report.shown))]
    # One scale for all; a few single weights beyond it are drawn at full strength.
    every = np.concatenate([np.abs(weights).ravel() for _, weights in pictures])
    scale = float(np.quantile(every, 0.998)) or 1.0
    wide = any(weights.shape[1] > 2 * weights.shape[0] for _, weights in pictures)
    style = "weights wide" if wide else "weights few" if len(pictures) <= _FEWEST else "weights"
    listing = element("ul", class_=style)
    for name, weights in pictures:
        image = signed_picture(weights, scale, f"Weights of {name}")
        listing.append(element("li", element("figure", image, element("figcaption", name))))
    key = element("p", f"−{scale:.3g}", element("span"), f"+{scale:.3g}", class_="scale")
    lead = run.weights.lead
    if len(pictures) < len(run.weights.pictures):
        lead += f" {len(pictures)} of {len(run.weights.pictures)} are shown."
    return section("Weights", lead, key, listing, level=level)
