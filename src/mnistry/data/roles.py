"""Which arrays of a file are images, which are labels, and of which part: their names tell."""

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from mnistry.data.parts import Part, part_called
from mnistry.errors import DataError

Role = Literal["images", "labels"]

_WORDS: dict[Role, tuple[str, ...]] = {
    "images": ("images", "image", "imgs", "img", "x", "pixels", "data", "features", "inputs", "digits"),
    "labels": ("labels", "label", "targets", "target", "y", "classes", "class", "category", "digit"),
}
"""What people call them; of two arrays of one role, that with the earlier word counts."""
LABEL_NAMES = frozenset(_WORDS["labels"])
_ROLES = {word: role for role, words in _WORDS.items() for word in words}

_ABOUT = frozenset(
    {"names", "name", "path", "filename", "file", "format", "id", "ids", "height", "width", "depth", "shape"}
)
"""Words of what is said about images and labels, and is neither."""


def role_of(name: str) -> Role | None:
    """What a name's last telling word says.

    >>> role_of("train/data"), role_of("testY"), role_of("image.label"), role_of("writer")
    ('images', 'labels', 'labels', None)
    """
    words = _words(name)
    if not _ABOUT.isdisjoint(words):
        return None
    return next((_ROLES[word] for word in reversed(words) if word in _ROLES), None)


def part_of(name: str) -> Part | None:
    """The part that a name's first telling word says; None if no word does.

    >>> part_of("x_train"), part_of("dataset/test/images"), part_of("valY"), part_of("X")
    ('train', 'test', 'validation', None)
    """
    return next((part for word in _words(name) if (part := part_called(word))), None)


def digit_of(name: str) -> tuple[Part, int] | None:
    """The part and the digit of an array that holds one digit's images, as those of `mnist_all.mat` do.

    >>> digit_of("train0"), digit_of("mnist/Test9"), digit_of("train10"), digit_of("x1")
    (('train', 0), ('test', 9), None, None)
    """
    found = re.fullmatch(r"([A-Za-z]+)([0-9])", name.rpartition("/")[2])
    part = part_called(found[1]) if found else None
    return (part, int(found[2])) if found and part else None


def is_telling(name: str) -> bool:
    """Whether an array is called as images, labels or the images of one digit are."""
    return role_of(name) is not None or digit_of(name) is not None


def pairs_among(names: Iterable[str], where: object) -> dict[Part, tuple[str, str | None]]:
    """The names of each part's images and labels.

    Args:
        names: of arrays, as they are called in a file, or below the names of files, such as `train/images`.
        where: they were found, for the error message.

    Returns:
        For each part the name of its images, and that of its labels or None if it has none. What belongs to
        no part is for training, where nothing else is.

    Raises:
        DataError: there are no images, or none with labels.
    """
    names = list(names)
    found: dict[Part | None, dict[Role, str]] = {}
    for role in _WORDS:
        for name in sorted((name for name in names if role_of(name) == role), key=_rank):
            found.setdefault(part_of(name), {}).setdefault(role, name)
    if None in found and "train" not in found:
        found["train"] = found.pop(None)
    pairs: dict[Part, tuple[str, str | None]] = {
        part: (roles["images"], roles.get("labels"))
        for part, roles in found.items()
        if part is not None and "images" in roles
    }
    if pairs and not any(labels for _, labels in pairs.values()):
        raise DataError(f"{where}: it has no labels. What has no labels cannot be a data set.")
    if not pairs:
        raise DataError(
            f"{where}: expected images and labels by name, such as x_train, y_train, x_test and y_test, or "
            f"images and labels; found {', '.join(sorted(names)[:20]) or 'none'}."
        )
    return pairs


def without_numbers(name: str) -> str:
    """The name that all shards of a part share.

    >>> without_numbers("train-00003-of-00012/image")
    'train/image'
    """
    return re.sub(r"[-_.]\d+(-of-\d+)?(?=/|$)", "", name)


def _words(name: str) -> Sequence[str]:
    """The words of a name in small letters: `trainX` and `train_x` are two."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[a-z])(?=\d)", " ", name)
    words = re.split(r"[\W_]+", spaced.lower())
    return [part for word in words for part in _letter_and_part(word)]


def _letter_and_part(word: str) -> Sequence[str]:
    """`xtrain` is two words, and so is `testy`."""
    for letter, rest in ((word[:1], word[1:]), (word[-1:], word[:-1])):
        if letter in ("x", "y") and part_called(rest):
            return [letter, rest]
    return [word]


def _rank(name: str) -> tuple[int, str]:
    words = [word for role in _WORDS.values() for word in role]
    telling = [word for word in _words(name) if word in words]
    return words.index(telling[-1]), name
