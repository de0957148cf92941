"""What a report shows of a run that it looks at closely."""

import numpy as np
from numpy.typing import NDArray

from mnistry.evaluation.diagrams import ConfusionMatrix, Reliability
from mnistry.evaluation.mistakes import worst_mistakes
from mnistry.evaluation.occlusion import occlusion_maps
from mnistry.evaluation.subjects import Report, Subject

# In all, shared among the runs that are shown; together they keep the file under 3 MB.
_THUMBNAILS, _MISTAKES, _PICTURES = 840, 50, 60
_FEWEST = 10
_WORTH_A_LOOK = 0.25  # accuracy; of a net that is nearly always wrong, a few mistakes tell as much as many
_MOST_IN_CELL = 40


class Sections:
    """The diagrams of one run, and the images to show: rows of them, as many as there is room for."""

    def __init__(self, report: Report, run: Subject) -> None:
        """
        Args:
            report: the report it is in.
            run: one of the shown runs.
        """
        classes, share = range(len(report.class_names)), len(report.shown)
        images, labels = report.examples.images, report.examples.labels
        self.run, self.evaluation = run, report.evaluations[run]
        self.confusion = ConfusionMatrix(self.evaluation, report.class_names)
        self.reliability = Reliability(self.evaluation)

        of_cells = {
            (label, read): _of_cell(report, run, label, read) for label in classes for read in classes
        }
        most = _largest_share(self.evaluation.confusion, _THUMBNAILS // share)
        self.cells = {cell: rows[:most] for cell, rows in of_cells.items() if rows[:most]}
        """The images that a cell of the confusion matrix opens."""
        right = [of_cells[label, label] for label in classes]
        self.typical = [rows[len(rows) // 2] for rows in right if rows]
        """Of each class, the image that is read right with the median confidence."""
        most = _MISTAKES // share if self.evaluation.accuracy >= _WORTH_A_LOOK else _FEWEST
        worst = worst_mistakes(images, labels, run.logits, max(_FEWEST, most))
        self.mistakes = [one.index for one in worst]
        rows = sorted({*self.mistakes, *self.typical, *report.digits})
        self.drops = dict(zip(rows, occlusion_maps(images[rows], labels[rows], run.classify), strict=True))
        """The occlusion map of each image that can be looked at closely."""
        self.most_weights = max(_FEWEST, _PICTURES // share)


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
