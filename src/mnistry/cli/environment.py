"""Options from the environment: `MNISTRY_PORT=80` is `--port 80`, where that flag is not given."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

import msgspec

from mnistry.errors import InvalidValueError

PREFIX = "MNISTRY_"

Options = TypeVar("Options")


def variables(kind: type) -> dict[str, str]:
    """The variable of each field of a dataclass and of the dataclasses in it; the field by the variable.

    >>> from mnistry.service.limits import Limits
    >>> variables(Limits)["MNISTRY_UPLOAD_MB"]
    'upload_mb'
    """
    found: dict[str, str] = {}
    hints = get_type_hints(kind)
    for field in fields(kind):
        if is_dataclass(hints[field.name]):
            found |= variables(hints[field.name])
        else:
            found[PREFIX + field.name.upper()] = field.name
    return found


def from_environment(kind: type[Options], environment: Mapping[str, str]) -> Options:
    """A dataclass whose defaults are what the environment says.

    A list is written with commas, a truth value as true or false; an empty variable counts as none.

    Args:
        kind: the dataclass; a field of it may be a dataclass, too.
        environment: the variables.

    Raises:
        InvalidValueError: a value is not of its field's type.
    """
    values: dict[str, Any] = {}
    hints = get_type_hints(kind)
    for field in fields(kind):  # type: ignore[arg-type]
        name, hint = PREFIX + field.name.upper(), hints[field.name]
        if is_dataclass(hint):
            values[field.name] = from_environment(hint, environment)  # type: ignore[arg-type]
        elif text := environment.get(name):
            values[field.name] = _converted(name, text, hint)
    return kind(**values)


def _converted(name: str, text: str, hint: Any) -> Any:
    if hint in (Path, Path | None):
        return Path(text)
    if hint == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    try:
        return msgspec.convert(text.lower() if hint is bool else text, hint, strict=False)
    except msgspec.ValidationError as error:
        why = f"expected {_EXPECTED[hint]}"
        if text.startswith("tcp://"):
            why += "; Kubernetes sets such for a service called mnistry, unless `enableServiceLinks: false`"
        raise InvalidValueError(f"{name}={text!r}: {why}") from error


_EXPECTED = {bool: "true or false", int: "a whole number", float: "a number"}
