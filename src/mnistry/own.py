"""Configurations of one's own: classes that users derive, whose values a run keeps and finds again."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, dataclass_transform

from mnistry.errors import RunError
from mnistry.fields import check_fields


@dataclass_transform(frozen_default=True)
class OwnConfig:
    """What derives from it becomes a frozen dataclass with fields that are JSON values.

    A run keeps the name of the class and the fields. There is no table to enter the class in: whoever opens
    the run finds the class by its name among those that are defined then, and nothing is imported for it.
    """

    def __init_subclass__(cls, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        dataclass(frozen=True)(cls)

    def __post_init__(self) -> None:
        check_fields(self)

    def to_json(self) -> dict[str, Any]:
        """The class's name and the fields; `own_from_json` is the inverse."""
        return {"class": _name(type(self)), "fields": asdict(self)}  # type: ignore[call-overload]


class Undefined(OwnConfig):
    """Stands for a configuration whose class this process has not defined: it can be told of, not used."""

    name: str
    fields: tuple[tuple[str, Any], ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", _frozen(self.fields))

    def to_json(self) -> dict[str, Any]:
        """See `OwnConfig`."""
        return {"class": self.name, "fields": dict(self.fields)}

    def error(self) -> RunError:
        """Says what is to be defined."""
        return RunError(
            f"{self.name} is a class that this process has not defined. In Python, define or import it, then "
            "open the run"
        )


def own_from_json(values: dict[str, Any], base: type, undefined: type[Undefined]) -> Any:
    """What `to_json` wrote: of a class that derives from `base`, or of `undefined` where there is none."""
    name, fields = values["class"], values["fields"]
    if not isinstance(name, str) or not isinstance(fields, dict):
        raise TypeError("a class of one's own is kept by the name `class` and the values `fields`")
    cls = _defined(base, name)
    return undefined(name, tuple(fields.items())) if cls is None else cls(**fields)


def _defined(base: type, name: str) -> type | None:
    """The class of that name, the last one defined.

    What was defined in a script or a notebook may be in a module now, and the other way round.
    """
    classes: dict[str, type] = {_name(cls): cls for cls in _derived(base)}
    if name in classes:
        return classes[name]
    module, _, own = name.partition(":")
    for known, found in classes.items():
        if known.partition(":")[2] == own and "__main__" in (module, found.__module__):
            return found
    return None


def _derived(base: type) -> Iterator[type]:
    known: list[type] = base.__subclasses__()
    for cls in known:
        if not issubclass(cls, Undefined):
            yield cls
        yield from _derived(cls)


def _name(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value
