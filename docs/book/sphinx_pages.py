"""A Sphinx extension: old lines stand beside ours, and what the code draws is translated.

A container of the class `old` stands beside the cell that follows it. In what cells give as HTML, texts in
`<figure class="book">` and `<table class="book">` are looked up in `words.zh.json` for the Chinese pages.
"""

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging

WORDS = Path(__file__).parent.parent / "words.zh.json"
_logger = logging.getLogger(__name__)

# Texts between tags that have letters; code, styles and definitions stay as they are.
_KEPT = re.compile(r"<(code|style|defs)\b.*?</\1>", re.DOTALL)
_TEXT = re.compile(r"(?<=>)[^<>]*[^\W\d_][^<>]*(?=<)")
_LABEL = re.compile(r'(?<=aria-label=")[^"]*(?=")')


def translated(drawn: str, words: dict[str, str]) -> tuple[str, set[str]]:
    """HTML in Chinese, and the words that are not in `words`."""
    missing = set()

    def chinese(match: re.Match[str]) -> str:
        text = match[0].strip()
        if text not in words:
            missing.add(text)
        return match[0].replace(text, words.get(text, text))

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
        old.replace_self(pair)
        pair += old
        if ours is not None:
            ours.parent.remove(ours)
            pair += ours


def on_read(app: Sphinx, document: nodes.document) -> None:
    beside(document)
    if app.config.language != "zh_CN":
        return
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
    app.connect("doctree-read", on_read)
    app.connect("html-page-context", on_page)
    return {"parallel_read_safe": True}
