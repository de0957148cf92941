"""Errors in the reader's language, as far as the catalogue has them; what it has not stays English.

Errors are raised in English, as Python's are, with their values already in them. So the catalogue has their
forms, `{path}: there is no such run folder`, and the command line finds the form that a message has.
"""

import string
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from mnistry.cli.flags import as_flags
from mnistry.language import gettext, language, messages

FEWEST_SPACES = 2
"""In a form's own text; with fewer it is a word, which a name or a value might be, too."""


@dataclass(frozen=True)
class Form:
    """A message with places for values: `texts` stand before, between and after the values called `names`."""

    texts: tuple[str, ...]
    names: tuple[str, ...]
    translation: str

    def values(self, message: str) -> dict[str, str] | None:
        """What stands in a message at this form's places; None where it has another form."""
        first, *others = self.texts
        if not message.startswith(first):
            return None
        found: dict[str, str] = {}
        position = len(first)
        for number, (name, text) in enumerate(zip(self.names, others, strict=True), 1):
            last = number == len(self.names)
            # Of two values that a space parts, the second one is a name in quotation marks.
            sought = " '" if text == " " and " '" in message[position:] else text
            end = len(message) - len(text) if last else message.find(sought, position)
            if end < position or not message.startswith(text, end):
                return None
            found.setdefault(name, message[position:end])
            position = end + len(text)
        return found if position == len(message) else None


def spoken(message: str) -> str:
    """An error as the command line tells it: in the reader's language, with flags for arguments."""
    return as_flags(translated(message))


def translated(message: str) -> str:
    """The message in the reader's language; values that are messages themselves are translated, too.

    Examples:
        >>> from mnistry.language import use_language
        >>> use_language("zh")
        >>> translated("runs/mlp-1: there is no such run folder")
        'runs/mlp-1：没有这个运行文件夹'
        >>> translated("nobody has translated this")
        'nobody has translated this'
        >>> use_language(None)
    """
    if language() == "en":
        return message
    for form in _forms(language()):
        if (values := form.values(message)) is not None:
            values = {name: _value(name, value) for name, value in values.items()}
            return "".join(
                text + (values[name] if name is not None else "")
                for text, name, _, _ in string.Formatter().parse(form.translation)
            )
    before, colon, after = message.partition(": ")
    if colon and (said := translated(after)) != after:
        return f"{before}：{said}"
    return message


def _value(name: str, value: str) -> str:
    if name != "kind":
        return translated(value)
    kinds = {
        "command": gettext("command"),
        "data set": gettext("data set"),
        "data set or path": gettext("data set or path"),
        "format": gettext("format"),
        "language": gettext("language"),
        "loss": gettext("loss"),
        "model": gettext("model"),
        "optimizer": gettext("optimizer"),
        "order": gettext("order"),
        "part": gettext("part"),
        "recipe": gettext("recipe"),
        "schedule": gettext("schedule"),
    }
    return kinds.get(value, f" {value}")


@cache
def _forms(code: str) -> tuple[Form, ...]:
    """All forms of a language, those that say most of themselves first."""
    forms = list(_parsed(messages(code)))
    return tuple(sorted(forms, key=lambda form: -sum(map(len, form.texts))))


def _parsed(catalogue: dict[str, str]) -> Iterator[Form]:
    for message, translation in catalogue.items():
        texts, names = [""], []
        for text, name, _, _ in string.Formatter().parse(message):
            texts[-1] += text
            if name is not None:
                names.append(name)
                texts.append("")
        if sum(text.count(" ") for text in texts) >= FEWEST_SPACES:
            yield Form(tuple(texts), tuple(names), translation)
