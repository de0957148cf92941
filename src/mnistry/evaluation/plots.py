"""An evaluation as pictures, for papers and slides."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnistry.atomic import replacing
from mnistry.errors import InvalidValueError
from mnistry.evaluation.metrics import BINS, Evaluation
from mnistry.evaluation.mistakes import Mistake

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_RIGHT, _WRONG, _INK, _GRID = "#3a54ba", "#cd5218", "#1c1c21", "#e7e7e3"


def write_pictures(
    folder: Path | str, evaluation: Evaluation, class_names: Sequence[str], mistakes: Sequence[Mistake]
) -> list[Path]:
    """Writes `confusion.png`, `reliability.png`, `per-class.png` and, if there are any, `mistakes.png`.

    Needs Matplotlib, which comes with the extra `train`. Each file is written atomically.

    Args:
        folder: made if it is not there.
        evaluation: of at least one image.
        class_names: one for each class.
        mistakes: all are drawn, the first at the top left.

    Returns:
        The files that were written.

    Raises:
        InvalidValueError: not one name for each class, or an empty evaluation.
        OSError: a file cannot be written.
    """
    if len(class_names) != evaluation.classes:
        raise InvalidValueError(f"class_names: expected {evaluation.classes}, found {len(class_names)}.")
    figures = {
        "confusion.png": confusion_figure(evaluation, class_names),
        "reliability.png": reliability_figure(evaluation),
        "per-class.png": per_class_figure(evaluation, class_names),
    }
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        with replacing(folder / name) as file:
            # Without the library's version in it, the same figures give the same bytes for longer.
            figure.savefig(file, format="png", dpi=160, metadata={"Software": None})
    paths = [folder / name for name in figures]
    if mistakes:
        paths.append(folder / "mistakes.png")
        _write_mistakes(paths[-1], class_names, mistakes)
    return paths


def confusion_figure(evaluation: Evaluation, class_names: Sequence[str]) -> "Figure":
    """The confusion matrix; the diagonal and the mistakes are coloured on scales of their own."""
    from matplotlib.colors import LinearSegmentedColormap

    confusion, many = evaluation.confusion, range(evaluation.classes)
    mistakes = confusion - np.diag(confusion.diagonal())
    # The root keeps single mistakes visible beside the most frequent confusion.
    heat = np.sqrt(mistakes / max(1, mistakes.max()))
    colours = LinearSegmentedColormap.from_list("mistakes", ["white", _WRONG])(0.9 * heat)
    right = LinearSegmentedColormap.from_list("right", ["white", _RIGHT])(0.9 * evaluation.recall**2)
    colours[many, many] = right
    size = max(5.5, 0.55 * evaluation.classes)
    axes = _axes((size, size), "Confusion matrix")
    axes.imshow(colours)
    for i, j in zip(*np.nonzero(confusion), strict=True):
        # Relative luminance (ITU-R BT.709) decides between dark and light figures.
        dark = colours[i, j, :3] @ (0.2126, 0.7152, 0.0722) < 0.45
        axes.text(
            j, i, str(confusion[i, j]), ha="center", va="center", fontsize=8, color="w" if dark else _INK
        )
    rotation = 90 if max(map(len, class_names)) > 3 else 0
    axes.set_xticks(many, class_names, rotation=rotation, parse_math=False)
    axes.set_yticks(many, class_names, parse_math=False)
    axes.set(xlabel="read as", ylabel="true")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return _figure_of(axes)


def reliability_figure(evaluation: Evaluation) -> "Figure":
    """Accuracy against confidence in 15 bins, with how many images are in each."""
    counts = evaluation.bin_counts
    some = counts > 0
    middles = (np.arange(BINS)[some] + 0.5) / BINS
    axes = _axes((5.5, 5), f"Reliability (calibration error {evaluation.calibration_error:.2%})")
    accuracy = evaluation.bin_correct[some] / counts[some]
    axes.bar(middles, accuracy, 0.92 / BINS, color=_RIGHT, alpha=0.6, label="accuracy")
    confidence = evaluation.bin_confidence_sums[some] / counts[some]
    half = 0.46 / BINS
    axes.hlines(confidence, middles - half, middles + half, colors=_WRONG, lw=2.5, label="mean confidence")
    axes.plot([0, 1], [0, 1], ":", color="grey", lw=1)
    for middle, height, count in zip(middles, np.maximum(accuracy, confidence), counts[some], strict=True):
        axes.text(middle, height + 0.015, f"{count:,}", ha="center", fontsize=6.5, color="grey", rotation=90)
    axes.set(xlim=(0, 1), ylim=(0, 1.15), xlabel="confidence", ylabel="accuracy")
    axes.set_yticks(np.arange(0, 1.1, 0.2))
    return _with_legend(axes)


def per_class_figure(evaluation: Evaluation, class_names: Sequence[str]) -> "Figure":
    """Precision, recall and F1 of each class, on an axis that starts where the lowest needs it."""
    figures = {
        "precision": (evaluation.precision, _RIGHT, "o"),
        "recall": (evaluation.recall, _WRONG, "s"),
        "F1": (evaluation.f1, _INK, "|"),
    }
    axes = _axes((5.5, max(3.5, 0.32 * evaluation.classes + 1)), "Classes")
    rows = np.arange(evaluation.classes)
    axes.hlines(rows, evaluation.precision, evaluation.recall, colors=_GRID, lw=4, zorder=1)
    for name, (values, colour, marker) in figures.items():
        axes.scatter(values, rows, s=26, c=colour, marker=marker, label=name, zorder=2)
    axes.set_yticks(rows, class_names, parse_math=False)
    axes.invert_yaxis()
    axes.xaxis.set_major_formatter(lambda value, _: f"{100 * value:.4g}%")
    axes.grid(axis="x", color=_GRID)
    return _with_legend(axes)


def _axes(size: tuple[float, float], title: str) -> "Axes":
    """Axes on a figure of their own, without pyplot's global state."""
    from matplotlib.figure import Figure

    axes = Figure(size, layout="constrained").add_subplot()
    axes.set_title(title, fontsize=11, loc="left", fontweight="bold", color=_INK)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    return axes


def _figure_of(axes: "Axes") -> "Figure":
    from matplotlib.figure import Figure

    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    return figure


def _with_legend(axes: "Axes") -> "Figure":
    figure = _figure_of(axes)
    figure.legend(loc="outside lower center", ncols=3, frameon=False, handletextpad=0.4)
    return figure


def _write_mistakes(path: Path, class_names: Sequence[str], mistakes: Sequence[Mistake]) -> None:
    from mnistry.data.sheet import draw_sheet

    captions = [f"{class_names[one.label]} as {class_names[one.predicted]}" for one in mistakes]
    sheet = draw_sheet(np.stack([one.image for one in mistakes]), captions, columns=10)
    with replacing(path) as file:
        sheet.save(file, format="PNG")
