"""Figures are SVG in the page's own colours and fonts, and are told to those who cannot see them."""

import re
from xml.etree import ElementTree

from book import figures


def test_a_figure_is_drawn_in_what_the_page_has() -> None:
    figure, [axes] = figures.new("loss")
    axes.plot([0, 1], [1, 0], label="ours")
    axes.legend()
    drawn = figures.show(figure, 'falls "fast" & far').data
    root = ElementTree.fromstring(drawn)
    assert root.attrib["aria-label"] == 'falls "fast" & far'
    texts = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"loss", "ours", "0.0", "1.0"} <= set(texts)
    assert "var(--figure-first)" in drawn
    assert "currentColor" in drawn
    colours = set(re.findall(r"#[0-9a-f]{6}\b", drawn))
    assert colours <= {"#000000"}  # what nothing is drawn in
    assert "font-family" not in drawn
    assert not re.search(r'<(svg|g)[^>]* (width|id)="', drawn)


def test_two_figures_can_stand_in_one_page() -> None:
    pages = []
    for _ in range(2):
        figure, [axes] = figures.new("a")
        axes.plot([0, 1], [1, 0], "o")
        pages.append(figures.show(figure, "a").data)
    first, second = (set(re.findall(r'<clipPath id="([^"]+)"', page)) for page in pages)
    assert first
    assert not first & second
