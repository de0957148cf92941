"""What a report shows of a run that it looks at closely."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mnistry.evaluation.diagrams import ConfusionMatrix, Reliability
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import worst_mistakes
from mnistry.evaluation.occlusion import occlusion_maps
from mnistry.evaluation.subjects import Report, Subject

# In all, shared among the runs that are shown; together they keep the file under 3 MB.
_THUMBNAILS, _MISTAKES, _PICTURES = 840, 50, 60
_FEWEST = 10
_MOST_IN_CELL = 40


@dataclass(frozen=True, eq=False)
class Sections:
    """All of one run.

    Attributes:
        run: one of the shown runs.
        evaluation: its figures.
        confusion: its confusion matrix.
        cells: the rows of the images that a cell of it opens, by (label, read).
        reliability: how its confidence fits its accuracy.
        mistakes: rows of the most confident mistakes.
        typical: of each class, the row of the image that is read right with the median confidence.
        drops: the occlusion maps of all of these and of the chosen images, by row.
        most_weights: so many pictures of its weights are shown.
    """

    run: Subject
    evaluation: Evaluation
    confusion: ConfusionMatrix
    cells: dict[tuple[int, int], list[int]]
    reliability: Reliability
    mistakes: list[int]
    typical: list[int]
    drops: dict[int, NDArray[np.float64]]
    most_weights: int


def sections_of(report: Report, run: Subject) -> Sections:
    """All that is shown of a run.

    Args:
        report: the report it is in.
        run: one of the shown runs.
    """
    classes = range(len(report.class_names))
    images, labels = report.examples.images, report.examples.labels
    count = max(_FEWEST, _MISTAKES // len(report.shown))
    mistakes = [one.index for one in worst_mistakes(images, labels, run.logits, count)]
    right = (_of_cell(report, run, label, label) for label in classes)
    typical = [rows[len(rows) // 2] for rows in right if rows]
    rows = sorted({*mistakes, *typical, *report.digits})
    drops = occlusion_maps(images[rows], labels[rows], run.classify)
    evaluation = report.evaluations[run]
    in_cell = _largest_share(evaluation.confusion, _THUMBNAILS // len(report.shown))
    cells = {(i, j): _of_cell(report, run, i, j)[:in_cell] for i in classes for j in classes}
    return Sections(
        run,
        evaluation,
        ConfusionMatrix(evaluation, report.class_names),
        {cell: rows for cell, rows in cells.items() if rows},
        Reliability(evaluation),
        mistakes,
        typical,
        dict(zip(rows, drops, strict=True)),
        most_weights=max(_FEWEST, _PICTURES // len(report.shown)),
    )


def _largest_share(confusion: NDArray[np.int64], budget: int) -> int:
    """The largest number of images to show of each cell with which all cells stay within the budget."""
    return max(most for most in range(_MOST_IN_CELL + 1) if np.minimum(confusion, most).sum() <= budget)


def _of_cell(report: Report, run: Subject, label: int, read: int) -> list[int]:
    """The rows of a cell's images: the worst mistakes first, of what is right the least certain."""
    rows = np.flatnonzero((report.examples.labels == label) & (run.read == read))
    confidence = run.chances[rows, read]
    order = np.argsort(confidence if label == read else -confidence, kind="stable")
    listed: list[int] = rows[order].tolist()
    return listed
