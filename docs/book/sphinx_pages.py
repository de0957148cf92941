"""A Sphinx extension: old lines stand beside ours, and Chinese pages are Chinese in what the code draws, too.

A container of the class `old` stands beside the cell that follows it. In what cells give as HTML, texts in
`<figure class="book">` and `<table class="book">` are looked up in `words.zh.json` for the Chinese pages.
"""

import html
import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.search.zh import SearchChinese
from sphinx.util import logging

WORDS = Path(__file__).parent.parent / "words.zh.json"
_logger = logging.getLogger(__name__)

# Texts between tags that have letters; code, styles and definitions stay as they are.
_KEPT = re.compile(r"<(code|style|defs)\b.*?</\1>", re.DOTALL)
_TEXT = re.compile(r"(?<=>)[^<>]*[^\W\d_][^<>]*(?=<)")
_NUMBER = re.compile(r"[\d.,]*\d")
_FULL_WIDTH = re.compile(r"[\u3000-\u303f\uff00-\uffef]")
_CHINESE = re.compile(r"[\u3000-\u9fff\uff00-\uffef]")
_LABEL = re.compile(r'(?<=aria-label=")[^"]*(?=")')


class Search(SearchChinese):
    """Sphinx's, which calls the stemmer of the Latin words in Chinese pages by a name that no script has."""

    language_name = "English"


def translated(drawn: str, words: dict[str, str]) -> tuple[str, set[str]]:
    """HTML in Chinese, and the words that are not in `words`, where `#` stands for any number."""
    missing = set()

    def chinese(match: re.Match[str]) -> str:
        text = html.unescape(match[0].strip())
        numbers = iter(_NUMBER.findall(text))
        kind = text if text in words else _NUMBER.sub("#", text)
        if kind not in words:
            missing.add(text)
            return match[0]
        said = words[kind] if kind == text else re.sub("#", lambda _: next(numbers), words[kind])
        return match[0].replace(match[0].strip(), html.escape(said))

    pieces, end = [], 0
    for kept in _KEPT.finditer(drawn):
        pieces += [_TEXT.sub(chinese, drawn[end : kept.start()]), kept[0]]
        end = kept.end()
    pieces.append(_TEXT.sub(chinese, drawn[end:]))
    return _LABEL.sub(chinese, "".join(pieces)), missing


def beside(document: nodes.document) -> None:
    """Puts each container of the class `old` and what follows it into one."""
    for old in list(document.findall(nodes.container)):
        if "old" not in old["classes"]:
            continue
        ours = old.next_node(descend=False, siblings=True)
        pair = nodes.container(classes=["pair"])
        old.parent[old.parent.index(old)] = pair
        pair += old
        if ours is not None:
            ours.parent.remove(ours)
            pair += ours


def is_no_space(before: str, after: str) -> bool:
    """Whether the end of a line between two texts is no space: it is one beside Latin letters."""
    return bool(_FULL_WIDTH.match(before[-1:]) or (_CHINESE.match(before[-1:]) and _CHINESE.match(after[:1])))


def without_breaks(document: nodes.document) -> None:
    """Takes away ends of lines that a browser would draw as spaces; MyST has each as a text of its own."""
    for text in list(document.findall(nodes.Text)):
        if text.astext() == "\n":
            before, after = (text.parent[text.parent.index(text) + side] for side in (-1, 1))
            if is_no_space(before.astext(), after.astext()):
                text.parent.remove(text)


def on_read(app: Sphinx, document: nodes.document) -> None:
    beside(document)
    if app.config.language != "zh_CN":
        return
    without_breaks(document)
    words = json.loads(WORDS.read_text())
    for raw in document.findall(nodes.raw):
        if 'class="book"' in raw.astext():
            text, missing = translated(raw.astext(), words)
            if missing:
                _logger.warning("not in words.zh.json: %s", sorted(missing), location=raw)
            raw.children[:] = [nodes.Text(text)]


def on_page(app: Sphinx, name: str, _template: str, context: dict[str, Any], _tree: object) -> None:
    """Tells the template where the same page is in the other language: at its start, if there is none."""
    other = "en" if app.config.language == "zh_CN" else "zh"
    there = (Path(app.srcdir).parent / other / f"{name}.md").exists()
    context["other_language"] = f"{context['pathto']('', 1)}../{other}/{name if there else 'index'}.html"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_search_language(Search)
    app.connect("doctree-read", on_read)
    app.connect("html-page-context", on_page)
    return {"parallel_read_safe": True}
