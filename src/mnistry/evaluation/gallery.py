"""Images in a report: small ones in numbers, and single ones with what decided how they were read."""

from collections.abc import Sequence
from xml.etree.ElementTree import Element

import numpy as np

from mnistry.evaluation.charts import probability_bars
from mnistry.evaluation.markup import element, opener, panel, picture, signed_picture
from mnistry.evaluation.occlusion import occlusion_maps
from mnistry.evaluation.subjects import Report, Subject

_LEAST_SCALE = 0.01  # of probability; what changes less than this stays pale


def thumbnails(report: Report, runs: Sequence[Subject], rows: Sequence[int]) -> Element:
    """Test images with the answers of some runs, each with its probability.

    Args:
        report: whose images.
        runs: whose answers.
        rows: which images.
    """
    listing = element("ol", class_="thumbnails")
    for row in rows:
        label = int(report.examples.labels[row])
        answers = []
        for run in runs:
            read = int(run.read[row])
            style = "right" if read == label else "wrong"
            answers.append(element("b", report.class_names[read], class_=style))
            answers.append(element("span", f"{run.chances[row, read]:.1%}"))
        if all(run.read[row] != label for run in runs):
            answers.append(element("b", report.class_names[label], class_="right"))
            answers += [element("span", f"{run.chances[row, label]:.1%}") for run in runs]
        image = picture(report.examples.images[row], f"Image {row}")
        caption = element("figcaption", *answers, element("small", f"no. {row}"))
        listing.append(element("li", element("figure", image, caption)))
    return listing


class Closeups:
    """What decided how single images were read by one run: their occlusion maps, made all at once."""

    def __init__(self, report: Report, run: Subject, key: str, rows: Sequence[int]) -> None:
        """
        Args:
            report: whose images.
            run: whose model.
            key: begins the identifiers of this run's panels.
            rows: which images will be asked for.
        """
        self._report, self._run, self._key = report, run, key
        unique = np.unique(np.array(rows, np.int64))
        examples = report.examples[unique]
        maps = occlusion_maps(examples.images, examples.labels, run.classify)
        self._maps = dict(zip(unique.tolist(), maps, strict=True))

    def figure(self, row: int, *, kind: str, covered: bool) -> Element:
        """One image over its probabilities; clicked, it opens its panel.

        Args:
            row: which image.
            kind: why it is shown; begins the caption's second line and the panel's identifier.
            covered: whether to lay the map on the image.
        """
        report, run = self._report, self._run
        names, label, read = report.class_names, int(report.examples.labels[row]), int(run.read[row])
        chances = [float(chance) for chance in run.chances[row]]
        answer = [element("b", names[label], class_="right")]
        if read != label:
            answer += [element("span", " read as "), element("b", names[read], class_="wrong")]
        shown = f"Image {row}: {names[label]}, read as {names[read]} with {chances[read]:.1%}"
        identifier = f"{self._key}-{kind.split()[0]}-{row}"
        return element(
            "figure",
            opener(identifier, self._picture(row, shown, covered=covered), class_="image", label=shown),
            element("figcaption", *answer, element("small", f"{chances[read]:.1%} · no. {row}")),
            probability_bars(chances, label, read, names),
            self._panel(identifier, row, shown),
        )

    def _picture(self, row: int, shown: str, *, covered: bool) -> Element:
        image = picture(self._report.examples.images[row], shown)
        if not covered:
            return element("span", image, class_="layers")
        drops = self._maps[row]
        scale = max(float(np.abs(drops).max()), _LEAST_SCALE)
        overlay = signed_picture(drops, scale, f"What decided on image {row}")
        return element("span", image, overlay, class_="layers covered")

    def _panel(self, identifier: str, row: int, shown: str) -> Element:
        names, label = self._report.class_names, int(self._report.examples.labels[row])
        drops, chances = self._maps[row], self._run.chances[row]
        name, before = names[label], chances[label]
        text = f"“{name}” has {before:.1%}. Covered where it matters most, {before - drops.max():.1%}"
        text += f"; where covering helps most, {before - drops.min():.1%}." if drops.min() < 0 else "."
        table = element("table", class_="chances-table")
        for i in np.argsort(-chances, kind="stable")[:10]:
            style = "right" if i == label else "wrong" if i == self._run.read[row] else ""
            head = element("th", names[i], scope="row", class_=style)
            table.append(element("tr", head, element("td", f"{chances[i]:.2%}")))
        pictures = [self._picture(row, shown, covered=covered) for covered in (False, True)]
        return panel(
            identifier,
            shown,
            element("div", *pictures, table, class_="closeup"),
            element("p", text, class_="lead"),
        )
