import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import resvg_py
from PIL import Image

from mnistry.errors import InvalidValueError
from mnistry.evaluation.diagrams import ConfusionMatrix, PerClass, Reliability
from mnistry.evaluation.metrics import BINS, Evaluation
from mnistry.evaluation.mistakes import Mistake, worst_mistakes
from mnistry.evaluation.pictures import write_pictures

NAMES = ["<b>&\"'\x01", "one", "a name that is far too long to be drawn"]
SVG = "{http://www.w3.org/2000/svg}"
FILES = [
    f"{name}.{suffix}" for name in ("confusion", "reliability", "per-class") for suffix in ("svg", "png")
]


def made(n: int = 60) -> tuple[Evaluation, list[Mistake]]:
    random = np.random.default_rng(0)
    logits, labels = random.normal(0, 2, (n, 3)), random.integers(0, 3, n)
    images = random.integers(0, 256, (n, 28, 28)).astype(np.uint8)
    return Evaluation.of(logits, labels, 3), worst_mistakes(images, labels, logits, 12)


def test_every_picture_is_written_and_can_be_read(tmp_path: Path) -> None:
    evaluation, mistakes = made()
    paths = write_pictures(tmp_path / "new", evaluation, NAMES, mistakes)
    assert [path.name for path in paths] == [*FILES, "mistakes.png"]
    assert {path.name for path in (tmp_path / "new").iterdir()} == {*FILES, "mistakes.png"}
    for path in paths:
        if path.suffix == ".png":
            with Image.open(path) as picture:
                picture.load()
                assert min(picture.size) > 100
                assert len(np.unique(np.asarray(picture.convert("L")))) > 20
    before = [path.read_bytes() for path in paths]
    write_pictures(tmp_path / "new", evaluation, NAMES, mistakes)
    assert [path.read_bytes() for path in paths] == before


def test_without_mistakes_there_is_no_sheet(tmp_path: Path) -> None:
    perfect = Evaluation.of(np.eye(3) * 9, np.arange(3), 3)
    assert [path.name for path in write_pictures(tmp_path, perfect, NAMES, [])] == FILES


def test_the_pictures_show_the_counts_and_need_no_browser(tmp_path: Path) -> None:
    evaluation, _ = made()
    write_pictures(tmp_path, evaluation, NAMES, [])
    text = (tmp_path / "confusion.svg").read_text("utf-8")
    assert "var(" not in text.split("}", 1)[1]  # few programs but browsers know variables
    rows = [one for one in ElementTree.fromstring(text).iter(f"{SVG}g") if one.get("role") == "row"]
    shown = [[cell.find(f"{SVG}text") for cell in row if cell.get("role") == "cell"] for row in rows[1:]]
    counts = [[int((cell.text or "").replace("·", "0")) for cell in row if cell is not None] for row in shown]
    assert counts == evaluation.confusion.tolist()
    headers = [one.text for row in rows for one in row if one.get("role") == "rowheader"]
    assert headers == ["<b>&\"'\ufffd", "one", "a name that is far too …"]

    tree = ElementTree.fromstring((tmp_path / "reliability.svg").read_text("utf-8"))
    bars = [one for one in tree.iter(f"{SVG}rect") if one.get("class") == "bar main"]
    some = evaluation.bin_counts > 0
    accuracy = evaluation.bin_correct[some] / evaluation.bin_counts[some]
    assert [float(str(bar.get("height"))) for bar in bars] == pytest.approx(list(214 * accuracy), abs=0.06)
    said = [int(re.search(r"of (\d+)\)", str(bar.findtext(f"{SVG}title")))[1]) for bar in bars]  # type: ignore[index]
    assert said == list(evaluation.bin_counts[some])

    tree = ElementTree.fromstring((tmp_path / "per-class.svg").read_text("utf-8"))
    dots = [float(str(one.get("cx"))) for one in tree.iter(f"{SVG}circle") if one.get("cx")]
    grid = PerClass(evaluation, NAMES).grid
    expected = zip(evaluation.precision, evaluation.recall, evaluation.f1, strict=True)
    assert dots == pytest.approx([grid.x(value) for values in expected for value in values], abs=0.06)


def test_the_strongest_colours_are_recall_and_the_most_frequent_mistake() -> None:
    evaluation = Evaluation.of(np.eye(3)[[0, 0, 1, 1, 1, 2]], np.array([0, 0, 0, 0, 1, 2]), 3)
    matrix = ConfusionMatrix(evaluation, NAMES)
    assert matrix.counts == [[2, 2, 0], [0, 1, 0], [0, 0, 1]]
    assert np.array(matrix.heat) == pytest.approx(0.9 * np.array([[0.25, 1, 0], [0, 1, 0], [0, 0, 1]]))
    assert matrix.most_often == [(0, 1)]
    assert matrix.said(0, 1) == f"{NAMES[0]} read as one: 2 of 4"


def test_a_bin_without_images_has_no_bar() -> None:
    diagram = Reliability(Evaluation.of(np.log([[0.9, 0.1], [0.9, 0.1]]), np.array([0, 1]), 2))
    ((above, up_to, count, correct, confidence),) = diagram.bins
    assert (above, up_to, count, correct) == (13 / BINS, 14 / BINS, 2, 1)
    assert confidence == pytest.approx(0.9)
    assert [diagram.short(count) for count in (87, 1_230, 58_400, 2_000_000)] == ["87", "1.2k", "58k", "2M"]


def test_where_there_is_no_font_an_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resvg_py.svg_to_bytes
    monkeypatch.setattr(
        resvg_py, "svg_to_bytes", lambda text, zoom: whole(text, zoom=zoom, skip_system_fonts=True)
    )
    with pytest.raises(OSError, match="needs a font for its text, and none was found"):
        write_pictures(tmp_path, made()[0], NAMES, [])
    assert not list(tmp_path.iterdir())


def test_names_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    evaluation, mistakes = made()
    with pytest.raises(InvalidValueError, match="class_names: expected 3, found 2"):
        write_pictures(tmp_path, evaluation, NAMES[:2], mistakes)
    assert not list(tmp_path.iterdir())
