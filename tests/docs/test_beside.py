"""Old lines stand beside the cell that follows them."""

from docutils import nodes
from docutils.utils import new_document

from book.sphinx_pages import beside


def test_old_lines_and_ours_share_a_container() -> None:
    document = new_document("page")
    before, after = nodes.paragraph(text="before"), nodes.paragraph(text="after")
    old = nodes.container(classes=["old", "keras"])
    cell = nodes.container(classes=["cell"])
    document.extend([before, old, cell, after])
    beside(document)
    first, pair, last = document.children
    assert (first, last) == (before, after)
    assert pair["classes"] == ["pair"]
    assert pair.children == [old, cell]
