"""Finds, for Babel, messages that need no mark, too: what errors say, and what flags say of themselves.

An error is made of an f-string; in the catalogue stands `{path}: {found} images, not {expected}`. What is
no name is called by its place in the message: `{1}`, `{2}`. A flag is a field of a dataclass, and says what
it is in the string below it. Besides these, the summaries of commands and recipes.
"""

import ast
import re
from collections.abc import Collection, Iterator
from typing import IO, Any

from babel.messages.extract import extract_python

Found = tuple[int, str, str, list[str]]


def extract(
    file: IO[bytes], keywords: Collection[str], comment_tags: Collection[str], options: dict[str, Any]
) -> Iterator[Found]:
    """Babel's extraction method: line, function, message, comments of each; with `flags`, what those say."""
    yield from extract_python(file, keywords, comment_tags, {})
    file.seek(0)
    tree = ast.parse(file.read())
    found: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _is_error(node.func):
            for argument in node.args[:1]:
                found |= dict.fromkeys(_templates(argument), node.lineno)
        elif (
            options.get("flags")
            and isinstance(node, ast.ClassDef)
            and any("dataclass" in ast.unparse(d) for d in node.decorator_list)
        ):
            found |= {one_line(text): line for line, text in _told_by_fields(node)}
            if told := ast.get_docstring(node):
                found[one_line(re.split(r"\n\n(?=\w+:\n)", told)[0])] = node.lineno
        elif isinstance(node, ast.keyword) and node.arg == "summary":
            found |= dict.fromkeys(_templates(node.value), node.lineno)
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets) in ("COMMANDS", "USAGE"):
            values = node.value.values if isinstance(node.value, ast.Dict) else [node.value]
            found |= {text: node.lineno for value in values for text in _templates(value)}
    for text, line in found.items():
        if re.search("[a-z]{2}", re.sub(r"\{[^}]*\}", "", text)):
            yield line, "gettext", text, []


def one_line(text: str) -> str:
    """A docstring as one paragraph."""
    return " ".join(text.split())


def _is_error(called: ast.expr) -> bool:
    """Whether an error is made: of UnknownNameError, whose message is its own, where that makes it."""
    name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
    return (name.endswith("Error") and name != "UnknownNameError") or ast.unparse(
        called
    ) == "super().__init__"


def _templates(node: ast.expr) -> Iterator[str]:
    """The messages that an expression may be; of what is put together by `+` each part."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield _template(node)
    elif isinstance(node, ast.IfExp):
        yield from _templates(node.body)
        yield from _templates(node.orelse)
    elif isinstance(node, ast.BinOp):
        yield from _templates(node.left)
        yield from _templates(node.right)


def _template(node: ast.JoinedStr) -> str:
    text, names = "", {}
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += part.value.replace("{", "{{").replace("}", "}}")
            continue
        assert isinstance(part, ast.FormattedValue)
        written = ast.unparse(part.value)
        name = written.rpartition(".")[2]
        if not name.isidentifier() or names.get(name, written) != written:
            name = str(len(names) + 1)
        names[name] = written
        text += f"{{{name}}}"
    return text


def _told_by_fields(node: ast.ClassDef) -> Iterator[tuple[int, str]]:
    for field, told in zip(node.body, node.body[1:], strict=False):
        match field, told:
            case ast.AnnAssign(), ast.Expr(ast.Constant(str() as text)):
                yield told.lineno, text
