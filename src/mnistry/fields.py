"""Dataclasses whose fields hold what their annotations say, however they were made."""

from dataclasses import fields
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
from typeguard import CollectionCheckStrategy, TypeCheckError, check_type

from mnistry.errors import InvalidValueError, UnknownNameError

_WORDS = {
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    int | float: "a number",
    tuple[str, ...]: "names, such as ('pendigits',)",
    tuple[int, ...]: "whole numbers, such as (300, 100)",
}


def check_fields(instance: Any, *, within: str = "") -> None:
    """Checks each field of a dataclass against its annotation, for its `__post_init__`.

    Lists become tuples and NumPy's numbers Python's, so that an instance can be hashed and written as JSON.

    Args:
        instance: of a dataclass, which may be frozen.
        within: what errors put before the name of a field, such as `"model."`.

    Raises:
        UnknownNameError: a name is none of those that a `Literal` lists; the nearest is suggested.
        InvalidValueError: a value is of another type.
    """
    hints = _hints(instance.__class__)
    for field in fields(instance):
        value, hint = _plain(getattr(instance, field.name)), hints[field.name]
        object.__setattr__(instance, field.name, value)
        names = names_of(hint)
        if get_origin(hint) is Literal or (names and isinstance(value, str)):
            if value not in names:
                raise UnknownNameError(within + field.name, str(value), names)
            continue
        try:
            if isinstance(value, bool) != (hint is bool):
                raise TypeCheckError("a truth value is no number")
            check_type(value, hint, collection_check_strategy=CollectionCheckStrategy.ALL_ITEMS)
        except TypeCheckError as error:
            expected = _WORDS.get(hint) or str(hint)
            raise InvalidValueError(f"`{within}{field.name}` must be {expected}, not {value!r}") from error


def names_of(hint: Any) -> tuple[str, ...]:
    """The names that a field knows: those of its `Literal`, which may be one kind of several."""
    kinds = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return tuple(name for kind in kinds if get_origin(kind) is Literal for name in get_args(kind))


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return value.item() if isinstance(value, np.generic) else value


@cache
def _hints(of: type) -> dict[str, Any]:
    return get_type_hints(of)
