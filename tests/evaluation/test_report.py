"""The report stands alone, escapes every text, and holds what it should."""

import base64
import dataclasses
import hashlib
import io
import math
import os
import re
import statistics
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from mnistry.data import Examples
from mnistry.errors import InvalidValueError
from mnistry.evaluation.compare import McNemar, mcnemar
from mnistry.evaluation.metrics import Evaluation
from mnistry.evaluation.mistakes import Mistake, worst_mistakes
from mnistry.evaluation.occlusion import GREY, occlusion_maps
from mnistry.evaluation.pairs import holm
from mnistry.evaluation.rendering import _environment
from mnistry.evaluation.report import write_report
from mnistry.evaluation.sections import Sections
from mnistry.evaluation.subjects import Report, Subject
from mnistry.evaluation.weights import Weights, first_layer
from mnistry.logits import softmax

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


DIGITS = [str(digit) for digit in range(10)]


def classify(images: np.ndarray) -> np.ndarray:
    """A model of sorts: the ten logits are the means of ten parts of the image."""
    return images.reshape(len(images), 28, 28)[:, :20, :].reshape(len(images), 10, -1).mean(axis=2) / 10


def subject(name: str = "softmax-1", recipe: str = "softmax", seed: int = 0, *, n: int = 300) -> Subject:
    logits = data(n)[2]
    logits = logits + np.random.default_rng(seed).normal(0, 0.5 * seed, logits.shape)
    return Subject(
        name=name,
        recipe=recipe,
        seed=seed,
        data="digits",
        facts={"summary": "Softmax regression", "seed": str(seed)},
        history=[
            {
                "step": step,
                "loss": (2 + seed) / step,
                "mean_loss": (3 + seed) / step,
                "learning_rate": 0.5,
                "images_per_second": 1e5,
                **(
                    {"validation_accuracy": 1 - (1 + seed) / step, "validation_loss": 4 / step}
                    if step % 20 == 0
                    else {}
                ),
            }
            for step in range(10, 1010, 10)
        ],
        logits=logits,
        classify=classify,
        weights=Weights("Weights of classes.", [(d, np.full((28, 28), int(d) - 4.5)) for d in DIGITS]),
    )


def report_on(*subjects: Subject, **changes: Any) -> Report:
    images, labels, _ = data(len(subjects[0].logits))
    values = {"title": "Softmax, seed 0", "examples": Examples(images, labels), "part": "test"}
    return Report(**{"subjects": subjects, "class_names": DIGITS, **values, **changes})


@pytest.fixture(scope="module")
def report() -> Report:
    return report_on(subject())


@pytest.fixture(scope="module")
def several() -> Report:
    """Three seeds of one recipe and one run of another."""
    seeds = [subject(f"softmax-{seed + 1}", seed=seed) for seed in range(3)]
    return report_on(*seeds, subject("mlp-1", "mlp", 4), title="softmax, mlp")


def written(folder: Path, report: Report) -> str:
    write_report(folder / "report.html", report)
    return (folder / "report.html").read_text("utf-8")


def decoded(source: object) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(str(source).removeprefix("data:image/png;base64,"))))


def tree(html: str) -> ElementTree.Element:
    return ElementTree.fromstring(
        re.sub(r"<(img|meta)([^>]*)>", r"<\1\2/>", html.removeprefix("<!doctype html>"))
    )


def panels(html: str) -> dict[str, ElementTree.Element]:
    """The panels by their identifier."""
    return {one.attrib["id"]: one for one in tree(html).iter("div") if "popover" in one.attrib}


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
        "What decides",
        "Weights",
        "How it was made",
    ]
    charts = [box for box in page.all("svg") if box.get("class") != "chances"]
    assert len(charts) == 6  # loss, accuracy, learning rate, speed, confusion, reliability
    assert len(page.all("polyline")) == 6
    assert not page.all("polygon")
    assert {"Loss", "Validation accuracy", "Learning rate", "Speed", "Reliability diagram"} <= set(
        page.text("title")
    )
    assert len(page.text("desc")) == 5
    assert len(page.all("svg")) == 6 + 50 + 10  # a bar chart of each mistake shown, and of each class


def test_the_headline_is_the_evaluation(report: Report, tmp_path: Path) -> None:
    text = "|".join(Page(written(tmp_path, report)).text("dd", "small"))
    (evaluation,) = report.evaluations.values()
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
    html = written(tmp_path, report)
    (evaluation,) = report.evaluations.values()
    (table,) = (one for one in tree(html).iter("svg") if one.get("role") == "table")
    head, *rows = (one for one in table.iter("g") if one.get("role") == "row")
    assert [one.text for one in head] == ["true", *DIGITS]
    assert [one.text for row in rows for one in row if one.get("role") == "rowheader"] == DIGITS
    cells = [one for row in rows for one in row if one.get("role") == "cell"]
    counts = np.array([int(str(cell.findtext("text")).replace("·", "0")) for cell in cells]).reshape(10, 10)
    assert (counts == evaluation.confusion).all()
    for (i, j), cell in zip(np.ndindex(10, 10), cells, strict=True):
        said = f"{i} read as {j}: {counts[i, j]} of {counts[i].sum()}"
        assert cell.findtext("title") == said
        some = int(counts[i, j] > 0)
        assert [one.get("class") for one in cell.iter("rect")] == ["hit" if i == j else "miss"] * some
        assert [one.get("aria-label") for one in cell.iter("button")] == [said] * some


def test_classes_without_names_are_digits_and_the_data_are_named(report: Report, tmp_path: Path) -> None:
    (run,) = report.subjects
    page = Page(written(tmp_path, Report("No names", [run], report.examples, "test")))
    assert "Measured on the 300 images of the test part of digits." in page.text("p")
    assert set(DIGITS) <= set(page.text("th"))
    named = Page(
        written(tmp_path, report_on(run, dataclasses.replace(run, data="copy"), class_names=[*"abcdefghij"]))
    )
    assert any("of the test part of digits, copy." in text for text in named.text("p"))
    assert {"digits", "copy", "300"} <= set(named.text("td"))
    assert set("abcdefghij") <= set(named.text("th"))
    assert "a" in named.text("b")
    assert not set(DIGITS) & set(named.text("th"))


def test_a_cell_opens_the_very_images_that_it_counts(report: Report, tmp_path: Path) -> None:
    (run,), labels = report.subjects, report.examples.labels
    found = panels(written(tmp_path, report))
    for true, read in np.ndindex(10, 10):
        rows = np.flatnonzero((labels == true) & (run.read == read))
        if not len(rows):
            assert f"run0-pair-{true}-{read}" not in found
            continue
        panel = found[f"run0-pair-{true}-{read}"]
        shown = [int(small.text.removeprefix("no. ")) for small in panel.iter("small")]
        assert sorted(shown) == rows.tolist()
        for row, image in zip(shown, panel.iter("img"), strict=True):
            assert (np.asarray(decoded(image.attrib["src"])) == report.examples.images[row]).all()
        chances = [span.text for span in panel.iter("span")]
        first = [f"{run.chances[shown[0], read]:.1%}"]
        if true != read:
            first.append(f"{run.chances[shown[0], true]:.1%}")
        assert chances[: len(first)] == first


def test_every_button_opens_a_panel_that_there_is(several: Report, tmp_path: Path) -> None:
    page = Page(written(tmp_path, several))
    identifiers = [one["id"] for _, one in page.elements if "id" in one]
    assert len(set(identifiers)) == len(identifiers) > 100
    targets = [one["popovertarget"] for one in page.all("button")]
    assert set(targets) == set(identifiers)
    openers = [one for one in page.all("button") if "popovertargetaction" not in one]
    assert len(openers) == len(identifiers)
    assert all(one["type"] == "button" and one["aria-label"] for one in openers)


def test_nothing_outside_is_asked_for(several: Report, tmp_path: Path) -> None:
    html = written(tmp_path, several)
    page = Page(html)
    assert not re.findall(r"https?:|//\w|url\(|@import", re.sub(r"base64,[\w+/=]+", "", html))
    assert {tag for tag, _ in page.elements}.isdisjoint({"script", "link", "iframe", "object", "form"})
    for _, attributes in page.elements:
        assert not {"href", "srcset", "action"} & attributes.keys()
        assert not any(name.startswith("on") for name in attributes)
        assert (attributes.get("src") or "data:image/png").startswith("data:image/png")


def test_the_policy_allows_the_style_sheet_and_nothing_else(report: Report, tmp_path: Path) -> None:
    html = written(tmp_path, report)
    page = Page(html)
    (policy,) = (meta for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    (sheet,) = re.findall(r"<style>(.*?)</style>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(sheet.encode()).digest()).decode()
    assert policy["content"] == (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert not any("style" in attributes for _, attributes in page.elements)


def test_hostile_text_stays_text(report: Report, tmp_path: Path) -> None:
    (run,) = report.subjects
    named = dataclasses.replace(run, name=HOSTILE, facts={HOSTILE: HOSTILE + "]]>"})
    other = dataclasses.replace(run, recipe=HOSTILE)
    hostile = report_on(
        named, other, title=HOSTILE, part=HOSTILE, class_names=[f"{i}{HOSTILE}" for i in range(10)]
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


@pytest.mark.parametrize("kept", ["nothing", "damaged", "no folder"])
def test_templates_that_cannot_be_kept_are_compiled_again(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    expected = written(tmp_path, report)
    monkeypatch.setenv("MNISTRY_CACHE", str(tmp_path / "cache"))
    if kept == "no folder":
        (tmp_path / "cache").write_text("a file")
    if kept == "damaged":
        _environment.cache_clear()
        written(tmp_path, report)
        files = list((tmp_path / "cache" / "templates").iterdir())
        assert len(files) == 3
        for number, file in enumerate(files):
            file.write_bytes(file.read_bytes()[: 100 * number])
    _environment.cache_clear()
    assert written(tmp_path, report) == expected


def test_the_same_report_gives_the_same_bytes(report: Report, tmp_path: Path) -> None:
    assert written(tmp_path, report) == written(tmp_path, report)


@pytest.mark.parametrize("recipes", [1, 20])
def test_it_stays_under_three_megabytes(recipes: int, tmp_path: Path) -> None:
    """Pictures of noise, most of them mistakes, long histories: worse than any real run."""
    random = np.random.default_rng(0)
    n, steps = 5_000, 20_000 // recipes
    units = [(str(i), random.normal(size=(28, 28))) for i in range(512)]
    labels = random.integers(0, 10, n).astype(np.uint8)
    # A third is right: of a net that is nearly always wrong, fewer mistakes are shown.
    right = np.eye(10)[labels]
    subjects = [
        dataclasses.replace(
            subject(f"noise-{i}", f"recipe {i}"),
            history=[
                {"step": i, "loss": random.uniform(), "mean_loss": random.uniform()} for i in range(steps)
            ],
            logits=random.normal(size=(n, 10)) + right,
            weights=Weights("Noise.", units),
        )
        for i in range(recipes)
    ]
    noise = Examples(random.integers(0, 256, (n, 28, 28)).astype(np.uint8), labels)
    write_report(tmp_path / "large.html", report_on(*subjects, examples=noise))
    assert (tmp_path / "large.html").stat().st_size < 3_000_000


def test_weights_share_one_scale_of_two_colours(report: Report, tmp_path: Path) -> None:
    values = {"0": 2.0, "1": -1.0, **dict.fromkeys(DIGITS[2:], 0.0)}
    weights = Weights("", [(name, np.full((28, 28), value)) for name, value in values.items()])
    (run,) = report.subjects
    page = Page(written(tmp_path, report_on(dataclasses.replace(run, weights=weights))))
    zero, one, two = (np.asarray(decoded(image["src"]).convert("RGBA")) for image in page.all("img")[-10:-7])
    assert (zero == (74, 108, 247, 255)).all()
    assert (one[..., :3] == (232, 89, 12)).all()
    assert (np.abs(one[..., 3].astype(int) - 128) <= 9).all()  # half the scale, to the nearest level
    assert (two[..., 3] == 0).all()


def test_what_there_is_not_is_left_out(report: Report, tmp_path: Path) -> None:
    (run,) = report.subjects
    perfect = dataclasses.replace(
        run, logits=np.eye(10)[report.examples.labels] * 50, history=[], weights=None, facts={}
    )
    page = Page(written(tmp_path, report_on(perfect)))
    assert page.text("h2") == [
        "Confusion matrix",
        "Classes and calibration",
        "What decides",
        "How it was made",
    ]
    assert "100.00%" in page.text("dd")


def test_a_history_of_one_row_or_with_gaps_is_drawn(report: Report, tmp_path: Path) -> None:
    (run,) = report.subjects
    for history in (
        [{"step": 5, "loss": 1.0, "validation_accuracy": 1.0, "learning_rate": 0.0}],
        [{"step": 1, "loss": math.nan}, {"step": 2, "loss": 0.0}, {"step": 3, "loss": math.inf}, {"step": 4}],
    ):
        page = Page(written(tmp_path, report_on(dataclasses.replace(run, history=history))))
        corners = [pair for line in page.all("polyline") for pair in str(line["points"]).split()]
        assert corners
        assert all(math.isfinite(float(number)) for pair in corners for number in pair.split(","))


def test_several_runs_are_taken_together_by_recipe(several: Report, tmp_path: Path) -> None:
    html = written(tmp_path, several)
    page = Page(html)
    assert page.text("h2") == ["By recipe", "In pairs", "Training", "softmax", "mlp", "How it was made"]
    assert page.text("h3").count("Confusion matrix") == 2
    accuracies = [several.evaluations[run].accuracy for run in several.recipes["softmax"]]
    mean, sd = statistics.mean(accuracies), statistics.stdev(accuracies)
    cells = page.text("td")
    assert f"{100 * mean:.2f}% ± {100 * sd:.2f}" in cells
    assert f"{min(accuracies):.2%}–{max(accuracies):.2%}" in cells
    assert several.evaluations[several.shown[0]].accuracy == statistics.median(accuracies)
    for run in several.subjects:
        assert f"{several.evaluations[run].accuracy:.2%}" in cells


def test_curves_are_means_in_the_band_of_all_seeds(several: Report, tmp_path: Path) -> None:
    html = written(tmp_path, several)
    page = Page(html)
    assert len(page.all("polygon")) == 5  # one for softmax in each chart; mlp is a single run
    assert page.text("li").count("softmax (n = 3) ") == 5
    hovers = page.text("title")
    assert any("softmax (n = 3) 0.4 (0.3 to 0.5)\nmlp 0.7" in text for text in hovers), hovers  # at step 10


def test_pairs_have_mcnemars_test_and_the_images_that_set_them_apart(several: Report, tmp_path: Path) -> None:
    html = written(tmp_path, several)
    first, second = several.shown
    right = [run.read == several.examples.labels for run in (first, second)]
    test = mcnemar(*right)
    cells = Page(html).text("td", "button")
    assert (f"{test.p_value:.4f}" if test.p_value >= 1e-4 else "< 0.0001") in cells
    found = panels(html)
    for identifier, (better, worse) in {"first-0": right, "second-0": right[::-1]}.items():
        rows = np.flatnonzero(better & ~worse)
        shown = [int(str(small.text).removeprefix("no. ")) for small in found[identifier].iter("small")]
        assert len(shown) == min(24, len(rows)) > 0
        assert set(shown) <= set(rows.tolist())


def test_of_many_recipes_the_most_accurate_are_looked_at_closely(tmp_path: Path) -> None:
    runs = [subject(f"run-{number}", f"recipe {number}", number) for number in range(9)]
    report = report_on(*runs)
    page = Page(written(tmp_path, report))
    accuracies = [report.evaluations[run].accuracy for run in runs]
    close = [text for text in page.text("h2") if text.startswith("recipe")]
    assert sorted(accuracies[int(name.split()[1])] for name in close) == sorted(accuracies)[3:]
    assert "The 6 most accurate recipes are looked at closely." in page.text("p")[0]
    assert set(page.text("th")) >= {f"recipe {number}" for number in range(9)}
    assert "the 6 most accurate" in " ".join(page.text("p"))
    seeds = [dataclasses.replace(run, recipe="one") for run in runs]
    assert "Of the 9 runs, the first 6." in " ".join(Page(written(tmp_path, report_on(*seeds))).text("p"))


def test_holms_adjustment_by_hand() -> None:
    # The smallest times 3, the next times 2, the largest times 1, never falling.
    adjusted = holm([McNemar(0, 0, p) for p in (0.04, 0.01, 0.03)])
    assert adjusted == pytest.approx([0.06, 0.03, 0.06])
    assert holm([McNemar(0, 0, 0.8), McNemar(0, 0, 0.9)]) == [1.0, 1.0]


def test_an_occlusion_map_tells_what_a_patch_changes() -> None:
    """A model that looks at one pixel alone: only patches on it matter, by what they leave of it."""
    image = np.zeros((1, 28, 28), np.uint8)
    image[0, 9, 20] = 255

    def one_pixel(images: np.ndarray) -> np.ndarray:
        lit = images[:, 9, 20].astype(float) / 255
        return np.stack([lit, 1 - lit], axis=1)

    for label, sign in ((0, 1), (1, -1)):
        (drops,) = occlusion_maps(image, np.array([label]), one_pixel)
        before, after = softmax(np.array([[1.0, 0.0], [GREY / 255, 1 - GREY / 255]]))[:, 0]
        expected = np.zeros((14, 14))
        expected[3:6, 9:12] = sign * (before - after)  # rows 9-1 to 9+1 and columns 20-1 to 20+1, in pairs
        assert drops == pytest.approx(expected)


def test_chosen_images_have_their_map(report: Report, tmp_path: Path) -> None:
    html = written(tmp_path, dataclasses.replace(report, digits=(7, 7, 299)))
    found = panels(html)
    assert {"run0-part-7", "run0-part-299"} <= found.keys()
    (run,) = report.subjects
    panel = found["run0-part-299"]
    label = report.examples.labels[299]
    drops = occlusion_maps(report.examples.images[299:], report.examples.labels[299:], classify)[0]
    text = "".join(panel.itertext())
    assert f"“{label}” has {run.chances[299, label]:.1%}" in text
    assert f"{run.chances[299, label] - drops.max():.1%}" in text
    assert len(list(panel.iter("img"))) == 3  # as it is, and again under its map
    for row in (-1, 300):
        with pytest.raises(InvalidValueError, match=f"0 to 299, not {row}"):
            dataclasses.replace(report, digits=(row,))


@pytest.mark.parametrize(
    ("arrays", "captions", "shape"),
    [
        ({"output/weight": (784, 10), "output/bias": (10,)}, DIGITS, (28, 28)),
        ({"layers/0/weight": (784, 10), "layers/1/weight": (10, 10)}, None, (28, 28)),
        ({"layers/0/W": (784, 30), "layers/1/W": (30, 10)}, None, (28, 28)),
        ({"first/kernel": (5, 5, 1, 6), "second/kernel": (5, 5, 6, 16), "dense": (400, 10)}, None, (5, 5)),
        ({"input/weight": (28, 112), "recurrent": (28, 112), "output/weight": (28, 10)}, None, (28, 28)),
        ({"output/weight": (100, 10)}, [], None),
    ],
)
def test_the_first_layer_is_found(
    arrays: dict[str, tuple[int, ...]], captions: list[str] | None, shape: tuple[int, int] | None
) -> None:
    random = np.random.default_rng(0)
    named = {name: random.normal(size=size) for name, size in arrays.items()}
    weights = first_layer(named, DIGITS)
    if shape is None:
        assert weights is None
        return
    assert weights is not None
    assert {picture.shape for _, picture in weights.pictures} == {shape}
    if captions:
        assert [caption for caption, _ in weights.pictures] == captions
    first = named[sorted(arrays)[-1 if "output/bias" in arrays else 0 if "dense" not in arrays else 1]]
    assert sum(float(np.abs(picture).sum()) for _, picture in weights.pictures) == pytest.approx(
        float(np.abs(first).sum())
    )


def test_units_are_pictures_of_their_own_weights_the_strongest_first() -> None:
    weights = np.zeros((784, 3))
    weights[30, 0], weights[31, 1], weights[32, 2] = 1, -3, 2
    found = first_layer({"layers/0/weight": weights, "layers/1/weight": np.zeros((3, 10))}, DIGITS)
    assert found is not None
    assert [caption for caption, _ in found.pictures] == ["1", "2", "0"]
    assert [picture[1, 2:5].tolist() for _, picture in found.pictures] == [[0, -3, 0], [0, 0, 2], [1, 0, 0]]


def test_contradictions_are_refused(report: Report) -> None:
    with pytest.raises(InvalidValueError, match=r"expected logits of 300 images for the 2 names"):
        dataclasses.replace(report, class_names=["0", "1"])
    with pytest.raises(InvalidValueError, match="row 2 of the history has no step, only loss"):
        dataclasses.replace(report.subjects[0], history=[{"step": 1}, {"loss": 2.0}])
    with pytest.raises(InvalidValueError, match="at least one run"):
        dataclasses.replace(report, subjects=[])
    with pytest.raises(InvalidValueError, match="one image"):
        dataclasses.replace(report, examples=report.examples[:0])


def test_a_report_that_fails_leaves_the_old_one(report: Report, tmp_path: Path) -> None:
    before = written(tmp_path, report)

    def broken(images: np.ndarray) -> np.ndarray:
        raise MemoryError

    fails = report_on(dataclasses.replace(report.subjects[0], classify=broken))
    with pytest.raises(MemoryError):
        write_report(tmp_path / "report.html", fails)
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


@pytest.mark.parametrize(("right", "shown"), [(0, 10), (60, 10), (80, 50)])
def test_of_a_net_that_is_nearly_always_wrong_few_mistakes_are_looked_at(right: int, shown: int) -> None:
    labels = data()[1]
    answers = np.where(np.arange(300) < right, labels, (labels + 1) % 10)
    wrong = dataclasses.replace(subject(), logits=np.eye(10)[answers])
    sections = Sections(report_on(wrong), wrong)
    assert len(sections.mistakes) == shown
    assert set(sections.drops) == {*sections.mistakes, *sections.typical}


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
