"""Messages in the language of who reads them: marked by `gettext` in the code, translated in `locale/`.

Whatever programs read (JSON, tables, what a run folder keeps) stays in English.
"""

import gettext as _catalogues
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from mnistry.errors import UnknownNameError

LANGUAGES = {"en": "en", "zh": "zh-Hans"}
"""What there is, by its code: as HTML's `lang` names it."""
DOMAIN = "mnistry"
FOLDER = Path(__file__).parent / "locale"

_chosen: str | None = None


def language_of(environment: Mapping[str, str]) -> str:
    """The language that an environment asks for, of those that there are; English where it names no other.

    Examples:
        >>> language_of({"LANG": "zh_CN.UTF-8"}), language_of({"LANG": "de_DE.UTF-8"}), language_of({})
        ('zh', 'en', 'en')
        >>> language_of({"LANGUAGE": "en_GB:zh_CN", "LANG": "zh_CN.UTF-8"})
        'en'
    """
    # The order of POSIX; the first that is set counts, and LANGUAGE may list several, the best first.
    names = ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    asked = next((environment[name] for name in names if environment.get(name)), "")
    codes = (re.split("[_.@-]", one)[0].lower() for one in asked.split(":"))
    return next((code for code in codes if code in LANGUAGES), "en")


def use_language(name: str | None) -> None:
    """Chooses the language of all messages of this process.

    Args:
        name: `en` or `zh`, also as a locale writes it (`zh_CN.UTF-8`); None: the environment says.

    Raises:
        UnknownNameError: there is no such language.
    """
    global _chosen
    code = re.split("[_.@-]", name)[0].lower() if name is not None else None
    if code is not None and code not in LANGUAGES:
        raise UnknownNameError("language", str(name), LANGUAGES)
    _chosen = code


def language() -> str:
    """The language of messages, as `use_language` takes it."""
    return _chosen or language_of(os.environ)


def gettext(message: str) -> str:
    """A message in the reader's language; its `{names}` are for `str.format`."""
    return _catalogue(language()).gettext(message)


def ngettext(one: str, several: str, n: int) -> str:
    """A message that counts something, in the reader's language: `one` or `several`, as `n` asks for."""
    return _catalogue(language()).ngettext(one, several, n)


def messages(code: str) -> dict[str, str]:
    """All messages of a language that count nothing, and their translations."""
    catalogue: dict[str | tuple[str, int], str] = vars(_catalogue(code)).get("_catalog", {})
    return {key: text for key, text in catalogue.items() if isinstance(key, str) and key}


def part_name(part: str) -> str:
    """What a part of a data set is called: test, validation, train, all."""
    names = {
        "test": gettext("test"),
        "validation": gettext("validation"),
        "train": gettext("train"),
        "all": gettext("all"),
    }
    return names.get(part, part)


@cache
def _catalogue(code: str) -> _catalogues.NullTranslations:
    if code == "en":
        return _catalogues.NullTranslations()
    return _catalogues.translation(DOMAIN, FOLDER, [code])
