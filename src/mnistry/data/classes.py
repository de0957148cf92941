"""What classes are called: from the names of folders to labels, and which names are kept.

Number words mean their digits in every language that `num2words` writes, numerals in every script.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from mnistry import atomic
from mnistry.data.dataset import DIGITS, MOST_CLASSES, Examples
from mnistry.errors import DataError

CLASS_NAMES = "class_names"
"""The name under which an `.npz` file, or the metadata of a model, holds the class names."""
NAMES_FILE = f"{CLASS_NAMES}.txt"
"""A text file beside the data, one name a line, for formats that have no place for class names."""
NO_CLASS = "(none)"
"""Stands in the list of names for a label without a class."""

_OTHER_FORMS = {
    "de": {"ein": 1, "eine": 1, "zwo": 2, "fuenf": 5},
    "es": {"un": 1, "una": 1},
    "fr": {"une": 1},
    "it": {"un": 1, "una": 1},
    "pt": {"uma": 1, "duas": 2},
    "ru": {"нуль": 0, "одна": 1, "две": 2},
}
"""More forms of the number words that `num2words` knows, by its code of the language."""
_OTHER_LANGUAGES = (
    "零 幺 两 三 四 五 六 七 八 九",
    "ling yi er san si wu liu qi ba jiu",
    "ぜろ/れい/ゼロ いち に さん よん/し ご ろく なな/しち はち きゅう/く",
    "ゼロ イチ ニ サン ヨン/シ ゴ ロク ナナ/シチ ハチ キュウ/ク",
    "zero/rei ichi ni san yon/shi go roku nana/shichi hachi kyuu/kyu/ku",
    "공 하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉",
)
"""Number words that `num2words` does not know: spoken Chinese, pinyin, Japanese, native Korean."""
_NOT_IN_FILE_NAMES = frozenset('/\\:*?"<>|')  # on Windows, macOS or Linux
_LONGEST_FOLDER_NAME = 200  # bytes
_MOST_NAMED = 20  # classes in a message
_NOT_PART_OF_IT = frozenset({"digit", "class", "label", "number"})


def labels_of(names: Collection[str]) -> tuple[dict[str, int], tuple[str, ...]]:
    """Labels for the names of classes, and what the labels are called.

    Where all names are digits, numerals or number words of one language, such as `7`, `07`, `seven`,
    `digit_seven`, `七` or `siete`, the labels are those digits. All other names are labelled in their
    order, numbers in them by value, and the labels keep the names.

    Returns:
        The label of each name, and ten class names or more; `NO_CLASS` where there are fewer.

    Raises:
        DataError: more than `MOST_CLASSES` names, or number words that are different digits in two languages.

    >>> labels_of(["zero", "nine"])[0], labels_of(["item 10", "item 9"])[0]
    ({'zero': 0, 'nine': 9}, {'item 9': 0, 'item 10': 1})
    """
    if digits := _digits(names):
        return digits, DIGITS
    ordered = sorted(names, key=_by_value)
    if len(ordered) > MOST_CLASSES:
        more = ", …" if len(ordered) > _MOST_NAMED else ""
        raise DataError(
            f"expected at most {MOST_CLASSES} classes, found {len(ordered):,}: "
            f"{', '.join(ordered[:_MOST_NAMED])}{more}."
        )
    return (
        {name: label for label, name in enumerate(ordered)},
        (*map(_in_one_line, ordered), *[NO_CLASS] * (len(DIGITS) - len(ordered))),
    )


def numbered(parts: Iterable[Examples | None]) -> tuple[str, ...]:
    """What the classes of examples are called that have only numbers.

    >>> images = np.zeros((2, 28, 28), np.uint8)
    >>> numbered([Examples(images, np.array([0, 11], np.uint8)), None])[-2:]
    ('10', '11')
    """
    highest = max((int(part.labels.max(initial=0)) for part in parts if part is not None), default=0)
    return tuple(map(str, range(max(len(DIGITS), highest + 1))))


def check_count(names: Collection[str], parts: Iterable[Examples | None], where: object) -> None:
    """Refuses more than ten classes of hardly an image each: what was taken for labels is something else.

    Raises:
        DataError: there are fewer than two images for each class.
    """
    count = sum(len(part) for part in parts if part is not None)
    if len(names) > len(DIGITS) and count < 2 * len(names):
        more = ", …" if len(names) > _MOST_NAMED else ""
        raise DataError(
            f"{where}: expected at most ten classes, or two images of each at least, found {len(names)} for "
            f"{count:,} images: {', '.join(list(names)[:_MOST_NAMED])}{more}. Are the labels the right "
            "column, array, folders or part of the names?"
        )


def read_names(folder: Path) -> tuple[str, ...] | None:
    """The names that `class_names.txt` in a folder keeps, or None if there is no such file.

    Raises:
        DataError: it does not hold ten different names or more, a line for each.
    """
    path = folder / NAMES_FILE
    if not path.is_file():
        return None
    try:
        with path.open(encoding="utf-8-sig") as file:
            names = tuple(line.strip() for line in file.read(100_000).splitlines())
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}.") from error
    return checked_names(names, str(path))


def write_names(folder: Path, names: tuple[str, ...]) -> None:
    """Writes what `read_names` reads.

    Raises:
        OSError: it cannot be written.
    """
    atomic.write_text(folder / NAMES_FILE, "".join(f"{name}\n" for name in names))


def folder_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names for the folders of the classes: the class names, or their numbers if one cannot name a folder.

    >>> folder_names(("T-shirt/top", *"bcdefghij"))[:2]
    ('0', '1')
    """
    used = {name.casefold() for name in names if name != NO_CLASS}
    possible = len(used) == len(names) - names.count(NO_CLASS) and not any(
        name.startswith(".") or set(name) & _NOT_IN_FILE_NAMES or len(name.encode()) > _LONGEST_FOLDER_NAME
        for name in names
    )
    return names if possible else tuple(map(str, range(len(names))))


def checked_names(names: Collection[str], where: str) -> tuple[str, ...]:
    """Ten class names or more, if that is what they are; `where` they come from is for the error message.

    Raises:
        DataError: they are fewer than ten, or too many, one is empty, or two are the same.
    """
    used = [name for name in names if name != NO_CLASS]
    whole = all(name.strip() == name and name.isprintable() for name in names)
    if (
        not len(DIGITS) <= len(names) <= MOST_CLASSES
        or not whole
        or "" in names
        or len(set(used)) < len(used)
    ):
        raise DataError(
            f"{where}: expected ten different names or more, one for each label from 0 on ({NO_CLASS} where "
            f"there is no such class), found {list(names)}."
        )
    return tuple(names)


def relabelled(examples: Examples, own: Sequence[str], wanted: Sequence[str]) -> Examples:
    """The examples with new labels: each class gets the number that it has in another list of names.

    Args:
        examples: the examples.
        own: what their classes are called.
        wanted: what a model's classes are called.

    Raises:
        DataError: a class of the examples is none of the model's.
    """
    if unknown := [own[label] for label in np.unique(examples.labels) if own[label] not in wanted]:
        known = ", ".join(name for name in wanted if name != NO_CLASS)
        raise DataError(
            f"the model's classes are {known}; the images have others: {', '.join(unknown)}. Call them as "
            "those of the model, or measure a model that was trained on these."
        )
    labels = [wanted.index(name) if name in wanted else 0 for name in own]
    return Examples(examples.images, np.array(labels, np.uint8)[examples.labels])


def _digits(names: Collection[str]) -> dict[str, int] | None:
    """The digits that all names mean, or None."""
    found: list[dict[str, int]] = []
    for words in [{}] if all(name in DIGITS for name in names) else _languages():
        digits = {name: digit for name in names if (digit := _digit(name, words)) is not None}
        if len(digits) == len(names) and digits not in found:
            found.append(digits)
    if len(found) > 1:
        raise DataError(
            f"{', '.join(names)}: these number words are other digits in one language than in another. "
            "Call the classes 0 to 9."
        )
    return found[0] if found else None


def _digit(name: str, words: dict[str, int]) -> int | None:
    parts = re.split(r"[\s_.-]+|(?<=\d)(?=\D)|(?<=\D)(?=\d)", _folded(name))
    digits = {_numeral(part, words) for part in parts if part and part not in _NOT_PART_OF_IT}
    return digits.pop() if len(digits) == 1 else None


def _numeral(text: str, words: dict[str, int]) -> int | None:
    if text.isdecimal():
        return value if (value := int(text[:20])) < len(DIGITS) else None
    if len(text) == 1 and (sign := unicodedata.numeric(text, None)) in range(len(DIGITS)):
        return int(sign or 0)
    return words.get(text)


def _folded(text: str) -> str:
    """Without capitals and accents, so that `Três` is `tres`."""
    parts = unicodedata.normalize("NFKD", text.casefold().replace("ı", "i"))
    return "".join(part for part in parts if not unicodedata.combining(part) and part not in "'’")


@cache
def _languages() -> tuple[dict[str, int], ...]:
    """The digits of each language by word."""
    from num2words import CONVERTER_CLASSES, num2words

    languages = [
        {num2words(digit, lang=code): digit for digit in range(10)} | _OTHER_FORMS.get(code, {})
        for code in CONVERTER_CLASSES
    ]
    for line in _OTHER_LANGUAGES:
        forms = enumerate(line.split())
        languages.append({word: digit for digit, words in forms for word in words.split("/")})
    return tuple({_folded(word): digit for word, digit in words.items()} for words in languages)


def _in_one_line(name: str) -> str:
    """A class name on one line: folders' names may hold line breaks, or what UTF-8 cannot write."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in name).split()) or "?"


def _by_value(name: str) -> list[tuple[int, str]]:
    """A key that sorts `item 9` before `item 10`."""
    return [(int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d+)", name)]
