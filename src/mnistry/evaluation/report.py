"""Runs as one HTML file that stands alone: figures, curves, confusions, mistakes, what decides, weights.

No script, no font, no request: a Content-Security-Policy in the file forbids every one. What opens and
closes are popovers and details, which browsers do by themselves.
"""

import base64
import hashlib
from pathlib import Path
from xml.etree.ElementTree import Element

from mnistry.atomic import write_bytes
from mnistry.evaluation.curves import training
from mnistry.evaluation.markup import element, page, section
from mnistry.evaluation.pairs import pairs_table, recipes_table
from mnistry.evaluation.sections import sections_of
from mnistry.evaluation.style import CSS, sized_for
from mnistry.evaluation.subjects import Report, Subject


def write_report(path: Path | str, report: Report) -> None:
    """Writes the report to `path`, atomically; the same report gives the same bytes.

    Raises:
        OSError: the file cannot be written.
    """
    css = CSS + sized_for(report.class_names)
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'; base-uri 'none'"
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=f"{policy}; form-action 'none'"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("title", report.title),
        element("style", css),
    )
    several = len(report.subjects) > 1
    parts = [recipes_table(report), pairs_table(report)] if several else []
    curves = training(report)
    parts += [curves] if curves is not None else []
    for number, run in enumerate(report.shown):
        inside = sections_of(report, run, f"run{number}", level=3 if several else 2)
        parts += [_closely(report, run, inside)] if several else inside
    parts += [_facts(report)]
    body = element("body", element("main", _header(report), *parts, _footer()))
    write_bytes(path, page(element("html", head, body, lang="en")))


def _header(report: Report) -> Element:
    lead = f"Measured on the {len(report.examples):,} images of the {report.part} part."
    heading = element("h1", report.title)
    if len(report.subjects) > 1:
        recipes = "one recipe" if len(report.recipes) == 1 else f"{len(report.recipes)} recipes"
        lead = f"{len(report.subjects)} runs of {recipes}. {lead}"
        if len(report.recipes) > len(report.shown):
            lead += f" The {len(report.shown)} most accurate recipes are looked at closely."
        return element("header", heading, element("p", lead, class_="lead"))
    (evaluation,) = report.evaluations.values()
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
    return element("header", heading, element("p", lead, class_="lead"), headline)


def _closely(report: Report, run: Subject, inside: list[Element]) -> Element:
    """The sections on one of several runs, under the name of its recipe."""
    runs = report.recipes[run.recipe]
    evaluation = report.evaluations[run]
    lead = f"{run.name}, seed {run.seed}: {evaluation.accuracy:.2%}, {evaluation.errors:,} mistakes."
    if len(runs) > 1:
        lead += f" The run of median accuracy of {len(runs)}."
    closely = section(run.recipe, lead, *inside)
    closely.set("class", "closely")
    return closely


def _facts(report: Report) -> Element:
    listings = []
    for run in report.subjects:
        pairs = (element("div", element("dt", name), element("dd", fact)) for name, fact in run.facts.items())
        listing = element("dl", *pairs, class_="facts")
        if len(report.subjects) > 1:
            listing = element("details", element("summary", f"{run.name}, seed {run.seed}"), listing)
        listings.append(listing)
    return section("How it was made", "Recipe, seed, versions and times.", *listings)


def _footer() -> Element:
    return element(
        "footer",
        element(
            "p",
            "The accuracy's interval is Wilson's (1927). Macro means weigh every class alike. The expected "
            "calibration error is the mean distance between confidence and accuracy over 15 equal-width "
            "bins (Guo et al., 2017). The log loss is the mean negative log-likelihood of the true class; "
            "0 would be certainty of every right answer. The maps of what decides are occlusion maps "
            "(Zeiler and Fergus, 2014).",
        ),
        element("p", "Written by mnistry. This file needs no network and runs no script."),
    )
