from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistry.errors import InvalidValueError
from mnistry.evaluation import plots
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import Mistake, worst_mistakes

NAMES = [r"$\frac$", "one", "two_2"]  # the first is a broken formula to Matplotlib


def made(n: int = 60) -> tuple[Evaluation, list[Mistake]]:
    random = np.random.default_rng(0)
    logits, labels = random.normal(0, 2, (n, 3)), random.integers(0, 3, n)
    images = random.integers(0, 256, (n, 28, 28)).astype(np.uint8)
    return Evaluation.of(logits, labels, 3), worst_mistakes(images, labels, logits, 12)


def test_every_picture_is_written_and_can_be_read(tmp_path: Path) -> None:
    evaluation, mistakes = made()
    paths = plots.write_pictures(tmp_path / "new", evaluation, NAMES, mistakes)
    names = ["confusion.png", "reliability.png", "per-class.png", "mistakes.png"]
    assert [path.name for path in paths] == names
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(names)
    for path in paths:
        with Image.open(path) as picture:
            picture.load()
            assert min(picture.size) > 100
            assert "Software" not in picture.info
            assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    before = [path.read_bytes() for path in paths]
    plots.write_pictures(tmp_path / "new", evaluation, NAMES, mistakes)
    assert [path.read_bytes() for path in paths] == before


def test_without_mistakes_there_is_no_sheet(tmp_path: Path) -> None:
    perfect = Evaluation.of(np.eye(3) * 9, np.arange(3), 3)
    paths = plots.write_pictures(tmp_path, perfect, NAMES, [])
    assert [path.name for path in paths] == ["confusion.png", "reliability.png", "per-class.png"]


def test_the_figures_show_the_counts() -> None:
    evaluation, _ = made()
    (axes,) = plots.confusion_figure(evaluation, NAMES).axes
    shown = np.zeros((3, 3), int)
    for text in axes.texts:
        column, row = text.get_position()
        shown[int(row), int(column)] = int(text.get_text())
    assert (shown == evaluation.confusion).all()
    assert [label.get_text() for label in axes.get_yticklabels()] == NAMES

    (axes,) = plots.reliability_figure(evaluation).axes
    heights = [bar.get_height() for bar in axes.patches]
    some = evaluation.bin_counts > 0
    assert heights == pytest.approx(list(evaluation.bin_correct[some] / evaluation.bin_counts[some]))
    assert [int(text.get_text()) for text in axes.texts] == list(evaluation.bin_counts[some])

    (axes,) = plots.per_class_figure(evaluation, NAMES).axes
    recall = next(dots for dots in axes.collections if dots.get_label() == "recall")
    assert np.asarray(recall.get_offsets()) == pytest.approx(np.stack([evaluation.recall, range(3)], axis=1))


def test_names_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    evaluation, mistakes = made()
    with pytest.raises(InvalidValueError, match="class_names: expected 3, found 2"):
        plots.write_pictures(tmp_path, evaluation, NAMES[:2], mistakes)
    assert not list(tmp_path.iterdir())
