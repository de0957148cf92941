"""The report stands alone, escapes every text, and holds what it should."""

import base64
import dataclasses
import io
import math
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from mnistry.errors import InvalidValueError
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import Mistake, worst_mistakes
from mnistry.evaluation.report import Report, write_report

VOID = {"meta", "img"}
HOSTILE = "<script>alert('&\"1')</script>"


class Page(HTMLParser):
    """Every element with its attributes and its own text; fails where tags are not nested."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), "an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, *tags: str) -> list[str]:
        return [text for tag, text in self.texts if tag in tags]


def data(n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    labels = random.integers(0, 10, n).astype(np.uint8)
    logits = random.normal(0, 2, (n, 10)).astype(np.float32)
    logits[np.arange(n), labels] += 3
    return random.integers(0, 256, (n, 28, 28)).astype(np.uint8), labels, logits


@pytest.fixture(scope="module")
def report() -> Report:
    images, labels, logits = data()
    return Report(
        title="Softmax, seed 0",
        facts={"Recipe": "softmax", "Seed": "0"},
        history=[
            {
                "step": step,
                "loss": 2 / step,
                "mean_loss": 3 / step,
                "learning_rate": 0.5,
                "images_per_second": 1e5,
                **(
                    {"validation_accuracy": 1 - 1 / step, "validation_loss": 4 / step}
                    if step % 20 == 0
                    else {}
                ),
            }
            for step in range(10, 1010, 10)
        ],
        evaluation=Evaluation.of(logits, labels),
        part="test",
        class_names=[str(digit) for digit in range(10)],
        mistakes=worst_mistakes(images, labels, logits),
        templates=np.random.default_rng(1).normal(size=(10, 28, 28)).astype(np.float32),
    )


def written(folder: Path, report: Report) -> str:
    write_report(folder / "report.html", report)
    return (folder / "report.html").read_text("utf-8")


def test_it_is_a_well_formed_page_with_every_part(report: Report, tmp_path: Path) -> None:
    html = written(tmp_path, report)
    page = Page(html)
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert page.text("title")[0] == page.text("h1")[0] == "Softmax, seed 0"
    assert page.text("h2") == [
        "Training",
        "Confusion matrix",
        "Classes and calibration",
        "Worst mistakes",
        "Weights",
        "How it was made",
    ]
    charts = [box for box in page.all("svg") if box.get("class") != "chances"]
    assert len(charts) == 5  # loss, accuracy, learning rate, speed, reliability
    assert len(page.all("polyline")) == 6
    assert {"Loss", "Accuracy", "Learning rate", "Speed", "Reliability diagram"} <= set(page.text("title"))
    assert len(page.text("desc")) == 5
    mistakes = len(report.mistakes)
    assert 0 < mistakes <= 50
    assert len(page.all("svg")) == 5 + mistakes
    assert len(page.all("img")) == mistakes + 10


def test_the_headline_is_the_evaluation(report: Report, tmp_path: Path) -> None:
    text = "|".join(Page(written(tmp_path, report)).text("dd", "small"))
    evaluation = report.evaluation
    low, high = evaluation.accuracy_interval
    for figure in (
        f"{evaluation.accuracy:.2%}|95% interval {low:.2%} to {high:.2%}",
        f"{evaluation.errors}|of 300",
        f"{evaluation.macro['f1']:.4f}",
        f"{evaluation.negative_log_likelihood:.4f}",
        f"{evaluation.calibration_error:.2%}",
    ):
        assert figure in text


def test_the_confusion_matrix_is_in_the_table(report: Report, tmp_path: Path) -> None:
    cells = re.findall(r'<td class="(\w+)[^>]*>([\d·]+)</td>', written(tmp_path, report))
    counts = np.array([0 if text == "·" else int(text) for _, text in cells]).reshape(10, 10)
    assert (counts == report.evaluation.confusion).all()
    hits = [style == "hit" for style, _ in cells]
    assert (np.flatnonzero(hits) == np.arange(0, 100, 11)).all()


def test_nothing_outside_is_asked_for(report: Report, tmp_path: Path) -> None:
    html = written(tmp_path, report)
    page = Page(html)
    assert not re.findall(r"https?:|//\w|url\(|@import", re.sub(r"base64,[\w+/=]+", "", html))
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "iframe", "object", "form"})
    for _, attributes in page.elements:
        assert not {"href", "srcset", "action"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("src") or "data:image/png").startswith("data:image/png")
    (policy,) = (meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    assert "default-src 'none'" in str(policy["content"])


def test_hostile_text_stays_text(report: Report, tmp_path: Path) -> None:
    hostile = dataclasses.replace(
        report,
        title=HOSTILE,
        facts={HOSTILE: HOSTILE + "]]>"},
        part=HOSTILE,
        class_names=[f"{i}{HOSTILE}" for i in range(10)],
    )
    page = Page(written(tmp_path, hostile))
    assert not page.all("script")
    assert page.text("title")[0] == page.text("h1")[0] == HOSTILE
    assert HOSTILE in page.text("dt")
    assert f"3{HOSTILE}" in page.text("th")
    assert any(HOSTILE in str(image["alt"]) for image in page.all("img"))


def test_a_title_that_is_no_unicode_can_be_written(report: Report, tmp_path: Path) -> None:
    odd = os.fsdecode(b"run-\xff")
    Page(written(tmp_path, dataclasses.replace(report, title=odd)))


def test_the_same_report_gives_the_same_bytes(report: Report, tmp_path: Path) -> None:
    assert written(tmp_path, report) == written(tmp_path, report)


def test_it_stays_under_three_megabytes(report: Report, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    classes, steps = 62, 20_000
    labels = random.integers(0, classes, 5_000)
    logits = random.normal(size=(5_000, classes))
    noise = random.integers(0, 256, (5_000, 28, 28)).astype(np.uint8)
    large = dataclasses.replace(
        report,
        history=[{"step": i, "loss": random.uniform(), "mean_loss": random.uniform()} for i in range(steps)],
        evaluation=Evaluation.of(logits, labels, classes),
        class_names=[f"class {i}" for i in range(classes)],
        mistakes=worst_mistakes(noise, labels, logits, count=500),
        templates=random.normal(size=(512, 28, 28)),
    )
    write_report(tmp_path / "large.html", large)
    assert (tmp_path / "large.html").stat().st_size < 3_000_000
    assert len(Page((tmp_path / "large.html").read_text("utf-8")).all("img")) == 100 + 100


def test_pictures_are_the_images(report: Report, tmp_path: Path) -> None:
    images = Page(written(tmp_path, report)).all("img")
    first = base64.b64decode(str(images[0]["src"]).removeprefix("data:image/png;base64,"))
    assert (np.asarray(Image.open(io.BytesIO(first))) == report.mistakes[0].image).all()


def test_templates_share_one_scale_of_two_colours(report: Report, tmp_path: Path) -> None:
    templates = np.zeros((10, 28, 28), np.float32)
    templates[0], templates[1] = 2, -1
    page = Page(written(tmp_path, dataclasses.replace(report, templates=templates)))
    zero, one, two = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(str(image["src"]).split(",")[1]))))
        for image in page.all("img")[-10:-7]
    )
    assert (zero == (74, 108, 247, 255)).all()
    assert (one == (232, 89, 12, 128)).all()
    assert (two[..., 3] == 0).all()


def test_what_there_is_not_is_left_out(report: Report, tmp_path: Path) -> None:
    perfect = Evaluation.of(np.eye(10, dtype=np.float32) * 50, np.arange(10))
    bare = Report("Perfect", {}, [], perfect, "test", report.class_names, [])
    page = Page(written(tmp_path, bare))
    assert page.text("h2") == ["Confusion matrix", "Classes and calibration"]
    assert "100.00%" in page.text("dd")


def test_a_history_of_one_row_or_with_gaps_is_drawn(report: Report, tmp_path: Path) -> None:
    for history in (
        [{"step": 5, "loss": 1.0, "validation_accuracy": 1.0, "learning_rate": 0.0}],
        [{"step": 1, "loss": math.nan}, {"step": 2, "loss": 0.0}, {"step": 3, "loss": math.inf}, {"step": 4}],
    ):
        page = Page(written(tmp_path, dataclasses.replace(report, history=history)))
        corners = [pair for line in page.all("polyline") for pair in str(line["points"]).split()]
        assert corners
        assert all(math.isfinite(float(number)) for pair in corners for number in pair.split(","))


def test_contradictions_are_refused(report: Report) -> None:
    with pytest.raises(InvalidValueError, match="class_names: expected 10, found 2"):
        dataclasses.replace(report, class_names=["0", "1"])
    with pytest.raises(InvalidValueError, match="row 2 has no step, only loss"):
        dataclasses.replace(report, history=[{"step": 1}, {"loss": 2.0}])
    with pytest.raises(InvalidValueError, match=r"templates: .* found \[10, 784\]"):
        dataclasses.replace(report, templates=np.zeros((10, 784)))


def test_a_report_that_fails_leaves_the_old_one(report: Report, tmp_path: Path) -> None:
    before = written(tmp_path, report)
    empty = Evaluation.of(np.zeros((0, 10)), np.zeros(0, int))
    with pytest.raises(InvalidValueError, match="empty"):
        write_report(tmp_path / "report.html", dataclasses.replace(report, evaluation=empty))
    assert (tmp_path / "report.html").read_text("utf-8") == before
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_worst_mistakes_by_hand() -> None:
    images = np.arange(5, dtype=np.uint8)[:, None, None] * np.ones((28, 28), np.uint8)
    chances = np.array([[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.3, 0.7]])
    labels = np.array([1, 0, 0, 1, 0])  # all wrong but the second
    worst = worst_mistakes(images, labels, np.log(chances))
    assert [one.index for one in worst] == [2, 4, 0, 3]
    assert (worst[0].label, worst[0].predicted) == (0, 1)
    assert worst[0].confidence == pytest.approx(0.8)
    assert (worst[1].image == 4).all()
    assert [one.index for one in worst_mistakes(images, labels, np.log(chances), count=1)] == [2]
    with pytest.raises(InvalidValueError, match="found 4, 5 and 5"):
        worst_mistakes(images[:4], labels, np.log(chances))


def test_equally_confident_mistakes_stay_in_order() -> None:
    logits = np.tile(np.array([[0.0, 5.0], [0.0, 9.0]]), (100, 1))
    worst = worst_mistakes(np.zeros((200, 28, 28), np.uint8), np.zeros(200, int), logits, count=200)
    assert [one.index for one in worst] == [*range(1, 200, 2), *range(0, 200, 2)]


def test_worst_mistakes_are_the_evaluations() -> None:
    images, labels, logits = data()
    mistakes = worst_mistakes(images, labels, logits, count=300)
    assert len(mistakes) == Evaluation.of(logits, labels).errors
    assert all(isinstance(one, Mistake) and one.predicted != one.label for one in mistakes)
    confidences = [one.confidence for one in mistakes]
    assert confidences == sorted(confidences, reverse=True)
